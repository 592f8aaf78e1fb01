"""One cell of scheduling's ledger that sessions contend for, what each of them may do there, and a plain model of what may come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from typing import Any
from uuid import UUID

from carewright.contracts.hours import BlockTime, Override, SetWorkingHours
from carewright.contracts.scheduling import (
    Appointment,
    BookAppointment,
    CalendarChanged,
    CancelAppointment,
    ConfirmAppointment,
    HoldTime,
    PickedTime,
    RescheduleAppointment,
)
from carewright.contracts.series import BookSeries, Series
from carewright.kernel.errors import Refusal
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change, expire
from tests.scheduling_world import MONDAY, REASON, Process, World, every_day

OPERATIONS = (
    "hold", "book", "book held", "confirm", "cancel", "reschedule", "exchange", "block", "set hours", "expire", "release", "series",
    "override",
)  # fmt: skip
SLOTS = tuple(MONDAY + timedelta(days=1, hours=number) for number in range(4))
FIRST, SECOND, KEPT, WANTED = SLOTS
NEXT_DAY = WANTED + timedelta(days=1)
PATIENTS = 7


@dataclass(slots=True)
class Cell:
    """A physician and a room that only one run touches, with the appointments its operations are about."""

    world: World
    number: int
    appointments: dict[str, Appointment] = field(default_factory=dict)

    @property
    def physician(self) -> UUID:
        return self.world.of("practitioner")[self.number].id

    @property
    def room(self) -> UUID:
        return self.world.of("room")[self.number].id

    def patient(self, number: int) -> UUID:
        """0 to 3 have the cell's appointments, 4 and on belong to the sessions."""
        return self.world.patients[self.number * PATIENTS + number]

    @property
    def patients(self) -> list[UUID]:
        return [self.patient(number) for number in range(PATIENTS)]

    @property
    def own(self) -> frozenset[UUID]:
        return frozenset(self.patients[4:])

    def at(self, start: datetime) -> PickedTime:
        """The physician and the room."""
        return self.world.at(self.world.kinds.request, start, self.physician, self.room)

    def alone_at(self, start: datetime) -> PickedTime:
        """The physician by themselves: an override claims one after another, which makes many steps of little."""
        return self.world.at(self.world.kinds.solo, start, self.physician)


@dataclass(frozen=True, slots=True)
class Part:
    """What one session does: the operation, its rank among the sessions that do the same, and what it is about."""

    operation: str
    session: int
    rank: int
    target: str
    to: datetime = WANTED


def parts_of(operations: Sequence[str]) -> list[Part]:
    parts = []
    for session, operation in enumerate(operations):
        rank = operations[:session].count(operation)
        target, to = "held" if about_hold(operation, operations) else "asked", WANTED
        if operation == "exchange":
            target, to = ("asked", SECOND) if rank % 2 == 0 else ("booked", FIRST)
        parts.append(Part(operation, session, rank, target, to))
    return parts


def about_hold(operation: str, operations: Sequence[str]) -> bool:
    """Whether an operation acts on the held time: where others do so, too. One that has expired cannot be moved."""
    if operation in ("cancel", "confirm"):
        return bool({"book held", "release", "expire"} & set(operations))
    return operation in ("book held", "release") or (operation == "reschedule" and bool({"book held", "release"} & set(operations)))


def setting_of(parts: Sequence[Part]) -> set[str]:
    """The appointments that must be there before."""
    wanted = {part.target for part in parts if part.operation in ("book held", "confirm", "cancel", "reschedule", "release")}
    operations = {part.operation for part in parts}
    if "exchange" in operations:
        wanted |= {"asked", "booked"}
    if operations & {"block", "set hours"}:
        wanted |= {"asked"}
    if "expire" in operations:
        wanted |= {"in the way"}
    return wanted


# What the sessions do


async def do(part: Part, ctx: SchedulingContext, cell: Cell) -> object:
    """The part's operation."""
    if part.operation in ("hold", "book", "series", "override"):
        return await _take(part.operation, ctx, cell, cell.patient(4 + part.session))
    if part.operation in ("block", "set hours", "expire"):
        return await _change_calendar(part.operation, ctx, cell)
    about = cell.appointments[part.target]
    match part.operation:
        case "book held":
            return await book.book_appointment(ctx, BookAppointment(hold_id=about.id, patient_id=about.patient_id))
        case "release":
            return await change.release_hold(ctx, about.id)
        case "confirm":
            return await change.confirm_appointment(ctx, ConfirmAppointment(appointment_id=about.id))
        case "cancel":
            return await change.cancel_appointment(ctx, CancelAppointment(appointment_id=about.id))
        case _:
            return await change.reschedule_appointment(ctx, RescheduleAppointment(appointment_id=about.id, time=cell.at(part.to)))


async def _take(operation: str, ctx: SchedulingContext, cell: Cell, patient_id: UUID) -> object:
    match operation:
        case "hold":
            return await book.hold_time(ctx, HoldTime(time=cell.at(WANTED), patient_id=patient_id))
        case "series":
            return await book.book_series(ctx, BookSeries(patient_id=patient_id, first=cell.at(WANTED), count=2, every_days=1))
        case "override":
            command = BookAppointment(time=cell.alone_at(WANTED), patient_id=patient_id, override=Override(reason=REASON))
            return await book.book_appointment(ctx, command)
        case _:
            return await book.book_appointment(ctx, BookAppointment(time=cell.at(WANTED), patient_id=patient_id))


async def _change_calendar(operation: str, ctx: SchedulingContext, cell: Cell) -> object:
    match operation:
        case "block":
            command = BlockTime(schedule_id=cell.physician, start=FIRST, end=WANTED + timedelta(hours=1), reason=REASON)
            return await calendars.block_time(ctx, command)
        case "set hours":
            afternoons = every_day((cell.world.city.id,), 780, 900)
            return await calendars.set_working_hours(ctx, SetWorkingHours(schedule_id=cell.physician, weekly=afternoons))
        case _:
            return await expire.expire_holds(ctx)


def context_of(part: Part, process: Process, cell: Cell) -> SchedulingContext:
    """A patient books what they held, so that it becomes a request; the scheduler does everything else."""
    subject = f"session {part.session}"
    if part.operation == "book held":
        return process.acting("patient", cell.world, patient_id=cell.appointments[part.target].patient_id, subject=subject)
    return process.acting("scheduler", cell.world, subject=subject)


# What a plain model says


@dataclass(slots=True)
class Model:
    """The cell, one operation after another. Status "hold" is a live hold, "gone" an expired one."""

    status: dict[UUID, str]
    start: dict[UUID, set[datetime]]
    closed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, cell: Cell, *, expired: bool) -> "Model":
        names = {name: each.id for name, each in cell.appointments.items()}
        held = "gone" if expired else "hold"
        status = {each: {"asked": "pending", "booked": "booked"}.get(name, held) for name, each in names.items()}
        return cls(status, {each.id: {each.start} for each in cell.appointments.values()})

    def free(self, *starts: datetime, besides: UUID | None = None) -> bool:
        if "set hours" in self.closed or ("block" in self.closed and any(start < NEXT_DAY for start in starts)):
            return False
        alive = (each for each, status in self.status.items() if status in ("pending", "booked", "hold") and each != besides)
        return {start for each in alive for start in self.start[each]}.isdisjoint(starts)

    def apply(self, part: Part, answer: object, cell: Cell) -> bool:
        """Whether the operation is accepted now; `answer` tells the ids it made."""
        about = cell.appointments.get(part.target)
        match part.operation:
            case "hold" | "book" | "override" | "series":
                return self._take(part.operation, answer)
            case "block" | "set hours":
                self.closed.add(part.operation)
                return self._hit(part.operation, answer)
            case "expire":
                self.status |= {each: "cancelled" for each, status in self.status.items() if status == "gone"}
                return True
        assert about is not None
        return self._change(part, about.id)

    def _take(self, operation: str, answer: object) -> bool:
        starts = {WANTED, NEXT_DAY} if operation == "series" else {WANTED}
        if operation != "override" and not self.free(*starts):
            return False
        made = answer.appointments if isinstance(answer, Series) else (answer,)
        for each in made:
            if isinstance(each, Appointment):
                self.status[each.id] = "hold" if operation == "hold" else "booked"
                self.start[each.id] = {each.start}
        return True

    def _hit(self, operation: str, answer: object) -> bool:
        last = NEXT_DAY if operation == "set hours" else WANTED
        alive = {each for each, status in self.status.items() if status in ("pending", "booked", "hold") and min(self.start[each]) <= last}
        return not isinstance(answer, CalendarChanged) or {each.id for each in answer.hit} == alive

    def _change(self, part: Part, about: UUID) -> bool:
        status = self.status[about]
        accepted = {
            "book held": status == "hold",
            "release": status in ("hold", "gone"),
            "confirm": status == "pending",
            "cancel": status != "cancelled",
        }.get(part.operation, status in ("pending", "booked") and self.free(part.to, besides=about))
        if accepted:
            after = {"book held": "pending", "release": "cancelled", "confirm": "booked", "cancel": "cancelled"}
            self.status[about] = after.get(part.operation, status)
            if part.operation in ("reschedule", "exchange"):
                self.start[about] = {part.to}
        return accepted


def accounted_for(parts: Sequence[Part], outcomes: Sequence[object], cell: Cell, found: "Found", *, expired: bool) -> bool:
    """Whether some order of the acknowledged operations explains all answers and the state found."""
    done = [number for number, outcome in enumerate(outcomes) if not isinstance(outcome, Refusal)]
    refused = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Refusal)]
    for order in permutations(done):
        model = Model.of(cell, expired=expired)
        explained = _refusals(model, parts, refused, cell)
        for number in order:
            if not model.apply(parts[number], outcomes[number], cell):
                break
            explained |= _refusals(model, parts, refused, cell)
        else:
            # A hold that is just being removed may still stand in the way of another.
            if found.agrees(model) and (explained == set(refused) or expired):
                return True
    return False


def _refusals(model: Model, parts: Sequence[Part], refused: Sequence[int], cell: Cell) -> set[int]:
    """Those of the refused that the model refuses, too, as things stand."""
    probes = ((number, Model(dict(model.status), dict(model.start), set(model.closed))) for number in refused)
    return {number for number, probe in probes if not probe.apply(parts[number], None, cell)}


# What is found afterwards


@dataclass(frozen=True, slots=True)
class Found:
    """Appointments, claims and events of one cell."""

    appointments: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    events: list[dict[str, Any]]

    def agrees(self, model: Model) -> bool:
        there = {UUID(each["id"]): each for each in self.appointments}
        return set(there) == set(model.status) and all(
            model.status[each] == "gone"
            or (
                {"hold": "pending"}.get(model.status[each], model.status[each]) == row["status"]
                and datetime.fromisoformat(row["starts_at"]) in model.start[each]
            )
            for each, row in there.items()
        )

    def ensure_no_overlap(self) -> None:
        ordered = sorted(self.claims, key=lambda claim: (claim["schedule_id"], claim["lane"], claim["starts_at"]))
        for one, other in pairwise(ordered):
            same = (one["schedule_id"], one["lane"]) == (other["schedule_id"], other["lane"])
            assert not same or one["ends_at"] <= other["starts_at"], "two claims overlap"

    def ensure_all_claims_or_none(self) -> None:
        for each in self.appointments:
            held = sum(claim["appointment_id"] == each["id"] for claim in self.claims)
            wanted = 0 if each["status"] == "cancelled" else len(each["value"]["participants"])
            assert held == wanted, f"{held} claims where {wanted} belong"

    def ensure_told(self, parts: Sequence[Part], outcomes: Sequence[object]) -> None:
        told: dict[str, list[dict[str, Any]]] = {}
        for each in self.events:
            if "appointment_id" in each["payload"]:
                told.setdefault(each["payload"]["appointment_id"], []).append(each["payload"])
        for row in self.appointments:
            facts = sorted(told.pop(row["id"]), key=lambda fact: fact["version"])
            assert [fact["version"] for fact in facts] == list(range(1, row["version"] + 1)), "events count up to the version stored"
            assert facts[-1]["status"] == row["status"]
        assert not told, "an event without its appointment"
        by_subject: dict[str, list[dict[str, Any]]] = {}
        for each in self.events:
            by_subject.setdefault(each["actor"], []).append(each)
        for part, outcome in zip(parts, outcomes, strict=True):
            mine = by_subject.get(f"session {part.session}", [])
            if isinstance(outcome, Refusal):
                assert all(each["topic"].endswith("hold_expired.v1") for each in mine), "a refused operation left an event"
            elif isinstance(outcome, Appointment):
                assert any(each["payload"].get("version") == outcome.version for each in mine), "an answer without its event"
