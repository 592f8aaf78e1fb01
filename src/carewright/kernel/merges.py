"""Records of one person: which was merged into which. Statements of every module ask `kernel.survivor_of` and `kernel.records_of`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.kernel")


async def merges_of(db: Session, organization_id: UUID, patient_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Merged record to survivor, where either is one of these."""
    rows = await db.fetch(Q.merges_of, organization_id, list(patient_ids)) if patient_ids else ()
    return {row["patient_id"]: row["survivor_id"] for row in rows}


async def note_merged(tx: Session, organization_id: UUID, prior_id: UUID, survivor_id: UUID, now: datetime) -> None:
    """One record is the other's from now on, and so are those that were merged into it."""
    await tx.execute(Q.note_merged, organization_id, prior_id, survivor_id, now)
