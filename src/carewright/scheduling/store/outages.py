"""What is out of service: blocks of calendars that say why by a code."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from carewright.contracts.outages import ListOutages, Outage, ReportOutage
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.scheduling")


async def insert(
    tx: Session, organization_id: UUID, outage_id: UUID, command: ReportOutage, period: tuple[datetime, datetime], by: str, now: datetime
) -> None:
    await tx.execute(Q.insert_outage, organization_id, outage_id, command.schedule_id, *period, command.reason, by, now)


async def end(tx: Session, organization_id: UUID, outage_id: UUID, at: datetime) -> None:
    """It is over from then on."""
    await tx.execute(Q.end_outage, organization_id, outage_id, at)


async def withdraw(tx: Session, organization_id: UUID, outage_id: UUID) -> None:
    """It never was."""
    await tx.execute(Q.withdraw_outage, organization_id, outage_id)


async def one(db: Session, organization_id: UUID, outage_id: UUID, now: datetime, site_ids: Collection[UUID]) -> Outage | None:
    """Where `site_ids` are named, of what belongs to one of these alone, with the appointments there."""
    row = await db.fetch_one(Q.outages, organization_id, outage_id, None, None, None, None, now, list(site_ids), 1)
    return _outage(row) if row else None


async def page(db: Session, organization_id: UUID, query: ListOutages, now: datetime, site_ids: Collection[UUID]) -> list[Outage]:
    """One more than a page of those at a site."""
    since = query.from_at or now
    rows = await db.fetch(
        Q.outages, organization_id, None, query.site_id, since, query.until_at, query.after, now, list(site_ids), query.limit + 1
    )
    return [_outage(row) for row in rows]


def _outage(row: Row) -> Outage:
    return Outage(
        id=row["id"], schedule_id=row["schedule_id"], kind=row["kind"], display=row["display"], site_ids=tuple(row["site_ids"]),
        start=row["starts_at"], end=row["ends_at"], reason=row["outage"], reported_at=row["created_at"],
        hit_appointment_ids=tuple(row["hit"]),
    )  # fmt: skip
