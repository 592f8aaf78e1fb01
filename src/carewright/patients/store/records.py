"""The patients' rows, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, Merge, MergePatients, NewPatient, Patient, PatientMatch, Traits
from carewright.kernel.db import Row, Session, Transaction
from carewright.kernel.folding import folded
from carewright.kernel.merges import merges_of, note_merged
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load
from carewright.patients.model import FAMILY, GIVEN, TABLE, Asked, Indexing, Person, Reach, carried

Q = load("carewright.patients")
COLUMNS = (
    "id", "person", "reach", "content", "family_index", "given_index", "family_sound", "given_sound", "birth_index", "gender", "language",
    "active",
)  # fmt: skip
ERASURE = "patients.erasure"
"""What sealed reasons of erasures are bound to."""
MERGE = "patients.merge"
"""What sealed words of merges are bound to."""
CANDIDATES_MAX = 2_000
"""Opened for one search at most: a hundredth of a second's work. A search that brings up more asks for a narrower one."""
_patients = msgspec.json.Decoder(tuple[Patient, ...]).decode
_person = msgspec.json.Decoder(Person).decode
_reach = msgspec.json.Decoder(Reach).decode


class Erasing(NamedTuple):
    """A record that is gone: its last version, and by which hashes its identifiers were unique."""

    id: UUID
    version: int
    hashes: tuple[bytes, ...]


class Candidate:
    """Somebody whom an index brought up: the person opened, the rest as it lies."""

    __slots__ = ("person", "row")

    def __init__(self, cipher: FieldCipher, row: Row) -> None:
        self.row = row
        self.person = _person(cipher.open_(TABLE, "person", row["id"], row["person"]))


async def patient_by_id(db: Session, cipher: FieldCipher, patient_id: UUID) -> Patient | None:
    """One patient's record."""
    row = await db.fetch_one(Q.patient_by_id, cipher.organization_id, patient_id)
    return opened(cipher, Candidate(cipher, row)) if row else None


async def patients_by_id(db: Session, cipher: FieldCipher, patient_ids: Sequence[UUID]) -> list[Patient]:
    """The records that are known among these, by id."""
    rows = await db.fetch(Q.patients_by_id, cipher.organization_id, list(patient_ids))
    return [opened(cipher, Candidate(cipher, row)) for row in rows]


async def patients_after(db: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[Patient]:
    """At most `limit` records with ids behind `after`, by id."""
    rows = await db.fetch(Q.patients_after, cipher.organization_id, after, limit)
    return [opened(cipher, Candidate(cipher, row)) for row in rows]


async def patient_for_change(tx: Session, cipher: FieldCipher, patient_id: UUID) -> Patient | None:
    """One record, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.patient_for_change, cipher.organization_id, patient_id)
    return opened(cipher, Candidate(cipher, row)) if row else None


async def patients_for_merge(tx: Session, cipher: FieldCipher, patient_ids: Sequence[UUID]) -> dict[UUID, Patient]:
    """Those of the records that there are, by id, their rows locked until the transaction ends."""
    rows = await tx.fetch(Q.patients_for_merge, cipher.organization_id, list(patient_ids))
    return {row["id"]: opened(cipher, Candidate(cipher, row)) for row in rows}


async def with_links(db: Session, organization_id: UUID, patients: Sequence[Patient]) -> list[Patient]:
    """The records with what they were merged into, and what was merged into them."""
    into = await merges_of(db, organization_id, [each.id for each in patients])
    return [
        replace(each, replaced_by=into.get(each.id), replaces=tuple(prior for prior, survivor in into.items() if survivor == each.id))
        for each in patients
    ]


async def survivor_of(db: Session, organization_id: UUID, patient_id: UUID) -> UUID | None:
    """Into which record this one was merged; None where it was not."""
    return (await merges_of(db, organization_id, [patient_id])).get(patient_id)


async def merge_of(db: Session, cipher: FieldCipher, prior_id: UUID) -> Merge | None:
    """How a record was merged; None where nobody did."""
    row = await db.fetch_one(Q.merge_of, cipher.organization_id, prior_id)
    if row is None:
        return None
    kept, reason = (cipher.open_(MERGE, name, prior_id, row[name]) if row[name] else b"" for name in ("kept", "reason"))
    return Merge(
        survivor_id=row["into_id"], prior_id=prior_id, merged_by=row["merged_by"], merged_at=row["merged_at"], reason=reason.decode(),
        before=_patients(kept) if kept else (),
    )  # fmt: skip


async def insert_merge(tx: Session, cipher: FieldCipher, command: MergePatients, before: Sequence[Patient], by: str, now: datetime) -> None:
    """Note that a record was merged, with both as they were `before`."""
    prior_id, survivor_id = command.prior_id, command.survivor_id
    kept = cipher.seal(MERGE, "kept", prior_id, msgspec.json.encode(before))
    reason = cipher.seal(MERGE, "reason", prior_id, command.reason.encode())
    await tx.execute(Q.insert_merge, cipher.organization_id, prior_id, survivor_id, kept, reason, by, now)
    await note_merged(tx, cipher.organization_id, prior_id, survivor_id, now)


async def reseal_merges(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, of the words of merges."""
    return await reseal_rows(tx, cipher, MERGE, ("kept", "reason"), (Q.merges_to_reseal, Q.reseal_merges), after, limit)


async def candidates_by_identifier(db: Session, cipher: FieldCipher, identifiers: Sequence[Identifier]) -> list[Candidate]:
    """Who carries any of the identifiers."""
    carriers = list({each.id for each in await patients_by_identifier(db, cipher, identifiers)})
    return [Candidate(cipher, row) for row in await db.fetch(Q.patients_by_id, cipher.organization_id, carriers)]


async def traits_of_patients(db: Session, cipher: FieldCipher, patient_ids: Sequence[UUID]) -> dict[UUID, Traits]:
    """What these patients have in common with others; nothing for those who were erased."""
    rows = await db.fetch(Q.traits_of_patients, cipher.organization_id, list(patient_ids))
    return {
        row["id"]: Traits(birth_on=Candidate(cipher, row).person.birth_on, gender=row["gender"], language=row["language"]) for row in rows
    }


async def patient_if_named(db: Session, cipher: FieldCipher, patient_id: UUID, families: Sequence[str]) -> Candidate | None:
    """One patient, opened, if their family name may be one of these (folded): the blind index decides before anything is opened."""
    numbers = [FAMILY.number(cipher, family) for family in families]
    row = await db.fetch_one(Q.patient_if_named, cipher.organization_id, patient_id, numbers)
    return Candidate(cipher, row) if row else None


async def candidates(db: Session, cipher: FieldCipher, asked: Asked) -> list[Candidate]:
    """Active patients among whom all those asked for are, `CANDIDATES_MAX` at most."""
    if asked.birth_on is not None:
        return await candidates_by_birth(db, cipher, asked.birth_on)
    given = GIVEN.range(cipher, asked.given)
    rows = list(await db.fetch(Q.candidates_by_name, cipher.organization_id, *FAMILY.range(cipher, asked.family), *given, CANDIDATES_MAX))
    if asked.sounds_like:
        rows += await _rows_by_sound(db, cipher, asked.family, asked.given)
    once = {row["id"]: row for row in rows}
    return [Candidate(cipher, row) for row in list(once.values())[:CANDIDATES_MAX]]


async def candidates_alike(db: Session, cipher: FieldCipher, said: NewPatient) -> list[Candidate]:
    """Active patients among whom all are who were born on that day or are called so, by sound too; and who carries an identifier."""
    found = await candidates_by_identifier(db, cipher, said.identifiers) if said.identifiers else []
    if said.birth_on is not None:
        found += await candidates_by_birth(db, cipher, said.birth_on)
    rows = await _rows_by_sound(db, cipher, said.family, said.given[0] if said.given else "")
    once = {each.row["id"]: each for each in [*found, *(Candidate(cipher, row) for row in rows)]}
    return list(once.values())[:CANDIDATES_MAX]


async def _rows_by_sound(db: Session, cipher: FieldCipher, family: str, given: str) -> Sequence[Row]:
    """Those of a family name that sounds so; of the given name, where there is one, the sound or the beginning."""
    indexing = Indexing(cipher)
    sounds = indexing.sound("family_sound", family), indexing.sound("given_sound", given) if given else None
    return await db.fetch(Q.candidates_by_sound, cipher.organization_id, *sounds, *GIVEN.range(cipher, folded(given)), CANDIDATES_MAX)


async def candidates_by_birth(db: Session, cipher: FieldCipher, birth_on: date) -> list[Candidate]:
    """Active patients among whom all those born on that day are."""
    rows = await db.fetch(Q.candidates_by_birth, cipher.organization_id, Indexing(cipher).birth(birth_on), CANDIDATES_MAX)
    return [Candidate(cipher, row) for row in rows]


async def patients_by_contact(db: Session, cipher: FieldCipher, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
    """Active patients born on that day who are reached by that contact, however it is written."""
    wanted = (contact.system, contact.key())
    known = [
        (each, {(one.system, one.key()) for one in reach_of(cipher, each).telecom})
        for each in await candidates_by_birth(db, cipher, birth_on)
    ]
    return tuple(each.row["id"] for each, contacts in known if each.person.birth_on == birth_on and wanted in contacts)


async def patients_by_identifier(db: Session, cipher: FieldCipher, identifiers: Sequence[Identifier]) -> tuple[PatientMatch, ...]:
    """Which of the identifiers are known, and whose they are."""
    marks = {Indexing(cipher).mark(one): one for one in identifiers}
    rows = await db.fetch(Q.patients_by_identifier, cipher.organization_id, list(marks))
    return tuple(PatientMatch(identifier=marks[row["mark"]], id=row["patient_id"]) for row in rows)


async def put_patients(tx: Session, cipher: FieldCipher, patients: Sequence[Patient]) -> list[Patient]:
    """Store the records; those that are new or say something new come back, with their versions."""
    given, indexing = {patient.id: patient for patient in patients}, Indexing(cipher)
    columns = [list(column) for column in zip(*(_sealed(cipher, indexing, one) for one in patients), strict=True)]
    rows = await tx.fetch(Q.put_patients, cipher.organization_id, *columns) if columns else []
    return [replace(given[row["id"]], version=row["version"]) for row in rows]


async def drop_identifiers(tx: Session, organization_id: UUID, patients: Iterable[Patient]) -> None:
    """Take from the patients every identifier."""
    await tx.execute(Q.drop_identifiers, organization_id, [patient.id for patient in patients])


async def claim_identifiers(tx: Session, cipher: FieldCipher, patients: Iterable[Patient]) -> list[UUID]:
    """Give the patients their identifiers. The carrier of each granted one comes back."""
    indexing = Indexing(cipher)
    wanted = [(indexing.mark(identifier), patient_id) for identifier, patient_id in carried(patients)]
    if not wanted:
        return []
    rows = await tx.fetch(Q.claim_identifiers, cipher.organization_id, *(list(column) for column in zip(*wanted, strict=True)))
    return [row["patient_id"] for row in rows]


async def records_for_erasure(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """A record and those that were merged into it, their rows locked until the transaction ends."""
    await tx.fetch_one(Q.lock_record, organization_id, patient_id)
    return [row["id"] for row in await tx.fetch(Q.lock_records_of, organization_id, patient_id)]


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> list[Erasing]:
    """Delete a record with its identifiers, and those that were merged into it. The caller holds them (`records_for_erasure`).

    Nothing where there is none, where it was merged into another, or where a hold covers it.
    """
    gone = {row["id"]: int(row["version"]) for row in await tx.fetch(Q.erase_patient, organization_id, patient_id)}
    if not gone:
        return []
    marks = await tx.fetch(Q.drop_identifiers, organization_id, list(gone))
    await tx.execute(Q.clear_merges, organization_id, patient_id)
    return [Erasing(id_, version, tuple(row["mark"] for row in marks if row["patient_id"] == id_)) for id_, version in gone.items()]


async def insert_erasure(tx: Session, cipher: FieldCipher, patient_id: UUID, reason: str, by: str, now: datetime) -> None:
    sealed = cipher.seal(ERASURE, "reason", patient_id, reason.encode())
    await tx.execute(Q.insert_erasure, cipher.organization_id, patient_id, sealed, by, now)


async def reseal_erasures(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, of the reasons of erasures."""
    return await reseal_rows(tx, cipher, ERASURE, ("reason",), (Q.erasures_to_reseal, Q.reseal_erasures), after, limit)


async def is_empty(tx: Session, organization_id: UUID) -> bool:
    """Whether the tenant has no patient yet."""
    row = await tx.fetch_one(Q.is_empty, organization_id)
    return bool(row and row["empty"])


async def copy_patients(tx: Transaction, cipher: FieldCipher, indexing: Indexing, patients: Sequence[Patient]) -> None:
    """Store new records with their identifiers by COPY."""
    organization_id = cipher.organization_id
    rows = ((organization_id, *_sealed(cipher, indexing, one), 1) for one in patients)
    await tx.copy("patients", "patient", ("organization_id", *COLUMNS, "version"), rows)
    marks = ((organization_id, indexing.mark(identifier), patient_id) for identifier, patient_id in carried(patients))
    await tx.copy("patients", "identifier", ("organization_id", "mark", "patient_id"), marks)


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal records anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("person", "reach"), (Q.patients_to_reseal, Q.reseal_patients), after, limit)


def opened(cipher: FieldCipher, candidate: Candidate) -> Patient:
    """The whole record of a candidate."""
    row, person = candidate.row, candidate.person
    reach = reach_of(cipher, candidate)
    return Patient(
        id=row["id"], family=person.family, given=person.given, birth_on=person.birth_on, gender=row["gender"], language=row["language"],
        telecom=reach.telecom, identifiers=reach.identifiers, active=row["active"], version=row["version"],
    )  # fmt: skip


def reach_of(cipher: FieldCipher, candidate: Candidate) -> Reach:
    """How a candidate is reached."""
    return _reach(cipher.open_(TABLE, "reach", candidate.row["id"], candidate.row["reach"]))


def _sealed(cipher: FieldCipher, indexing: Indexing, one: Patient) -> tuple[object, ...]:
    """The record as it is stored, in the order of `COLUMNS`."""
    whom = Person(family=one.family, given=one.given, birth_on=one.birth_on)
    person, reach = msgspec.json.encode(whom), msgspec.json.encode(Reach(telecom=one.telecom, identifiers=one.identifiers))
    numbers = indexing.of(whom)
    return (
        one.id, cipher.seal(TABLE, "person", one.id, person), cipher.seal(TABLE, "reach", one.id, reach),
        cipher.mark(TABLE, "content", b"%b\0%b\0%b" % (one.id.bytes, person, reach)),
        numbers.family_index, numbers.given_index, numbers.family_sound, numbers.given_sound, numbers.birth_index,
        one.gender, one.language, one.active,
    )  # fmt: skip
