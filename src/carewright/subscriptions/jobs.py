"""What subscriptions do by themselves: tell whoever is due, each in a task of its own, and forget what was taken long ago."""

import asyncio
from datetime import timedelta

from carewright.kernel import telemetry
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.jobs import Timer
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.service.sending import tell
from carewright.subscriptions.store import Due

AT_ONCE_MAX = 16
"""Receivers told at a time by one process: fewer than the connections that go out."""
LEASE_SECONDS = 60
POLL_SECONDS = 1.0
FORGET_EVERY_SECONDS = 3600.0
FORGET_MAX = 5_000
log = telemetry.logger(__name__)


async def follow(ctx: SubscriptionsContext) -> None:
    """Tell until cancelled. A receiver that hangs holds its own task and no other; what a process takes with it comes back by its lease."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            seen = ctx.wake.rung
            for due in await _due(ctx, AT_ONCE_MAX - len(running)):
                task = asyncio.create_task(_told(ctx, due))
                running.add(task)
                task.add_done_callback(running.discard)
            await ctx.wake.wait(POLL_SECONDS, seen)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _due(ctx: SubscriptionsContext, room: int) -> list[Due]:
    if not room:
        return []
    now = ctx.clock.now()
    try:
        return await store.claim_due(ctx.db, now, now + timedelta(seconds=LEASE_SECONDS), room)
    except Unavailable:
        return []


async def _told(ctx: SubscriptionsContext, due: Due) -> None:
    """A turn that breaks is taken again when its lease ends."""
    try:
        await tell(ctx, due)
    except Refusal as refusal:
        log.info("subscription.waits", subscription_id=str(due.id), code=refusal.code)
    except Exception as fault:  # noqa: BLE001  # one subscription that breaks must not end the others
        log.error("subscription.failed", subscription_id=str(due.id), error=type(fault).__name__, where=telemetry.where(fault))


async def forget_events(ctx: SubscriptionsContext) -> int:
    """One bounded batch; what is left waits for the next turn."""
    return await store.forget_events(ctx.db, ctx.clock.now() - timedelta(days=ctx.settings.keep_days), FORGET_MAX)


TIMERS: tuple[Timer[SubscriptionsContext], ...] = (Timer("subscriptions.forget", FORGET_EVERY_SECONDS, forget_events),)
