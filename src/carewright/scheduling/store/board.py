"""The rows of a day board: whole sites at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.board import InUse, Stretch
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.scheduling")


async def openings_at(
    db: Session, organization_id: UUID, site_id: UUID, start: datetime, end: datetime
) -> Mapping[UUID, Sequence[Stretch]]:
    """Who works at a site between two instants, and when."""
    return _by_schedule(await db.fetch(Q.openings_at, organization_id, site_id, start, end))


async def blocks_of(
    db: Session, organization_id: UUID, schedule_ids: Sequence[UUID], start: datetime, end: datetime
) -> Mapping[UUID, Sequence[Stretch]]:  # fmt: skip
    """When these calendars are blocked."""
    return _by_schedule(await db.fetch(Q.blocks_of, organization_id, list(schedule_ids), start, end))


async def in_use_at(db: Session, organization_id: UUID, site_id: UUID, start: datetime, end: datetime) -> tuple[InUse, ...]:
    """The turns that have time at a site between two instants, by start."""
    rows = await db.fetch(Q.in_use_at, organization_id, site_id, start, end)
    return tuple(
        InUse(entry_id=row["entry_id"], schedule_ids=tuple(row["schedule_ids"]), start=row["starts_at"], end=row["ends_at"]) for row in rows
    )


def _by_schedule(rows: Sequence[Row]) -> Mapping[UUID, Sequence[Stretch]]:
    found: defaultdict[UUID, list[Stretch]] = defaultdict(list)
    for row in rows:
        found[row["schedule_id"]].append(Stretch(start=row["starts_at"], end=row["ends_at"]))
    return found
