"""An offer as its patient reads it, in the words of one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carewright.contracts.offers import LinkedOffer, OfferPurpose
from carewright.portal.model.wall import Wall, clock_of

Words = Mapping[str, str]


SAYS: Mapping[OfferPurpose, str] = {"moved": "offer", "waitlist": "waitlist", "earlier": "earlier"}
"""How the words begin that say what an offer is for."""
STILL_BOOKED: Mapping[OfferPurpose, frozenset[str]] = {
    "moved": frozenset({"accepted", "withdrawn"}), "waitlist": frozenset({"accepted"}),
    "earlier": frozenset({"accepted", "declined", "expired", "withdrawn"}),
}  # fmt: skip
"""How an offer stands where it is certain when the appointment is."""


@dataclass(frozen=True, slots=True)
class OfferView:
    """`title` and `lead` say what it is about, and the lines before times what those are.

    `booked` is empty where no appointment would be moved. `stands` says how it stands where nothing is asked any more; then `now` is when
    the appointment is, if it is to come. `phone` is where to call, empty where none is known.
    """

    version: int
    is_open: bool
    title: str
    lead: str
    before_booked: str
    booked: str
    before_instead: str
    instead: str
    is_same_time: bool
    site: str
    until: str
    stands: str
    now: str
    now_site: str
    phone: str


def offer_view(linked: LinkedOffer, wall: Wall, words: Words, at: datetime, phone: str | None) -> OfferView:
    """What is told of an offer at an instant."""
    offer, stands = linked.offer, _stands(linked, at)
    says, is_open, moves = SAYS[offer.purpose], stands == "open", offer.purpose != "waitlist"
    until = words["offer_until_shared" if offer.is_shared else "offer_until"].format(until=said_when(offer.expires_at, wall, words))
    return OfferView(
        version=offer.version, is_open=is_open, title=words[f"{says}_title" if is_open else f"{says}_over"], lead=words[f"{says}_lead"],
        before_booked=words["offer_booked"], booked=said_when(offer.booked_start, wall, words) if moves else "",
        before_instead=words[f"{says}_instead"], instead=said_when(offer.start, wall, words),
        is_same_time=moves and offer.start == offer.booked_start, site=offer.site_name, until=until,
        stands="" if is_open else words[f"{says}_{stands}"],
        now=said_when(linked.start, wall, words) if stands in STILL_BOOKED[offer.purpose] else "",
        now_site=linked.site_name, phone=phone or "",
    )  # fmt: skip


def _stands(linked: LinkedOffer, at: datetime) -> str:
    """How it stands, as the words call it. What ran out is over, whether or not that was noted; what was moved since, settled."""
    offer = linked.offer
    if not linked.is_to_come:
        return "none"
    if offer.status == "open":
        return "open" if offer.expires_at > at else "expired"
    if offer.purpose == "moved" and offer.status == "withdrawn" and linked.start == offer.booked_start:
        return "taken_back"
    return offer.status


def said_when(instant: datetime, wall: Wall, words: Words) -> str:
    """Day and time as the language writes them: "Tuesday, November 24, 2:30 PM"."""
    on = wall.day(instant)
    return words["when"].format(
        weekday=words["weekdays"].split()[on.weekday()], month=words["months"].split()[on.month - 1], day=on.day,
        time=wall.time(instant, clock_of(words)),
    )  # fmt: skip
