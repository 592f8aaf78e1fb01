"""A room, a device or a person out of service: said by one tap, with what it hits, where that could go instead, and the way back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http.coverage_words import called
from carewright.console.http.disruptions import DISRUPTIONS
from carewright.console.http.page import Ask, valid
from carewright.contracts.hours import Busy
from carewright.contracts.outages import OutageReason, ReportOutage, UnknownOutage, may_report
from carewright.contracts.planner import Instead, ProposeInstead
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import (
    Appointment,
    CalendarMoved,
    IllegalStep,
    OutsideRules,
    PatientBusy,
    PickedTime,
    RescheduleAppointment,
    SearchAppointments,
    TimeNotFree,
    UnknownBlock,
)
from carewright.kernel.errors import BadInput, NotFound, PreconditionFailed

OUT = f"{DISRUPTIONS}/{{id}}/out"
BACK = f"{DISRUPTIONS}/{{id}}/back"
MOVE = f"{DISRUPTIONS}/{{id}}/move"
CHANGE, RESCHEDULE = "scheduling.calendar.change", "scheduling.appointment.reschedule"
GRID = timedelta(minutes=5)
SHOWN = timedelta(days=2)
LONGEST_VISIT = timedelta(hours=12)
HIT_MAX = 50
HOURS = (1, 2, 4, 12)
"""How long something is out of service, by one tap."""
KINDS: Mapping[OutageReason, str] = {
    "equipment": "Equipment failure", "room": "Room out of service", "emergency": "Taken by an emergency", "absent": "Not here today",
    "other": "Something else",
}  # fmt: skip
GONE = "That time has just been taken. Here is where it could go now."
CHANGED = "Somebody else changed this appointment a moment ago. This is how it stands now."


class Stop(NamedTuple):
    """Time that is closed, and why, where that is known. `field` is what a form calls it: an outage, or another block."""

    id: UUID | None
    field: str
    words: str
    why: str
    may_end: bool


class Line(NamedTuple):
    """An appointment that cannot take place as booked, and where it could go."""

    id: UUID
    version: int
    who: str
    what: str
    when: str
    start: str
    instead: str


async def show_out(ask: Ask) -> Response:
    """What is closed of a calendar today and tomorrow, and what lies in it."""
    return await _shown(ask)


async def take_out(ask: Ask) -> Response:
    """Out of service from now on, for some hours."""
    hours, kind = ask.form.get("hours", ""), ask.form.get("kind", "")
    if hours not in map(str, HOURS) or kind not in KINDS:
        raise BadInput("Choose why, and for how long.", parameter="hours")
    now = ask.ctx.clock.now()
    start = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % GRID
    given = {"schedule_id": ask.id, "start": start, "end": start + timedelta(hours=int(hours)), "reason": kind}
    command = valid(ReportOutage, given)
    await ask.ctx.scheduling.report_outage(ask.ctx.actor, command, ask.key)
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': 'out'})}")


async def bring_back(ask: Ask) -> Response:
    """In service again; what was moved away stays where it is."""
    try:
        if "outage" in ask.form:
            await ask.ctx.scheduling.end_outage(ask.ctx.actor, _uuid(ask.form["outage"]), ask.key)
        else:
            await ask.ctx.scheduling.unblock_time(ask.ctx.actor, _uuid(ask.form.get("block", "")), ask.key)
    except (UnknownBlock, UnknownOutage):
        return await _shown(ask)
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': 'back'})}")


async def move(ask: Ask) -> Response:
    """Move an appointment to where it was proposed to go. The patient is told by message, as of any other move."""
    visit = await ask.ctx.scheduling.get_appointment(ask.ctx.actor, _uuid(ask.form.get("appointment", "")))
    try:
        start = datetime.fromisoformat(ask.form.get("start", ""))
        picked = PickedTime(visit_type_id=visit.visit_type_id, site_id=visit.site_id, start=start, urgency=visit.urgency)
        command = RescheduleAppointment(appointment_id=visit.id, time=picked, expected_version=int(ask.form.get("version", "")))
        command = msgspec.convert(msgspec.to_builtins(command), RescheduleAppointment)
    except (ValueError, msgspec.ValidationError) as fault:
        raise BadInput("That is no time to move to.", parameter="start") from fault
    try:
        await ask.ctx.scheduling.reschedule_appointment(ask.ctx.actor, command, ask.key)
    except (TimeNotFree, PatientBusy, CalendarMoved, OutsideRules):
        return await _shown(ask, 409, GONE)
    except (PreconditionFailed, IllegalStep):
        return await _shown(ask, 409, CHANGED)
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': 'move'})}")


async def _shown(ask: Ask, status: int = 200, error: str = "") -> Response:
    now = ask.ctx.clock.now()
    calendar = await ask.ctx.scheduling.get_calendar(ask.ctx.actor, GetCalendar(schedule_id=ask.id, from_at=now, until_at=now + SHOWN))
    closed = [each for each in calendar.busy if each.status == "busy-unavailable"]
    hit = await _hit(ask, closed)
    proposed: dict[UUID, Instead] = {}
    if hit:
        asked = ProposeInstead(appointment_ids=tuple(each.id for each in hit))
        proposed = {each.appointment_id: each for each in (await ask.ctx.scheduling.propose_instead(ask.ctx.actor, asked)).items}
    ids = tuple(dict.fromkeys(each.patient_id for each in hit))
    names = {each.id: called(each) for each in await ask.ctx.patients.get_patients(ask.ctx.actor, ids)} if ids else {}
    works_at = [each.site_id for each in calendar.openings]
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    zone = ZoneInfo(next((site.time_zone for site in sites if site.id in works_at and site.time_zone), None) or "UTC")
    may_say = may_report(ask.ctx.actor, calendar.kind, calendar.schedule_id)
    return ask.show(
        "outage.html", status, calendar=calendar, kinds=KINDS, hours=HOURS, error=error, done=ask.request.query_params.get("done", ""),
        stops=[await _stop(ask, each, zone, may_end=may_say) for each in closed],
        lines=[_line(each, names, proposed[each.id]) for each in hit], may_change=may_say,
        may_move=ask.ctx.actor.may(RESCHEDULE),
    )  # fmt: skip


async def _stop(ask: Ask, closed: Busy, zone: ZoneInfo, *, may_end: bool) -> Stop:
    if closed.outage_id is None:
        return Stop(closed.block_id, "block", _span(closed, zone), "", ask.ctx.actor.may(CHANGE))
    outage = await ask.ctx.scheduling.get_outage(ask.ctx.actor, closed.outage_id)
    return Stop(outage.id, "outage", _span(closed, zone), KINDS[outage.reason], may_end)


async def _hit(ask: Ask, closed: Sequence[Busy]) -> list[Appointment]:
    """What is booked in the closed time and has not begun."""
    if not closed:
        return []
    query = SearchAppointments(
        actor_ids=(ask.id,), statuses=("booked",), limit=HIT_MAX, start_from=min(each.start for each in closed) - LONGEST_VISIT,
        start_until=max(each.end for each in closed),
    )  # fmt: skip
    found = (await ask.ctx.scheduling.search_appointments(ask.ctx.actor, query)).items
    return [
        each
        for each in found
        if any(
            one.actor_id == ask.id and one.claimed_from < stop.end and stop.start < one.claimed_to
            for one in each.participants
            for stop in closed
        )
    ]


def _line(one: Appointment, names: Mapping[UUID, str], instead: Instead) -> Line:
    zone = ZoneInfo(one.time_zone)
    free = "" if instead.start is None else f"{instead.start.astimezone(zone):%A %H:%M}"
    start = "" if instead.start is None else instead.start.isoformat()
    when = f"{one.start.astimezone(zone):%A %H:%M}"
    return Line(one.id, one.version, names.get(one.patient_id, "Name not known"), one.visit_type_name, when, start, free)


def _span(closed: Busy, zone: ZoneInfo) -> str:
    return f"{closed.start.astimezone(zone):%A %H:%M} to {closed.end.astimezone(zone):%A %H:%M}"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as fault:
        raise NotFound from fault
