"""What a feed says of appointments: enough to be there in time, and nothing that a shared calendar should not tell."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.directory import Location
from carewright.contracts.icalendar import Entry, status_of
from carewright.contracts.scheduling import Appointment

PLACES = ("room", "lab-bench", "bed")


def entries_for_patient(
    appointments: Iterable[Appointment], sites: Mapping[UUID, Location], now: datetime, cancelled: timedelta
) -> list[Entry]:
    """A patient's own: where to be, not what for."""
    return [_entry(each, f"Appointment at {each.site_name}", sites, reminder=True) for each in _shown(appointments, now, cancelled)]


def entries_for_staff(appointments: Iterable[Appointment], now: datetime, cancelled: timedelta) -> list[Entry]:
    """A calendar's: the kind of visit, and never who comes."""
    return [_entry(each, each.visit_type_name, {}, reminder=False) for each in _shown(appointments, now, cancelled)]


def _shown(appointments: Iterable[Appointment], now: datetime, cancelled: timedelta) -> list[Appointment]:
    """Without what is only held; what was called off stays for a while, so that programs which have it take it away."""
    return [
        each
        for each in appointments
        if not (each.status == "pending" and each.expires_at)
        and not (status_of(each.status) == "CANCELLED" and each.updated_at < now - cancelled)
    ]


def _entry(one: Appointment, title: str, sites: Mapping[UUID, Location], *, reminder: bool) -> Entry:
    site = sites.get(one.site_id)
    rooms = [each.display for each in one.participants if each.kind in PLACES and each.display]
    where = ", ".join([*rooms, one.site_name, *([site.address] if site and site.address else [])])
    return Entry(
        uid=f"{one.id}@carewright", sequence=one.version, stamped_at=one.updated_at, start=one.start, end=one.end, title=title,
        where=where, status=status_of(one.status), reminder=reminder,
    )  # fmt: skip
