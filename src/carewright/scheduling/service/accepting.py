"""A yes to time that fell free: it books, or moves an appointment earlier, and nobody else gets that time.

Several may be asked about one time. Whoever locks the row of the freed time first has it, whatever the others tap; their offers are taken
back a moment later, by the fact. Locked are the appointment, offer, freed time, entry, calendars and claims, in this order.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from carewright.contracts.offers import AnswerOffer, Offer, OfferNotOpen, UnknownOffer
from carewright.contracts.scheduling import AppointmentBooked, ClaimedTime, PickedTime
from carewright.contracts.waitlist import WaitlistEntry
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.idempotency import remember
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model import offers as rules
from carewright.scheduling.model.appointment import beyond, claims_of, fact_of
from carewright.scheduling.model.freed import FreedTime
from carewright.scheduling.model.rules import ensure_bookable
from carewright.scheduling.model.waitlist import WAITS
from carewright.scheduling.service.book import draft_of, ensure_prerequisites
from carewright.scheduling.service.change import Moved, claim_new, move_within
from carewright.scheduling.service.ending import about, end
from carewright.scheduling.service.masters import ensure_writes
from carewright.scheduling.service.picking import pick, versions_of, visit_kind, visit_site
from carewright.scheduling.service.reserve import reserved, watched
from carewright.scheduling.service.waitlist import end_one
from carewright.scheduling.store import freed, waitlist
from carewright.scheduling.store import offers as rows


@dataclass(frozen=True, slots=True)
class Answered:
    """An offer that is open, the time that it is about, and the entry of who waits: all locked."""

    offer: Offer
    time: FreedTime
    entry: WaitlistEntry


async def accept_freed(ctx: SchedulingContext, calendars: Calendars, command: AnswerOffer, freed_id: UUID) -> Offer:
    """One attempt. Raises `OfferNotOpen` where somebody else was faster, and what a booking or a move raises."""
    organization_id = ctx.actor.organization_id
    await ctx.cipher()  # before the transaction, which is not to wait for keys
    with ExitStack() as shown, watched(ctx, calendars) as claimed:
        async with ctx.db.transaction() as tx:
            asked = await rows.by_id(tx, organization_id, command.offer_id)
            if asked is None:  # erased meanwhile
                raise UnknownOffer
            take = _move if asked.purpose == "earlier" else _book
            said, done = await take(ctx, tx, calendars, command, asked, shown, claimed)
            await freed.save(tx, organization_id, msgspec.structs.replace(said.time, state="taken"))
            await end_one(ctx, tx, organization_id, said.entry, "booked")
            ended, _ = await end(ctx, tx, organization_id, said.offer, "accepted")
            await audit.record(tx, audit.entry(ctx, "scheduling.offer.answer", "U", patient_id=ended.patient_id, entities=about(ended)))
            await remember(ctx, tx, ended)
        calendars.note_hold(freed_id, None, ())
        done.show(calendars)
    ctx.wake()
    return ended


async def _answered(ctx: SchedulingContext, tx: Session, command: AnswerOffer, asked: Offer) -> Answered:
    """What a yes needs, locked. Raises `OfferNotOpen`."""
    organization_id = ctx.actor.organization_id
    offer = await rows.for_change(tx, organization_id, asked.id)
    if offer is None or offer.freed_id is None or offer.entry_id is None:
        raise UnknownOffer
    time = await freed.for_change(tx, organization_id, offer.freed_id)
    entry = await waitlist.for_change(tx, organization_id, offer.entry_id)
    rules.ensure_open(offer, ctx.clock.now(), command.expected_version)
    if time is None or time.state != "open" or entry is None or entry.state not in WAITS:
        raise OfferNotOpen(offer_id=str(offer.id), offer_status="withdrawn")
    return Answered(offer, time, entry)


async def _move(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, command: AnswerOffer, asked: Offer, shown: ExitStack,
    claimed: list[ClaimedTime],
) -> tuple[Answered, Moved]:  # fmt: skip
    """The appointment that they give up, at the earlier time."""
    found, _ = await store.appointment_for_change(tx, await ctx.cipher(), asked.appointment_id)
    said = await _answered(ctx, tx, command, asked)
    one = ctx.require_own(found)
    rules.ensure_still_meant(said.offer, one)
    return said, await move_within(ctx, tx, calendars, rules.move_of(one, said.offer), shown, claimed, said.time.id)


async def _book(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, command: AnswerOffer, asked: Offer, shown: ExitStack,
    claimed: list[ClaimedTime],
) -> tuple[Answered, Moved]:  # fmt: skip
    """A new appointment under the entry's id. The rules are those for whoever offers it: staff."""
    said = await _answered(ctx, tx, command, asked)
    entry, organization_id = said.entry, calendars.organization_id
    kind = visit_kind(calendars, entry.visit_type_id)
    ensure_writes(ctx, calendars, kind, asked.site_id)
    time = PickedTime(
        visit_type_id=kind.value.id, site_id=asked.site_id, start=asked.start, actor_ids=asked.actor_ids,
        urgency=entry.wishes.urgency or "P2",
    )  # fmt: skip
    zone, days = visit_site(calendars, kind, asked.site_id).zone, ctx.settings.horizon_days
    ensure_bookable(kind.value, time, zone, ctx.clock.now(), by_patient=False, horizon_days=days)
    await ensure_prerequisites(ctx, tx, kind, entry.patient_id, None, time.start)
    kept = await store.claims_of_appointment(tx, organization_id, said.time.id)
    with calendars.without(kept):
        one = draft_of(ctx, calendars, kind, time, entry.patient_id).at(pick(ctx, calendars, kind, time), entry.id)
    claims, interim = claims_of(one), ctx.ids.new()
    claimed.extend((*kept, *claims))
    shown.enter_context(reserved(ctx, calendars, beyond(claims, kept)))
    await claim_new(tx, calendars, one, interim, beyond(claims, kept))  # theirs first, which may be waited for: as a move does
    await store.release_claims(tx, organization_id, [said.time.id, interim])
    fact = fact_of(AppointmentBooked, one, organization_id, claims)
    booking = store.Booking(one, claims, versions_of(calendars, one.participants), fact, None, ctx.mirrors)
    await store.book_appointment(replace(ctx, once=None), tx, await ctx.cipher(), booking)
    return said, Moved(one, claims, kept)
