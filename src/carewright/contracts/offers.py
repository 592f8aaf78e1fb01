"""Scheduling's language of offers: a time that is kept for a patient until they say, by one tap, whether they want it.

What is offered stays free of everybody else's bookings for as long as the offer is open. Whoever accepts has it for certain, or is told
at once why not; the appointment stays as it is until then.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Limit, Version

OfferPurpose = Literal["moved", "waitlist", "earlier"]
"""Another time for an appointment that cannot take place as it is booked; time that fell free for somebody who waits, which a yes books;
the same for somebody who has an appointment and waits for an earlier one, which a yes moves."""
OfferStatus = Literal["open", "accepted", "declined", "expired", "withdrawn"]
"""How an offer ended, if it did: by an answer, because none came in time, or because it was taken back. None of these is left."""
OfferAnswer = Literal["accepted", "declined"]
ANSWER_MINUTES_MIN, ANSWER_MINUTES_USUAL = 5, 60
AnswerMinutes = Annotated[int, Meta(ge=ANSWER_MINUTES_MIN, le=1440)]
"""So long an offer may be answered: a time that is kept is nobody else's."""
OfferedActors = Annotated[tuple[UUID, ...], Meta(max_length=20)]
Token = Annotated[str, Meta(max_length=64)]


class MakeOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask a patient whether their appointment may be at `start` instead: the same kind of visit at the same site.

    `actor_ids` narrow who serves then. It may be answered for so many minutes, but not after either of the two times has begun.
    """

    appointment_id: UUID
    start: Instant
    actor_ids: OfferedActors = ()
    answer_minutes: AnswerMinutes = ANSWER_MINUTES_USUAL
    expected_version: Version | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer and how it stands.

    `booked_start` is when the appointment was booked for as the offer was made, `booked_actor_ids` with whom. `actor_ids` are those whose
    time is kept. `is_unreached` says that the message about it did not arrive: somebody has to call.
    Of a `waitlist` offer `appointment_id` is the one that a yes books, and nothing is booked before. Who waits is `entry_id`; the time that
    fell free is `freed_id`; where others may be asked about it too (`is_shared`), the first who says yes gets it. `version` counts changes
    from 1 and is the ETag.
    """

    id: UUID
    purpose: OfferPurpose
    status: OfferStatus
    appointment_id: UUID
    patient_id: UUID
    site_id: UUID
    site_name: str
    time_zone: str
    booked_start: Instant
    booked_actor_ids: tuple[UUID, ...] = ()
    start: Instant
    end: Instant
    actor_ids: tuple[UUID, ...]
    made_at: Instant
    expires_at: Instant
    ended_at: Instant | None = None
    is_unreached: bool = False
    entry_id: UUID | None = None
    freed_id: UUID | None = None
    is_shared: bool = False
    version: int = 1


class ListOffers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Offers that meet every condition that has a value, oldest first; of one's own, or at one's sites.

    `from_at` and `until_at` bound when the appointment was booked for, `actor_id` says with whom; `entry_id` is who waits. `after` is the
    `next` of an earlier page.
    """

    appointment_id: UUID | None = None
    entry_id: UUID | None = None
    patient_id: UUID | None = None
    site_id: UUID | None = None
    actor_id: UUID | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    after: UUID | None = None
    limit: Limit = 50


class OffersPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Offer, ...]
    next: UUID | None = None


class WithdrawOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take an open offer back. What was kept for it is free again."""

    offer_id: UUID
    expected_version: Version | None = None


class AnswerOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the patient says to an offer, or staff for them: `accepted` books or moves the appointment, `declined` leaves all as it is."""

    offer_id: UUID
    answer: OfferAnswer
    expected_version: Version | None = None


class LinkToOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to an offer, for the message to its patient."""

    offer_id: UUID


class OfferLink(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one offer, until a day after it runs out. It is told once, to whom it is for."""

    token: str


class OfferByLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offer that a link opens."""

    token: Token


class AnswerByLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever has the link says to the offer."""

    token: Token
    answer: OfferAnswer
    expected_version: Version | None = None


class LinkedOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer, and how its appointment stands now; `is_to_come` says whether it is booked, or would be by a yes, and has not begun."""

    offer: Offer
    start: Instant
    site_name: str
    time_zone: str
    is_to_come: bool


class NoteOfferUnreached(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The message about an offer did not reach its patient."""

    offer_id: UUID


# --- refusals -----------------------------------------------------------------------------------------------------------------


class UnknownOffer(Refusal):
    code = "offers.unknown_offer"
    status = 404
    issue = "not-found"
    title = "We know no offer under this id."


class OfferStillOpen(Refusal):
    """`offer_id` is the one that is open."""

    code = "offers.still_open"
    status = 409
    issue = "conflict"
    title = "The patient is being asked already. Wait for the answer, or take that offer back."


class OfferNotOpen(Refusal):
    """`offer_status` says how: it was answered, ran out, was taken back, or the appointment is not what it was."""

    code = "offers.not_open"
    status = 409
    issue = "expired"
    title = "This offer is not open any more."


class TooLateToAsk(Refusal):
    code = "offers.too_late_to_ask"
    status = 409
    issue = "business-rule"
    title = "It begins too soon to wait for an answer. Please call the patient."


# --- events -------------------------------------------------------------------------------------------------------------------


class OfferFact(Event, frozen=True, kw_only=True):
    """What every event of an offer carries: ids, times and codes. `actor_ids` are those whose time was kept, or is free again."""

    offer_id: UUID
    purpose: OfferPurpose
    status: OfferStatus
    appointment_id: UUID
    patient_id: UUID
    site_id: UUID
    booked_start: Instant
    start: Instant
    end: Instant
    actor_ids: tuple[UUID, ...]
    expires_at: Instant
    entry_id: UUID | None = None
    freed_id: UUID | None = None
    version: int

    @property
    def subject(self) -> UUID:
        return self.offer_id


class OfferMade(OfferFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "offers.offer.made.v1"


class OfferUnreached(OfferFact, frozen=True, kw_only=True):
    """The message about it did not arrive. The offer stays open."""

    topic: ClassVar[str] = "offers.offer.unreached.v1"


class OfferEnded(OfferFact, frozen=True, kw_only=True):
    """`status` says how it ended."""

    topic: ClassVar[str] = "offers.offer.ended.v1"
