"""An offer as its patient reads it, in the words of one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carewright.contracts.offers import LinkedOffer
from carewright.portal.model.wall import Wall

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OfferView:
    """`stands` says how it stands where nothing is asked any more; then `now` is when the appointment is, if it is to come.

    `phone` is where to call, empty where none is known.
    """

    version: int
    is_open: bool
    booked: str
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
    return OfferView(
        version=offer.version, is_open=stands == "open", booked=said_when(offer.booked_start, wall, words),
        instead=said_when(offer.start, wall, words), is_same_time=offer.start == offer.booked_start, site=offer.site_name,
        until=said_when(offer.expires_at, wall, words),
        stands="" if stands == "open" else words[f"offer_{stands}"],
        now=said_when(linked.start, wall, words) if stands in ("accepted", "withdrawn") else "",
        now_site=linked.site_name, phone=phone or "",
    )  # fmt: skip


def _stands(linked: LinkedOffer, at: datetime) -> str:
    """How it stands, as the words call it. What ran out is over, whether or not that was noted; what was moved since, settled."""
    offer = linked.offer
    if not linked.is_to_come:
        return "none"
    if offer.status == "open":
        return "open" if offer.expires_at > at else "expired"
    if offer.status == "withdrawn" and linked.start == offer.booked_start:
        return "taken_back"
    return offer.status


def said_when(instant: datetime, wall: Wall, words: Words) -> str:
    """Day and time as the language writes them: "Tuesday, November 24, 2:30 PM"."""
    on = wall.day(instant)
    return words["when"].format(
        weekday=words["weekdays"].split()[on.weekday()], month=words["months"].split()[on.month - 1], day=on.day, time=wall.time(instant)
    )  # fmt: skip
