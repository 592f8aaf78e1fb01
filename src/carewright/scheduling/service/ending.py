"""How an offer ends: what it kept is free again, and whoever watches hears of it. In the caller's transaction, the offer's row locked."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.offers import Offer, OfferEnded, OfferStatus
from carewright.contracts.scheduling import ClaimedTime
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.model import offers as rules
from carewright.scheduling.store import freed
from carewright.scheduling.store import offers as rows


async def end(ctx: Context, tx: Session, organization_id: UUID, offer: Offer, status: OfferStatus) -> tuple[Offer, Sequence[ClaimedTime]]:
    """The offer as it ended, and what nobody keeps any more by that. The caller notes in the journal who did it."""
    released = await _released(tx, organization_id, offer)
    ended = rules.ended(offer, status, ctx.clock.now())
    await rows.save(tx, organization_id, ended)
    await outbox.publish(ctx, tx, rules.fact_of(OfferEnded, ended, organization_id))
    return ended, released


async def end_by_itself(ctx: Context, tx: Session, organization_id: UUID, offer: Offer, status: OfferStatus, deed: str) -> None:
    """The same in nobody's name."""
    await end(ctx, tx, organization_id, offer, status)
    await audit.record(tx, audit.entry_of_system(ctx, organization_id, deed, "U", patient_id=offer.patient_id, entities=about(offer)))


def about(offer: Offer) -> tuple[audit.Entity, ...]:
    """What a deed about an offer touches."""
    kind = "WaitlistEntry" if offer.purpose == "waitlist" else "Appointment"
    return (audit.Entity(type="Offer", id=offer.id), audit.Entity(type=kind, id=offer.appointment_id))


async def _released(tx: Session, organization_id: UUID, offer: Offer) -> Sequence[ClaimedTime]:
    """Time that others are asked about too is given back with the last of them: its row is locked, so that there is a last."""
    if offer.freed_id is not None:
        await freed.for_change(tx, organization_id, offer.freed_id)
        if await freed.is_asked(tx, organization_id, offer.freed_id, but=offer.id):
            return ()
    return await store.release_claims(tx, organization_id, [rules.keeper_of(offer)])
