"""Which appointment of ours is which of an older system's. One function runs one named query."""

from collections.abc import Sequence
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


async def put_link(db: Session, cipher: FieldCipher, source: str, mark: bytes, ours: Appointment, now: datetime) -> None:
    await db.execute(Q.put_link, cipher.organization_id, mark, ours.id, ours.patient_id, now, _hash_of(cipher, source))


async def linked_among(db: Session, cipher: FieldCipher, appointment_ids: Sequence[UUID], source: str | None = None) -> set[UUID]:
    """Those of `appointment_ids` that came from `source`, or from any other system."""
    of = None if source is None else _hash_of(cipher, source)
    return {row["appointment_id"] for row in await db.fetch(Q.linked_among, cipher.organization_id, list(appointment_ids), of)}


async def erase_links(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Forget which appointments of a patient came from where; their ids."""
    return [row["appointment_id"] for row in await tx.fetch(Q.erase_links, organization_id, patient_id)]


def _hash_of(cipher: FieldCipher, source: str) -> bytes:
    return cipher.mark(TABLE, "source_hash", source.encode())
