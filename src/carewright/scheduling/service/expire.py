"""Holds that ran out: their time goes back, with an event, whether by the timer or because somebody wants it now."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.scheduling import Appointment, AppointmentHoldExpired, ClaimedTime
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.appointment import fact_of, stepped

BATCH_MAX = 200


async def clear_the_way(ctx: SchedulingContext, claims: Sequence[ClaimedTime]) -> bool:
    """Remove expired holds that lie on `claims`. True when there were any, so that another try makes sense."""
    async with ctx.db.transaction() as tx:
        holds = await store.expired_holds_in_the_way(tx, ctx.actor.organization_id, claims, ctx.clock.now())
        for hold in holds:
            await _expire(ctx, tx, ctx.actor.organization_id, hold)
    return bool(holds)


async def expire_holds(ctx: SchedulingContext) -> int:
    """Remove a batch of expired holds, of every organization. The timer's turn."""
    async with ctx.db.transaction() as tx:
        holds = await store.expired_holds(tx, ctx.clock.now(), BATCH_MAX)
        for organization_id, hold in holds:
            await _expire(ctx, tx, organization_id, hold)
    if holds:
        ctx.wake()
    return len(holds)


async def _expire(ctx: SchedulingContext, tx: Session, organization_id: UUID, hold: Appointment) -> None:
    released = await store.release_claims(tx, organization_id, [hold.id])
    gone = stepped(hold, "cancelled", ctx.clock.now(), reason="hold-expired")
    await store.save_hold(tx, organization_id, gone)
    await outbox.publish(ctx, tx, fact_of(AppointmentHoldExpired, gone, organization_id, released=released))
    about = audit.Entity(type="Appointment", id=gone.id)
    deed = audit.entry_of_system(ctx, organization_id, "scheduling.appointment.expire", "U", patient_id=gone.patient_id, entities=(about,))
    await audit.record(tx, deed)
