"""The pages that a member of staff can go to, by what they may: the menu, and what the search knows of."""

from collections.abc import Collection
from typing import NamedTuple

SLASH = "carewright_staff_slash"
"""The cookie in which a browser keeps whether a single key opens the search."""


class Destination(NamedTuple):
    """A page, for whoever has the permission; for everybody where it names none."""

    name: str
    href: str
    permission: str = ""


DESTINATIONS = (
    Destination("My account", "/staff"),
    Destination("Today", "/staff/today", "scheduling.appointment.any_patient"),
    Destination("Day board", "/staff/board", "scheduling.appointment.any_patient"),
    Destination("Overview", "/staff/overview", "scheduling.calendar.read"),
    Destination("Queues", "/staff/queues", "flow.queue.read"),
    Destination("Beds", "/staff/beds", "flow.place.read"),
    Destination("Screens and kiosks", "/staff/stations", "access.station.manage"),
    Destination("Running late", "/staff/disruptions", "flow.delay.list"),
    Destination("Day plans", "/staff/plans", "scheduling.plan.make"),
    Destination("Apps", "/staff/apps", "access.app.start"),
    Destination("Coverage", "/staff/coverage", "coverage.check"),
    Destination("Privacy", "/staff/privacy", "audit.read"),
    Destination("Incidents", "/staff/incident", "oversight.respond"),
    Destination("Messages", "/staff/messages", "hl7.work_list"),
    Destination("Health record", "/staff/ehr", "ehr.exchange"),
)


def navigation_of(permissions: Collection[str]) -> list[Destination]:
    """Where whoever has these permissions can go."""
    return [each for each in DESTINATIONS if not each.permission or each.permission in permissions]
