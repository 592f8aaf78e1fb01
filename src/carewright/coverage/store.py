"""The rows of coverage, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from carewright.contracts.coverage import Coverage, Insured, Payer, Relationship
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.coverage")
COVERAGE = "coverage.coverage"
FIRST_ID = UUID(int=0)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What lies sealed in a row of coverage."""

    payer: Payer
    member_id: str
    beneficiary: Insured
    relationship: Relationship
    subscriber: Insured | None
    plan: str
    group: str


_content = msgspec.json.Decoder(Content).decode


async def coverage_by_id(db: Session, cipher: FieldCipher, coverage_id: UUID) -> Coverage | None:
    row = await db.fetch_one(Q.coverage_by_id, cipher.organization_id, coverage_id)
    return _opened(cipher, row) if row else None


async def coverages_of_patient(
    db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID = FIRST_ID, limit: int = 200
) -> list[Coverage]:
    """A page of a patient's coverages, by id."""
    return [_opened(cipher, row) for row in await db.fetch(Q.coverages_of_patient, cipher.organization_id, patient_id, after, limit)]


async def coverages_by_id(db: Session, cipher: FieldCipher, ids: Sequence[UUID], after: UUID, limit: int) -> list[Coverage]:
    """Those that are known among these, by id."""
    return [_opened(cipher, row) for row in await db.fetch(Q.coverages_by_id, cipher.organization_id, list(ids), after, limit)]


async def insert_coverage(tx: Session, cipher: FieldCipher, coverage: Coverage) -> bool:
    """False where the patient has this coverage already."""
    row = await tx.fetch_one(
        Q.insert_coverage, cipher.organization_id, coverage.id, coverage.patient_id, coverage.status, *_sealed(cipher, coverage),
        coverage.starts_on, coverage.ends_on, coverage.order, coverage.version, coverage.updated_at,
    )  # fmt: skip
    return row is not None


async def has_twin(tx: Session, cipher: FieldCipher, coverage: Coverage) -> bool:
    """Whether the patient has the same coverage under another id."""
    row = await tx.fetch_one(Q.has_twin, cipher.organization_id, mark_of(cipher, coverage), coverage.id)
    return bool(row and row["has_twin"])


async def update_coverage(tx: Session, cipher: FieldCipher, coverage: Coverage) -> None:
    await tx.execute(
        Q.update_coverage, cipher.organization_id, coverage.id, coverage.status, *_sealed(cipher, coverage), coverage.starts_on,
        coverage.ends_on, coverage.order, coverage.version, coverage.updated_at,
    )  # fmt: skip


async def lock_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> bool:
    """Let changes about one patient go one after another, until the transaction ends. False for who was erased."""
    row = await tx.fetch_one(Q.lock_patient, organization_id, patient_id)
    return row is not None and row["erased_at"] is None


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> list[UUID]:
    """Delete what is known of a patient, and note that nothing may come later; the ids of the coverages."""
    await tx.execute(Q.note_erased, organization_id, patient_id, now)
    return [row["id"] for row in await tx.fetch(Q.erase_coverages, organization_id, patient_id)]


async def dispose_coverages(tx: Session, organization_id: UUID, before: date, limit: int) -> list[Gone]:
    """Delete coverages that ended before `before` and that no hold covers."""
    return [Gone("Coverage", row["id"], row["patient_id"]) for row in await tx.fetch(Q.dispose_coverages, organization_id, before, limit)]


async def reseal_coverages(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal coverages anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, COVERAGE, ("content",), (Q.coverages_to_reseal, Q.reseal_coverages), after, limit)


def mark_of(cipher: FieldCipher, coverage: Coverage) -> bytes:
    """What a coverage is unique by: patient, payer and member, however the member id is spaced and cased."""
    payer = coverage.payer.id or coverage.payer.name
    said = "\0".join((str(coverage.patient_id), payer.upper(), "".join(coverage.member_id.upper().split())))
    return cipher.mark(COVERAGE, "mark", said.encode())


def _sealed(cipher: FieldCipher, coverage: Coverage) -> tuple[bytes, bytes]:
    content = Content(**{name: getattr(coverage, name) for name in Content.__struct_fields__})
    return cipher.seal(COVERAGE, "content", coverage.id, msgspec.json.encode(content)), mark_of(cipher, coverage)


def _opened(cipher: FieldCipher, row: Row) -> Coverage:
    content = _content(cipher.open_(COVERAGE, "content", row["id"], row["content"]))
    return Coverage(
        id=row["id"], patient_id=row["patient_id"], status=row["status"], starts_on=row["starts_on"], ends_on=row["ends_on"],
        order=row["pays_as"], version=row["version"], updated_at=row["updated_at"], **msgspec.structs.asdict(content),
    )  # fmt: skip
