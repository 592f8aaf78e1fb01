"""Offers of another time, as the portal asks for them: the one that a test put there."""

from uuid import UUID

from carewright.contracts.offers import (
    AnswerByLink,
    LinkedOffer,
    LinkToOffer,
    NoteOfferUnreached,
    Offer,
    OfferByLink,
    OfferLink,
    OfferNotOpen,
    UnknownOffer,
)
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.links import LinkRefused
from tests.unit.portal.double_queues import TOKEN


class DoubleOffers:
    """One offer, what was answered to it, and who could not be told of it."""

    def __init__(self) -> None:
        self.linked: LinkedOffer | None = None
        self.refusal: Refusal | None = None
        self.answered: list[AnswerByLink] = []
        self.unreached: list[UUID] = []

    async def get_offer(self, actor: Actor, offer_id: UUID) -> Offer:
        actor.require("scheduling.appointment.read")
        return self._known(offer_id).offer

    async def link_to_offer(self, actor: Actor, command: LinkToOffer) -> OfferLink:
        actor.require("scheduling.offer.link")
        if self._known(command.offer_id).offer.status != "open":
            raise OfferNotOpen
        return OfferLink(token=TOKEN)

    async def offer_by_link(self, actor: Actor, query: OfferByLink) -> LinkedOffer:
        actor.require("scheduling.offer.by_link")
        if query.token != TOKEN:
            raise LinkRefused
        return self._known(None)

    async def answer_by_link(self, actor: Actor, command: AnswerByLink, _: str | None = None) -> Offer:
        actor.require("scheduling.offer.by_link")
        if self.refusal is not None:
            raise self.refusal
        self.answered.append(command)
        return self._known(None).offer

    async def note_offer_unreached(self, actor: Actor, command: NoteOfferUnreached) -> None:
        actor.require("scheduling.offer.note_unreached")
        self.unreached.append(command.offer_id)

    def _known(self, offer_id: UUID | None) -> LinkedOffer:
        if self.linked is None or offer_id not in (None, self.linked.offer.id):
            raise UnknownOffer
        return self.linked
