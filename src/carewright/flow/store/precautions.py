"""Which precautions patients need: sealed on the way in, opened on the way out. One function runs one named query."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.rooms import PatientPrecautions, Precaution
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.flow")
TABLE = "flow.patient_precautions"
_needed = msgspec.json.Decoder(tuple[Precaution, ...]).decode


async def precautions_of(db: Session, cipher: FieldCipher, patient_id: UUID) -> PatientPrecautions:
    """What is kept; nothing, of version 0, where nobody ever said any."""
    row = await db.fetch_one(Q.precautions_of, cipher.organization_id, patient_id)
    return _opened(cipher, row) if row else PatientPrecautions(patient_id=patient_id)


async def precautions_for_change(tx: Session, cipher: FieldCipher, patient_id: UUID) -> PatientPrecautions:
    """The same, locked until the transaction ends where there are any."""
    row = await tx.fetch_one(Q.precautions_for_change, cipher.organization_id, patient_id)
    return _opened(cipher, row) if row else PatientPrecautions(patient_id=patient_id)


async def survivor_of(db: Session, organization_id: UUID, patient_id: UUID) -> UUID:
    """The record that stands for a patient: their own, unless it was merged into another."""
    (row,) = await db.fetch(Q.survivor_of, organization_id, patient_id)
    return UUID(str(row["id"]))


async def put_precautions(tx: Session, cipher: FieldCipher, said: PatientPrecautions) -> bool:
    """Whether nobody said something else since the version before."""
    sealed = cipher.seal(TABLE, "needed", said.patient_id, msgspec.json.encode(said.precautions))
    row = await tx.fetch_one(
        Q.put_precautions, cipher.organization_id, said.patient_id, sealed, said.recorded_at, said.recorded_by, said.version
    )  # fmt: skip
    return row is not None


async def drop_precautions(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Whose were dropped: the patient's own id, if there were any."""
    return [row["id"] for row in await tx.fetch(Q.drop_precautions, organization_id, patient_id)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete what was said before `before`, of whom no hold covers."""
    rows = await tx.fetch(Q.dispose_precautions, organization_id, before, limit)
    return [Gone("PatientPrecautions", row["id"], row["id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal anew what an older key sealed, at most `limit` of patients with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("needed",), (Q.precautions_to_reseal, Q.reseal_precautions), after, limit)


def _opened(cipher: FieldCipher, row: Row) -> PatientPrecautions:
    return PatientPrecautions(
        patient_id=row["patient_id"], precautions=_needed(cipher.open_(TABLE, "needed", row["patient_id"], row["needed"])),
        recorded_at=row["recorded_at"], recorded_by=row["recorded_by"], version=row["version"],
    )  # fmt: skip
