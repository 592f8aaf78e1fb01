"""What everybody in a waiting room may see: last calls, and how full the queues are."""

from datetime import timedelta
from uuid import UUID

from carewright.contracts.lobby import CallsShown, QueueShown, ShowCalls
from carewright.contracts.queue import QueueSummary
from carewright.flow.model.calls import WATCH
from carewright.flow.service import estimates
from carewright.flow.store import lobby as store
from carewright.flow.store import queue as queues
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden

CALLED_FOR = timedelta(hours=1)
"""A ticket that nobody has come to for so long is called no more."""
SENT_FOR = timedelta(minutes=10)
"""Whoever got a room when they came is shown the way for so long."""


async def show_calls(ctx: Context, query: ShowCalls) -> CallsShown:
    """What a screen shows. Raises `Forbidden` for another site than the actor's."""
    ctx.actor.require(WATCH)
    _ensure_at(ctx, query.site_id)
    organization_id, wanted = ctx.actor.organization_id, query.queue_ids or None
    async with ctx.db.transaction() as tx:
        name, zone = await store.site(tx, organization_id, query.site_id)
        now = ctx.clock.now()
        calls = await store.last_calls(tx, organization_id, query, now - CALLED_FOR, now - SENT_FOR)
        found = await queues.queues_at(tx, organization_id, {query.site_id}, None)
    shown = [await queue_shown(ctx, each) for each in found if wanted is None or each.queue.id in wanted]
    return CallsShown(site_name=name, time_zone=zone, calls=tuple(calls), queues=tuple(shown))


async def queue_shown(ctx: Context, summary: QueueSummary) -> QueueShown:
    """A queue as everybody may see it."""
    queue, waiting = summary.queue, sum(summary.waiting) + summary.walk_ins
    low, high = await estimates.wait_of_last(ctx, queue) if waiting and queue.policy.shows_wait else (None, None)
    return QueueShown(id=queue.id, name=queue.name, waiting=waiting, low_minutes=low, high_minutes=high)


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("A screen shows its own site only.")
