"""What does not go as planned today: who runs late at a site, said by one tap, and what it makes of the day."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http.page import Ask, number, zone_of
from carewright.console.http.plans import MAKE as MAKES_PLANS
from carewright.console.http.plans import Ready, ready_after
from carewright.console.http.sites import site_to_show
from carewright.contracts.delays import AtSite, Delay, DelayReason, SetDelay, SetTelling
from carewright.contracts.directory import ActorKind, Location
from carewright.contracts.hours import Busy
from carewright.contracts.outages import ListOutages, Outage
from carewright.contracts.schedules import ListSchedules
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.server_sent import text_of

DISRUPTIONS = "/staff/disruptions"
DELAY = f"{DISRUPTIONS}/{{id}}/delay"
TELLING = f"{DISRUPTIONS}/telling"
LIST, CHANGE, SET_TELLING = "flow.delay.list", "flow.delay.change", "flow.queue.change"
CALENDARS_MAX = 1_000
ON_TIME_MAX = 40
"""A hospital has hundreds who are: more are shown by the letter that their name begins with."""
PEOPLE: frozenset[ActorKind] = frozenset({"practitioner", "nurse", "technician"})
OUT_MAX = 200
MORE_MINUTES = (15, 30)
"""What one tap adds."""
REASONS: Mapping[DelayReason, str] = {
    "previous-patient": "An earlier patient took longer", "emergency": "An emergency", "absent": "Not here yet", "equipment": "Equipment",
    "other": "Something else",
}  # fmt: skip
KINDS: Mapping[ActorKind, str] = {
    "practitioner": "Practitioner", "nurse": "Nurse", "technician": "Technician", "room": "Room", "bed": "Bed", "lab-bench": "Bench",
    "device": "Device",
}  # fmt: skip
FASTER = "Somebody else said something of this calendar a moment ago. This is how it stands now."
UNCLEAR = "Say a number of minutes from 0 to 480."


class Line(NamedTuple):
    """A calendar, as the page shows it."""

    delay: Delay
    name: str
    kind: str
    state: str
    why: str
    letter: str


class Stopped(NamedTuple):
    """What is out of service, or will be, as the page shows it, with the plan that was made for it."""

    outage: Outage
    kind: str
    when: str
    ready: Ready | None


class Telling(NamedTuple):
    """From when on patients are told, and whether this member of staff says so."""

    minutes: int
    may_change: bool


async def show_disruptions(ask: Ask) -> Response:
    """How today goes at one site; without one, the question which."""
    return await _shown(ask, ask.request.query_params.get("place", ""))


async def set_delay(ask: Ask) -> Response:
    """So many minutes late, so many more, or on time again."""
    place = ask.form.get("place", "")
    given = {
        "calendar_id": str(ask.id), "site_id": place, "minutes": _minutes(ask), "reason": ask.form.get("reason", "other"),
        "expected_version": number(ask.form.get("version", ""), -1) or None,
    }  # fmt: skip
    try:
        command = msgspec.convert(given, SetDelay)
    except msgspec.ValidationError:
        return await _shown(ask, place, 422, error=UNCLEAR)
    try:
        await ask.ctx.delays.set_delay(ask.ctx.actor, command, ask.key)
    except PreconditionFailed:
        return await _shown(ask, place, 409, error=FASTER)
    return ask.go(f"{DISRUPTIONS}?{urlencode({'place': place})}")


async def set_telling(ask: Ask) -> Response:
    """From how many minutes on the site's patients are told."""
    place = ask.form.get("place", "")
    try:
        command = msgspec.convert({"site_id": place, "tell_minutes": number(ask.form.get("minutes", ""), -1)}, SetTelling)
    except msgspec.ValidationError:
        return await _shown(ask, place, 422, error="Say a number of minutes from 5 to 240.")
    await ask.ctx.delays.set_telling(ask.ctx.actor, command, ask.key)
    return ask.go(f"{DISRUPTIONS}?{urlencode({'place': place})}")


async def _shown(ask: Ask, wanted: str, status: int = 200, error: str = "") -> Response:
    sites, site = await site_to_show(ask, wanted)
    values = await _of_site(ask, site) if site else {}
    return ask.show("disruptions.html", status, sites=sites, site=site, error=error, reasons=REASONS, more=MORE_MINUTES, **values)


async def _of_site(ask: Ask, site: Location) -> dict[str, object]:
    place = text_of(await ask.ctx.feed.place())  # before anything is read, as on the page of a day
    zone = zone_of(site)
    page = await ask.ctx.delays.list_delays(ask.ctx.actor, AtSite(site_id=site.id))
    ids = tuple(each.calendar_id for each in page.items[:CALENDARS_MAX])
    known = (await ask.ctx.scheduling.list_schedules(ask.ctx.actor, ListSchedules(ids=ids, limit=CALENDARS_MAX))).items if ids else ()
    named = {each.id: each for each in known}
    lines = [
        _line(each, named[each.calendar_id].display, named[each.calendar_id].kind, zone) for each in page.items if each.calendar_id in named
    ]
    lines.sort(key=lambda line: (-line.delay.minutes, line.delay.affected == 0, list(KINDS.values()).index(line.kind), line.name))
    letters, letter, lines = of_letter(lines, ask.request.query_params.get("letter", ""))
    out = (await ask.ctx.scheduling.list_outages(ask.ctx.actor, ListOutages(site_id=site.id, limit=OUT_MAX))).items
    ready = await ready_after(ask, site.id, out)
    telling = Telling(page.tell_minutes, ask.ctx.actor.may(SET_TELLING))
    as_of = ask.ctx.clock.now().astimezone(zone)
    return {
        "place": place, "lines": lines, "letters": letters, "letter": letter, "telling": telling,
        "out": [Stopped(each, KINDS[each.kind], said_when(each, zone), ready.get(each.id)) for each in out],
        "may_change": ask.ctx.actor.may(CHANGE), "may_plan": ask.ctx.actor.may(MAKES_PLANS), "as_of": f"{as_of:%H:%M}",
    }  # fmt: skip


def of_letter(lines: Sequence[Line], asked: str) -> tuple[list[str], str, list[Line]]:
    """The letters to choose from, the one shown, and its lines: who is late, and of many who are on time those with that letter."""
    late = [line for line in lines if line.delay.minutes or line.delay.affected]
    on_time = [line for line in lines if not (line.delay.minutes or line.delay.affected)]
    if len(on_time) <= ON_TIME_MAX:
        return [], "", [*late, *on_time]
    letters = sorted({line.letter for line in on_time})
    letter = asked if asked in letters else letters[0]
    return letters, letter, [*late, *(line for line in on_time if line.letter == letter)]


def said_when(closed: Outage | Busy, zone: ZoneInfo) -> str:
    """From when to when something is closed, in words."""
    return f"{closed.start.astimezone(zone):%A %H:%M} to {closed.end.astimezone(zone):%A %H:%M}"


def _line(delay: Delay, name: str, kind: ActorKind, zone: ZoneInfo) -> Line:
    state = f"{delay.minutes} minutes late" if delay.minutes else "On time"
    why = ""
    if delay.said_at is not None and delay.minutes:
        at = f"{delay.said_at.astimezone(zone):%H:%M}"
        reason = "" if delay.reason in (None, "other") else f"{REASONS[delay.reason].lower()}, "
        why = f"seen at {at}" if delay.source == "detected" else f"{reason}said at {at}"
    return Line(delay, name, KINDS[kind], state, why, name.split()[-1 if kind in PEOPLE else 0][:1].upper())


def _minutes(ask: Ask) -> int:
    """`more` adds to what was shown; what is no number is refused as too small."""
    more = number(ask.form.get("more", ""), -1)
    if more >= 0:
        return number(ask.form.get("shown", "")) + more
    return number(ask.form.get("minutes", ""), -1)
