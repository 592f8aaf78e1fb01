"""How an offer begins: its time is kept, and whoever watches hears of it. In the caller's transaction, as it ends (`ending`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.offers import Offer, OfferMade
from carewright.contracts.scheduling import CalendarMoved, ClaimedTime, Slot
from carewright.kernel import outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.live import Calendars
from carewright.scheduling.model import offers as rules
from carewright.scheduling.service.picking import versions_of
from carewright.scheduling.service.reserve import ensure_all_got
from carewright.scheduling.store import offers as rows


async def is_elsewhere(ctx: Context, tx: Session, organization_id: UUID, patient_id: UUID, slot: Slot, own_id: UUID) -> bool:
    """Whether a patient has another appointment then than `own_id`. Nothing of theirs is claimed: whoever accepts is asked again."""
    theirs = ClaimedTime(schedule_id=patient_id, lane=0, start=slot.start, end=slot.end)
    return bool(await store.claims_beside(tx, organization_id, [theirs], own_id, ctx.clock.now()))


async def keep(
    tx: Session, calendars: Calendars, slots: Iterable[Slot], claims: Sequence[ClaimedTime], keeper_id: UUID, until: datetime
) -> None:
    """Claim what is offered, under the keeper's id, on the calendars on which it was chosen. Raises `CalendarMoved`, `TimeNotFree`."""
    organization_id = calendars.organization_id
    if not await store.lock_calendars(tx, organization_id, versions_of(calendars, [who for slot in slots for who in slot.participants])):
        raise CalendarMoved
    got = await store.claim_time(tx, organization_id, [(keeper_id, each) for each in claims], keeper_id, until)
    ensure_all_got(claims, got, keeper_id)


async def begin(ctx: Context, tx: Session, organization_id: UUID, offer: Offer, appointment_version: int) -> bool:
    """Store the offer and say so; False where its patient is asked about that already. The caller notes in the journal who did it."""
    is_new = await rows.insert(tx, organization_id, offer, appointment_version)
    if is_new:
        await outbox.publish(ctx, tx, rules.fact_of(OfferMade, offer, organization_id))
    return is_new
