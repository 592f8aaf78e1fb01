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
from carewright.scheduling.store import offers as rows


async def end(ctx: Context, tx: Session, organization_id: UUID, offer: Offer, status: OfferStatus) -> tuple[Offer, Sequence[ClaimedTime]]:
    """The offer as it ended, and what it kept until now. The caller notes in the journal who did it."""
    released = await store.release_claims(tx, organization_id, [offer.id])
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
    return (audit.Entity(type="Offer", id=offer.id), audit.Entity(type="Appointment", id=offer.appointment_id))
