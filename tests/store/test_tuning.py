"""A queue's order searched for, in PostgreSQL: of its own past or of what is entered, one at a site, given up, put in force, taken back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Location, LocationChanged
from carewright.contracts.flow import (
    QueueChanged,
    TooLittleHistory,
    TuningNotSound,
    TuningRuns,
    TuningStepNotAllowed,
    UnknownQueue,
    UnknownTuning,
)
from carewright.contracts.queue import Arrive, ListQueues, PutQueue, Queue, QueuePolicy, StepEntry
from carewright.contracts.tuning import AskDemand, EnteredDemand, ListTunings, StartTuning, StepTuning, Tuning
from carewright.flow import handlers, jobs
from carewright.flow.service import queue as queues
from carewright.flow.service import tuning
from carewright.kernel.apart import Limits
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.jobs import run_due
from tests.samples import known_id
from tests.servers import Contexts, facts_of

NORTH, SOUTH, SERVICE, OTHER = (known_id(number) for number in range(1, 5))
CLINIC = tuple(5.0 if 8 <= hour < 18 else 0.0 for hour in range(24))
STAFF = tuple(2 if 8 <= hour < 20 else 0 for hour in range(24))
FIFO = QueuePolicy(order="head-start", head_start_minutes=(0, 0, 0, 0), soon_ahead=7)
ENTERED = EnteredDemand(arrivals=CLINIC, level_shares=(0.0, 0.2, 0.3, 0.3, 0.2), service_minutes=15)


@pytest.fixture
async def head(context: Contexts) -> Context:
    """Who runs the hospital's day."""
    return await context("flow", "operations")


@pytest.fixture
async def queue(head: Context) -> Queue:
    return await put(head)


async def put(head: Context, site_id: UUID = NORTH, service_id: UUID = SERVICE, policy: QueuePolicy = FIFO) -> Queue:
    return await queues.put_queue(head, PutQueue(site_id=site_id, service_id=service_id, name="Clinic", policy=policy))


async def start(head: Context, queue: Queue, **more: Any) -> Tuning:
    return await tuning.start_tuning(head, replace(StartTuning(queue_id=queue.id, staff=STAFF, entered=ENTERED), **more))


async def work_off(context: Contexts) -> int:
    return await run_due(await context.system("flow"), jobs.JOBS)


async def policy_of(head: Context, queue: Queue) -> QueuePolicy:
    (found,) = (await queues.list_queues(head, ListQueues(queue_id=queue.id))).items
    return found.queue.policy


async def test_what_is_found_is_put_in_force_by_one_step_and_taken_back_by_another(context: Contexts, head: Context, queue: Queue) -> None:
    started = await start(head, queue)
    assert (started.status, started.percent, started.is_entered, started.staff) == ("running", 0, True, STAFF)
    assert (started.may_apply, started.may_take_back) == (False, False)
    assert started.people_a_day == pytest.approx(50)
    assert await work_off(context) == 1
    done = await tuning.get_tuning(head, started.id)
    assert (done.status, done.percent, done.version, done.may_apply, done.may_take_back) == ("done", 100, 2, True, False)
    assert done.found is not None
    assert await policy_of(head, queue) == FIFO, "nothing is changed by looking"
    applied = await tuning.step_tuning(head, StepTuning(tuning_id=done.id, action="apply", expected_version=2))
    policy = await policy_of(head, queue)
    assert (policy.order, policy.rates, policy.soon_ahead) == ("accumulating", done.found.values, 7)
    assert (applied.may_apply, applied.may_take_back, applied.former and applied.former.order) == (False, True, "head-start")
    back = await tuning.step_tuning(head, StepTuning(tuning_id=done.id, action="take-back", expected_version=applied.version))
    assert await policy_of(head, queue) == FIFO
    assert (back.may_apply, back.may_take_back, back.taken_back_at is not None) == (True, False, True)
    versions = [fact.version for fact in await facts_of(head) if isinstance(fact, QueueChanged) and fact.queue_id == queue.id]
    assert versions == [1, 2, 3]
    again = await tuning.step_tuning(head, StepTuning(tuning_id=done.id, action="apply"))
    assert (again.may_take_back, again.taken_back_at) == (True, None)


async def test_what_somebody_changed_since_is_not_overwritten(context: Contexts, head: Context, queue: Queue) -> None:
    """The rest of the policy stays as it is now; where the order itself was changed by hand, there is nothing to take back."""
    started = await start(head, queue)
    await work_off(context)
    await put(head, policy=replace(FIFO, soon_ahead=3))
    applied = await tuning.step_tuning(head, StepTuning(tuning_id=started.id, action="apply"))
    assert (await policy_of(head, queue)).soon_ahead == 3
    by_hand = replace(await policy_of(head, queue), rates=(9.0, 3.0, 2.0, 1.0))
    await put(head, policy=by_hand)
    stands = await tuning.get_tuning(head, started.id)
    assert (stands.may_apply, stands.may_take_back) == (True, False)
    with pytest.raises(TuningStepNotAllowed):
        await tuning.step_tuning(head, StepTuning(tuning_id=started.id, action="take-back"))
    with pytest.raises(PreconditionFailed):
        await tuning.step_tuning(head, StepTuning(tuning_id=started.id, action="apply", expected_version=applied.version - 1))
    assert await policy_of(head, queue) == by_hand


async def test_two_who_put_it_in_force_at_once_do_so_once(context: Contexts, head: Context, queue: Queue) -> None:
    started = await start(head, queue)
    await work_off(context)
    step = StepTuning(tuning_id=started.id, action="apply")
    others = [await context("flow", "operations") for _ in range(4)]
    answers = await asyncio.gather(*(tuning.step_tuning(each, step) for each in others), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["Tuning", *["TuningStepNotAllowed"] * 3]


async def test_of_a_site_one_runs_at_a_time(context: Contexts, head: Context, queue: Queue) -> None:
    other, elsewhere = await put(head, service_id=OTHER), await put(head, site_id=SOUTH)
    answers = await asyncio.gather(*(start(head, each) for each in (queue, other)), return_exceptions=True)
    (running,) = [each for each in answers if isinstance(each, Tuning)]
    (refusal,) = [each for each in answers if isinstance(each, TuningRuns)]
    assert refusal.facts["tuning_id"] == str(running.id)
    assert (await start(head, elsewhere)).status == "running"
    cancelled = await tuning.step_tuning(head, StepTuning(tuning_id=running.id, action="cancel"))
    assert (cancelled.status, cancelled.ended_at is not None) == ("cancelled", True)
    assert (await start(head, other)).status == "running"
    with pytest.raises(TuningStepNotAllowed):
        await tuning.step_tuning(head, StepTuning(tuning_id=running.id, action="cancel"))
    with pytest.raises(TuningStepNotAllowed):
        await tuning.step_tuning(head, StepTuning(tuning_id=running.id, action="apply"))
    assert await work_off(context) == 3
    assert (await tuning.get_tuning(head, running.id)).status == "cancelled", "what was given up is not searched for"


async def test_a_search_that_is_given_up_while_it_runs_ends(context: Contexts, head: Context, queue: Queue) -> None:
    started = await start(head, queue, entered=replace(ENTERED, arrivals=(120.0,) * 24), staff=(30,) * 24)
    running = asyncio.create_task(work_off(context))
    while (await tuning.get_tuning(head, started.id)).percent == 0:
        assert not running.done()
    await tuning.step_tuning(head, StepTuning(tuning_id=started.id, action="cancel"))
    assert await running == 1
    assert (await tuning.get_tuning(head, started.id)).found is None


async def test_a_search_that_runs_out_says_why(context: Contexts, head: Context, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "LIMITS", Limits(cpu_seconds=60, seconds=0, mebibytes=1_024))
    started = await start(head, queue)
    await work_off(context)
    ended = await tuning.get_tuning(head, started.id)
    assert (ended.status, ended.fault, ended.found, ended.may_apply) == ("failed", "too-long", None, False)
    monkeypatch.undo()
    monkeypatch.setattr(tuning, "LIMITS", Limits(cpu_seconds=60, seconds=60, mebibytes=40))
    broken = await start(head, queue)
    await work_off(context)
    assert (await tuning.get_tuning(head, broken.id)).status == "failed"
    assert [each.id for each in (await tuning.list_tunings(head, ListTunings(queue_id=queue.id))).items] == [broken.id, started.id]


async def a_past(context: Contexts, head: Context, queue: Queue, days: int, a_day: int) -> None:
    """`days` days on which so many come from 9 o'clock on, two at a time, for ten minutes each, by the clock of Helsinki."""
    site = Location(id=NORTH, site_id=NORTH, name="North", kind="site", time_zone="Europe/Helsinki")
    async with head.db.transaction() as tx:
        await handlers.copy_place(head, tx, LocationChanged(organization_id=head.actor.organization_id, location=site))
    nurse, clock = await context("flow", "nurse"), context.clock
    for day in range(days):
        clock.advance(seconds=(timedelta(days=1) - timedelta(minutes=a_day // 2 * 10)).total_seconds() if day else 0)
        for number in range(0, a_day, 2):
            turns = [
                await queues.arrive(nurse, Arrive(queue_id=queue.id, patient_id=known_id(1_000 + day * 100 + number + each)))
                for each in range(2)
            ]
            for turn in turns:
                await queues.step_entry(nurse, StepEntry(entry_id=turn.id, action="start"))
            clock.advance(seconds=600)
            for turn in turns:
                await queues.step_entry(nurse, StepEntry(entry_id=turn.id, action="complete"))


async def test_a_queue_is_known_by_who_came_and_how_many_were_seen_at_once(
    context: Contexts, head: Context, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carewright.flow.model.tuning.PEOPLE_LEAST", 30)
    monkeypatch.setattr("carewright.flow.model.tuning.SERVED_LEAST", 30)
    start_hour = context.clock.now().hour
    await a_past(context, head, queue, days=6, a_day=6)
    context.clock.advance(seconds=1)
    known = await tuning.see_demand(head, AskDemand(queue_id=queue.id, days="every-day"))
    assert (known.day_count, known.people, known.served, known.is_enough) == (6, 36, 36, True)
    assert known.service_minutes == pytest.approx(10)
    local = {hour for hour, people in enumerate(known.arrivals) if people}
    assert local <= {(start_hour + offset) % 24 for offset in (2, 3, 4)}, "two hours east, or three in summer"
    assert (sum(known.arrivals), max(known.staff)) == (6, 2)
    assert list(known.level_shares) == [0, 0, 0, 1, 0], "P2 counts as 4"
    workdays, weekend = [
        (await tuning.see_demand(head, AskDemand(queue_id=queue.id, days=days))).day_count for days in ("workdays", "weekend")
    ]
    assert (workdays + weekend, weekend > 0) == (6, True)
    started = await start(head, queue, days="every-day", entered=None, staff=None)
    assert (started.is_entered, started.people_a_day, started.staff) == (False, 6, known.staff)
    await work_off(context)
    assert (await tuning.get_tuning(head, started.id)).status == "done"
    context.clock.advance(seconds=timedelta(days=60).total_seconds())
    assert (await tuning.see_demand(head, AskDemand(queue_id=queue.id))).people == 0, "eight weeks are looked at"


async def test_too_little_is_refused_and_what_is_entered_is_not(context: Contexts, head: Context, queue: Queue) -> None:
    await a_past(context, head, queue, days=1, a_day=2)
    with pytest.raises(TooLittleHistory) as refusal:
        await start(head, queue, entered=None)
    assert (refusal.value.facts["people"], refusal.value.facts["people_least"]) == (2, 200)
    with pytest.raises(TuningNotSound, match="Nobody is on duty"):
        await start(head, queue, staff=(0,) * 24)
    with pytest.raises(TuningNotSound, match="more than can be simulated"):
        await start(head, queue, entered=replace(ENTERED, arrivals=(400.0,) * 24))
    assert (await tuning.list_tunings(head, ListTunings(queue_id=queue.id))).items == ()


async def test_who_may_not_neither_looks_nor_changes(context: Contexts, head: Context, queue: Queue) -> None:
    started = await start(head, queue)
    for role in ("nurse", "front-desk", "scheduler", "patient"):
        actor = await context("flow", role)
        for use in (
            tuning.start_tuning(actor, StartTuning(queue_id=queue.id)), tuning.get_tuning(actor, started.id),
            tuning.list_tunings(actor, ListTunings(queue_id=queue.id)), tuning.see_demand(actor, AskDemand(queue_id=queue.id)),
            tuning.step_tuning(actor, StepTuning(tuning_id=started.id, action="cancel")),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await use


async def test_at_another_site_or_hospital_it_is_not_known(context: Contexts, head: Context, queue: Queue) -> None:
    started = await start(head, queue)
    actor = context.actor("operations")
    elsewhere = (await context.system("flow")).acting(replace(actor, site_ids=frozenset({SOUTH})))
    stranger = await context("flow", "operations", organization_id=known_id(999))
    for ctx in (elsewhere, stranger):
        with pytest.raises(UnknownTuning):
            await tuning.get_tuning(ctx, started.id)
        with pytest.raises(UnknownTuning):
            await tuning.step_tuning(ctx, StepTuning(tuning_id=started.id, action="cancel"))
        with pytest.raises(UnknownQueue):
            await tuning.list_tunings(ctx, ListTunings(queue_id=queue.id))
        with pytest.raises(UnknownQueue):
            await start(ctx, queue)
    assert (await tuning.get_tuning(head, started.id)).status == "running"


async def test_a_second_tap_starts_nothing_twice(head: Context, queue: Queue) -> None:
    command = StartTuning(queue_id=queue.id, staff=STAFF, entered=ENTERED)
    tap = head.acting(head.actor, Once.of("tap", command))
    first, second = [await tuning.start_tuning(tap, command) for _ in range(2)]
    assert first.id == second.id


async def test_what_is_long_ago_is_forgotten(context: Contexts, head: Context, queue: Queue) -> None:
    await start(head, queue)
    await jobs.forget_past(await context.system("flow"))
    assert len((await tuning.list_tunings(head, ListTunings(queue_id=queue.id))).items) == 1
    context.clock.advance(seconds=timedelta(days=731).total_seconds())
    await jobs.forget_past(await context.system("flow"))
    assert (await tuning.list_tunings(head, ListTunings(queue_id=queue.id))).items == ()
