"""Use cases of an offer's own address: whoever has it sees that offer, and says yes or no. No sign-in, and nothing else.

The link is looked at and never used up: the same address says how it stands until a day after the offer ran out.
"""

from datetime import timedelta

import msgspec

from carewright.contracts.offers import AnswerByLink, AnswerOffer, LinkedOffer, LinkToOffer, Offer, OfferByLink, OfferLink, UnknownOffer
from carewright.kernel import audit
from carewright.kernel.links import look_at_link, make_link
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model import offers as rules
from carewright.scheduling.model.appointment import MOVABLE
from carewright.scheduling.service.ending import about
from carewright.scheduling.service.offers import ANSWER, READ, answer_offer
from carewright.scheduling.store import offers as rows

LINK = "scheduling.offer.link"
OPEN = "scheduling.offer.by_link"
PURPOSE = "scheduling.offer.answer"
LONGER = timedelta(days=1)
"""So long after an offer ran out its address still says so."""


async def link_to_offer(ctx: SchedulingContext, command: LinkToOffer) -> OfferLink:
    """One more link to an open offer, for a message to its patient. Raises `UnknownOffer`, `OfferNotOpen`."""
    ctx.actor.require(LINK)
    now = ctx.clock.now()
    async with ctx.db.transaction() as tx:
        offer = await rows.by_id(tx, ctx.actor.organization_id, command.offer_id)
        if offer is None:
            raise UnknownOffer
        rules.ensure_open(offer, now)
        token = await make_link(ctx, tx, PURPOSE, offer.id, offer.expires_at - now + LONGER)
        await audit.record(tx, audit.entry(ctx, "scheduling.offer.link", "C", patient_id=offer.patient_id, entities=about(offer)))
    return OfferLink(token=token)


async def offer_by_link(ctx: SchedulingContext, query: OfferByLink) -> LinkedOffer:
    """How an offer stands, and its appointment, for whoever has the link. Looking changes nothing. Raises `LinkRefused`, `UnknownOffer`."""
    ctx.actor.require(OPEN)
    acting, offer = await _opened(ctx, query.token)
    cipher = await acting.cipher()
    async with acting.db.transaction() as tx:
        one = await store.appointment_by_id(tx, cipher, offer.appointment_id)
        if one is None and offer.purpose != "waitlist":
            raise UnknownOffer
        await audit.record(tx, audit.entry(acting, "scheduling.offer.open", "R", patient_id=offer.patient_id, entities=about(offer)))
    if one is None:  # a yes would book it
        to_come = offer.start > ctx.clock.now()
        return LinkedOffer(offer=offer, start=offer.start, site_name=offer.site_name, time_zone=offer.time_zone, is_to_come=to_come)
    to_come = one.status in MOVABLE and one.start > ctx.clock.now()
    return LinkedOffer(offer=offer, start=one.start, site_name=one.site_name, time_zone=one.time_zone, is_to_come=to_come)


async def answer_by_link(ctx: SchedulingContext, command: AnswerByLink) -> Offer:
    """What whoever has an offer's link says to it, as `answer_offer`. Raises `LinkRefused` besides."""
    ctx.actor.require(OPEN)
    acting, offer = await _opened(ctx, command.token)
    said = AnswerOffer(offer_id=offer.id, answer=command.answer, expected_version=command.expected_version)
    return await answer_offer(acting, said)


async def _opened(ctx: SchedulingContext, token: str) -> tuple[SchedulingContext, Offer]:
    """The offer of a link, and whoever has it at work: the offer's patient, by name of the link."""
    link = await look_at_link(ctx, ctx.db, PURPOSE, token)
    offer = await rows.by_id(ctx.db, link.organization_id, link.target)
    if offer is None:
        raise UnknownOffer
    actor = msgspec.structs.replace(
        ctx.actor, subject=f"link/{offer.id}", role="patient", patient_id=offer.patient_id, permissions=frozenset({READ, ANSWER})
    )  # fmt: skip
    return ctx.acting(actor, ctx.once, ctx.trace), offer
