"""Reports of differences. One function runs one named query."""

from uuid import UUID

import msgspec

from carewright.contracts.migration import Difference, DifferenceReport
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.migration")


async def insert_report(tx: Session, organization_id: UUID, report: DifferenceReport) -> None:
    await tx.execute(
        Q.insert_report, organization_id, report.id, report.service_id, report.site_id, report.source, report.made_at, report.theirs,
        report.ours, report.same, report.theirs_only, report.ours_only, report.differing, report.unread,
        msgspec.json.encode(report.differences),
    )  # fmt: skip


async def latest_reports(db: Session, organization_id: UUID) -> dict[tuple[UUID, UUID], DifferenceReport]:
    """The newest report of each service and site."""
    rows = await db.fetch(Q.latest_reports, organization_id)
    return {(row["service_id"], row["site_id"]): _report(row) for row in rows}


async def forget_reports(tx: Session, organization_id: UUID, report: DifferenceReport, kept: int) -> None:
    """Keep the newest `kept` of that report's service and site."""
    await tx.execute(Q.forget_reports, organization_id, report.service_id, report.site_id, kept)


def _report(row: Row) -> DifferenceReport:
    differences = msgspec.json.decode(row["differences"], type=tuple[Difference, ...])
    return DifferenceReport(**{**row, "differences": differences})
