"""Offers: rows to values. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.offers import ListOffers, Offer
from carewright.contracts.scheduling import ClaimedTime
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.scheduling")


class OpenOffer(NamedTuple):
    """An offer, and the version that its appointment had when it was made."""

    offer: Offer
    appointment_version: int


async def insert(tx: Session, organization_id: UUID, offer: Offer, appointment_version: int) -> bool:
    """Keep a new offer; False where its patient is asked about that appointment already."""
    row = await tx.fetch_one(
        Q.insert_offer, organization_id, offer.id, offer.purpose, offer.status, offer.appointment_id, appointment_version, offer.patient_id,
        offer.site_id, offer.booked_start, list(offer.booked_actor_ids), offer.start, offer.end, list(offer.actor_ids), offer.made_at,
        offer.expires_at, offer.version, offer.entry_id, offer.freed_id, offer.is_shared,
    )  # fmt: skip
    return row is not None


async def by_id(db: Session, organization_id: UUID, offer_id: UUID) -> Offer | None:
    row = await db.fetch_one(Q.offer_by_id, organization_id, offer_id)
    return offer_of(row) if row else None


async def for_change(tx: Session, organization_id: UUID, offer_id: UUID) -> Offer | None:
    """An offer, its row locked until the transaction ends. Whoever locks the appointment too has done so before."""
    row = await tx.fetch_one(Q.offer_for_change, organization_id, offer_id)
    return offer_of(row) if row else None


async def open_for_change(tx: Session, organization_id: UUID, appointment_id: UUID) -> OpenOffer | None:
    """What an appointment is offered now, locked."""
    row = await tx.fetch_one(Q.open_offer_for_change, organization_id, appointment_id)
    return OpenOffer(offer_of(row), row["appointment_version"]) if row else None


async def page(db: Session, organization_id: UUID, query: ListOffers, patient_id: UUID | None, site_ids: Collection[UUID]) -> list[Offer]:
    """One more than a page of offers, of one patient where one is named, and at these sites where any are."""
    rows = await db.fetch(
        Q.offers_page, organization_id, query.appointment_id, patient_id, query.site_id, query.from_at, query.until_at, query.after,
        list(site_ids), query.actor_id, query.limit + 1, query.entry_id,
    )  # fmt: skip
    return [offer_of(row) for row in rows]


async def declined_starts(db: Session, organization_id: UUID, appointment_id: UUID) -> frozenset[datetime]:
    """Times to which an appointment's patient said no."""
    return frozenset(row["starts_at"] for row in await db.fetch(Q.declined_starts, organization_id, appointment_id))


async def save(tx: Session, organization_id: UUID, offer: Offer) -> None:
    """Write a changed offer. The caller holds its row."""
    await tx.execute(Q.save_offer, organization_id, offer.id, offer.status, offer.ended_at, offer.is_unreached, offer.version)


async def expired(tx: Session, now: datetime, limit: int) -> list[tuple[UUID, Offer]]:
    """Offers of every organization that ran out, locked for their end; in the order in which the times are locked that they share."""
    return [(row["organization_id"], offer_of(row)) for row in await tx.fetch(Q.expired_offers, now, limit)]


async def expired_in_the_way(tx: Session, organization_id: UUID, claims: Sequence[ClaimedTime], now: datetime) -> list[Offer]:
    """Those that still lie on this time, locked for their end."""
    these = [c.schedule_id for c in claims], [c.start for c in claims], [c.end for c in claims]
    return [offer_of(row) for row in await tx.fetch(Q.expired_offers_in_the_way, organization_id, *these, now)]


async def of_patient_for_change(tx: Session, organization_id: UUID, patient_id: UUID) -> list[Offer]:
    return [offer_of(row) for row in await tx.fetch(Q.offers_of_patient_for_change, organization_id, patient_id)]


async def erase(tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    await tx.execute(Q.erase_offers, organization_id, patient_id)


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give a merged record's offers to its survivor; which they were."""
    return [row["id"] for row in await tx.fetch(Q.take_over_offers, organization_id, prior_id)]


def offer_of(row: Row) -> Offer:
    return Offer(
        id=row["id"], purpose=row["purpose"], status=row["status"], appointment_id=row["appointment_id"], patient_id=row["patient_id"],
        site_id=row["site_id"], site_name=row["site_name"], time_zone=row["time_zone"], booked_start=row["booked_at"],
        booked_actor_ids=tuple(row["booked_actor_ids"]),
        start=row["starts_at"], end=row["ends_at"], actor_ids=tuple(row["actor_ids"]), made_at=row["made_at"],
        expires_at=row["expires_at"], ended_at=row["ended_at"], is_unreached=row["unreached"], entry_id=row["entry_id"],
        freed_id=row["freed_id"], is_shared=row["shared"], version=row["version"],
    )  # fmt: skip
