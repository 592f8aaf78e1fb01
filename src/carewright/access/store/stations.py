"""Screens and kiosks: each a row beside its account."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.access.model.sessions import Owner
from carewright.access.store import owner_of
from carewright.contracts.stations import Station
from carewright.kernel.db import Database, Session
from carewright.kernel.sql import load

Q = load("carewright.access")


async def insert_station(tx: Session, organization_id: UUID, made: Station, code_hash: bytes) -> None:
    """Make the station and its account, of one id."""
    await tx.execute(
        Q.insert_station, organization_id, made.id, f"{made.kind}/{made.id}", made.kind, made.name, made.site_id, list(made.languages),
        list(made.queue_ids), made.created_at, code_hash, made.code_until,
    )  # fmt: skip


async def stations(
    db: Session, organization_id: UUID, site_ids: Sequence[UUID] | None, station_id: UUID | None, now: datetime, limit: int
) -> tuple[Station, ...]:  # fmt: skip
    rows = await db.fetch(Q.stations, organization_id, site_ids, station_id, now, limit)
    return tuple(
        Station(**dict(row) | {"languages": tuple(row["languages"]), "queue_ids": tuple(row["queue_ids"])}) for row in rows
    )  # fmt: skip


async def set_code(tx: Session, organization_id: UUID, station_id: UUID, code_hash: bytes | None, until: datetime | None) -> None:
    await tx.execute(Q.set_station_code, organization_id, station_id, code_hash, until)


async def station_by_code(db: Database, code_hash: bytes, now: datetime) -> tuple[UUID, UUID] | None:
    """The organization and the id of the station that a code is for."""
    row = await db.fetch_one(Q.station_by_code, code_hash, now)
    return (row["organization_id"], row["id"]) if row else None


async def use_code(tx: Session, organization_id: UUID, station_id: UUID, code_hash: bytes, now: datetime) -> Owner | None:
    """Whose session begins by this code; None where it was used meanwhile, or the station was retired."""
    row = await tx.fetch_one(Q.use_station_code, organization_id, station_id, code_hash, now)
    return owner_of(row) if row else None
