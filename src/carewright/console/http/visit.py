"""One appointment beside the day board: who it is, what happened, and moving it, with what it would meet told before."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http.board import BOARD, HELD, KINDS, MOVE
from carewright.console.http.coverage_words import called
from carewright.console.http.page import Ask, number
from carewright.console.http.today import STATES, expected_at, expected_words
from carewright.contracts.board import MoveConflict, MovePreview, ReadBoard
from carewright.contracts.directory import ActorKind
from carewright.contracts.hours import Override
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    AdvanceStatus,
    Appointment,
    AppointmentStatus,
    BookedElsewhere,
    CalendarMoved,
    IllegalStep,
    OutsideRules,
    OverrideExhausted,
    PatientBusy,
    PickedTime,
    RescheduleAppointment,
    TimeNotFree,
)
from carewright.kernel.errors import PreconditionFailed, Refusal

VISIT = f"{BOARD}/visits/{{id}}"
ADVANCE, OVERRIDE = "scheduling.appointment.advance", "scheduling.appointment.override"
MOVABLE = frozenset({"pending", "booked"})
STEPS: Mapping[AppointmentStatus, tuple[tuple[AdvanceStatus, str], ...]] = {
    "booked": (("arrived", "Is here"), ("checked-in", "Check in"), ("noshow", "Did not come")),
    "arrived": (("checked-in", "Check in"), ("noshow", "Did not stay")),
    "checked-in": (("fulfilled", "Was seen"),),
    "noshow": (("arrived", "Came after all"),),
}
"""What is offered on the day, the likeliest first."""
DONE: Mapping[str, str] = {"step": "That is noted.", "move": "It was moved. This is how it stands now."}
FASTER = "Somebody else changed it just now. This is how it stands."
UNCLEAR = "Say a day and a time, as 2026-11-27 and 14:30."
NO_REASON = "Say in a few words why it is moved against the calendar."
PEOPLE: frozenset[str] = frozenset({"practitioner", "nurse", "technician"})
"""Who stays with a patient when a room or a device is changed."""
BEATEN = (TimeNotFree, PatientBusy, CalendarMoved, OutsideRules, OverrideExhausted)
"""What may come between a preview and a move: the preview is made again, and says what it is."""
LATE = (PreconditionFailed, IllegalStep, BookedElsewhere)
"""What no other time makes good."""


class Person(NamedTuple):
    """Somebody, or something, with a calendar."""

    id: UUID
    name: str


class Choice(NamedTuple):
    """Who could serve, under what they are."""

    kind: ActorKind
    words: str
    people: Sequence[Person]


class Wish(NamedTuple):
    """Where a form wants an appointment: at the wall clock of its site; with whom, if with somebody in particular; of whom it could be."""

    day: date
    at: time
    actor_ids: tuple[UUID, ...]
    row: UUID | None
    choices: Sequence[Choice]


class Obstacle(NamedTuple):
    """A conflict in words, and the appointment that it is about, if it may be opened."""

    text: str
    appointment_id: UUID | None


async def show_visit(ask: Ask) -> Response:
    """The appointment as it stands."""
    return await _shown(ask)


async def step(ask: Ask) -> Response:
    """Somebody is here, checked in, seen, or did not come."""
    status = ask.form.get("status", "")
    try:
        command = msgspec.convert({"appointment_id": ask.id, "status": status, "expected_version": _version(ask)}, AdvanceAppointment)
        await ask.ctx.scheduling.advance_appointment(ask.ctx.actor, command, ask.key)
    except msgspec.ValidationError:
        return await _shown(ask, 422, error="Choose what happened.")
    except LATE as refusal:
        return await _shown(ask, 409, error=_sentence(refusal))
    return ask.go(f"{VISIT.format(id=ask.id)}?{urlencode({'done': 'step'})}")


async def preview(ask: Ask) -> Response:
    """What a move would meet. Nothing is moved."""
    visit = await ask.ctx.scheduling.get_appointment(ask.ctx.actor, ask.id)
    wish = await _wish(ask, visit)
    return await _shown(ask, 422, visit, error=UNCLEAR) if wish is None else await _previewed(ask, visit, wish)


async def move(ask: Ask) -> Response:
    """Move it as it was told; what has come in between is told instead."""
    visit = await ask.ctx.scheduling.get_appointment(ask.ctx.actor, ask.id)
    wish = await _wish(ask, visit)
    if wish is None:
        return await _shown(ask, 422, visit, error=UNCLEAR)
    command = _command(ask, visit, wish)
    try:
        if ask.form.get("against"):
            command = msgspec.structs.replace(command, override=msgspec.convert({"reason": ask.form.get("reason", "").strip()}, Override))
        await ask.ctx.scheduling.reschedule_appointment(ask.ctx.actor, command, ask.key)
    except msgspec.ValidationError:
        return await _previewed(ask, visit, wish, 422, NO_REASON)
    except BEATEN as refusal:
        return await _previewed(ask, visit, wish, 409, refusal.detail)
    except LATE as refusal:
        return await _shown(ask, 409, error=_sentence(refusal))
    return ask.go(f"{VISIT.format(id=ask.id)}?{urlencode({'done': 'move'})}")


async def _previewed(ask: Ask, visit: Appointment, wish: Wish, status: int = 200, error: str = "") -> Response:
    try:
        told = await ask.ctx.scheduling.preview_move(ask.ctx.actor, _command(ask, visit, wish))
    except LATE as refusal:
        return await _shown(ask, 409, error=_sentence(refusal))
    return await _shown(ask, status, visit, told=told, wish=wish, error=error)


def _command(ask: Ask, visit: Appointment, wish: Wish) -> RescheduleAppointment:
    start = datetime.combine(wish.day, wish.at, ZoneInfo(visit.time_zone))
    picked = PickedTime(
        visit_type_id=visit.visit_type_id, site_id=visit.site_id, start=start, actor_ids=wish.actor_ids, urgency=visit.urgency
    )
    return RescheduleAppointment(appointment_id=visit.id, time=picked, expected_version=_version(ask))


async def _wish(ask: Ask, visit: Appointment) -> Wish | None:
    """What the form says, as far as it can be understood. Whoever gets another room or device stays with their practitioner."""
    try:
        day, at = date.fromisoformat(ask.form.get("day", "")), time.fromisoformat(ask.form.get("at", ""))
        row = UUID(ask.form["with"]) if ask.form.get("with") else None
    except ValueError:
        return None
    choices = await _choices(ask, visit, day)
    is_thing = any(each.id == row for choice in choices if choice.kind not in PEOPLE for each in choice.people)
    stay = tuple(each.actor_id for each in visit.participants if each.kind in PEOPLE) if is_thing else ()
    return Wish(day, at.replace(tzinfo=None), (*stay, row) if row else (), row, choices)


async def _choices(ask: Ask, visit: Appointment, day: date) -> Sequence[Choice]:
    """Who works at the site that day and could serve this kind of visit."""
    start = datetime.combine(day, time.min, ZoneInfo(visit.time_zone))
    query = ReadBoard(site_id=visit.site_id, from_at=start, until_at=start + timedelta(days=1), visit_type_ids=(visit.visit_type_id,))
    rows = (await ask.ctx.scheduling.read_board(ask.ctx.actor, query)).rows
    return [
        Choice(kind, words, found)
        for kind, words in KINDS.items()
        if (found := [Person(each.schedule_id, each.display) for each in rows if each.kind == kind])
    ]


async def _shown(
    ask: Ask, status: int = 200, visit: Appointment | None = None, *, told: MovePreview | None = None, wish: Wish | None = None,
    error: str = "",
) -> Response:  # fmt: skip
    visit = visit or await ask.ctx.scheduling.get_appointment(ask.ctx.actor, ask.id)
    patients = await ask.ctx.patients.get_patients(ask.ctx.actor, (visit.patient_id,))
    local, actor = visit.start.astimezone(ZoneInfo(visit.time_zone)), ask.ctx.actor
    may_move = actor.may(MOVE) and visit.status in MOVABLE and visit.expires_at is None and visit.end > ask.ctx.clock.now()
    choices = (wish.choices if wish else await _choices(ask, visit, local.date())) if may_move else ()
    return ask.show(
        "visit.html", status, visit=visit, state=HELD if visit.expires_at else STATES.get(visit.status, visit.status), local=local,
        until=visit.end.astimezone(local.tzinfo), people=[each for each in visit.participants if each.kind != "patient"],
        who=called(patients[0]) if patients else "Name not known", born=patients[0].birth_on if patients else None,
        steps=STEPS.get(visit.status, ()) if actor.may(ADVANCE) and visit.expires_at is None else (), may_move=may_move, choices=choices,
        expected=await _expected(ask, visit), told=told, wish=wish, at=told.start.astimezone(local.tzinfo) if told else local,
        obstacles=[_obstacle(each, visit) for each in told.conflicts] if told else (), may_override=actor.may(OVERRIDE), error=error,
        done="" if error or told else DONE.get(ask.request.query_params.get("done", ""), ""),
        board=f"{BOARD}?{urlencode({'place': str(visit.site_id), 'day': str(local.date())})}", may_pay=actor.may("coverage.check"),
    )  # fmt: skip


async def _expected(ask: Ask, visit: Appointment) -> str:
    """When it begins, where that is later than booked."""
    late = (await expected_at(ask, visit.site_id)).get(visit.id)
    return f"expected at {expected_words(late, ZoneInfo(visit.time_zone))}" if late else ""


def _obstacle(conflict: MoveConflict, visit: Appointment) -> Obstacle:
    zone = ZoneInfo(visit.time_zone)
    if conflict.start is None or conflict.end is None:
        return Obstacle(conflict.text, None)
    name = conflict.display or "The patient"
    times = f"{conflict.start.astimezone(zone):%H:%M} to {conflict.end.astimezone(zone):%H:%M}"
    match conflict.reason:
        case "closed":
            return Obstacle(f"{name}: outside working hours, {times}.", None)
        case "blocked":
            return Obstacle(f"{name}: blocked, {times}.", None)
        case _:
            return Obstacle(f"{name}: another appointment, {times}.", conflict.appointment_id)


def _sentence(refusal: Refusal) -> str:
    return refusal.detail if isinstance(refusal, BookedElsewhere) else FASTER


def _version(ask: Ask) -> int:
    return number(ask.form.get("version", ""))
