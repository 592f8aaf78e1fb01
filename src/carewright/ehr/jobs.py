"""What EHR connections do by themselves: tell of what changed here, pull from those whose turn it is or who woke us, keep subscriptions."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.service.pulling import pull_due, pull_one
from carewright.ehr.service.pushing import PUSH, push_queued
from carewright.ehr.service.subscribing import keep
from carewright.kernel import telemetry
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.jobs import Job, Timer

LOOK_SECONDS, POLL_SECONDS = 60.0, 1.0
AT_ONCE_MAX = 4
"""Connections that one process works on at a time because they woke us, or their subscription is looked at."""
JOBS = (Job(PUSH, push_queued),)
TIMERS = (Timer("ehr.pull", LOOK_SECONDS, pull_due),)
Work = tuple[str, store.Named]
log = telemetry.logger(__name__)


async def follow(ctx: EhrContext) -> None:
    """Answer who woke us, and look at subscriptions, until cancelled: an EHR that hangs holds its own task and no other.

    Which of several processes does it is decided by the leases that a pull and a look take.
    """
    running: dict[Work, asyncio.Task[None]] = {}
    try:
        while True:
            seen = ctx.wake.rung
            for work, act in await _due(ctx):
                if work not in running and len(running) < AT_ONCE_MAX:
                    running[work] = asyncio.create_task(_done(work, act))
                    running[work].add_done_callback(partial(_forget, running, work))
            await ctx.wake.wait(POLL_SECONDS, seen)
    finally:
        for task in list(running.values()):
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def _due(ctx: EhrContext) -> list[tuple[Work, Callable[[], Awaitable[None]]]]:
    now = ctx.clock.now()
    try:
        owed = await store.pulls_owed(ctx.db, now, AT_ONCE_MAX)
        looks = await store.subscriptions_to_look_at(ctx.db, now, AT_ONCE_MAX) if ctx.settings.public_url else []
    except Unavailable:
        return []
    pulls = [(("pull", each), partial(pull_one, ctx, each)) for each in owed]
    return [*pulls, *((("look", each), partial(_look, ctx, each)) for each in looks)]


async def _look(ctx: EhrContext, named: store.Named) -> None:
    organization_id, name = named
    await keep(ctx.acting(ctx.tokens.actor("system", "system", organization_id)), name)


async def _done(work: Work, act: Callable[[], Awaitable[None]]) -> None:
    """What breaks is due again when its lease ends."""
    try:
        await act()
    except Refusal as refusal:
        log.info("ehr.waits", work=work[0], code=refusal.code)
    except Exception as fault:  # noqa: BLE001  # one connection that breaks must not end the others
        log.error("ehr.failed", work=work[0], error=type(fault).__name__, where=telemetry.where(fault))


def _forget(running: dict[Work, asyncio.Task[None]], work: Work, _: asyncio.Task[None]) -> None:
    del running[work]
