"""The relay: every fact once, in order per subject, whatever a handler or a connection does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from carewright.contracts.scheduling import CatalogueChanged, ScheduleChanged
from carewright.kernel import housekeeping, jobs, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.idempotency import KEEP_DAYS
from carewright.kernel.modules import Module, Running
from carewright.kernel.sql import Query
from carewright.roles import relay
from carewright.roles.relay import ATTEMPTS_MAX, BATCH_MAX, Relay
from tests.samples import known_id
from tests.servers import Contexts, Pools, run_sql

EFFECTS = Query("test.effects", "SELECT payload #>> '{}' AS what FROM kernel.job WHERE name = $1 ORDER BY id")
PARKED = Query("test.parked", "SELECT subject, reason, attempts FROM kernel.dead_letter WHERE consumer = $1 ORDER BY xid, position")
FORGET_INBOX = Query("test.forget_inbox", "DELETE FROM kernel.inbox WHERE consumer = $1")
LEADERS = Query(
    "test.leaders",
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database "
    "WHERE datname = current_database())",
)
SOMETHING_HAPPENS_SECONDS_MAX = 20


@dataclass
class Consumer:
    """A relay whose handler leaves one row a fact, fails for the subjects in `poison`, and remembers how often it was called."""

    ctx: Context
    name: str
    poison: set[UUID] = field(default_factory=set)
    away: bool = False
    calls: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.relay = Relay(Module(name=self.name, start=never, settings=object, subscriptions={ScheduleChanged: self.handle}), self.ctx)

    async def handle(self, ctx: Context, tx: Session, event: ScheduleChanged) -> None:
        self.calls.append(event.calendar_version)
        await jobs.enqueue(ctx, tx, self.name, f"{event.calendar_version}")
        if self.away:
            raise Unavailable
        if event.subject in self.poison:
            raise ValueError("a handler that breaks after its effect")

    async def effects(self) -> list[int]:
        return [int(row["what"]) for row in await self.ctx.db.fetch(EFFECTS, self.name)]

    async def parked(self) -> list[tuple[UUID, int]]:
        return [(row["subject"], row["attempts"]) for row in await self.ctx.db.fetch(PARKED, self.name)]


async def never(*_: object) -> Running:
    raise AssertionError("not started here")


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PAUSE_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.02)


@pytest.fixture
async def consumer(context: Contexts, request: pytest.FixtureRequest) -> Consumer:
    """One that has read everything before this test."""
    made = Consumer(await context.system("scheduling"), request.node.name)
    await made.relay.drain()
    await move_to_the_end(made)
    return made


async def move_to_the_end(consumer: Consumer) -> None:
    end = await outbox.end_of_log(consumer.ctx.db)
    await consumer.ctx.db.execute(outbox.Q.move_consumer, consumer.name, str(end[0]), end[1], consumer.ctx.clock.now())
    consumer.calls.clear()
    await consumer.ctx.db.execute(Query("test.clear", "DELETE FROM kernel.job WHERE name = $1"), consumer.name)


async def publish(ctx: Context, *facts: tuple[int, int]) -> None:
    """Facts as (subject, number), each in a transaction of its own."""
    for subject, number in facts:
        async with ctx.db.transaction() as tx:
            fact = ScheduleChanged(organization_id=ctx.actor.organization_id, schedule_id=known_id(subject), calendar_version=number)
            await outbox.publish(ctx, tx, fact)


async def test_every_fact_is_handled_once_and_in_order(consumer: Consumer) -> None:
    await publish(consumer.ctx, *((number % 3, number) for number in range(10)))
    assert await consumer.relay.drain() == 10
    assert await consumer.effects() == list(range(10))
    assert await consumer.relay.drain() == 0


async def test_more_than_one_batch_is_read_on(consumer: Consumer) -> None:
    async with consumer.ctx.db.transaction() as tx:
        facts = (
            ScheduleChanged(organization_id=consumer.ctx.actor.organization_id, schedule_id=known_id(1), calendar_version=number)
            for number in range(BATCH_MAX + 3)
        )
        await outbox.publish(consumer.ctx, tx, *facts)
    assert await consumer.relay.drain() == BATCH_MAX + 3
    assert await consumer.effects() == list(range(BATCH_MAX + 3))


async def test_a_repeat_changes_nothing(consumer: Consumer) -> None:
    place = await consumer.relay.place()
    await publish(consumer.ctx, (1, 1), (1, 2))
    await consumer.relay.drain()
    await consumer.ctx.db.execute(outbox.Q.move_consumer, consumer.name, str(place[0]), place[1], consumer.ctx.clock.now())
    await consumer.relay.drain()
    assert await consumer.effects() == [1, 2]
    assert consumer.calls == [1, 2]


async def test_without_its_inbox_a_repeat_would_show(consumer: Consumer) -> None:
    place = await consumer.relay.place()
    await publish(consumer.ctx, (1, 1))
    await consumer.relay.drain()
    await consumer.ctx.db.execute(FORGET_INBOX, consumer.name)
    await consumer.ctx.db.execute(outbox.Q.move_consumer, consumer.name, str(place[0]), place[1], consumer.ctx.clock.now())
    await consumer.relay.drain()
    assert await consumer.effects() == [1, 1]


async def test_a_poison_fact_is_parked_and_only_its_subject_waits(consumer: Consumer) -> None:
    consumer.poison.add(known_id(1))
    await publish(consumer.ctx, (2, 20), (1, 10), (2, 21), (1, 11), (3, 30))
    await consumer.relay.drain()
    assert await consumer.effects() == [20, 21, 30]
    assert await consumer.parked() == [(known_id(1), ATTEMPTS_MAX), (known_id(1), 0)]
    assert consumer.calls.count(10) == ATTEMPTS_MAX + 1, "once with the batch, then alone"
    assert 11 not in consumer.calls


async def test_facts_that_come_later_wait_behind_a_parked_one(consumer: Consumer) -> None:
    consumer.poison.add(known_id(1))
    await publish(consumer.ctx, (1, 10))
    await consumer.relay.drain()
    consumer.poison.clear()
    await publish(consumer.ctx, (1, 11), (2, 20))
    await consumer.relay.drain()
    assert await consumer.effects() == [20]
    assert [subject for subject, _ in await consumer.parked()] == [known_id(1), known_id(1)]


async def test_parked_facts_are_replayed_in_order_when_the_cause_is_mended(consumer: Consumer) -> None:
    consumer.poison.add(known_id(1))
    await publish(consumer.ctx, (1, 10), (1, 11), (1, 12))
    await consumer.relay.drain()
    consumer.poison.clear()
    assert await consumer.relay.replay() == 3
    assert await consumer.effects() == [10, 11, 12]
    assert await consumer.parked() == []
    await publish(consumer.ctx, (1, 13))
    await consumer.relay.drain()
    assert await consumer.effects() == [10, 11, 12, 13]


async def test_a_replay_that_fails_again_leaves_its_subject_parked_and_helps_the_others(consumer: Consumer) -> None:
    consumer.poison |= {known_id(1), known_id(2)}
    await publish(consumer.ctx, (1, 10), (2, 20), (1, 11), (2, 21))
    await consumer.relay.drain()
    consumer.poison.remove(known_id(2))
    assert await consumer.relay.replay() == 2
    assert await consumer.effects() == [20, 21]
    assert [subject for subject, _ in await consumer.parked()] == [known_id(1), known_id(1)]


async def test_a_database_that_is_away_parks_nothing(consumer: Consumer) -> None:
    consumer.away = True
    await publish(consumer.ctx, (1, 1))
    with pytest.raises(Unavailable):
        await consumer.relay.drain()
    consumer.away = False
    await consumer.relay.drain()
    assert await consumer.effects() == [1]
    assert await consumer.parked() == []


async def test_facts_of_others_move_the_place_so_that_they_can_be_forgotten(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH_MAX", 5)
    before = await consumer.relay.place()
    for number in range(8):
        async with consumer.ctx.db.transaction() as tx:
            fact = CatalogueChanged(organization_id=consumer.ctx.actor.organization_id, entry_id=known_id(number))
            await outbox.publish(consumer.ctx, tx, fact)
    await consumer.relay.drain()
    assert await consumer.relay.place() > before


async def test_the_wait_of_a_fact_that_is_held_back_can_be_seen(consumer: Consumer, context: Contexts) -> None:
    assert await consumer.relay.measure() == 0
    async with consumer.ctx.db.transaction() as long:
        await jobs.enqueue(consumer.ctx, long, "another writer", "x")
        await publish(consumer.ctx, (1, 1))
        context.clock.advance(seconds=40)
        assert await consumer.relay.drain() == 0
        assert await consumer.relay.measure() == 40
    assert await consumer.relay.drain() == 1
    assert await consumer.relay.measure() == 0


async def test_old_facts_are_forgotten_once_every_consumer_has_read_them(
    consumer: Consumer, context: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.poison.add(known_id(1))
    await publish(consumer.ctx, (1, 10), (2, 20))
    await consumer.relay.drain()
    await publish(consumer.ctx, (3, 30))
    await only(consumer)
    monkeypatch.setattr(housekeeping, "BATCH_MAX", 2)
    context.clock.advance(days=KEEP_DAYS, seconds=1)
    await housekeeping.forget_old(consumer.ctx)
    left = await outbox.read_between(consumer.ctx.db, (0, 0), (2**62, 0), 100, [ScheduleChanged.topic])
    numbers = [fact.calendar_version for event in left if isinstance(fact := event.fact(), ScheduleChanged)]
    assert numbers == [10, 30], "the parked fact can still be replayed, the unread one be read"


async def only(consumer: Consumer) -> None:
    """Forget the consumers of earlier tests, with what they parked."""
    await consumer.ctx.db.execute(Query("test.only", "DELETE FROM kernel.consumer WHERE name <> $1"), consumer.name)
    await consumer.ctx.db.execute(Query("test.only_parked", "DELETE FROM kernel.dead_letter WHERE consumer <> $1"), consumer.name)


@pytest.fixture
async def two(consumer: Consumer, context: Contexts, database_url: str) -> AsyncIterator[tuple[Consumer, Consumer]]:
    """The same consumer in two processes: contexts with pools of their own."""
    pools = Pools(database_url, {})
    other = Contexts(
        pools, context.clock, context.ids, context.rng, context.organization_id, context.ids.new(), type(context.wake)(), context.vault
    )
    yield consumer, Consumer(await other("scheduling"), consumer.name)
    await pools.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that other tasks bring about; never returning is how it fails."""
    async with asyncio.timeout(SOMETHING_HAPPENS_SECONDS_MAX):
        while not await holds():  # noqa: ASYNC110  # what is waited for lies in the database
            await asyncio.sleep(0.01)


async def handled(consumer: Consumer, count: int) -> None:
    async def all_there() -> bool:
        return len(await consumer.effects()) >= count

    await until(all_there)


async def leader(ctx: Context) -> list[int]:
    return [row["pid"] for row in await ctx.db.fetch(LEADERS)]


async def cancelled(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def test_only_one_process_leads_and_another_takes_over_when_it_ends(two: tuple[Consumer, Consumer]) -> None:
    first, second = two
    leading = asyncio.create_task(first.relay.run())
    await until(lambda: is_led(first.ctx))
    waiting = asyncio.create_task(second.relay.run())
    try:
        await publish(first.ctx, (1, 1), (2, 2))
        await handled(first, 2)
        assert second.calls == []
        await cancelled(leading)
        await publish(first.ctx, (1, 3))
        await handled(first, 3)
        assert second.calls == [3]
    finally:
        await cancelled(leading, waiting)
    assert await first.effects() == [1, 2, 3]


async def is_led(ctx: Context) -> bool:
    return len(await leader(ctx)) == 1


async def test_a_leader_whose_connection_is_killed_is_followed_by_exactly_one(two: tuple[Consumer, Consumer], database_url: str) -> None:
    first, second = two
    tasks = [asyncio.create_task(each.relay.run()) for each in two]
    try:
        for number in range(6):
            await until(lambda: is_led(first.ctx))
            await publish(first.ctx, (1, number))
            await run_sql(database_url, f"SELECT pg_terminate_backend({(await leader(first.ctx))[0]})")
            await handled(first, number + 1)
        assert not any(task.done() for task in tasks), "a lost connection must not end the relay"
    finally:
        await cancelled(*tasks)
    assert await first.effects() == list(range(6))
    assert sorted(first.calls + second.calls) == list(range(6))


async def test_who_stops_leading_gives_the_lock_back_with_the_connection(consumer: Consumer) -> None:
    """Otherwise a connection in the pool would keep it, and nobody could lead."""
    consumer.away = True
    await publish(consumer.ctx, (1, 1))
    with pytest.raises(Unavailable):
        await lead_and_drain(consumer)
    assert await leader(consumer.ctx) == []


async def lead_and_drain(consumer: Consumer) -> None:
    async with consumer.ctx.db.reserved() as session:
        row = await session.fetch_one(outbox.Q.try_lead, f"relay {consumer.name}")
        assert row is not None
        assert row["leads"]
        await consumer.relay.drain()
