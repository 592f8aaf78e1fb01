"""The log is read whole and in order, however the writers' commits fall.

Writers are shown as words: "w0" writes a fact, "c0" commits, "r0" rolls back, for the writers 0, 1, 2. A reader looks after every step.
"""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import permutations
from uuid import UUID

import pytest

from carewright.contracts.scheduling import ScheduleChanged
from carewright.kernel import jobs, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.events import Delivered
from carewright.kernel.sql import Query
from tests.samples import known_id
from tests.servers import END_OF_TIME, Contexts

TOPICS = [ScheduleChanged.topic]
READ_MAX = 10
MOVED = Query("test.moved", """
UPDATE kernel.outbox SET xid = $1::text::xid8
WHERE organization_id = $2 AND (payload->>'calendar_version')::int = $3
""")  # fmt: skip


class Abandoned(Exception):
    """Ends a writer's transaction without a commit."""


def orders(writers: int, end: str = "c") -> Iterator[tuple[str, ...]]:
    """Every order of the writers' steps in which each writes before it ends."""
    steps = [f"{kind}{writer}" for writer in range(writers) for kind in ("w", end)]
    for order in permutations(steps):
        if all(order.index(f"w{writer}") < order.index(f"{end}{writer}") for writer in range(writers)):
            yield order


class Writer:
    """One transaction, taken step by step."""

    def __init__(self, ctx: Context, number: int) -> None:
        self._ctx = ctx
        self._number = number
        self._stack = AsyncExitStack()

    async def write(self) -> None:
        tx = await self._stack.enter_async_context(self._ctx.db.transaction())
        await publish(self._ctx, tx, self._number)

    async def commit(self) -> None:
        await self._stack.aclose()

    async def roll_back(self) -> None:
        with pytest.raises(Abandoned):
            async with self._stack:
                raise Abandoned


async def publish(ctx: Context, tx: Session, number: int, subject: UUID | None = None) -> None:
    fact = ScheduleChanged(organization_id=ctx.actor.organization_id, schedule_id=subject or known_id(number), calendar_version=number + 1)
    await outbox.publish(ctx, tx, fact)


def number_of(event: Delivered) -> int:
    fact = event.fact()
    assert isinstance(fact, ScheduleChanged)
    return fact.calendar_version - 1


class Reader:
    """Follows the log from where it stood when the reader was made."""

    def __init__(self, ctx: Context, place: tuple[int, int]) -> None:
        self._ctx = ctx
        self._place = place
        self.seen: list[int] = []

    async def look(self) -> None:
        end = await outbox.end_of_log(self._ctx.db)
        events = await outbox.read_between(self._ctx.db, self._place, end, READ_MAX, TOPICS)
        self.seen += [number_of(event) for event in events]
        self._place = events[-1].place() if len(events) == READ_MAX else end


class PositionOnly:
    """The reader that everybody writes first: remembers the highest position it has seen."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._position = 0
        self.seen: list[int] = []

    async def look(self) -> None:
        events = await outbox.read_between(self._ctx.db, (0, 0), END_OF_TIME, 10_000, TOPICS)
        fresh = sorted((event for event in events if event.position > self._position), key=lambda event: event.position)
        self.seen += [number_of(event) for event in fresh if event.organization_id == self._ctx.actor.organization_id]
        self._position = max([self._position, *(event.position for event in fresh)])


async def play(ctx: Context, order: Sequence[str], reader: Reader | PositionOnly) -> None:
    writers = [Writer(ctx, number) for number in range(len(order) // 2)]
    for step in order:
        writer = writers[int(step[1])]
        await {"w": writer.write, "c": writer.commit, "r": writer.roll_back}[step[0]]()
        await reader.look()


@pytest.mark.parametrize("writers", [2, 3])
async def test_nothing_is_skipped_and_nothing_comes_twice_in_any_order_of_commits(context: Contexts, writers: int) -> None:
    ctx = await context("scheduling")
    for order in orders(writers):
        reader = Reader(ctx, await outbox.end_of_log(ctx.db))
        await play(ctx, order, reader)
        await reader.look()
        assert sorted(reader.seen) == list(range(writers)), order


async def test_a_reader_that_knows_positions_only_skips_late_commits(context: Contexts) -> None:
    ctx = await context("scheduling")
    losses = 0
    for order in orders(2):
        naive = PositionOnly(ctx)
        await naive.look()
        naive.seen.clear()
        await play(ctx, order, naive)
        await naive.look()
        losses += len(naive.seen) < 2
    assert losses > 0


async def test_what_was_rolled_back_is_never_read(context: Contexts) -> None:
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    for order in orders(2, end="r"):
        await play(ctx, order, reader)
    assert reader.seen == []


async def test_facts_of_one_subject_come_in_the_order_in_which_they_became_true(context: Contexts) -> None:
    """As long as a transaction does not write elsewhere first: then its facts carry a version, see docs/concepts/events.md."""
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    for number in range(25):
        async with ctx.db.transaction() as tx:
            await publish(ctx, tx, number, subject=known_id(1))
        if number % 7 == 0:
            await reader.look()
    for _ in range(3):
        await reader.look()
    assert reader.seen == list(range(25))


async def test_a_transaction_that_wrote_elsewhere_first_may_come_first_so_that_facts_carry_a_version(context: Contexts) -> None:
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    async with ctx.db.transaction() as early:
        await jobs.enqueue(ctx, early, "elsewhere", "x")
        async with ctx.db.transaction() as late:
            await publish(ctx, late, 1, subject=known_id(1))
        await publish(ctx, early, 2, subject=known_id(1))
    await reader.look()
    assert reader.seen == [2, 1]


async def test_facts_of_one_transaction_keep_their_order(context: Contexts) -> None:
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    async with ctx.db.transaction() as tx:
        for number in range(40):
            await publish(ctx, tx, number)
    for _ in range(5):
        await reader.look()
    assert reader.seen == list(range(40))


async def test_a_long_writing_transaction_holds_the_log_back_and_loses_nothing(context: Contexts) -> None:
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    long = Writer(ctx, 0)
    await long.write()
    for number in (1, 2, 3):
        async with ctx.db.transaction() as tx:
            await publish(ctx, tx, number)
        await reader.look()
    assert reader.seen == []
    await long.commit()
    await reader.look()
    assert reader.seen == [0, 1, 2, 3]


async def test_a_long_reading_transaction_holds_nobody_back(context: Contexts) -> None:
    ctx = await context("scheduling")
    reader = Reader(ctx, await outbox.end_of_log(ctx.db))
    async with ctx.db.transaction() as reading:
        await reading.fetch(outbox.Q.consumer_places)
        async with ctx.db.transaction() as tx:
            await publish(ctx, tx, 7)
        await reader.look()
    assert reader.seen == [7]


async def test_the_end_of_the_log_never_moves_back(context: Contexts) -> None:
    ctx = await context("scheduling")
    ends = []
    for order in orders(2):
        writers = [Writer(ctx, 0), Writer(ctx, 1)]
        for step in order:
            writer = writers[int(step[1])]
            await (writer.write() if step[0] == "w" else writer.commit())
            ends.append(await outbox.end_of_log(ctx.db))
    assert ends == sorted(ends)


async def test_a_page_that_is_full_goes_on_where_it_stopped(context: Contexts) -> None:
    ctx = await context("scheduling")
    place = await outbox.end_of_log(ctx.db)
    async with ctx.db.transaction() as tx:
        for number in range(7):
            await publish(ctx, tx, number)
    end, seen = await outbox.end_of_log(ctx.db), []
    while events := await outbox.read_between(ctx.db, place, end, 3, TOPICS):
        seen += [number_of(event) for event in events]
        place = events[-1].place()
    assert seen == list(range(7))


async def test_the_order_holds_when_transaction_ids_get_longer(context: Contexts) -> None:
    ctx = await context("scheduling")
    for number, xid in enumerate((9, 10, 99, 100)):
        await publish(ctx, ctx.db, number)
        await ctx.db.execute(MOVED, str(xid), ctx.actor.organization_id, number + 1)
    read = await outbox.read_between(ctx.db, (0, 0), (101, 0), READ_MAX, TOPICS)
    assert [event.xid for event in read] == [9, 10, 99, 100]
