"""Jobs and timers: work that happens later, or again and again, in whichever process is free.

A job is a row; SKIP LOCKED shares the rows out, a lease brings a dead worker's job back. A timer is a row with the next turn's instant;
whoever moves it on runs the turn, so a turn runs once however many processes there are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from prometheus_client import Counter

from carewright.kernel import telemetry
from carewright.kernel.context import Context
from carewright.kernel.db import Row, Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.sql import load

Q = load("carewright.kernel")
C = TypeVar("C", bound=Context)
LEASE_SECONDS, LONG_LEASE_SECONDS = 120, 900
ATTEMPTS_MAX = 8
POLL_SECONDS = 1.0
LOOKS_APART_SECONDS = 0.1
"""A commit anywhere may have queued a job, so it wakes the worker; at a thousand commits a second it still looks ten times a second."""
RUNS = Counter("carewright_job_runs_total", "Jobs and timer turns, by outcome.", ["name", "outcome"])
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Job(Generic[C]):
    """A kind of work: `run` gets the module's context and the payload, and must be safe to repeat.

    What `is_long` may take minutes: it holds up others of its kind alone, and is taken over from a dead worker later.
    """

    name: str
    run: Callable[[C, msgspec.Raw], Awaitable[None]]
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Timer(Generic[C]):
    """A turn every `every_seconds`, in one process at a time. `run` works in bounded batches and returns how much it did."""

    name: str
    every_seconds: float
    run: Callable[[C], Awaitable[int]]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is not done: since when it is queued, how often it was tried, and whether it was given up."""

    unique_key: str
    created_at: datetime
    attempts: int
    failed: bool


async def enqueue(
    ctx: Context, tx: Session, name: str, payload: object, *, run_at: datetime | None = None, unique_key: str | None = None
) -> UUID:
    """Queue a job within the caller's transaction. A second one under the same `unique_key` changes nothing while the first waits."""
    job_id = ctx.ids.new()
    now = ctx.clock.now()
    await tx.execute(Q.enqueue_job, job_id, name, unique_key or str(job_id), msgspec.json.encode(payload), run_at or now, now)
    return job_id


async def standing(db: Session, name: str, prefix: str, limit: int) -> list[Standing]:
    """Jobs that are not done, of those whose unique key begins with `prefix`, oldest first."""
    return [msgspec.convert(dict(row), Standing) for row in await db.fetch(Q.standing_jobs, name, prefix, limit)]


async def retry_failed(ctx: Context, tx: Session, name: str, prefix: str) -> int:
    """Have those that had failed for good begin anew; how many there were. Whoever calls wakes the workers after the commit."""
    return len(await tx.fetch(Q.retry_failed_jobs, name, prefix, ctx.clock.now()))


async def drop_failed(tx: Session, name: str, prefix: str) -> None:
    """Forget those that had failed for good: what they were to do is done otherwise."""
    await tx.execute(Q.drop_failed_jobs, name, prefix)


async def drop(tx: Session, name: str, prefix: str) -> list[Standing]:
    """Forget those whose unique key begins with `prefix`, and return them: nobody wants them done any more."""
    return [msgspec.convert(dict(row), Standing) for row in await tx.fetch(Q.drop_jobs, name, prefix)]


async def run_due(ctx: C, jobs: Sequence[Job[C]], lease_seconds: int = LEASE_SECONDS) -> int:
    """Run every job that is due, one after another, and return how many there were."""
    by_name = {job.name: job for job in jobs}
    ran = 0
    while (row := await _claim(ctx, list(by_name), lease_seconds)) is not None:
        await _run(ctx, by_name[row["name"]], row)
        ran += 1
    return ran


async def take_turn(ctx: C, timer: Timer[C]) -> bool:
    """Run the timer's turn if it is due and nobody else took it."""
    now = ctx.clock.now()
    if await ctx.db.fetch_one(Q.claim_timer, timer.name, now, now + timedelta(seconds=timer.every_seconds)) is None:
        return False
    try:
        done = await timer.run(ctx)
        RUNS.labels(timer.name, "done").inc()
        if done:
            log.info("timer.done", timer=timer.name, count=done)
    except Unavailable:
        RUNS.labels(timer.name, "unavailable").inc()
    except Exception as fault:  # noqa: BLE001  # one job or turn that breaks must not end the others
        RUNS.labels(timer.name, "failed").inc()
        log.error("timer.failed", timer=timer.name, error=type(fault).__name__, where=telemetry.where(fault))
    return True


async def work(ctx: C, jobs: Sequence[Job[C]], timers: Sequence[Timer[C]]) -> None:
    """Run jobs and timers until cancelled, side by side: a turn or a job of minutes holds no other up."""
    short, long = [job for job in jobs if not job.is_long], [job for job in jobs if job.is_long]
    await asyncio.gather(_work_off(ctx, short, LEASE_SECONDS), _work_off(ctx, long, LONG_LEASE_SECONDS), _keep_turns(ctx, timers))


async def _work_off(ctx: C, jobs: Sequence[Job[C]], lease_seconds: int) -> None:
    """Jobs, woken by commits. A database that is away only delays them."""
    while jobs:
        seen = ctx.wake.rung
        with suppress(Unavailable):
            await run_due(ctx, jobs, lease_seconds)
        await asyncio.sleep(LOOKS_APART_SECONDS)
        await ctx.wake.wait(POLL_SECONDS, seen)


async def _keep_turns(ctx: C, timers: Sequence[Timer[C]]) -> None:
    """Timers, one after another, each when it may be due."""
    next_turn = {timer.name: 0.0 for timer in timers}
    while timers:
        for timer in timers:
            if ctx.clock.monotonic_seconds() >= next_turn[timer.name]:
                with suppress(Unavailable):
                    await take_turn(ctx, timer)
                    next_turn[timer.name] = ctx.clock.monotonic_seconds() + min(timer.every_seconds, 60.0)
        await asyncio.sleep(POLL_SECONDS)


async def _claim(ctx: Context, names: list[str], lease_seconds: int = LEASE_SECONDS) -> Row | None:
    now = ctx.clock.now()
    return await ctx.db.fetch_one(Q.claim_due_job, now, now + timedelta(seconds=lease_seconds), names)


async def _run(ctx: C, job: Job[C], row: Row) -> None:
    if row["attempts"] > ATTEMPTS_MAX:
        await _put_off(ctx, job.name, row, "LeaseRanOut")  # it took its worker with it each time
        return
    try:
        await job.run(ctx, row["payload"])
    except Exception as fault:  # noqa: BLE001  # one job or turn that breaks must not end the others
        log.error(
            "job.failed",
            job=job.name,
            job_id=str(row["id"]),
            attempts=row["attempts"],
            error=type(fault).__name__,
            where=telemetry.where(fault),
        )
        await _put_off(ctx, job.name, row, type(fault).__name__)
        return
    RUNS.labels(job.name, "done").inc()
    await ctx.db.execute(Q.finish_job, row["id"])


async def _put_off(ctx: Context, name: str, row: Row, reason: str) -> None:
    """Back off exponentially; after the last attempt the job stays, marked as failed, for a person to look at."""
    attempts = row["attempts"]
    failed = attempts >= ATTEMPTS_MAX
    RUNS.labels(name, "failed" if failed else "retried").inc()
    later = ctx.clock.now() + timedelta(seconds=2.0**attempts)
    await ctx.db.execute(Q.retry_job, row["id"], later, failed, reason, attempts)
