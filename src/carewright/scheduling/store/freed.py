"""Time that fell free: rows to values. One function runs one named query."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.offers import Offer
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load
from carewright.scheduling.model.freed import FreedTime
from carewright.scheduling.store.offers import offer_of

Q = load("carewright.scheduling")


async def insert(tx: Session, organization_id: UUID, one: FreedTime) -> bool:
    """Note it; False where that change was noted before."""
    row = await tx.fetch_one(
        Q.insert_freed_time, organization_id, one.id, one.state, one.site_id, one.start, one.end, list(one.actor_ids), one.cause_id,
        one.cause_version, one.freed_at,
    )  # fmt: skip
    return row is not None


async def by_id(db: Session, organization_id: UUID, freed_id: UUID) -> FreedTime | None:
    row = await db.fetch_one(Q.freed_time_by_id, organization_id, freed_id)
    return _freed(row) if row else None


async def for_change(tx: Session, organization_id: UUID, freed_id: UUID) -> FreedTime | None:
    """One, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.freed_time_for_change, organization_id, freed_id)
    return _freed(row) if row else None


async def save(tx: Session, organization_id: UUID, one: FreedTime) -> None:
    await tx.execute(Q.save_freed_time, organization_id, one.id, one.state, one.turn)


async def is_asked(tx: Session, organization_id: UUID, freed_id: UUID, but: UUID | None = None) -> bool:
    """Whether somebody is asked about it, by another offer than this one. The caller holds its row."""
    row = await tx.fetch_one(Q.others_asked, organization_id, freed_id, but)
    return bool(row and row["found"])


async def open_offers(tx: Session, organization_id: UUID, freed_id: UUID | None = None, entry_id: UUID | None = None) -> list[Offer]:
    """What is open about a freed time, or to somebody who waits, locked."""
    return [offer_of(row) for row in await tx.fetch(Q.open_offers_for_change, organization_id, freed_id, entry_id)]


async def forget(db: Session, before: datetime) -> None:
    """Delete what was over by then, and of which no offer is kept."""
    await db.execute(Q.forget_freed_times, before)


def _freed(row: Row) -> FreedTime:
    return FreedTime(
        id=row["id"], state=row["state"], site_id=row["site_id"], start=row["starts_at"], end=row["ends_at"],
        actor_ids=tuple(row["actor_ids"]), cause_id=row["cause_id"], cause_version=row["cause_version"], freed_at=row["freed_at"],
        turn=row["turn"],
    )  # fmt: skip
