"""What a queue does because too many wait, in PostgreSQL: begun and ended once, by the timer and by hand, and never about who is urgent."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.directory import Location, LocationChanged
from carewright.contracts.flow import AlreadyQueued, ReliefChanged, UnknownQueue, WalkInsPaused
from carewright.contracts.queue import Arrive, CallNext, ListQueues, PutQueue, Queue, QueuePolicy, TransferEntry
from carewright.contracts.relief import QueueRelief, ReliefRule, SetRelief
from carewright.flow import handlers, jobs
from carewright.flow.service import queue as service
from carewright.flow.service import relief, turns
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden
from tests.samples import known_id
from tests.servers import Contexts, facts_of

NORTH, SOUTH, SERVICE, OTHER = (known_id(number) for number in range(1, 5))
PATIENTS = [known_id(20 + number) for number in range(9)]
PAUSE = ReliefRule(what="pause-walk-ins", from_waiting=3, below_waiting=2)
STAFF = ReliefRule(what="extra-staff", from_waiting=2)
SITES = ReliefRule(what="other-site", from_waiting=2)


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


async def put(context: Contexts, *rules: ReliefRule, site_id: UUID = NORTH, service_id: UUID = SERVICE) -> Queue:
    command = PutQueue(site_id=site_id, service_id=service_id, name="Cardiology", policy=QueuePolicy(relief=rules))
    return await service.put_queue(await context("flow", "operations"), command)


async def come(nurse: Context, queue: Queue, *numbers: int, **more: Any) -> Any:
    """The last of them."""
    come = [await service.arrive(nurse, Arrive(queue_id=queue.id, patient_id=PATIENTS[each], **more)) for each in numbers]
    return come[-1]


async def watch(context: Contexts, clock: Any, minutes: float = 0.5) -> int:
    """How many steps began or ended in this test's hospital when the timer looked at all hospitals' queues."""
    before = await changes(context)
    clock.advance(seconds=minutes * 60)
    await relief.watch(await context.system("flow"))
    return await changes(context) - before


async def changes(context: Contexts) -> int:
    facts = await facts_of(await context("flow", "nurse"))
    return len([fact for fact in facts if isinstance(fact, ReliefChanged) and fact.organization_id == context.organization_id])


async def stands(nurse: Context, queue: Queue) -> QueueRelief:
    return await relief.get_relief(nurse, queue.id)


async def on(nurse: Context, queue: Queue) -> set[str]:
    return {each.what for each in (await stands(nurse, queue)).on}


async def test_the_timer_begins_what_is_due_and_ends_it_when_it_eased(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, PAUSE, STAFF)
    await come(nurse, queue, 0)
    assert await watch(context, clock) == 0
    await come(nurse, queue, 1, 2)
    assert await watch(context, clock) == 2
    (pause,) = [each for each in (await stands(nurse, queue)).on if each.what == "pause-walk-ins"]
    assert (pause.begun_by, pause.reason, pause.waiting, pause.version) == ("policy", "waiting", 3, 1)
    assert await watch(context, clock) == 0
    for _ in range(2):
        await service.call_next(nurse, CallNext(queue_id=queue.id))
    assert await watch(context, clock) == 0, "a step lasts for ten minutes"
    assert await watch(context, clock, 10) == 1
    assert await on(nurse, queue) == {"extra-staff"}, "one waits, and this ends below one"
    (past,) = (await stands(nurse, queue)).past
    assert (past.id, past.ended_by, past.end_reason, past.version) == (pause.id, "policy", "eased", 2)
    told = [(fact.what, fact.is_on, fact.by, fact.queue_id) for fact in await facts_of(nurse) if isinstance(fact, ReliefChanged)]
    assert sorted(told) == sorted([
        ("pause-walk-ins", True, "policy", queue.id), ("extra-staff", True, "policy", queue.id),
        ("pause-walk-ins", False, "policy", queue.id),
    ])  # fmt: skip


async def test_two_timers_at_once_begin_and_end_once(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, PAUSE, STAFF, SITES)
    await come(nurse, queue, 0, 1, 2)
    systems = [await context.system("flow") for _ in range(4)]
    await asyncio.gather(*(relief.watch(each) for each in systems))
    assert await changes(context) == 3
    for _ in range(3):
        await service.call_next(nurse, CallNext(queue_id=queue.id))
    clock.advance(seconds=600)
    await asyncio.gather(*(relief.watch(each) for each in systems))
    assert await changes(context) == 6
    assert len((await stands(nurse, queue)).past) == 3


async def test_a_wait_that_is_too_long_begins_a_step(context: Contexts, nurse: Context, clock: Any) -> None:
    """One who serves, and six who wait: the last waits for an hour at least."""
    queue = await put(context, ReliefRule(what="extra-staff", from_minutes=30))
    await come(nurse, queue, 0)
    await service.call_next(nurse, CallNext(queue_id=queue.id))
    assert await watch(context, clock) == 0
    await come(nurse, queue, 1, 2, 3, 4, 5, 6)
    assert await watch(context, clock) == 1
    (step,) = (await stands(nurse, queue)).on
    assert step.reason == "minutes"
    assert step.minutes is not None
    assert step.minutes >= 30


async def test_no_routine_walk_in_is_taken_while_paused_and_everybody_else_is(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, other = await put(context, PAUSE), await put(context, service_id=OTHER)
    announced = await come(nurse, queue, 8, expected_at=clock.now() + timedelta(minutes=20))
    await come(nurse, queue, 0, 1, 2)
    await watch(context, clock)
    with pytest.raises(WalkInsPaused) as caught:
        await come(nurse, queue, 3)
    assert caught.value.facts["queue_id"] == str(queue.id)
    assert (await come(nurse, queue, 3, tier="P0")).level == 1
    assert (await come(nurse, queue, 4, tier="P1")).level == 3
    assert (await come(nurse, queue, 5, expected_at=clock.now() + timedelta(minutes=20))).status == "expected"
    here = await come(nurse, queue, 8)
    assert (here.id, here.status) == (announced.id, "waiting"), "who was announced is here"
    with pytest.raises(AlreadyQueued):
        await come(nurse, queue, 0)
    sent = await come(nurse, other, 6)
    transferred = await service.transfer_entry(nurse, TransferEntry(entry_id=sent.id, to_queue_id=queue.id))
    assert transferred.status == "waiting"
    visit = (await come(nurse, other, 7)).encounter_id
    assert (await come(nurse, queue, 7, encounter_id=visit)).encounter_id == visit
    booked = turns.Arrival(known_id(60), "P2", appointment_id=known_id(77), appointment_start=clock.now())
    drawn = await turns.draw_ticket(nurse, nurse.db, queue)
    async with nurse.db.transaction() as tx:
        assert (await turns.come(nurse, tx, await nurse.cipher(), queue, booked, drawn)).status == "waiting"


async def test_whoever_is_refused_draws_no_ticket_and_is_told_of_other_sites(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, south = await put(context, PAUSE), await put(context, site_id=SOUTH)
    site = Location(id=SOUTH, site_id=SOUTH, kind="site", name="Southside", time_zone="UTC")
    async with nurse.db.transaction() as tx:
        fact = LocationChanged(organization_id=context.organization_id, location=site)
        await handlers.copy_place(nurse, tx, fact)
    await come(nurse, queue, 0, 1, 2)
    await come(nurse, south, 4)
    await watch(context, clock)
    with pytest.raises(WalkInsPaused) as caught:
        await come(nurse, queue, 3)
    others: Any = caught.value.facts["other_sites"]
    assert [(each["queue_id"], each["waiting"]) for each in others] == [(str(south.id), 1)]
    assert "Southside" in caught.value.detail
    urgent = await come(nurse, queue, 3, tier="P0")
    assert urgent.ticket == "A004"
    assert urgent.elsewhere == ()


async def test_who_walks_in_hears_where_they_would_wait_less(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, south = await put(context, SITES), await put(context, site_id=SOUTH)
    assert (await come(nurse, queue, 0)).elsewhere == ()
    await come(nurse, queue, 1, 2)
    assert (await come(nurse, queue, 3)).elsewhere == (), "nobody has looked yet"
    await watch(context, clock)

    (told,) = (await come(nurse, queue, 4)).elsewhere
    assert (told.queue_id, told.waiting, told.waits_less) == (south.id, 0, True)
    assert (await come(nurse, queue, 5, tier="P1")).elsewhere == ()
    operations = await context("flow", "operations")
    await relief.set_relief(operations, SetRelief(queue_id=south.id, what="pause-walk-ins", is_on=True, reason="incident"))
    assert (await come(nurse, queue, 6)).elsewhere == (), "no walk-ins are taken there either"


async def test_a_person_goes_before_the_policy(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, PAUSE)
    begin = SetRelief(queue_id=queue.id, what="pause-walk-ins", is_on=True, reason="incident")
    (begun,) = (await relief.set_relief(nurse, begin)).on
    assert (begun.begun_by, begun.reason, begun.waiting) == ("person", "incident", 0)
    (again,) = (await relief.set_relief(nurse, begin)).on
    assert again == begun, "what is so stays so"
    assert await watch(context, clock, 60) == 0
    ended = await relief.set_relief(nurse, SetRelief(queue_id=queue.id, what="pause-walk-ins", is_on=False, reason="calm"))
    assert (ended.on, ended.past[0].ended_by, ended.past[0].end_reason) == ((), "person", "calm")
    await come(nurse, queue, 0, 1, 2)
    assert await watch(context, clock, 30) == 0, "the policy waits an hour"
    assert await watch(context, clock, 31) == 1
    await relief.set_relief(nurse, SetRelief(queue_id=queue.id, what="extra-staff", is_on=True, reason="short-staffed"))
    assert await watch(context, clock, 60 * 12) == 1, "who began it has gone home"
    assert await on(nurse, queue) == {"pause-walk-ins"}


async def test_a_repeated_call_does_nothing_twice(context: Contexts, nurse: Context) -> None:
    queue = await put(context)
    command = SetRelief(queue_id=queue.id, what="extra-staff", is_on=True, reason="crowded")
    keyed = nurse.acting(nurse.actor, Once.of("key", command))
    assert await relief.set_relief(keyed, command) == await relief.set_relief(keyed, command)
    assert await changes(context) == 1


async def test_what_the_policy_has_no_more_ends(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, STAFF)
    await come(nurse, queue, 0, 1)
    await watch(context, clock)
    await put(context)
    assert await watch(context, clock) == 1
    assert (await stands(nurse, queue)).past[0].end_reason == "unruled"


async def test_every_queue_is_looked_at_however_many_there_are(
    context: Contexts, nurse: Context, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(relief, "WATCHED_MAX", 2)
    queues = [await put(context, STAFF, service_id=known_id(50 + number)) for number in range(5)]
    for queue in queues:
        await come(nurse, queue, 0, 1)
    assert await watch(context, clock) == 5


async def test_a_queue_says_what_is_on(context: Contexts, nurse: Context, clock: Any) -> None:
    queue, quiet = await put(context, STAFF), await put(context, service_id=OTHER)
    await come(nurse, queue, 0, 1)
    await watch(context, clock)
    found = {each.queue.id: each.relief for each in (await service.list_queues(nurse, ListQueues())).items}
    assert [each.what for each in found[queue.id]] == ["extra-staff"]
    assert found[quiet.id] == ()


async def test_nobody_without_the_right_or_at_another_hospital_changes_it(context: Contexts, nurse: Context) -> None:
    queue = await put(context)
    command = SetRelief(queue_id=queue.id, what="pause-walk-ins", is_on=True, reason="crowded")
    for role in ("patient", "administrator", "integration"):
        with pytest.raises(Forbidden):
            await relief.set_relief(await context("flow", role, patient_id=PATIENTS[0]), command)
    with pytest.raises(UnknownQueue):
        await relief.set_relief(await context("flow", "nurse", organization_id=known_id(99)), command)
    with pytest.raises(UnknownQueue):
        await relief.get_relief(await context("flow", "nurse", organization_id=known_id(99)), queue.id)


async def test_what_is_long_over_is_forgotten(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, STAFF)
    for is_on in (True, False):
        await relief.set_relief(nurse, SetRelief(queue_id=queue.id, what="extra-staff", is_on=is_on, reason="other"))
    clock.advance(seconds=89 * 86400)
    await jobs.forget_past(await context.system("flow"))
    assert len((await stands(nurse, queue)).past) == 1
    clock.advance(seconds=2 * 86400)
    await jobs.forget_past(await context.system("flow"))
    assert (await stands(nurse, queue)).past == ()
