"""Jobs and timers: shared between workers, repeated when a worker dies, ended when they keep failing."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.errors import Unavailable
from carewright.kernel.jobs import ATTEMPTS_MAX, LEASE_SECONDS, LONG_LEASE_SECONDS, Job, Timer
from carewright.kernel.sql import Query, load
from tests.plans import explained
from tests.servers import Contexts

BACKLOG = """
INSERT INTO kernel.job (id, name, unique_key, payload, run_at, created_at)
SELECT gen_random_uuid(), CASE WHEN n < 1000 THEN 'other' ELSE 'wanted' END, n::text, '{}', now() - (3000 - n) * interval '1 s', now()
FROM generate_series(1, 2000) AS n
"""
JOBS = Query("test.jobs", "SELECT attempts, failed, reason, run_at, leased_until FROM kernel.job WHERE name = $1 ORDER BY id")


@dataclass
class Work:
    """A job of a name of its own, that remembers what it ran and breaks as long as `broken` says so."""

    ctx: Context
    name: str
    broken: bool = False
    ran: list[str] = field(default_factory=list)

    @property
    def job(self) -> Job[Context]:
        return Job(self.name, self.run)

    async def run(self, _: Context, payload: msgspec.Raw) -> None:
        self.ran.append(msgspec.json.decode(payload, type=str))
        await asyncio.sleep(0)
        if self.broken:
            raise ValueError("does not work")

    async def queue(self, payload: str, unique_key: str | None = None, *, in_seconds: float = 0) -> None:
        async with self.ctx.db.transaction() as tx:
            run_at = self.ctx.clock.now() + timedelta(seconds=in_seconds)
            await jobs.enqueue(self.ctx, tx, self.name, payload, run_at=run_at, unique_key=unique_key)

    async def run_due(self) -> int:
        return await jobs.run_due(self.ctx, [self.job])


@pytest.fixture
async def work(context: Contexts, request: pytest.FixtureRequest) -> Work:
    return Work(await context("scheduling"), request.node.name)


async def test_a_job_runs_once_when_it_is_due(work: Work, context: Contexts) -> None:
    await work.queue("later", in_seconds=60)
    assert await work.run_due() == 0
    context.clock.advance(seconds=61)
    assert await work.run_due() == 1
    assert await work.run_due() == 0
    assert work.ran == ["later"]


async def test_what_takes_minutes_holds_no_other_job_up_and_is_lent_for_longer(work: Work) -> None:
    """Each waits for the other to be under way."""
    begun, done = asyncio.Event(), asyncio.Event()
    leases: list[float] = []

    async def wait(_: Context, __: msgspec.Raw) -> None:
        (row,) = await work.ctx.db.fetch(JOBS, f"{work.name} long")
        leases.append((row["leased_until"] - work.ctx.clock.now()).total_seconds())
        begun.set()
        await done.wait()

    async def end(_: Context, __: msgspec.Raw) -> None:
        await begun.wait()
        done.set()

    names = [f"{work.name} {kind}" for kind in ("long", "short")]
    async with work.ctx.db.transaction() as tx:
        for name in names:
            await jobs.enqueue(work.ctx, tx, name, "x")
    both = (Job(names[0], wait, is_long=True), Job(names[1], end))
    working = asyncio.create_task(jobs.work(work.ctx, both, ()))
    await asyncio.wait_for(done.wait(), 30)
    working.cancel()
    assert leases == [LONG_LEASE_SECONDS]


async def test_a_job_of_a_transaction_that_rolled_back_does_not_exist(work: Work) -> None:
    with pytest.raises(ValueError, match="no"):
        await queue_and_fail(work)
    assert await work.run_due() == 0


async def queue_and_fail(work: Work) -> None:
    async with work.ctx.db.transaction() as tx:
        await jobs.enqueue(work.ctx, tx, work.name, "x")
        raise ValueError("no")


async def test_workers_share_the_queue_and_none_runs_twice(work: Work) -> None:
    for number in range(40):
        await work.queue(str(number))
    shares = await asyncio.gather(*(work.run_due() for _ in range(3)))
    assert sum(shares) == 40
    assert Counter(work.ran) == Counter(str(number) for number in range(40))


async def test_a_worker_only_takes_jobs_that_it_knows(work: Work) -> None:
    await work.queue("mine")
    assert await jobs.run_due(work.ctx, [Job(f"{work.name} of another module", work.run)]) == 0
    assert await work.run_due() == 1


async def test_a_second_job_under_one_key_is_the_same_job(work: Work) -> None:
    await work.queue("first", "reminder 7")
    await work.queue("second", "reminder 7")
    await work.queue("other", "reminder 8")
    assert await work.run_due() == 2
    assert sorted(work.ran) == ["first", "other"]
    await work.queue("again", "reminder 7")
    assert await work.run_due() == 1, "a job that is done leaves its key free"


async def test_a_dead_workers_job_runs_again_when_its_lease_is_over(work: Work, context: Contexts) -> None:
    await work.queue("left behind")
    claimed = await jobs._claim(work.ctx, [work.name])
    assert claimed is not None
    assert await work.run_due() == 0
    context.clock.advance(seconds=LEASE_SECONDS + 1)
    assert await work.run_due() == 1
    assert work.ran == ["left behind"]


async def test_a_job_that_kills_its_workers_is_given_up(work: Work, context: Contexts) -> None:
    await work.queue("deadly")
    for _ in range(ATTEMPTS_MAX):
        assert await jobs._claim(work.ctx, [work.name]) is not None
        context.clock.advance(seconds=LEASE_SECONDS + 1)
    await work.run_due()
    assert work.ran == []
    assert [(row["failed"], row["reason"]) for row in await work.ctx.db.fetch(JOBS, work.name)] == [(True, "LeaseRanOut")]


async def test_a_job_that_breaks_is_tried_again_ever_later_and_then_marked_as_failed(work: Work, context: Contexts) -> None:
    work.broken = True
    await work.queue("x")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        assert await work.run_due() == 1
        (row,) = await work.ctx.db.fetch(JOBS, work.name)
        assert row["run_at"] - context.clock.now() == timedelta(seconds=2**attempt)
        assert row["failed"] == (attempt == ATTEMPTS_MAX)
        assert await work.run_due() == 0
        context.clock.advance(seconds=2**attempt)
    assert await work.run_due() == 0
    (row,) = await work.ctx.db.fetch(JOBS, work.name)
    assert row["reason"] == "ValueError", "the kind of fault, never its text"


async def test_a_failed_job_that_is_asked_for_again_begins_anew(work: Work, context: Contexts) -> None:
    work.broken = True
    await work.queue("old", "nightly")
    for _ in range(ATTEMPTS_MAX):
        await work.run_due()
        context.clock.advance(hours=1)
    work.broken = False
    await work.queue("new", "nightly")
    assert await work.run_due() == 1
    assert work.ran[-1] == "new"


async def test_a_late_worker_does_not_give_away_the_lease_of_the_next(work: Work, context: Contexts) -> None:
    await work.queue("x")
    late = await jobs._claim(work.ctx, [work.name])
    context.clock.advance(seconds=LEASE_SECONDS + 1)
    running = await jobs._claim(work.ctx, [work.name])
    assert late is not None
    assert running is not None
    await jobs._put_off(work.ctx, work.name, late, "ValueError")
    (row,) = await work.ctx.db.fetch(JOBS, work.name)
    assert row["leased_until"] is not None


async def test_a_timers_turn_is_taken_once_however_many_workers_there_are(context: Contexts, request: pytest.FixtureRequest) -> None:
    ctx = await context("scheduling")
    turns: list[int] = []
    timer = Timer(request.node.name, 60, counting(turns))
    for turn in range(1, 4):
        taken = await asyncio.gather(*(jobs.take_turn(ctx, timer) for _ in range(3)))
        assert sorted(taken) == [False, False, True]
        assert len(turns) == turn
        context.clock.advance(seconds=59)
        assert not await jobs.take_turn(ctx, timer)
        context.clock.advance(seconds=1)


def counting(turns: list[int]) -> Callable[[Context], Awaitable[int]]:
    async def run(_: Context) -> int:
        turns.append(1)
        return 0

    return run


@pytest.mark.parametrize("fault", [ValueError("broken"), Unavailable()])
async def test_a_turn_that_breaks_ends_neither_the_worker_nor_the_timer(
    context: Contexts, request: pytest.FixtureRequest, fault: Exception
) -> None:
    ctx = await context("scheduling")

    async def run(_: Context) -> int:
        raise fault

    timer = Timer(request.node.name, 60, run)
    assert await jobs.take_turn(ctx, timer)
    assert not await jobs.take_turn(ctx, timer)
    context.clock.advance(seconds=60)
    assert await jobs.take_turn(ctx, timer)


async def test_a_turn_that_takes_long_holds_no_job_up(work: Work) -> None:
    """A pull from an EHR takes minutes; what has to be told to it does not wait for that."""
    begun, told = asyncio.Event(), asyncio.Event()

    async def pull(_: Context) -> int:
        begun.set()
        await told.wait()
        return 1

    async def tell(_: Context, __: msgspec.Raw) -> None:
        told.set()

    working = asyncio.create_task(jobs.work(work.ctx, [Job(work.name, tell)], [Timer(f"{work.name}.pull", 1.0, pull)]))
    await asyncio.wait_for(begun.wait(), 10)
    await work.queue("tell")
    await asyncio.wait_for(told.wait(), 10)
    working.cancel()


async def test_what_was_given_up_is_seen_and_begun_anew_or_forgotten_by_how_its_key_begins(work: Work, context: Contexts) -> None:
    work.broken = True
    for key in ("north/1", "north/2", "south/1"):
        await work.queue(key, key)
    for _ in range(jobs.ATTEMPTS_MAX):
        await work.run_due()
        context.clock.advance(seconds=2.0**jobs.ATTEMPTS_MAX + 1)
    await work.queue("north/3", "north/3")
    db, north = work.ctx.db, await jobs.standing(work.ctx.db, work.name, "north/", 9)
    assert [(each.unique_key, each.attempts, each.failed) for each in north] == [
        ("north/1", jobs.ATTEMPTS_MAX, True), ("north/2", jobs.ATTEMPTS_MAX, True), ("north/3", 0, False),
    ]  # fmt: skip
    await jobs.drop_failed(db, work.name, "north/2")
    assert await jobs.retry_failed(work.ctx, db, work.name, "north/") == 1
    work.broken = False
    work.ran.clear()
    assert await work.run_due() == 2
    assert sorted(work.ran) == ["north/1", "north/3"]
    assert [each.unique_key for each in await jobs.standing(db, work.name, "", 9)] == ["south/1"], "it stays for a person to look at"


async def test_of_thousands_of_jobs_one_is_read(database: Any) -> None:
    kinds = "timestamptz, timestamptz, text[]"
    plan = "\n".join(await explained(database, BACKLOG, load("carewright.kernel").claim_due_job, kinds, "now(), now(), '{wanted}'"))
    read = [float(rows) for rows in re.findall(r"Scan .* on job .*\(actual rows=([\d.]+)", plan)]
    assert read == [1, 1], plan
    assert "Rows Removed by Filter" not in plan, plan
