"""Who is nearly next hears of it once, as the queue's policy has it."""

from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.flow import QueueEntryMoved, TurnSoon
from carewright.contracts.queue import Arrive, CallNext, PutQueue, Queue, QueueEntry, QueuePolicy, StepEntry
from carewright.flow import handlers
from carewright.flow.jobs import JOBS
from carewright.flow.service import queue as service
from carewright.kernel import jobs
from carewright.kernel.context import Context
from tests.samples import known_id
from tests.servers import Contexts, facts_of

SITE, SERVICE, DOCTOR = (known_id(number) for number in range(1, 4))
PATIENTS = [known_id(20 + number) for number in range(6)]


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


async def opened(context: Contexts, nurse: Context, clock: Any, **policy: Any) -> tuple[Queue, list[QueueEntry]]:
    """A queue in which six wait."""
    command = PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology", policy=QueuePolicy(**policy))
    queue = await service.put_queue(await context("flow", "operations"), command)
    entries: list[QueueEntry] = []
    for each in PATIENTS:
        entries.append(await service.arrive(nurse, Arrive(queue_id=queue.id, patient_id=each)))
        clock.advance(seconds=1)
    return queue, entries


async def told(context: Contexts, nurse: Context, clock: Any) -> list[UUID]:
    """Who has heard, after everything that was to be done about the last step."""
    moved = [fact for fact in await facts_of(nurse) if isinstance(fact, QueueEntryMoved)][-1]
    async with nurse.db.transaction() as tx:
        await handlers.follow_turn(nurse, tx, moved)
    clock.advance(seconds=3)
    await jobs.run_due(await context.system("flow"), JOBS)
    return [fact.patient_id for fact in await facts_of(nurse) if isinstance(fact, TurnSoon)]


async def test_who_is_nearly_next_hears_of_it_once(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, _ = await opened(context, nurse, clock, soon_ahead=1)
    assert await told(context, nurse, clock) == [], "nobody came nearer by somebody's coming"
    called = (await service.call_next(nurse, CallNext(queue_id=queue.id))).entry
    assert called is not None
    assert sorted(await told(context, nurse, clock)) == PATIENTS[1:3]
    await service.step_entry(nurse, StepEntry(entry_id=called.id, action="start"))
    assert sorted(await told(context, nurse, clock)) == PATIENTS[1:3]
    await service.call_next(nurse, CallNext(queue_id=queue.id))
    assert sorted(await told(context, nurse, clock)) == PATIENTS[1:4]


async def test_who_leaves_brings_others_nearer(context: Contexts, nurse: Context, clock: Any) -> None:
    _, entries = await opened(context, nurse, clock, soon_ahead=0)
    await service.step_entry(nurse, StepEntry(entry_id=entries[0].id, action="leave"))
    assert await told(context, nurse, clock) == [PATIENTS[1]]


async def test_a_queue_that_says_nothing_tells_nobody(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, _ = await opened(context, nurse, clock, soon_ahead=None)
    await service.call_next(nurse, CallNext(queue_id=queue.id))
    assert await told(context, nurse, clock) == []


async def test_who_is_expected_to_wait_for_minutes_alone_hears_of_it(context: Contexts, nurse: Context, clock: Any) -> None:
    """Three serve at once, so three are called within the minutes that one service takes, whoever is before them."""
    queue, _ = await opened(context, nurse, clock, soon_ahead=None, soon_minutes=1, staff=3)
    await service.call_next(nurse, CallNext(queue_id=queue.id))
    assert sorted(await told(context, nurse, clock)) == PATIENTS[1:3]
