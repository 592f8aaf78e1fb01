"""Which appointment of ours is which of an older system's. One function runs one named query."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.scheduling import Appointment
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load

Q = load("carewright.migration")
TABLE, COLUMN = "migration.link", "mark"


def mark_of(cipher: FieldCipher, source: str, source_id: str) -> bytes:
    """What an appointment of another system is known by."""
    return cipher.mark(TABLE, COLUMN, f"{source}\0{source_id}".encode())


async def appointment_by_mark(db: Session, organization_id: UUID, mark: bytes) -> UUID | None:
    row = await db.fetch_one(Q.appointment_by_mark, organization_id, mark)
    return row["appointment_id"] if row else None


async def put_link(db: Session, organization_id: UUID, mark: bytes, ours: Appointment, now: datetime) -> None:
    await db.execute(Q.put_link, organization_id, mark, ours.id, ours.patient_id, now)


async def erase_links(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Forget which appointments of a patient came from where; their ids."""
    return [row["appointment_id"] for row in await tx.fetch(Q.erase_links, organization_id, patient_id)]
