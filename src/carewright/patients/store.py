"""The patients' rows, to values and back. One function runs one named query."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec.structs import asdict, replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, Patient, PatientMatch
from carewright.kernel.db import Row, Session, Transaction
from carewright.kernel.sql import load
from carewright.patients import model

Q = load("carewright.patients")
COLUMNS = (
    "organization_id", "id", "name_key", "family", "given", "birth_on", "gender", "language", "telecom", "identifiers", "active", "version",
)  # fmt: skip


async def patient_by_id(db: Session, organization_id: UUID, patient_id: UUID) -> Patient | None:
    """One patient's record."""
    row = await db.fetch_one(Q.patient_by_id, organization_id, patient_id)
    return _patient(row) if row else None


async def find_patients(db: Session, organization_id: UUID, query: FindPatients) -> tuple[Patient, ...]:
    """Active patients whose family name begins as asked, by name."""
    first, behind = model.name_range(query)
    rows = await db.fetch(Q.find_patients, organization_id, first, behind, query.birth_on, query.limit)
    return tuple(_patient(row) for row in rows)


async def patients_by_contact(db: Session, organization_id: UUID, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
    """Active patients born on that day who are reached by that contact, however it is written."""
    rows = await db.fetch(Q.patients_by_birth, organization_id, birth_on, model.BORN_ON_ONE_DAY_MAX)
    telecom = ((row["id"], msgspec.json.decode(row["telecom"], type=tuple[ContactPoint, ...])) for row in rows)
    return tuple(each for each, points in telecom if any(one.system == contact.system and one.key() == contact.key() for one in points))


async def patients_by_identifier(db: Session, organization_id: UUID, identifiers: Sequence[Identifier]) -> tuple[PatientMatch, ...]:
    """Which of the identifiers are known, and whose they are."""
    systems, values = [one.system for one in identifiers], [one.value for one in identifiers]
    rows = await db.fetch(Q.patients_by_identifier, organization_id, systems, values)
    return tuple(PatientMatch(identifier=Identifier(system=row["system"], value=row["value"]), id=row["patient_id"]) for row in rows)


async def put_patients(tx: Session, organization_id: UUID, patients: Sequence[Patient]) -> list[Patient]:
    """Store the records; those that are new or say something new come back, with their versions."""
    given = {patient.id: patient for patient in patients}
    rows = await tx.fetch(Q.put_patients, organization_id, [asdict(one) | {"name_key": model.name_key(one)} for one in patients])
    return [replace(given[row["id"]], version=row["version"]) for row in rows]


async def drop_identifiers(tx: Session, organization_id: UUID, patients: Iterable[Patient]) -> None:
    """Take from the patients every identifier."""
    await tx.execute(Q.drop_identifiers, organization_id, [patient.id for patient in patients])


async def claim_identifiers(tx: Session, organization_id: UUID, patients: Iterable[Patient]) -> set[tuple[str, str, UUID]]:
    """Give the patients their identifiers; those granted come back."""
    columns = [list(column) for column in zip(*model.carried(patients), strict=True)]
    granted = await tx.fetch(Q.claim_identifiers, organization_id, *columns) if columns else []
    return {(row["system"], row["value"], row["patient_id"]) for row in granted}


async def is_empty(tx: Session, organization_id: UUID) -> bool:
    """Whether the tenant has no patient yet."""
    row = await tx.fetch_one(Q.is_empty, organization_id)
    return bool(row and row["empty"])


async def copy_patients(tx: Transaction, organization_id: UUID, patients: Sequence[Patient]) -> None:
    """Store new records with their identifiers by COPY."""
    encode = msgspec.json.encode
    rows = (
        (
            organization_id, one.id, model.name_key(one), one.family, one.given, one.birth_on, one.gender, one.language,
            encode(one.telecom), encode(one.identifiers), one.active, 1,
        )
        for one in patients
    )  # fmt: skip
    await tx.copy("patients", "patient", COLUMNS, rows)
    carried = ((organization_id, *row) for row in model.carried(patients))
    await tx.copy("patients", "identifier", ("organization_id", "system", "value", "patient_id"), carried)


def _patient(row: Row) -> Patient:
    return Patient(
        id=row["id"], family=row["family"], given=tuple(row["given"]), birth_on=row["birth_on"], gender=row["gender"],
        language=row["language"], telecom=msgspec.json.decode(row["telecom"], type=tuple[ContactPoint, ...]),
        identifiers=msgspec.json.decode(row["identifiers"], type=tuple[Identifier, ...]), active=row["active"], version=row["version"],
    )  # fmt: skip
