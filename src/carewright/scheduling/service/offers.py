"""Use cases of offers: ask a patient whether another time suits them, keep it meanwhile, and do what they say.

Whoever needs both rows locks the appointment's before the offer's, and the calendars after them, as a move does.
"""

from collections.abc import Awaitable, Sequence
from contextlib import ExitStack
from uuid import UUID

from carewright.contracts.offers import (
    AnswerOffer,
    ListOffers,
    MakeOffer,
    NoteOfferUnreached,
    Offer,
    OffersPage,
    OfferStatus,
    OfferStillOpen,
    OfferUnreached,
    UnknownOffer,
    WithdrawOffer,
)
from carewright.contracts.scheduling import Appointment, AppointmentFact, CalendarMoved, PatientBusy, TimeNotFree
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import ensure_version
from carewright.kernel.idempotency import once, remember
from carewright.kernel.invariants import invariant
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model import offers as rules
from carewright.scheduling.model.appointment import claims_of, ensure_movable
from carewright.scheduling.service.accepting import accept_freed
from carewright.scheduling.service.asking import begin, is_elsewhere, keep
from carewright.scheduling.service.change import move_within, new_slot, trying
from carewright.scheduling.service.ending import about, end, end_by_itself
from carewright.scheduling.service.masters import ensure_master
from carewright.scheduling.service.own import list_own
from carewright.scheduling.service.reserve import reserved, watched
from carewright.scheduling.store import offers as rows

MAKE = "scheduling.offer.make"
READ = "scheduling.appointment.read"
ANSWER = "scheduling.appointment.reschedule"
NOTE = "scheduling.offer.note_unreached"


async def make_offer(ctx: SchedulingContext, command: MakeOffer) -> Offer:
    """Keep a time for an appointment's patient until they say whether they want it.

    Raises `OfferStillOpen`, `TooLateToAsk`, `PatientBusy` where the patient is expected elsewhere at that time, and what a move raises.
    """
    ctx.actor.require(MAKE)
    calendars = await ctx.calendars()
    return await once(ctx, Offer, lambda: trying(ctx, calendars, lambda: _make(ctx, calendars, command)))


async def _make(ctx: SchedulingContext, calendars: Calendars, command: MakeOffer) -> Offer:
    """One attempt."""
    cipher, organization_id, now = await ctx.cipher(), ctx.actor.organization_id, ctx.clock.now()
    with ExitStack() as shown:
        async with ctx.db.transaction() as tx:
            found, master = await store.appointment_for_change(tx, cipher, command.appointment_id)
            one = ctx.require_own(found)
            ensure_master(ctx, calendars, one.visit_type_id, one.site_id, master)
            ensure_version(one.version, command.expected_version)
            ensure_movable(one, now)
            expires_at = rules.answer_until(one, utc(command.start), command.answer_minutes, now)
            await _ensure_not_asked(ctx, tx, one)
            slot = new_slot(ctx, calendars, one, rules.move_of(one, command), (), (), by_patient=False)
            if await is_elsewhere(ctx, tx, organization_id, one.patient_id, slot, one.id):
                raise PatientBusy
            offer, claims = rules.offered(one, slot, ctx.ids.new(), now, expires_at), claims_of(slot)
            shown.enter_context(reserved(ctx, calendars, claims))
            await keep(tx, calendars, [slot], claims, offer.id, expires_at)
            is_new = await begin(ctx, tx, organization_id, offer, one.version)
            invariant(is_new, "whoever holds the appointment's row is alone to ask")
            await _note(ctx, tx, "scheduling.offer.make", "C", offer)
            await remember(ctx, tx, offer)
        calendars.note_hold(offer.id, expires_at, claims)
    ctx.wake()
    return offer


async def withdraw_offer(ctx: SchedulingContext, command: WithdrawOffer) -> Offer:
    """Take an open offer back. Raises `UnknownOffer`, `OfferNotOpen`."""
    ctx.actor.require(MAKE)
    return await _end(ctx, command.offer_id, command.expected_version, "withdrawn", "scheduling.offer.withdraw")


async def answer_offer(ctx: SchedulingContext, command: AnswerOffer) -> Offer:
    """What the patient says. Accepting books or moves, and ends the offer, in one transaction, or does neither.

    Raises `UnknownOffer`, `OfferNotOpen`, and what a move raises. Where the time cannot be had any more, the offer is taken back.
    """
    ctx.actor.require(ANSWER)
    if command.answer == "declined":
        return await _end(ctx, command.offer_id, command.expected_version, "declined", "scheduling.offer.answer")
    calendars = await ctx.calendars()
    asked = _own(ctx, await rows.by_id(ctx.db, ctx.actor.organization_id, command.offer_id))

    def accept() -> Awaitable[Offer]:
        if asked.freed_id is not None:
            return accept_freed(ctx, calendars, command, asked.freed_id)
        return _accept(ctx, calendars, command, asked)

    try:
        return await once(ctx, Offer, lambda: trying(ctx, calendars, accept))
    except (TimeNotFree, CalendarMoved):
        await _take_back(ctx, command.offer_id)
        raise


async def _accept(ctx: SchedulingContext, calendars: Calendars, command: AnswerOffer, asked: Offer) -> Offer:
    """One attempt."""
    cipher, organization_id = await ctx.cipher(), ctx.actor.organization_id
    with ExitStack() as shown, watched(ctx, calendars) as claimed:
        async with ctx.db.transaction() as tx:
            found, _ = await store.appointment_for_change(tx, cipher, asked.appointment_id)
            offer = _own(ctx, await rows.for_change(tx, organization_id, asked.id))
            rules.ensure_open(offer, ctx.clock.now(), command.expected_version)
            one = ctx.require_own(found)
            rules.ensure_still_meant(offer, one)
            done = await move_within(ctx, tx, calendars, rules.move_of(one, offer), shown, claimed, offer.id)
            ended, _ = await end(ctx, tx, organization_id, offer, "accepted")
            await _note(ctx, tx, "scheduling.offer.answer", "U", ended)
            await remember(ctx, tx, ended)
        calendars.note_hold(offer.id, None, ())
        done.show(calendars)
    ctx.wake()
    return ended


async def get_offer(ctx: SchedulingContext, offer_id: UUID) -> Offer:
    """One offer. Raises `UnknownOffer` for what is not there or not the actor's."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        offer = _own(ctx, await rows.by_id(tx, ctx.actor.organization_id, offer_id))
        await _note(ctx, tx, "scheduling.offer.read", "R", offer)
    return offer


async def list_offers(ctx: SchedulingContext, query: ListOffers) -> OffersPage:
    """Offers of one's own, or of everybody at one's sites, oldest first. Raises `Forbidden`."""
    ctx.actor.require(READ)
    items, after = await list_own(ctx, query, rows.page, "scheduling.offer.list", "Offer")
    return OffersPage(items=items, next=after)


async def note_unreached(ctx: SchedulingContext, command: NoteOfferUnreached) -> None:
    """The message about an offer did not reach its patient: whoever looks at the offer sees it. What is over stays as it is."""
    ctx.actor.require(NOTE)
    async with ctx.db.transaction() as tx:
        await note_unreached_within(ctx, tx, ctx.actor.organization_id, command.offer_id)


async def note_unreached_within(ctx: Context, tx: Session, organization_id: UUID, offer_id: UUID) -> None:
    """The same in the caller's transaction. Of time that fell free, whoever is next is asked at once."""
    offer = await rows.for_change(tx, organization_id, offer_id)
    if offer is None or offer.status != "open" or offer.is_unreached:
        return
    noted = rules.unreached(offer)
    await rows.save(tx, organization_id, noted)
    await outbox.publish(ctx, tx, rules.fact_of(OfferUnreached, noted, organization_id))
    name = "scheduling.offer.unreached"
    await audit.record(tx, audit.entry_of_system(ctx, organization_id, name, "U", patient_id=noted.patient_id, entities=about(noted)))
    if noted.freed_id is not None:
        await end_by_itself(ctx, tx, organization_id, noted, "withdrawn", "scheduling.offer.follow")


async def follow_appointment(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Take back what was offered for an appointment before it was moved, cancelled or began."""
    open_one = await rows.open_for_change(tx, event.organization_id, event.appointment_id)
    if open_one is not None and open_one.appointment_version < event.version:
        await end_by_itself(ctx, tx, event.organization_id, open_one.offer, "withdrawn", "scheduling.offer.follow")


async def erase_offers(ctx: Context, tx: Session, organization_id: UUID, patient_id: UUID) -> Sequence[UUID]:
    """Take back what is offered to a patient who was erased, and forget what was. The caller holds the rows of their appointments."""
    kept = await rows.of_patient_for_change(tx, organization_id, patient_id)
    for offer in kept:
        if offer.status == "open":
            await end(ctx, tx, organization_id, offer, "withdrawn")
    await rows.erase(tx, organization_id, patient_id)
    return [each.id for each in kept]


async def _end(ctx: SchedulingContext, offer_id: UUID, expected_version: int | None, status: OfferStatus, deed: str) -> Offer:
    """End an open offer that leaves the appointment as it is."""
    calendars = await ctx.calendars()

    async def work() -> Offer:
        with watched(ctx, calendars) as claimed:
            async with ctx.db.transaction() as tx:
                offer = _own(ctx, await rows.for_change(tx, ctx.actor.organization_id, offer_id))
                rules.ensure_open(offer, ctx.clock.now(), expected_version)
                ended, released = await end(ctx, tx, ctx.actor.organization_id, offer, status)
                claimed.extend(released)
                await _note(ctx, tx, deed, "U", ended)
                await remember(ctx, tx, ended)
            if released:
                calendars.note_hold(rules.keeper_of(ended), None, ())
                calendars.give_back(released)
        ctx.wake()
        return ended

    return await once(ctx, Offer, work)


async def _take_back(ctx: SchedulingContext, offer_id: UUID) -> None:
    """End an offer whose time cannot be had any more, so that nobody waits for its answer."""
    async with ctx.db.transaction() as tx:
        offer = await rows.for_change(tx, ctx.actor.organization_id, offer_id)
        if offer is not None and offer.status == "open":
            await end_by_itself(ctx, tx, ctx.actor.organization_id, offer, "withdrawn", "scheduling.offer.follow")
    ctx.wake()


async def _ensure_not_asked(ctx: SchedulingContext, tx: Session, one: Appointment) -> None:
    """Raise `OfferStillOpen`; one that ran out and was not noted yet ends now."""
    open_one = await rows.open_for_change(tx, ctx.actor.organization_id, one.id)
    if open_one is None:
        return
    if open_one.offer.expires_at > ctx.clock.now():
        raise OfferStillOpen(offer_id=str(open_one.offer.id))
    await end_by_itself(ctx, tx, ctx.actor.organization_id, open_one.offer, "expired", "scheduling.offer.expire")


def _own(ctx: SchedulingContext, offer: Offer | None) -> Offer:
    """The offer, if there is one for the actor. To others it does not exist."""
    if offer is None or not ctx.concerns(offer.patient_id, (offer.site_id,)):
        raise UnknownOffer
    return offer


async def _note(ctx: SchedulingContext, tx: Session, deed: str, action: audit.Action, offer: Offer) -> None:
    await audit.record(tx, audit.entry(ctx, deed, action, patient_id=offer.patient_id, entities=about(offer)))
