"""A room, a device or a person out of service: said by one tap, with what it hits, where that could go instead, and the way back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http.board import SEEN
from carewright.console.http.coverage_words import called
from carewright.console.http.disruptions import DISRUPTIONS, said_when
from carewright.console.http.live import LIVE
from carewright.console.http.page import Ask, number, uuid_of, valid, zone_of
from carewright.console.http.plans import MAKE as MAKES_PLANS
from carewright.console.http.plans import Ready, ready_after
from carewright.contracts.hours import Busy
from carewright.contracts.offers import ListOffers, Offer
from carewright.contracts.outages import OutageReason, ReportOutage, UnknownOutage, may_report
from carewright.contracts.planner import Instead, ProposeInstead
from carewright.contracts.schedules import Calendar, GetCalendar
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
from carewright.kernel.errors import BadInput, PreconditionFailed
from carewright.kernel.server_sent import text_of

OUT = f"{DISRUPTIONS}/{{id}}/out"
BACK = f"{DISRUPTIONS}/{{id}}/back"
MOVE = f"{DISRUPTIONS}/{{id}}/move"
CHANGE, RESCHEDULE, MAKE = "scheduling.calendar.change", "scheduling.appointment.reschedule", "scheduling.offer.make"
GRID = timedelta(minutes=5)
SHOWN = timedelta(days=2)
LONGEST_VISIT = timedelta(hours=12)
HIT_MAX, OFFERS_MAX = 50, 200
COUNT_DIGITS_MAX = 3
ANSWER_MINUTES = (30, 60, 120, 240)
"""How long everybody has to answer, by one tap."""
UNNAMED = "Name not known"
HOURS = (1, 2, 4, 12)
"""How long something is out of service, by one tap."""
KINDS: Mapping[OutageReason, str] = {
    "equipment": "Equipment failure", "room": "Room out of service", "emergency": "Taken by an emergency", "absent": "Not here today",
    "other": "Something else",
}  # fmt: skip
GONE = "That time has just been taken. Here is where it could go now."
CHANGED = "Somebody else changed this appointment a moment ago. This is how it stands now."


class Stop(NamedTuple):
    """Time that is closed, and why and how many appointments it hits, where that is known. `field` is what a form calls it.

    `ready` is the plan that was made for it.
    """

    id: UUID | None
    field: str
    words: str
    why: str
    hit: int
    may_end: bool
    ready: Ready | None


class Line(NamedTuple):
    """An appointment that cannot take place as booked, where it could go, and how it stands with asking its patient.

    `offer` is the one that is open, with its id and version. `may_ask` says whether a message reaches the patient at all.
    """

    id: UUID
    version: int
    who: str
    what: str
    when: str
    start: str
    instead: str
    asked: str
    offer: Offer | None
    may_ask: bool


class Settled(NamedTuple):
    """Somebody who said yes."""

    who: str
    words: str


async def show_out(ask: Ask) -> Response:
    """What is closed of a calendar today and tomorrow, and what lies in it."""
    return await shown(ask)


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
            await ask.ctx.scheduling.end_outage(ask.ctx.actor, uuid_of(ask.form["outage"]), ask.key)
        else:
            await ask.ctx.scheduling.unblock_time(ask.ctx.actor, uuid_of(ask.form.get("block", "")), ask.key)
    except (UnknownBlock, UnknownOutage):
        return await shown(ask)
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': 'back'})}")


async def move(ask: Ask) -> Response:
    """Move an appointment to where it was proposed to go. The patient is told by message, as of any other move."""
    visit = await ask.ctx.scheduling.get_appointment(ask.ctx.actor, uuid_of(ask.form.get("appointment", "")))
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
        return await shown(ask, 409, GONE)
    except (PreconditionFailed, IllegalStep):
        return await shown(ask, 409, CHANGED)
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': 'move'})}")


async def shown(ask: Ask, status: int = 200, error: str = "") -> Response:
    """The page as it is now; with `error` above it where something could not be done."""
    place = text_of(await ask.ctx.feed.place())  # before anything is read, as on the page of a day
    found = await look(ask)
    calendar, zone, names = found.calendar, found.zone, found.names
    latest = {each.appointment_id: each for each in found.offers}
    done = ask.request.query_params.get("done", "")
    counts = {each: number(ask.request.query_params.get(each, ""), digits_max=COUNT_DIGITS_MAX) for each in ("asked", "unasked")}
    live = f"{LIVE}?{urlencode([('site', str(each)) for each in found.site_ids])}" if found.closed and found.site_ids and not error else ""
    may_say = may_report(ask.ctx.actor, calendar.kind, calendar.schedule_id)
    lines = [_line(each, found, latest.get(each.id)) for each in found.hit]
    return ask.show(
        "outage.html", status, calendar=calendar, kinds=KINDS, hours=HOURS, error=error, done=done, counts=counts, place=place, live=live,
        stops=[await _stop(ask, each, zone, may_end=may_say) for each in found.closed], lines=lines,
        settled=[_settled(each, names) for each in found.settled], may_change=may_say, may_see=ask.ctx.actor.may(SEEN),
        may_move=ask.ctx.actor.may(RESCHEDULE), may_offer=ask.ctx.actor.may(MAKE), answer_minutes=ANSWER_MINUTES,
        may_plan=ask.ctx.actor.may(MAKES_PLANS), as_of=f"{ask.ctx.clock.now().astimezone(zone):%H:%M}",
    )  # fmt: skip


class Found(NamedTuple):
    """What is closed of a calendar, what lies in it, where that could go, and what was offered for it."""

    calendar: Calendar
    closed: Sequence[Busy]
    hit: Sequence[Appointment]
    proposed: Mapping[UUID, Instead]
    offers: Sequence[Offer]
    settled: Sequence[Offer]
    names: Mapping[UUID, str]
    reached: frozenset[UUID]
    site_ids: Sequence[UUID]
    zone: ZoneInfo


async def look(ask: Ask) -> Found:
    """A calendar of today and tomorrow."""
    ctx, now = ask.ctx, ask.ctx.clock.now()
    calendar = await ctx.scheduling.get_calendar(ctx.actor, GetCalendar(schedule_id=ask.id, from_at=now, until_at=now + SHOWN))
    closed = [each for each in calendar.busy if each.status == "busy-unavailable"]
    hit = await _hit(ask, closed)
    offers = await _offers(ask, closed)
    settled = [each for each in offers if each.status == "accepted"]
    open_ones = {each.appointment_id for each in offers if each.status == "open"}
    proposed: dict[UUID, Instead] = {}
    if moving := tuple(each.id for each in hit if each.id not in open_ones):
        answer = await ctx.scheduling.propose_instead(ctx.actor, ProposeInstead(appointment_ids=moving))
        proposed = {each.appointment_id: each for each in answer.items}
    ids = tuple(dict.fromkeys([*(each.patient_id for each in hit), *(each.patient_id for each in settled)]))
    people = await ctx.patients.get_patients(ctx.actor, ids) if ids else ()
    works_at = list(dict.fromkeys(each.site_id for each in calendar.openings))
    sites = (await ctx.directory.find_sites(ctx.actor)).items
    zone = zone_of(next((site for site in sites if site.id in works_at and site.time_zone), None))
    reached = frozenset(each.id for each in people if any(one.system in ("phone", "email") for one in each.telecom))
    return Found(calendar, closed, hit, proposed, offers, settled, {each.id: called(each) for each in people}, reached, works_at, zone)


async def _offers(ask: Ask, closed: Sequence[Busy]) -> Sequence[Offer]:
    """What was offered for appointments that had this calendar in the closed time, oldest first; nothing for who sees no patients."""
    if not closed or not ask.ctx.actor.may(SEEN):
        return ()
    query = ListOffers(
        actor_id=ask.id, from_at=min(each.start for each in closed) - LONGEST_VISIT, until_at=max(each.end for each in closed),
        limit=OFFERS_MAX,
    )  # fmt: skip
    found = (await ask.ctx.offers.list_offers(ask.ctx.actor, query)).items
    return [each for each in found if any(_lay_in(each, stop) for stop in closed)]


def _lay_in(offer: Offer, closed: Busy) -> bool:
    """Whether the appointment that an offer was made for lay in closed time: it takes as long as what was offered."""
    return offer.booked_start < closed.end and closed.start < offer.booked_start + (offer.end - offer.start)


async def _stop(ask: Ask, closed: Busy, zone: ZoneInfo, *, may_end: bool) -> Stop:
    if closed.outage_id is None:
        return Stop(closed.block_id, "block", said_when(closed, zone), "", 0, ask.ctx.actor.may(CHANGE), None)
    outage = await ask.ctx.scheduling.get_outage(ask.ctx.actor, closed.outage_id)
    plans = [ready for site_id in outage.site_ids for ready in (await ready_after(ask, site_id, (outage,))).values()]
    words, hit = said_when(closed, zone), len(outage.hit_appointment_ids)
    return Stop(outage.id, "outage", words, KINDS[outage.reason], hit, may_end, plans[0] if plans else None)


async def _hit(ask: Ask, closed: Sequence[Busy]) -> list[Appointment]:
    """What is booked in the closed time and has not begun; nothing for who sees no patients."""
    if not closed or not ask.ctx.actor.may(SEEN):
        return []
    query = SearchAppointments(
        actor_ids=(ask.id,), statuses=("booked",), limit=HIT_MAX, start_from=min(each.start for each in closed) - LONGEST_VISIT,
        start_until=max(each.end for each in closed),
    )  # fmt: skip
    found = (await ask.ctx.scheduling.search_appointments(ask.ctx.actor, query)).items
    return [each for each in found if is_hit(each, ask.id, closed, ask.ctx.clock.now())]


def is_hit(one: Appointment, schedule_id: UUID, closed: Sequence[Busy], now: datetime) -> bool:
    """Whether an appointment takes closed time of a calendar, and is not over: then somebody has to decide about it."""
    taken = [each for each in one.participants if each.actor_id == schedule_id]
    return one.end > now and any(each.claimed_from < stop.end and stop.start < each.claimed_to for each in taken for stop in closed)


def _line(one: Appointment, found: Found, offer: Offer | None) -> Line:
    instead = found.proposed.get(one.id)
    start = instead.start if instead else None
    is_open = offer is not None and offer.status == "open"
    return Line(
        id=one.id, version=one.version, who=found.names.get(one.patient_id, UNNAMED), what=one.visit_type_name,
        when=_at(one.start, one.time_zone), start=start.isoformat() if start else "", instead=_at(start, one.time_zone) if start else "",
        asked=_asked(offer), offer=offer if is_open else None, may_ask=one.patient_id in found.reached,
    )  # fmt: skip


def _asked(offer: Offer | None) -> str:
    """How it stands with asking the patient, in words; nothing where nobody did."""
    if offer is None or offer.status in ("withdrawn", "accepted"):
        return ""
    to, until = _at(offer.start, offer.time_zone), _at(offer.expires_at, offer.time_zone)
    match offer.status:
        case "open" if offer.is_unreached:
            return f"Asked about {to}, which is kept until {until}. The message did not arrive: please call them."
        case "open":
            return f"Asked about {to}, which is kept until {until}. No answer yet."
        case "declined":
            return f"Said no to {to}."
        case _:
            return f"Did not answer in time about {to}. Please call them, or ask again."


def _settled(offer: Offer, names: Mapping[UUID, str]) -> Settled:
    words = f"Said yes: moved from {_at(offer.booked_start, offer.time_zone)} to {_at(offer.start, offer.time_zone)}."
    return Settled(names.get(offer.patient_id, UNNAMED), words)


def _at(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%A %H:%M}"
