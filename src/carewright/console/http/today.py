"""A day at a site, kept up by itself: every appointment with its time, kind and state, and nobody's name."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http.page import Ask, zone_of
from carewright.console.http.sites import site_named
from carewright.contracts.delays import ExpectedStart, ListExpected
from carewright.contracts.directory import Location
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.kernel.errors import BadInput
from carewright.kernel.server_sent import text_of

TODAY = "/staff/today"
PAGE_SIZE = 1000
PAGES_MAX = 10
"""No site has ten thousand appointments a day."""
STATES = {
    "pending": "Asked for", "booked": "Booked", "arrived": "Here", "checked-in": "Checked in", "fulfilled": "Seen",
    "noshow": "Did not come", "cancelled": "Cancelled",
}  # fmt: skip
"""In the page, too, so that its script says the same. What is in none of these is not shown."""


class Line(NamedTuple):
    """An appointment as the page shows it. `when`, and when it is `expected` to begin if that is later, are at its site."""

    id: UUID
    version: int
    start: str
    when: str
    kind_id: UUID
    kind: str
    status: str
    expected: str
    expected_version: int


async def show_today(ask: Ask) -> Response:
    """The day of a site, today unless `day` says another; without a site, the question which."""
    asked = day_in(ask.request.query_params.get("day", ""))
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    site = site_named(sites, ask.request.query_params.get("place", ""))
    if site is None:
        return _shown(ask, sites, asked)
    place = text_of(await ask.ctx.feed.place())  # before anything is read: what is told from here on may be known, but never missing
    zone = zone_of(site)
    now = ask.ctx.clock.now().astimezone(zone)
    day = datetime.combine(asked or now.date(), time.min, zone)
    ends = day + timedelta(days=1)
    late = await expected_at(ask, site.id)
    lines = [_line(each, zone, late.get(each.id)) for each in await _of_day(ask, site.id, day, ends) if each.status in STATES]
    return _shown(ask, sites, asked, site=site, day=day, ends=ends, as_of=f"{now:%H:%M}", place=place, lines=lines)


def day_in(text: str) -> date | None:
    """The day that an address names, if it does. Raises `BadInput`."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        raise BadInput("A day looks like 2026-11-27.", parameter="day") from fault


async def _of_day(ask: Ask, site_id: UUID, start: datetime, end: datetime) -> list[Appointment]:
    found: list[Appointment] = []
    after: str | None = None
    for _ in range(PAGES_MAX):
        query = SearchAppointments(site_ids=(site_id,), start_from=start, start_until=end, limit=PAGE_SIZE, after=after)
        page = await ask.ctx.scheduling.search_appointments(ask.ctx.actor, query)
        found += page.items
        if (after := page.next) is None:
            break
    return found


async def expected_at(ask: Ask, site_id: UUID) -> dict[UUID, ExpectedStart]:
    """What begins later than booked today, for whoever may know."""
    if not ask.ctx.actor.may("flow.delay.list"):
        return {}
    found = await ask.ctx.delays.list_expected(ask.ctx.actor, ListExpected(site_id=site_id))
    return {each.appointment_id: each for each in found.items}


def expected_words(late: ExpectedStart, zone: ZoneInfo) -> str:
    """When it begins, and why so late, where an emergency is why."""
    return f"{late.expected_at.astimezone(zone):%H:%M}" + (", an emergency came first" if late.by_emergency else "")


def _line(each: Appointment, zone: ZoneInfo, late: ExpectedStart | None) -> Line:
    local = each.start.astimezone(zone)
    name, start = each.visit_type_name, each.start.isoformat()
    expected = f"expected at {expected_words(late, zone)}" if late else ""
    version = late.version if late else 0
    return Line(each.id, each.version, start, f"{local:%H:%M}", each.visit_type_id, name, each.status, expected, version)


def _shown(ask: Ask, sites: Sequence[Location], asked: date | None, **values: Any) -> Response:
    return ask.show("today.html", sites=sites, asked=asked, states=STATES, **({"site": None} | values))
