"""Scheduling against a model that keeps minutes in sets.

The model knows no bits, no lanes and no database: who works when, what is blocked, and which minutes each appointment takes of whom.
Hypothesis plays the use cases against both, and after each step they must agree on what was accepted, on the code of what was refused, on
what a calendar change hit, and on what is free. Three ways: one process; two whose followers are caught up before each step; two whose
copies lag. A copy that lags may refuse what could be had, and must accept it once it has caught up; it never accepts what the
model refuses.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from carewright.contracts.directory import VisitType
from carewright.contracts.hours import BlockTime, Override, SetWorkingHours
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    AdvanceStatus,
    Appointment,
    AppointmentFact,
    BookAppointment,
    CancelAppointment,
    ConfirmAppointment,
    HoldTime,
    PickedTime,
    RescheduleAppointment,
    ScheduleChanged,
)
from carewright.contracts.series import BookSeries
from carewright.contracts.starts import FindTimes
from carewright.kernel.db import Database
from carewright.kernel.errors import Refusal
from carewright.kernel.migrate import empty
from carewright.scheduling import checks
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change, expire, find
from tests.scheduling_model import MIDNIGHT, MINUTE, Entry, Model, minute_of
from tests.scheduling_world import MONDAY, REASON, every_day, invent, processes_on, same_as_fresh, store_world
from tests.servers import facts_of

T = TypeVar("T")
NEXT = {
    "pending": ("booked", "cancelled", "entered-in-error"),
    "booked": ("arrived", "checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error"),
    "arrived": ("checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error"),
    "checked-in": ("fulfilled", "cancelled", "noshow", "entered-in-error"),
    "fulfilled": ("entered-in-error",),
    "cancelled": ("entered-in-error",),
    "noshow": ("arrived", "entered-in-error"),
    "entered-in-error": (),
}
SHIFTS = ((480, 720), (780, 960), (600, 840), (1320, 1560))
"""Mornings, afternoons, midday, and nights that end on the next day."""
LIMIT, TAKEN = "scheduling.hold_limit_reached", "scheduling.time_not_free"
MAY_LAG = {TAKEN, LIMIT, "scheduling.series_not_free", "scheduling.calendar_moved", "scheduling.patient_busy"}
"""What a copy that lags can answer instead of each other: memory refuses before the database is asked for the rest."""


@dataclass
class Ground:
    """A loop of its own, because Hypothesis calls from ordinary functions."""

    loop: asyncio.AbstractEventLoop
    db: Database
    url: str

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)


days = st.integers(0, 3)
quarters = st.integers(0, 17)
whom = st.integers(0, 3)
which = st.integers(0, 7)
KIND_NAMES = ("solo", "consult", "team", "pair", "request", "referred", "follow_up")
kinds = st.sampled_from(KIND_NAMES)
process_numbers = st.integers(0, 1)
by_whom = st.booleans()


class SchedulingMachine(RuleBasedStateMachine):
    """`count` processes; with `follows` every one has caught up before each step."""

    ground: Ground
    count = 1
    follows = True

    @initialize(seed=st.integers(0, 3))
    def begin(self, seed: int) -> None:
        self.run(empty(self.ground.url, ["kernel", "scheduling"]))
        self.processes = processes_on(self.ground.db, self.count, seed=seed)
        self.world = self.run(store_world(self.processes[0], invent(self.processes[0].ids)))
        self.model = Model(self.world, minute_of(MONDAY), {each.id: (SHIFTS[0],) for each in self.world.actors})
        for process in self.processes:
            self.run(process.settle())
        self.steps = 0

    def run(self, work: Awaitable[T]) -> T:
        return self.ground.run(work)

    def settle(self) -> None:
        for process in self.processes:
            self.run(process.settle())

    def context(self, number: int, patient: int, *, by_patient: bool) -> SchedulingContext:
        process = self.processes[number % self.count]
        patient_id = self.world.patients[patient]
        return process.acting("patient" if by_patient else "scheduler", self.world, patient_id=patient_id)

    def time(self, kind: str, day: int, quarter: int, practitioner: int | None = None, *, village: bool = False) -> PickedTime:
        """A start from a little before the morning's hours to a little after, tomorrow or later."""
        site = self.world.village if village else self.world.city
        start = MIDNIGHT + timedelta(days=self.model.now // 1440 + day, minutes=(120 if village else 405) + 15 * quarter)
        person = None if practitioner is None else self.world.of("practitioner")[practitioner].id
        return PickedTime(visit_type_id=getattr(self.world.kinds, kind).id, site_id=site.id, start=start, practitioner_id=person)

    def expect(self, code: str | None, use_case: Callable[[], Awaitable[T]]) -> T | None:
        """Do it, and compare what it says with the code the model expects; None is acceptance."""
        self.steps += 1
        if self.follows:
            self.settle()
        said, answer = self.run(told(use_case))
        if said != code and not self.follows and said in MAY_LAG and (code is None or code in MAY_LAG):
            self.settle()
            said, answer = self.run(told(use_case))
        assert said == code, f"expected {code}, got {said}"
        return answer

    def entry(self, number: int) -> tuple[UUID, Entry]:
        return list(self.model.entries.items())[-1 - number % len(self.model.entries)]

    # finding

    @precondition(lambda self: self.follows)
    @rule(process=process_numbers, kind=kinds, day=days, by_patient=by_whom, village=by_whom)
    def find(self, process: int, kind: str, day: int, by_patient: bool, village: bool) -> None:
        visit_type: VisitType = getattr(self.world.kinds, kind)
        first = (self.model.now // 1440 + day) * 1440
        site = self.world.village if village else self.world.city
        query = FindTimes(
            visit_type_id=visit_type.id, site_id=site.id, limit=200,
            from_at=MIDNIGHT + first * MINUTE, until_at=MIDNIGHT + (first + 1439) * MINUTE,
        )  # fmt: skip
        page = self.expect(None, lambda: find.find_times(self.context(process, 0, by_patient=by_patient), query))
        assert page is not None
        assert [minute_of(slot.start) for slot in page.items] == self.model.starts(
            visit_type, site.id, first, first + 1439, by_patient=by_patient
        )  # fmt: skip

    # taking time

    @rule(process=process_numbers, kind=kinds, day=days, quarter=quarters, patient=whom, by_patient=by_whom, village=by_whom)
    def hold(self, process: int, kind: str, day: int, quarter: int, patient: int, by_patient: bool, village: bool) -> None:
        time, patient_id = self.time(kind, day, quarter, village=village), self.world.patients[patient]
        held = sum(e.patient_id == patient_id and e.expires is not None and e.expires > self.model.now for e in self.model.entries.values())
        code = "scheduling.outside_rules" if self.model.rule_broken(time, by_patient=by_patient) else None
        taken = self.model.taking_refused(time, patient_id)
        code = code or (LIMIT if held >= 3 and taken != TAKEN else taken)
        ctx = self.context(process, patient, by_patient=by_patient)
        self.taken(self.expect(code, lambda: book.hold_time(ctx, HoldTime(time=time, patient_id=patient_id))), "pending")

    @rule(
        process=process_numbers, kind=kinds, day=days, quarter=quarters, patient=whom, by_patient=by_whom, village=by_whom,
        practitioner=st.none() | st.integers(0, 1), referral=st.none() | st.just("R-1"),
    )  # fmt: skip
    def book(
        self, process: int, kind: str, day: int, quarter: int, patient: int, by_patient: bool, village: bool,
        practitioner: int | None, referral: str | None,
    ) -> None:  # fmt: skip
        practitioner = None if kind in ("team", "pair") else practitioner
        time, patient_id = self.time(kind, day, quarter, practitioner, village=village), self.world.patients[patient]
        visit_type = self.model.kind_of(time)
        code = "scheduling.outside_rules" if self.model.rule_broken(time, by_patient=by_patient) else None
        if code is None and self.model.prerequisite_missing(visit_type, patient_id, minute_of(time.start), referral):
            code = "scheduling.prerequisite_missing"
        code = code or self.model.taking_refused(time, patient_id)
        ctx = self.context(process, patient, by_patient=by_patient)
        command = BookAppointment(time=time, patient_id=patient_id, based_on=referral)
        status = "pending" if by_patient and visit_type.rules.needs_confirmation else "booked"
        self.taken(self.expect(code, lambda: book.book_appointment(ctx, command)), status)

    def taken(self, made: Appointment | None, status: str) -> None:
        if made is not None:
            assert made.status == status
            self.model.ensure_takes_only_free(made)
            self.make_way(made)
            self.model.enter(made)

    def make_way(self, made: Appointment) -> None:
        """What expired on that time was removed."""
        minutes: dict[UUID, set[int]] = {}
        for each in made.participants:
            minutes.setdefault(each.actor_id, set()).update(range(minute_of(each.claimed_from), minute_of(each.claimed_to)))
        self.model.clear_expired(minutes)

    @precondition(lambda self: self.model.entries)
    @rule(process=process_numbers, number=which, referral=st.none() | st.just("R-1"))
    def book_held(self, process: int, number: int, referral: str | None) -> None:
        each, entry = self.entry(number)
        patient = self.world.patients.index(entry.patient_id)
        code: str | None = None
        if entry.status == "pending" and entry.expires is None:
            code = "scheduling.illegal_step"
        elif entry.status == "cancelled" or (entry.expires is not None and entry.expires <= self.model.now):
            code = "scheduling.hold_expired"
        elif entry.expires is None:
            code = "scheduling.illegal_step"
        elif self.model.prerequisite_missing(entry.kind, entry.patient_id, entry.start, referral):
            code = "scheduling.prerequisite_missing"
        command = BookAppointment(hold_id=each, patient_id=entry.patient_id, based_on=referral)
        ctx = self.context(process, patient, by_patient=True)
        if self.expect(code, lambda: book.book_appointment(ctx, command)) is not None:
            self.model.step(each, "pending" if entry.kind.rules.needs_confirmation else "booked")

    @rule(process=process_numbers, day=days, quarter=quarters, patient=whom, count=st.integers(2, 3), practitioner=st.integers(0, 1))
    def book_series(self, process: int, day: int, quarter: int, patient: int, count: int, practitioner: int) -> None:
        first, patient_id = self.time("solo", day, quarter, practitioner), self.world.patients[patient]
        times = [self.time("solo", day + number, quarter, practitioner) for number in range(count)]
        code = "scheduling.outside_rules" if any(self.model.rule_broken(time, by_patient=False) for time in times) else None
        refusals = [self.model.taking_refused(time, patient_id) for time in times]
        if code is None and "scheduling.time_not_free" in refusals:
            code = "scheduling.series_not_free"
        elif code is None and "scheduling.patient_busy" in refusals:
            code = "scheduling.patient_busy"
        ctx = self.context(process, patient, by_patient=False)
        command = BookSeries(patient_id=patient_id, first=first, count=count, every_days=1)
        series = self.expect(code, lambda: book.book_series(ctx, command))
        for made in series.appointments if series else ():
            self.taken(made, "booked")

    @rule(process=process_numbers, kind=kinds, day=days, quarter=quarters, patient=whom, practitioner=st.integers(0, 1))
    def override(self, process: int, kind: str, day: int, quarter: int, patient: int, practitioner: int) -> None:
        practitioners = None if kind in ("team", "pair") else practitioner
        time, patient_id = self.time(kind, day, quarter, practitioners), self.world.patients[patient]
        code = "scheduling.outside_rules" if minute_of(time.start) < self.model.now else None
        ctx = self.context(process, patient, by_patient=False)
        command = BookAppointment(time=time, patient_id=patient_id, override=Override(reason=REASON))
        made = self.expect(code, lambda: book.book_appointment(ctx, command))
        if made is not None:
            self.make_way(made)
            self.model.enter(made, overridden=True)

    # what becomes of it

    @precondition(lambda self: self.model.entries)
    @rule(process=process_numbers, number=which, by_patient=by_whom)
    def cancel(self, process: int, number: int, by_patient: bool) -> None:
        each, entry = self.entry(number)
        code = None if "cancelled" in NEXT[entry.status] else "scheduling.illegal_step"
        ctx = self.context(process, self.world.patients.index(entry.patient_id), by_patient=by_patient)
        if self.expect(code, lambda: change.cancel_appointment(ctx, CancelAppointment(appointment_id=each))) is not None:
            self.model.step(each, "cancelled")

    @precondition(lambda self: self.model.entries)
    @rule(process=process_numbers, number=which)
    def release(self, process: int, number: int) -> None:
        each, entry = self.entry(number)
        code = None if entry.expires is not None else "scheduling.illegal_step"
        ctx = self.context(process, self.world.patients.index(entry.patient_id), by_patient=True)
        if self.expect(code, lambda: change.release_hold(ctx, each)) is not None:
            self.model.step(each, "cancelled")

    @precondition(lambda self: self.model.entries)
    @rule(process=process_numbers, number=which, by_patient=by_whom, behind=st.integers(0, 3))
    def confirm(self, process: int, number: int, by_patient: bool, behind: int) -> None:
        each, entry = self.entry(number)
        expected = entry.version + 1 if behind == 3 else entry.version if behind == 2 else None
        wanted = "booked" if by_patient else "pending"
        code = "kernel.precondition_failed" if behind == 3 else None
        code = code or (None if entry.status == wanted and entry.expires is None else "scheduling.illegal_step")
        ctx = self.context(process, self.world.patients.index(entry.patient_id), by_patient=by_patient)
        command = ConfirmAppointment(appointment_id=each, expected_version=expected)
        if self.expect(code, lambda: change.confirm_appointment(ctx, command)) is not None:
            self.model.step(each, "booked")

    @precondition(lambda self: self.model.entries)
    @rule(
        process=process_numbers, number=which,
        status=st.sampled_from(["arrived", "checked-in", "fulfilled", "noshow", "entered-in-error", "noshow", "arrived"]),
    )  # fmt: skip
    def advance(self, process: int, number: int, status: AdvanceStatus) -> None:
        each, entry = self.entry(number)
        code = None if status in NEXT[entry.status] else "scheduling.illegal_step"
        ctx = self.context(process, 0, by_patient=False)
        command = AdvanceAppointment(appointment_id=each, status=status)
        if self.expect(code, lambda: change.advance_appointment(ctx, command)) is not None:
            self.model.step(each, status)

    @precondition(lambda self: self.model.entries)
    @rule(process=process_numbers, number=which, day=days, quarter=quarters, by_patient=by_whom, overriding=st.integers(0, 4))
    def reschedule(self, process: int, number: int, day: int, quarter: int, by_patient: bool, overriding: int) -> None:
        each, entry = self.entry(number)
        name = next(name for name in KIND_NAMES if getattr(self.world.kinds, name) == entry.kind)
        time, override = self.time(name, day, quarter), Override(reason=REASON) if overriding == 4 and not by_patient else None
        code: str | None = None
        if entry.status not in ("pending", "booked") or entry.expires is not None or entry.end <= self.model.now:
            code = "scheduling.illegal_step"
        elif override is not None:
            code = "scheduling.outside_rules" if minute_of(time.start) < self.model.now else None
        elif self.model.rule_broken(time, by_patient=by_patient):
            code = "scheduling.outside_rules"
        else:
            code = self.model.taking_refused(time, entry.patient_id, besides=each)
        ctx = self.context(process, self.world.patients.index(entry.patient_id), by_patient=by_patient)
        command = RescheduleAppointment(appointment_id=each, time=time, override=override)
        moved = self.expect(code, lambda: change.reschedule_appointment(ctx, command))
        if moved is not None:
            if override is None:
                self.model.ensure_takes_only_free(moved, besides=each)
            self.make_way(moved)
            self.model.enter(moved, overridden=override is not None)

    # calendars

    @rule(process=process_numbers, actor=st.integers(0, 6), day=days, quarter=quarters, length=st.integers(1, 300))
    def block(self, process: int, actor: int, day: int, quarter: int, length: int) -> None:
        schedule_id = self.world.actors[actor].id
        start = self.time("solo", day, quarter).start + timedelta(minutes=length % 7)
        minutes = set(range(minute_of(start), minute_of(start) + length))
        command = BlockTime(schedule_id=schedule_id, start=start, end=start + length * MINUTE, reason=REASON)
        ctx = self.context(process, 0, by_patient=False)
        answer = self.expect(None, lambda: calendars.block_time(ctx, command))
        assert answer is not None
        assert answer.block_id is not None
        alive = ((each, entry) for each, entry in self.model.entries.items() if self.model.takes_time(entry))
        assert {each.id for each in answer.hit} == {each for each, entry in alive if entry.taken.get(schedule_id, set()) & minutes}
        first, last = min(minutes) // 5 * 5, -(-(max(minutes) + 1) // 5) * 5
        self.model.blocks[answer.block_id] = (schedule_id, set(range(first, last)))
        self.model.calendar_changes += 1

    @precondition(lambda self: self.model.blocks)
    @rule(process=process_numbers, number=which, twice=by_whom)
    def unblock(self, process: int, number: int, twice: bool) -> None:
        block_id = list(self.model.blocks)[number % len(self.model.blocks)]
        ctx = self.context(process, 0, by_patient=False)
        self.expect(None, lambda: calendars.unblock_time(ctx, block_id))
        if twice:
            self.expect("scheduling.unknown_block", lambda: calendars.unblock_time(ctx, block_id))
        del self.model.blocks[block_id]
        self.model.calendar_changes += 1

    @rule(process=process_numbers, actor=st.integers(0, 6), shifts=st.sets(st.sampled_from(SHIFTS), max_size=2))
    def set_hours(self, process: int, actor: int, shifts: set[tuple[int, int]]) -> None:
        person = self.world.actors[actor]
        weekly = tuple(each for shift in sorted(shifts) for each in every_day(person.site_ids, *shift))
        ctx = self.context(process, 0, by_patient=False)
        answer = self.expect(None, lambda: calendars.set_working_hours(ctx, SetWorkingHours(schedule_id=person.id, weekly=weekly)))
        assert answer is not None
        self.model.hours[person.id] = tuple(sorted(shifts))
        outside = {
            each for each, entry in self.model.entries.items()
            if self.model.takes_time(entry) and (taken := entry.taken.get(person.id)) and min(taken) >= self.model.now
            and not taken <= self.model.open(person.id, entry.site_id)
        }  # fmt: skip
        assert {each.id for each in answer.hit} == outside
        self.model.calendar_changes += 1

    # time

    @rule(minutes=st.sampled_from([4, 11, 60]))
    def let_pass(self, minutes: int) -> None:
        self.move_clock(minutes)

    @rule()
    def sleep_until_tomorrow(self) -> None:
        if self.model.now < 10 * 1440:
            self.move_clock(1440)
            self.run(calendars.extend_openings(self.processes[0].system()))

    def move_clock(self, minutes: int) -> None:
        self.processes[0].clock.advance(minutes=minutes)
        self.model.now += minutes

    @rule(process=process_numbers)
    def expire(self, process: int) -> None:
        self.run(expire.expire_holds(self.processes[process % self.count].system()))
        self.model.clear_expired()

    @rule(process=process_numbers)
    def catch_up(self, process: int) -> None:
        self.run(self.processes[process % self.count].settle())

    # what always holds

    @invariant()
    def the_checks_find_nothing(self) -> None:
        if hasattr(self, "processes"):
            ctx = self.processes[0].system()
            for check in checks.CHECKS.values():
                assert self.run(check(ctx)) == []

    @invariant()
    def the_ledger_agrees_and_events_are_complete(self) -> None:
        if not hasattr(self, "processes") or self.steps % 4:
            return
        ctx = self.context(0, 0, by_patient=False)
        facts = self.run(facts_of(ctx))
        told: dict[UUID, list[AppointmentFact]] = {}
        for fact in facts:
            if isinstance(fact, AppointmentFact):
                told.setdefault(fact.appointment_id, []).append(fact)
        assert set(told) == set(self.model.entries)
        for each, entry in self.model.entries.items():
            if entry.expires is not None and entry.expires <= self.model.now:
                continue  # whether somebody has removed it is the ledger's own affair
            assert [fact.version for fact in told[each]] == list(range(1, entry.version + 1)), "every change has its event, in order"
            assert told[each][-1].status == entry.status
            stored = self.run(change.get_appointment(ctx, each))
            assert (stored.status, stored.version, minute_of(stored.start)) == (entry.status, entry.version, entry.start)
        assert sum(isinstance(fact, ScheduleChanged) and fact.calendar_version > 1 for fact in facts) >= self.model.calendar_changes

    @invariant()
    def a_copy_that_caught_up_shows_what_is_stored(self) -> None:
        if hasattr(self, "processes") and self.steps % 3 == 0:
            for process in self.processes if self.follows else ():
                self.run(process.settle())
                assert self.run(same_as_fresh(process, self.world))

    def teardown(self) -> None:
        if hasattr(self, "processes"):
            self.steps = 0
            self.the_ledger_agrees_and_events_are_complete()
            for process in self.processes:
                self.run(process.settle())
                assert self.run(same_as_fresh(process, self.world))


async def told(use_case: Callable[[], Awaitable[T]]) -> tuple[str | None, T | None]:
    try:
        return None, await use_case()
    except Refusal as refusal:
        return refusal.code, None


@pytest.fixture(scope="module")
def ground(database_url: str) -> Iterator[Ground]:
    loop = asyncio.new_event_loop()
    db = loop.run_until_complete(Database.connect(database_url, "carewright_scheduling", 4))
    yield Ground(loop, db, database_url)
    loop.run_until_complete(db.close())
    loop.close()


PLAYED = settings(
    max_examples=12, stateful_step_count=40, suppress_health_check=list(HealthCheck), print_blob=True, database=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking takes minutes here, and the steps are few
)  # fmt: skip


@pytest.mark.parametrize(
    ("count", "follows"),
    [pytest.param(1, True, id="one process"), pytest.param(2, True, id="two that follow"), pytest.param(2, False, id="two that lag")],
)
def test_scheduling_agrees_with_minutes_in_sets(ground: Ground, count: int, follows: bool) -> None:
    machine = type("Machine", (SchedulingMachine,), {"ground": ground, "count": count, "follows": follows})
    run_state_machine_as_test(machine, settings=PLAYED)
