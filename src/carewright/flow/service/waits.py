"""How long people still wait: told to them and to the staff, and learnt from."""

from uuid import UUID

from carewright.contracts.flow import NotWaiting
from carewright.contracts.queue import WaitEstimate, WaitEstimates
from carewright.flow.service import queue as queues
from carewright.flow.service.estimates import estimates_of
from carewright.flow.service.turns import get_queue
from carewright.flow.store import queue as store
from carewright.kernel import audit
from carewright.kernel.context import Context


async def estimate_waits(ctx: Context, queue_id: UUID) -> WaitEstimates:
    """Of everybody who waits in a queue. Raises `UnknownQueue`."""
    ctx.actor.require(queues.WORK)
    queue = await get_queue(ctx, ctx.db, queue_id)
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, "flow.queue.estimate", "R", entities=(audit.Entity(type="Queue", id=queue.id),)))
    return WaitEstimates(items=tuple((await estimates_of(ctx, queue)).values()))


async def estimate_wait(ctx: Context, entry_id: UUID) -> WaitEstimate:
    """Of one who waits: any at the actor's sites, or the one patient they act for. Raises `UnknownEntry`, `NotWaiting`."""
    entry = await queues.get_entry(ctx, entry_id)
    if entry.status != "waiting":
        raise NotWaiting(entry_id=str(entry_id), entry_status=entry.status)
    queue = await get_queue(ctx, ctx.db, entry.queue_id)
    found = (await estimates_of(ctx, queue, entry_id)).get(entry_id)
    if found is not None:
        return found
    now = ctx.clock.now()
    return WaitEstimate(entry_id=entry_id, ahead=await store.count_before(ctx.db, ctx.actor.organization_id, queue, entry, now), as_of=now)
