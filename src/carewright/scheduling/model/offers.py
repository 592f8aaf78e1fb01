"""Until when an offer may be answered, and what becomes of it. Pure rules."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.offers import (
    ANSWER_MINUTES_MIN,
    MakeOffer,
    Offer,
    OfferFact,
    OfferNotOpen,
    OfferStatus,
    TooLateToAsk,
)
from carewright.contracts.scheduling import Appointment, PickedTime, RescheduleAppointment, Slot
from carewright.kernel.errors import ensure_version
from carewright.scheduling.model.appointment import MOVABLE, is_hold


def answer_until(one: Appointment, start: datetime, minutes: int, now: datetime) -> datetime:
    """Until when `start` may be offered for an appointment: for so many minutes, and not after either time has begun.

    Raises `TooLateToAsk` where that is sooner than anybody can be expected to look at a message.
    """
    until = min(now + timedelta(minutes=minutes), one.start, start)
    if until < now + timedelta(minutes=ANSWER_MINUTES_MIN):
        raise TooLateToAsk(appointment_id=str(one.id))
    return until


def offered(one: Appointment, slot: Slot, offer_id: UUID, now: datetime, expires_at: datetime) -> Offer:
    """A slot at the appointment's own site, offered to its patient."""
    return Offer(
        id=offer_id, purpose="moved", status="open", appointment_id=one.id, patient_id=one.patient_id, site_id=one.site_id,
        site_name=one.site_name, time_zone=one.time_zone, booked_start=one.start, start=slot.start, end=slot.end,
        booked_actor_ids=tuple(each.actor_id for each in one.participants if each.kind != "patient"),
        actor_ids=tuple(each.actor_id for each in slot.participants), made_at=now, expires_at=expires_at,
    )  # fmt: skip


def move_of(one: Appointment, to: MakeOffer | Offer) -> RescheduleAppointment:
    """The move that is offered: at the same site, to that time, with those who are asked for, or whose time is kept."""
    time = PickedTime(visit_type_id=one.visit_type_id, site_id=one.site_id, start=to.start, actor_ids=to.actor_ids, urgency=one.urgency)
    return RescheduleAppointment(appointment_id=one.id, time=time)


def ensure_open(offer: Offer, now: datetime, expected_version: int | None = None) -> None:
    """Raise `OfferNotOpen` for what ended or ran out, whether or not that was noted yet, and `PreconditionFailed`."""
    if offer.status != "open" or offer.expires_at <= now:
        raise OfferNotOpen(offer_id=str(offer.id), offer_status="expired" if offer.status == "open" else offer.status)
    ensure_version(offer.version, expected_version)


def ensure_still_meant(offer: Offer, one: Appointment) -> None:
    """Raise `OfferNotOpen` where the appointment is not any more what the patient was asked about."""
    if not is_meant(offer, one):
        raise OfferNotOpen(offer_id=str(offer.id), offer_status="withdrawn")


def is_meant(offer: Offer, one: Appointment) -> bool:
    """Whether an appointment can be moved still, and lies where it lay when the offer was made."""
    return one.status in MOVABLE and not is_hold(one) and (one.start, one.site_id) == (offer.booked_start, offer.site_id)


def keeper_of(offer: Offer) -> UUID:
    """Under which id the time of an offer is claimed: its own, or that of the time that fell free, which others may be asked about too."""
    return offer.freed_id or offer.id


def ended(offer: Offer, status: OfferStatus, now: datetime) -> Offer:
    return msgspec.structs.replace(offer, status=status, ended_at=now, version=offer.version + 1)


def unreached(offer: Offer) -> Offer:
    return msgspec.structs.replace(offer, is_unreached=True, version=offer.version + 1)


def fact_of(kind: type[OfferFact], offer: Offer, organization_id: UUID) -> OfferFact:
    """The event that reports the offer as it is now."""
    return kind(
        organization_id=organization_id, offer_id=offer.id, purpose=offer.purpose, status=offer.status,
        appointment_id=offer.appointment_id, patient_id=offer.patient_id, site_id=offer.site_id, booked_start=offer.booked_start,
        start=offer.start, end=offer.end, actor_ids=offer.actor_ids, expires_at=offer.expires_at, entry_id=offer.entry_id,
        freed_id=offer.freed_id, version=offer.version,
    )  # fmt: skip
