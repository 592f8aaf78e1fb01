"""Who is nearly next hears of it, once, so that they come back to where they hear themselves called."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.flow import QueueEntryMoved
from carewright.flow.model import waits as rules
from carewright.flow.service import elsewhere, estimates
from carewright.flow.store import queue as store
from carewright.kernel.context import Context
from carewright.kernel.outbox import publish

TELL_SOON = "flow.tell_soon"
"""The job that looks who of a queue is nearly next."""
TOGETHER_SECONDS = 2
"""What several desks do within this is looked at once, when it is over."""
LOOKED_AT_MAX = 200
"""Of those who are called first. Nobody behind them is nearly next."""


class QueueMoved(msgspec.Struct, frozen=True):
    """The payload of that job: in which queue somebody went on, so that others came nearer."""

    organization_id: UUID
    queue_id: UUID


class Look(NamedTuple):
    """When a queue is looked at, and as what: one look for what happens together."""

    at: datetime
    key: str


def look_after(event: QueueEntryMoved, now: datetime) -> Look:
    """The look that comes after a step of this moment."""
    number = int(now.timestamp()) // TOGETHER_SECONDS
    return Look(now + timedelta(seconds=TOGETHER_SECONDS), f"{event.queue_id}:{number}")


async def tell_soon(ctx: Context, queue_id: UUID) -> None:
    """Tell those who wait and are nearly next by the queue's policy, and those elsewhere who have to set out, in `ctx`'s organization."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    queue = await store.queue_by_id(ctx.db, organization_id, queue_id)
    if queue is None:
        return
    policy = queue.policy
    waiting = await store.entries_waiting(ctx.db, organization_id, queue, now, LOOKED_AT_MAX)
    ahead = rules.ahead_of(waiting)
    near = {each for each, count in ahead.items() if policy.soon_ahead is not None and count <= policy.soon_ahead}
    if policy.soon_minutes is not None and waiting:
        near |= await estimates.expected_within(ctx, queue, policy.soon_minutes)
    if any(each.travel_minutes is not None and each.come_at is None for each in waiting):
        await elsewhere.look(ctx, queue, offers=False)
    async with ctx.db.transaction() as tx:
        told = await store.say_soon(tx, organization_id, sorted(near), now)
        await publish(ctx, tx, *told)
    if told:
        ctx.wake()
