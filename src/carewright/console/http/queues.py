"""The staff's pages of the day: which queues there are, who waits in one, and what is done with a turn."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http import calling, elsewhere, gaps, kiosks, relief, scales
from carewright.console.http.coverage_words import called
from carewright.console.http.finding import UNCLEAR, names_of_patients, patients_found
from carewright.console.http.live import LIVE, SITES_MAX
from carewright.console.http.page import Ask, number, valid, zone_of
from carewright.console.http.sensed import areas_of
from carewright.contracts.directory import Location, UrgencyTier
from carewright.contracts.elsewhere import DISTANCES, SayWhere, StayNear
from carewright.contracts.flow import (
    AlreadyQueued,
    NothingToUndo,
    OtherScale,
    PlaceNotFree,
    PlaceNotSuited,
    StepNotAllowed,
    UnknownQueue,
    WalkInsPaused,
)
from carewright.contracts.kiosk import (
    AnswerHelp,
    CallWalkIn,
    EndWalkIn,
    RegisterWalkIn,
    UnknownHelpCall,
    UnknownWalkIn,
    WalkInStepNotAllowed,
)
from carewright.contracts.queue import (
    Arrive,
    CallEntry,
    CallNext,
    EntriesInOrder,
    EntryAction,
    ListEntries,
    ListQueues,
    ListTurns,
    QueueAction,
    QueueEntry,
    QueueEntryStatus,
    QueueSummary,
    StepEntry,
    TriageEntry,
    Turn,
    TurnsInOrder,
    UndoStep,
    WaitEstimate,
)
from carewright.contracts.relief import SetRelief
from carewright.contracts.rooms import ListPlaces
from carewright.contracts.scheduling import NoTimeForTurn
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.server_sent import text_of

QUEUES = "/staff/queues"
QUEUE = f"{QUEUES}/{{id}}"
WORK, TRIAGE, CHANGE, REGISTER = "flow.queue.work", "flow.queue.triage", "flow.queue.change", "patients.register"
ENTRIES_MAX = 100
STATES: Mapping[QueueEntryStatus, str] = {
    "expected": "announced", "waiting": "waiting", "called": "called", "in-service": "being seen", "on-hold": "waits for a result",
    "skipped": "did not come when called", "completed": "done", "left": "left", "transferred": "sent on", "cancelled": "taken off",
}  # fmt: skip
LABELS: Mapping[str, str] = {
    "call": "Call", "start": "Begin", "skip": "Not there", "return": "Back to waiting", "hold": "Wait for a result", "complete": "Done",
    "leave": "Left", "cancel": "Entered by mistake", "back": "Is here",
}  # fmt: skip
OFFERED: Mapping[QueueEntryStatus, tuple[QueueAction, ...]] = {
    "expected": ("leave", "cancel"),
    "waiting": ("call", "start", "leave", "cancel"),
    "called": ("start", "skip", "return", "complete", "leave"),
    "in-service": ("complete", "hold"),
    "on-hold": ("call", "start", "complete", "leave"),
    "skipped": ("return", "call", "leave"),
}
"""What is offered for a turn, the likeliest first."""
DONE: Mapping[str, str] = {
    "call": "was called", "start": "is being seen", "skip": "did not come when called", "return": "waits again",
    "hold": "waits for a result", "complete": "is done", "leave": "has left", "cancel": "was taken off the list",
    "triage": "has a new level", "arrive": "waits now", "undo": "is as it was before", "away": "waits elsewhere", "back": "is here",
}  # fmt: skip
NOBODY = "Nobody is to be called now."
ELSEWHERE = "Nobody who is here is to be called now. Who waits elsewhere is told to come in time; you can call them in their own line."
TAKEN = "That time is taken, or somebody is booked too soon. This is how it stands now."
FASTER = "Somebody else was faster. This is how it stands now."
ROOMS: Mapping[type[Refusal], str] = {
    PlaceNotFree: "Somebody is in that room. Call to another one.",
    PlaceNotSuited: "That room is not fit for what this patient needs. Call to another one.",
}
IN_ROOM: frozenset[QueueEntryStatus] = frozenset({"called", "in-service"})
NOTHING_TOLD: Mapping[UUID, WaitEstimate] = {}
TAKEN_BACK = frozenset({"call", "start", "skip", "return", "hold", "complete", "leave", "cancel", "triage", "away", "back"})
T = TypeVar("T")


class Line(NamedTuple):
    """One turn, as the page shows it. `who` is None where it shows that already."""

    entry: QueueEntry | Turn
    who: str | None
    state: str
    level: str
    room: str
    since: str
    wait: str
    where: str
    may_go: bool
    actions: tuple[tuple[str, str], ...]


class Named(msgspec.Struct, frozen=True):
    """A turn that an address names."""

    turn: UUID


class InGap(msgspec.Struct, frozen=True):
    """Whom a form calls, and to whom."""

    entry: UUID
    practitioner: UUID


class OfTicket(NamedTuple):
    """Which ticket of a kiosk a form is about, as it was shown; nothing where it is about none."""

    walk_in_id: str
    expected_version: int

    @classmethod
    def of(cls, text: str) -> "OfTicket":
        walk_in_id, _, version = text.partition("@")
        return cls(walk_in_id, number(version))


class Last(NamedTuple):
    """What was done last, in words, and whether it can be taken back."""

    entry: QueueEntry
    text: str
    may_undo: bool


class Full(NamedTuple):
    """A queue as the list shows it: what is done because too many wait, and where one waits less."""

    summary: QueueSummary
    relief: Sequence[relief.Step]
    elsewhere: Sequence[str]


class Place(NamedTuple):
    """The queues of a site, whose clock says since when somebody waits."""

    site: Location
    zone: ZoneInfo
    queues: Sequence[Full]


async def show_queues(ask: Ask) -> Response:
    """Every queue where the member of staff works, site by site, kept up."""
    place = text_of(await ask.ctx.feed.place())  # before the queues are read, so that no fact is missed in between
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    found = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues())).items
    places = [Place(site, zone_of(site), [await _full(ask, one, site) for one in found if one.queue.site_id == site.id]) for site in sites]
    watched, may_open = [("site", each.id) for each in sites if ask.ctx.actor.works_at(each.id)][:SITES_MAX], ask.ctx.actor.may(WORK)
    return ask.show(
        "queues.html", places=[each for each in places if each.queues], may_open=may_open, place=place,
        may_change=ask.ctx.actor.may(CHANGE),
        as_of=f"{ask.ctx.clock.now().astimezone(zone_of(sites[0]) if sites else UTC):%H:%M}",
        live=f"{LIVE}?{urlencode(watched)}" if watched and may_open else "",
    )  # fmt: skip


async def _full(ask: Ask, summary: QueueSummary, site: Location) -> Full:
    return Full(summary, relief.steps_of(summary, zone_of(site)), await relief.elsewhere_of(ask, summary))


async def show_queue(ask: Ask) -> Response:
    """Who is in a queue. What was done last is told on top, with the way back."""
    return await _shown(ask)


async def call_next(ask: Ask) -> Response:
    """Call whoever is next, for whom the form says."""
    command = valid(CallNext, {"queue_id": ask.id, **calling.caller_of(ask.form).named})
    try:
        found = await ask.ctx.queues.call_next(ask.ctx.actor, command, ask.key)
    except (PlaceNotFree, PlaceNotSuited) as refusal:
        return await _shown(ask, 409, error=ROOMS[type(refusal)])
    if found.entry:
        return _done(ask, "call", found.entry)
    return await _shown(ask, error=found.kept_for.text if found.kept_for else await _why_nobody(ask))


async def _why_nobody(ask: Ask) -> str:
    found = await ask.ctx.queues.list_turns(ask.ctx.actor, ListTurns(queue_id=ask.id, limit=ENTRIES_MAX))
    return ELSEWHERE if any(each.travel_minutes is not None for each in found.waiting) else NOBODY


async def choose_caller(ask: Ask) -> Response:
    """For whom this browser calls from now on."""
    return calling.keep(ask, ask.go(f"{QUEUES}/{ask.id}"))


async def call_into_gap(ask: Ask) -> Response:
    """Call one patient into a gap of a practitioner's time, which nobody else has then."""
    queue = (await summary_of(ask)).queue
    named = valid(InGap, {"entry": ask.form.get("entry", ""), "practitioner": ask.form.get("practitioner", "")})
    try:
        entry = await gaps.call_into_gap(ask, queue, named.entry, named.practitioner, _version(ask), ask.key)
    except NoTimeForTurn:
        return await _shown(ask, 409, error=TAKEN)
    except (StepNotAllowed, PreconditionFailed):
        return await _shown(ask, 409, error=FASTER)
    return _done(ask, "call", entry)


async def step(ask: Ask) -> Response:
    """One step of one turn, as the page showed it; what somebody else did meanwhile stands, and is shown."""
    return await _tried(ask, ask.form.get("action", ""), _step)


async def triage(ask: Ask) -> Response:
    """How urgent it is, as the nurse found."""
    return await _tried(ask, "triage", _triage)


async def wait_elsewhere(ask: Ask) -> Response:
    """Somebody leaves the building and is called back."""
    return await _tried(ask, "away", _away)


async def find_patient(ask: Ask) -> Response:
    """Who walks in."""
    found = await patients_found(ask)
    return await _shown(ask, 422, error=UNCLEAR) if found is None else await _shown(ask, found=found)


async def arrive(ask: Ask) -> Response:
    """Somebody is here without an appointment."""
    return await _arrived(ask, "P1" if ask.form.get("tier") == "P1" else "P2")


async def arrive_in_emergency(ask: Ask) -> Response:
    """The same in an emergency: at an address of its own, which is answered when others are turned away."""
    return await _arrived(ask, "P0")


async def _arrived(ask: Ask, tier: UrgencyTier) -> Response:
    try:
        return _done(ask, "arrive", await _turn_of(ask, tier))
    except (WalkInStepNotAllowed, UnknownWalkIn, PreconditionFailed):
        return await _shown(ask, 409, error=FASTER)
    except AlreadyQueued:
        return await _shown(ask, 409, error="They have a ticket for this queue already.")
    except WalkInsPaused as refusal:
        return await _shown(ask, 409, error=refusal.detail)


async def _turn_of(ask: Ask, tier: UrgencyTier) -> QueueEntry:
    """A turn by a new ticket, or by the one of a kiosk that they have."""
    given = {"patient_id": ask.form.get("patient", ""), "tier": tier}
    if ticket := ask.form.get("walk_in"):
        command = valid(RegisterWalkIn, given | OfTicket.of(ticket)._asdict())
        return await ask.ctx.kiosks.register_walk_in(ask.ctx.actor, command, ask.key)
    return await ask.ctx.queues.arrive(ask.ctx.actor, valid(Arrive, given | {"queue_id": ask.id}), ask.key)


async def see_to_walk_in(ask: Ask) -> Response:
    """Call a ticket of a kiosk to the desk, or take it off the list."""
    ticket, end = OfTicket.of(ask.form.get("walk_in", ""))._asdict(), ask.form.get("end")
    try:
        if end:
            await ask.ctx.kiosks.end_walk_in(ask.ctx.actor, valid(EndWalkIn, ticket | {"reason": end}), ask.key)
        else:
            await ask.ctx.kiosks.call_walk_in(ask.ctx.actor, valid(CallWalkIn, ticket), ask.key)
    except (WalkInStepNotAllowed, UnknownWalkIn, PreconditionFailed):
        return await _shown(ask, 409, error=FASTER)
    return ask.go(f"{QUEUES}/{ask.id}")


async def answer_help(ask: Ask) -> Response:
    """Somebody goes to a kiosk where help is needed."""
    with suppress(UnknownHelpCall):
        await ask.ctx.kiosks.answer_help(ask.ctx.actor, valid(AnswerHelp, {"help_id": ask.form.get("help", "")}), ask.key)
    return ask.go(f"{QUEUES}/{ask.id}")


async def set_relief(ask: Ask) -> Response:
    """Begin or end by hand what a queue does because too many wait."""
    named = {name: ask.form.get(name) for name in ("what", "reason")}
    said = {"queue_id": ask.id, "is_on": ask.form.get("on") == "yes", **named}
    await ask.ctx.queues.set_relief(ask.ctx.actor, valid(SetRelief, said), ask.key)
    return ask.go(f"{QUEUES}/{ask.id}")


async def _tried(ask: Ask, action: str, do: Callable[[Ask, str], Awaitable[QueueEntry]]) -> Response:
    try:
        return _done(ask, action, await do(ask, action))
    except (StepNotAllowed, PreconditionFailed):
        return await _shown(ask, 409, error=FASTER)
    except (PlaceNotFree, PlaceNotSuited) as refusal:
        return await _shown(ask, 409, error=ROOMS[type(refusal)])
    except (NothingToUndo, AlreadyQueued, OtherScale, StayNear) as refusal:
        return await _shown(ask, 409, error=refusal.detail)


async def _triage(ask: Ask, _: str) -> QueueEntry:
    level, scale = ask.form.get("level", ""), ask.form.get("scale", "")
    command = _of_turn(TriageEntry, ask, scale=scale, level=int(level) if level in ("1", "2", "3", "4", "5") else 0)
    return await ask.ctx.queues.triage_entry(ask.ctx.actor, command, ask.key)


async def _away(ask: Ask, _: str) -> QueueEntry:
    text = ask.form.get("minutes", "")
    minutes = int(text) if text in {str(each) for each in DISTANCES} else 0
    return await ask.ctx.queues.say_where(ask.ctx.actor, _of_turn(SayWhere, ask, say="away", travel_minutes=minutes), ask.key)


async def _step(ask: Ask, action: str) -> QueueEntry:
    if action == "back":
        return await ask.ctx.queues.say_where(ask.ctx.actor, _of_turn(SayWhere, ask, say="back"), ask.key)
    if action == "call":
        return await ask.ctx.queues.call_entry(ask.ctx.actor, _of_turn(CallEntry, ask, **calling.caller_of(ask.form).named), ask.key)
    if action == "undo":
        return await ask.ctx.queues.undo_step(ask.ctx.actor, _of_turn(UndoStep, ask), ask.key)
    return await ask.ctx.queues.step_entry(ask.ctx.actor, _of_turn(StepEntry, ask, action=action), ask.key)


def _done(ask: Ask, action: str, entry: QueueEntry) -> Response:
    return ask.go(f"{QUEUES}/{ask.id}?{urlencode({'done': action, 'turn': str(entry.id)})}")


async def show_turns(ask: Ask) -> Response:
    """How the queue stands now, for a page that shows it: whose a turn is, it is told of those alone that it does not know yet."""
    known = frozenset(ask.form.get("known", "").split())
    place = text_of(await ask.ctx.feed.place())
    found = await ask.ctx.queues.list_turns(ask.ctx.actor, ListTurns(queue_id=ask.id, limit=ENTRIES_MAX))
    new = [each.id for each in (*found.active, *found.waiting) if str(each.id) not in known]
    entries = [await ask.ctx.queues.get_entry(ask.ctx.actor, each) for each in new]
    return await _page(ask, 200, place, found, await _names(ask, entries), error="", found=None)


async def _shown(ask: Ask, status: int = 200, **more: object) -> Response:
    place = text_of(await ask.ctx.feed.place())  # before the queue is read, so that no fact is missed in between
    found = await ask.ctx.queues.list_entries(ask.ctx.actor, ListEntries(queue_id=ask.id, limit=ENTRIES_MAX))
    names = await _names(ask, (*found.active, *found.waiting))
    return await _page(ask, status, place, found, names, **({"error": "", "found": None} | more))


async def summary_of(ask: Ask) -> QueueSummary:
    """The queue that the address names. Raises `UnknownQueue`."""
    found = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues(queue_id=ask.id))).items
    if not found:
        raise UnknownQueue(queue_id=str(ask.id))
    return found[0]


async def _names(ask: Ask, entries: Iterable[QueueEntry]) -> dict[UUID, str]:
    """Whose turns these are, by turn."""
    patient_of = {each.id: each.patient_id for each in entries}
    names = await names_of_patients(ask, patient_of.values())
    return {entry_id: names.get(patient_id, "Name not known") for entry_id, patient_id in patient_of.items()}


async def _page(
    ask: Ask, status: int, place: str, now: EntriesInOrder | TurnsInOrder, names: Mapping[UUID, str], **more: object
) -> Response:  # fmt: skip
    summary = await summary_of(ask)
    sites = {site.id: site for site in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items}
    zone = zone_of(sites.get(summary.queue.site_id))
    told = {each.entry_id: each for each in (await ask.ctx.queues.estimate_waits(ask.ctx.actor, ask.id)).items} if now.waiting else {}
    rooms = await _rooms(ask, summary.queue.site_id, (*now.active, *now.waiting))
    levels = scales.LEVELS[summary.queue.policy.scale]
    return ask.show(
        "queue.html", status, queue=summary.queue, place=place, waiting_count=sum(summary.waiting), as_of=now.as_of.astimezone(zone),
        called=called, active=[_line(each, names, zone, levels, rooms) for each in now.active],
        waiting=[_line(each, names, zone, levels, rooms, told) for each in now.waiting],
        kiosk=await kiosks.kiosks_of(ask, summary.queue, zone), ends=kiosks.ENDS,
        areas=areas_of((summary,), zone),
        free=await gaps.gaps_of(ask, summary.queue, zone), calling=await calling.calling_of(ask, summary.queue),
        relief=await relief.relief_of(ask, summary, zone),
        begin_reasons=relief.BEGIN_REASONS, end_reasons=relief.END_REASONS, reasons=relief.REASONS,
        distances=DISTANCES, offered=scales.offered(summary.queue.policy.scale), may_change=ask.ctx.actor.may(CHANGE),
        may_triage=ask.ctx.actor.may(TRIAGE), may_register=ask.ctx.actor.may(REGISTER),
        asked={name: ask.form.get(name, "") for name in ("family", "birth_on")}, last=None if more["error"] else await _last(ask), **more,
    )  # fmt: skip


async def _rooms(ask: Ask, site_id: UUID, entries: Iterable[QueueEntry | Turn]) -> dict[UUID, str]:
    """In which room those are who are in one, by turn."""
    room_of = {each.id: each.location_id for each in entries if each.location_id and (each.status in IN_ROOM or each.in_room)}
    if not room_of:
        return {}
    ids = tuple(dict.fromkeys(room_of.values()))[:ENTRIES_MAX]
    found = (await ask.ctx.rooms.list_places(ask.ctx.actor, ListPlaces(site_id=site_id, ids=ids, whose=False))).items
    names = {each.id: each.name for each in found}
    return {entry_id: names[room_id] for entry_id, room_id in room_of.items() if room_id in names}


def _line(
    entry: QueueEntry | Turn,
    names: Mapping[UUID, str],
    zone: ZoneInfo,
    levels: Sequence[str],
    rooms: Mapping[UUID, str],
    told: Mapping[UUID, WaitEstimate] = NOTHING_TOLD,
) -> Line:
    at = (entry.called_at if entry.status in ("called", "in-service") else entry.arrived_at) or entry.expected_at
    return Line(
        entry=entry, who=names.get(entry.id), state=STATES[entry.status], level=levels[entry.level - 1],
        room=rooms.get(entry.id, ""), since=at.astimezone(zone).strftime("%H:%M") if at else "", wait=_wait(told.get(entry.id)),
        where=elsewhere.where(entry, zone), may_go=elsewhere.may_go(entry),
        actions=tuple((action, LABELS[action]) for action in _offered(entry)),
    )  # fmt: skip


def _offered(entry: QueueEntry | Turn) -> Sequence[EntryAction]:
    is_away = entry.status == "waiting" and entry.travel_minutes is not None
    return ("back", *OFFERED["waiting"]) if is_away else OFFERED.get(entry.status, ())


def _wait(told: WaitEstimate | None) -> str:
    """How long somebody still waits, in words; nothing where it cannot be told."""
    if told is None or told.low_minutes is None or told.high_minutes is None:
        return ""
    if told.high_minutes == 0:
        return "next"
    return (
        f"{told.low_minutes} to {told.high_minutes} more minutes"
        if told.low_minutes < told.high_minutes
        else f"{told.high_minutes} more minutes"
    )


async def _last(ask: Ask) -> Last | None:
    """What the address says was done last, if it was."""
    query = ask.request.query_params
    if query.get("done") not in DONE:
        return None
    entry = await ask.ctx.queues.get_entry(ask.ctx.actor, valid(Named, {"turn": query.get("turn", "")}).turn)
    return Last(entry, f"{entry.ticket} {DONE[query['done']]}.", query["done"] in TAKEN_BACK)


def _of_turn(kind: type[T], ask: Ask, **said: object) -> T:
    """The command about the turn that the form is about, as it was shown."""
    return valid(kind, {"entry_id": ask.form.get("entry", ""), "expected_version": _version(ask)} | said)


def _version(ask: Ask) -> int:
    return number(ask.form.get("version", ""))
