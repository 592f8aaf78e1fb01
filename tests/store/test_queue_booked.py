"""Who is booked and who walks in, in one queue: whose time a call keeps, and for whom."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.in_use import Gap
from carewright.contracts.queue import Called, CallEntry, CallNext, ProposeTurns, Queue
from carewright.flow import handlers
from carewright.flow.service import queue as service
from carewright.kernel.context import Context
from tests.samples import known_id
from tests.servers import Contexts
from tests.store.test_queue import ANNA, BERT, CARA, DOCTOR, advanced, booked, come, copied, put, step, told_of_the_house

OTHER_DOCTOR = known_id(99)


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


@pytest.fixture
async def knowing(context: Contexts) -> Context:
    return await told_of_the_house(context)


@pytest.fixture
async def queue(context: Contexts) -> Queue:
    """Of a service that takes 20 minutes, and whose booked patients may wait 10."""
    return await put(context)


async def call(ctx: Context, queue: Queue, practitioner_id: UUID | None = DOCTOR) -> Called:
    return await service.call_next(ctx, CallNext(queue_id=queue.id, practitioner_id=practitioner_id))


async def checks_in(ctx: Context, number: int, minutes: int) -> None:
    """The patient of appointment `number`, which begins so many minutes from now, is here."""
    start = ctx.clock.now() + timedelta(minutes=minutes)
    whose = {"appointment_id": known_id(number), "patient_id": known_id(number + 500)}
    fact = advanced(ctx, "checked-in", start=start, end=start + timedelta(minutes=20), **whose)
    async with ctx.db.transaction() as tx:
        await handlers.queue_who_checks_in(ctx, tx, fact)


def gap(ctx: Context, first: int, last: int, practitioner_id: UUID = DOCTOR) -> Gap:
    """Of a practitioner, from and until so many minutes from now."""
    at = ctx.clock.now()
    return Gap(
        practitioner_id=practitioner_id, display="Dr.", kind="idle", start=at + timedelta(minutes=first), end=at + timedelta(minutes=last)
    )


async def proposed(ctx: Context, queue: Queue, *gaps: Gap) -> list[tuple[UUID, bool, str | None]]:
    """Whose gap, whether it has begun, and the ticket."""
    found = await service.propose_turns(ctx, ProposeTurns(queue_id=queue.id, gaps=gaps))
    return [(each.gap.practitioner_id, each.is_now, each.turn.ticket if each.turn else None) for each in found.items]


def patient_of(found: Called) -> UUID | None:
    return found.entry.patient_id if found.entry else None


async def test_a_walk_in_is_not_called_to_whose_next_patient_is_due(nurse: Context, knowing: Context, queue: Queue) -> None:
    await copied(knowing, booked(knowing, 71, 5))
    await come(nurse, queue, ANNA)
    await come(nurse, queue, CARA, practitioner_id=DOCTOR)
    kept = await call(nurse, queue)
    assert kept.entry is None
    assert kept.kept_for is not None
    assert (kept.kept_for.booked_at, kept.kept_for.is_here) == (nurse.clock.now() + timedelta(minutes=5), False)
    assert "due in 5 minutes" in kept.kept_for.text
    other = await call(nurse, queue, OTHER_DOCTOR)
    assert (patient_of(other), other.kept_for) == (ANNA, None), "another has time"


async def test_the_desk_calls_all_the_same_whom_it_names(nurse: Context, knowing: Context, queue: Queue) -> None:
    await copied(knowing, booked(knowing, 71, 5))
    entry = await come(nurse, queue, ANNA)
    assert (await service.call_entry(nurse, CallEntry(entry_id=entry.id, practitioner_id=DOCTOR))).status == "called"


async def test_an_emergency_waits_for_no_appointment(nurse: Context, knowing: Context, queue: Queue) -> None:
    await copied(knowing, booked(knowing, 71, 5))
    await come(nurse, queue, ANNA)
    await come(nurse, queue, BERT, tier="P0")
    assert patient_of(await call(nurse, queue)) == BERT


async def test_who_is_booked_and_here_goes_first_at_their_time(nurse: Context, knowing: Context, queue: Queue, clock: Any) -> None:
    await come(nurse, queue, ANNA)
    clock.advance(seconds=45 * 60)
    await checks_in(knowing, 71, 8)
    first = await call(nurse, queue)
    assert patient_of(first) == known_id(571)
    assert first.kept_for is not None
    assert first.kept_for.is_here
    second = await call(nurse, queue)
    assert (patient_of(second), second.kept_for) == (ANNA, None), "who is being seen keeps no more time"


async def test_a_walk_in_who_fits_before_them_is_called_in_order(nurse: Context, knowing: Context, queue: Queue, clock: Any) -> None:
    await come(nurse, queue, ANNA)
    clock.advance(seconds=45 * 60)
    await checks_in(knowing, 71, 11)
    assert patient_of(await call(nurse, queue)) == ANNA


async def test_how_long_it_took_counts_and_not_only_what_is_planned(nurse: Context, knowing: Context, queue: Queue, clock: Any) -> None:
    """After some who took an hour, eleven minutes are no longer enough."""
    for number in range(10):
        entry = await come(nurse, queue, known_id(900 + number))
        await step(nurse, entry, "start")
        clock.advance(seconds=3600)
        await step(nurse, entry, "complete")
    await come(nurse, queue, ANNA)
    await copied(knowing, booked(knowing, 71, 11))
    kept = (await call(nurse, queue)).kept_for
    assert kept is not None
    assert kept.usual_minutes == 33, "20 planned, counted 20 times, and ten of 60"


async def test_who_has_waited_for_too_long_is_called_in_order(nurse: Context, knowing: Context, queue: Queue, clock: Any) -> None:
    await come(nurse, queue, ANNA)
    clock.advance(seconds=119 * 60)
    await copied(knowing, booked(knowing, 71, 6))
    assert patient_of(await call(nurse, queue)) is None
    clock.advance(seconds=60)
    assert patient_of(await call(nurse, queue)) == ANNA


async def test_who_does_not_come_keeps_no_time_for_long(nurse: Context, knowing: Context, queue: Queue, clock: Any) -> None:
    await copied(knowing, booked(knowing, 71, 0))
    await come(nurse, queue, ANNA)
    clock.advance(seconds=15 * 60)
    assert patient_of(await call(nurse, queue)) is None
    clock.advance(seconds=1)
    assert patient_of(await call(nurse, queue)) == ANNA


async def test_a_policy_may_leave_it_to_the_order_and_who_calls_for_nobody_keeps_nothing(
    context: Contexts, nurse: Context, knowing: Context, queue: Queue
) -> None:
    await copied(knowing, booked(knowing, 71, 5))
    await come(nurse, queue, ANNA)
    await come(nurse, queue, BERT)
    assert patient_of(await call(nurse, queue, None)) == ANNA
    assert patient_of(await call(nurse, await put(context, booked_may_wait_minutes=None))) == BERT


async def test_into_each_gap_the_first_who_fits_is_proposed_and_nobody_into_two(nurse: Context, knowing: Context, queue: Queue) -> None:
    """A service takes 20 minutes, of which 10 must fit."""
    await come(nurse, queue, ANNA, practitioner_id=OTHER_DOCTOR)
    await come(nurse, queue, BERT)
    await come(nurse, queue, CARA)
    here, later, short = gap(nurse, -5, 20), gap(nurse, 30, 60), gap(nurse, 0, 9, known_id(98))
    found = await proposed(nurse, queue, later, gap(nurse, -2, 40, OTHER_DOCTOR), short, here, gap(nurse, -20, -1))
    assert found == [(DOCTOR, True, "A002"), (OTHER_DOCTOR, True, "A001"), (known_id(98), True, None), (DOCTOR, False, "A003")]
    assert await proposed(nurse, queue) == []


async def test_who_sees_somebody_has_no_gap_now_whatever_the_calendar_says(nurse: Context, knowing: Context, queue: Queue) -> None:
    first = await come(nurse, queue, ANNA)
    await come(nurse, queue, BERT)
    await service.call_entry(nurse, CallEntry(entry_id=first.id, practitioner_id=DOCTOR))
    gaps = (gap(nurse, 0, 30), gap(nurse, 40, 60))
    assert await proposed(nurse, queue, *gaps) == [(DOCTOR, False, "A002")]
    await step(nurse, first, "complete")
    assert await proposed(nurse, queue, *gaps) == [(DOCTOR, True, "A002"), (DOCTOR, False, None)]
