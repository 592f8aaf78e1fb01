"""Holds and offers that ran out: their time goes back, with an event, whether by the timer or because somebody wants it now."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.offers import Offer
from carewright.contracts.scheduling import Appointment, AppointmentHoldExpired, ClaimedTime
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.appointment import fact_of, stepped
from carewright.scheduling.service.ending import end_by_itself
from carewright.scheduling.store import offers

BATCH_MAX = 200


async def clear_the_way(ctx: SchedulingContext, claims: Sequence[ClaimedTime]) -> bool:
    """Remove expired holds and offers that lie on `claims`. True when there were any, so that another try makes sense."""
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        holds = await store.expired_holds_in_the_way(tx, organization_id, claims, ctx.clock.now())
        for hold in holds:
            await _expire(ctx, tx, organization_id, hold)
        lapsed = await offers.expired_in_the_way(tx, organization_id, claims, ctx.clock.now())
        for offer in lapsed:
            await _expire_offer(ctx, tx, organization_id, offer)
    return bool(holds or lapsed)


async def expire_holds(ctx: SchedulingContext) -> int:
    """Remove a batch of expired holds, of every organization. The timer's turn."""
    async with ctx.db.transaction() as tx:
        holds = await store.expired_holds(tx, ctx.clock.now(), BATCH_MAX)
        for organization_id, hold in holds:
            await _expire(ctx, tx, organization_id, hold)
    if holds:
        ctx.wake()
    return len(holds)


async def expire_offers(ctx: SchedulingContext) -> int:
    """End a batch of offers that nobody answered in time, of every organization. The timer's turn."""
    async with ctx.db.transaction() as tx:
        lapsed = await offers.expired(tx, ctx.clock.now(), BATCH_MAX)
        for organization_id, offer in lapsed:
            await _expire_offer(ctx, tx, organization_id, offer)
    if lapsed:
        ctx.wake()
    return len(lapsed)


async def _expire_offer(ctx: SchedulingContext, tx: Session, organization_id: UUID, offer: Offer) -> None:
    await end_by_itself(ctx, tx, organization_id, offer, "expired", "scheduling.offer.expire")


async def _expire(ctx: SchedulingContext, tx: Session, organization_id: UUID, hold: Appointment) -> None:
    released = await store.release_claims(tx, organization_id, [hold.id])
    gone = stepped(hold, "cancelled", ctx.clock.now(), reason="hold-expired")
    await store.save_hold(tx, organization_id, gone)
    await outbox.publish(ctx, tx, fact_of(AppointmentHoldExpired, gone, organization_id, released=released))
    about = audit.Entity(type="Appointment", id=gone.id)
    deed = audit.entry_of_system(ctx, organization_id, "scheduling.appointment.expire", "U", patient_id=gone.patient_id, entities=(about,))
    await audit.record(tx, deed)
