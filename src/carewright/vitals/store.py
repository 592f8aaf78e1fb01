"""The rows of vitals, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.vitals import Observation, SearchObservations
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load
from carewright.vitals.model import Detail, detail_of

Q = load("carewright.vitals")
TABLE = "vitals.observation"
OPEN = ("id", "patient_id", "encounter_id", "status", "effective_from", "effective_until", "issued_at")
"""What is not sealed, in the order of the statement that stores it."""
_detail = msgspec.json.Decoder(Detail).decode


async def observation_by_id(db: Session, cipher: FieldCipher, observation_id: UUID) -> Observation | None:
    row = await db.fetch_one(Q.observation_by_id, cipher.organization_id, observation_id)
    return _opened(cipher, row) if row else None


async def observations_for_change(tx: Session, cipher: FieldCipher, ids: Iterable[UUID]) -> dict[UUID, Observation]:
    """Those that are known, their rows locked until the transaction ends."""
    rows = await tx.fetch(Q.observations_for_change, cipher.organization_id, list(ids))
    return {row["id"]: _opened(cipher, row) for row in rows}


async def search_observations(db: Session, cipher: FieldCipher, query: SearchObservations, after: UUID, limit: int) -> list[Observation]:
    """At most `limit` behind `after`, in order of ids."""
    asked = (query.ids, query.patient_ids, query.encounter_ids, query.statuses)
    marks = [_mark(cipher, each) for each in query.identifiers]
    rows = await db.fetch(
        Q.search_observations, cipher.organization_id, after, *(list(each) or None for each in asked), marks or None, query.from_at,
        query.until_at, limit,
    )  # fmt: skip
    return [_opened(cipher, row) for row in rows]


async def put_observations(tx: Session, cipher: FieldCipher, observations: Sequence[Observation], now: datetime) -> list[Observation]:
    """Store the observations; those that are new or say something new come back, with their versions."""
    given = {each.id: each for each in observations}
    columns = [list(column) for column in zip(*(_sealed(cipher, each) for each in observations), strict=True)]
    rows = await tx.fetch(Q.put_observations, cipher.organization_id, *columns, now) if columns else []
    return [msgspec.structs.replace(given[row["id"]], version=row["version"], updated_at=now) for row in rows]


async def put_identifiers(tx: Session, cipher: FieldCipher, observations: Sequence[Observation]) -> list[UUID]:
    """By what these are found from now on. The carrier of each identifier that was free comes back."""
    await tx.execute(Q.drop_identifiers, cipher.organization_id, [each.id for each in observations])
    wanted = [(_mark(cipher, identifier), each.id) for each in observations for identifier in dict.fromkeys(each.identifiers)]
    rows = await tx.fetch(Q.claim_identifiers, cipher.organization_id, [mark for mark, _ in wanted], [carrier for _, carrier in wanted])
    return [row["observation_id"] for row in rows]


async def lock_patients(tx: Session, organization_id: UUID, patient_ids: Iterable[UUID]) -> set[UUID]:
    """Let changes about one patient go one after another, until the transaction ends; those who were erased."""
    rows = await tx.fetch(Q.lock_patients, organization_id, list(patient_ids))
    return {row["id"] for row in rows if row["erased_at"] is not None}


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> list[UUID]:
    """Delete what was observed of a patient, and note that nothing may come later; the ids of the observations."""
    await tx.execute(Q.note_erased, organization_id, patient_id, now)
    return [row["id"] for row in await tx.fetch(Q.erase_observations, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's observations to its survivor, and note that none may come later under the old id; which those were."""
    await tx.execute(Q.note_erased, organization_id, prior_id, now)
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id, now)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete what was observed, and came, before `before`, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_observations, organization_id, before, limit)
    return [Gone("Observation", row["id"], row["patient_id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal observations anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("detail",), (Q.observations_to_reseal, Q.reseal_observations), after, limit)


def _opened(cipher: FieldCipher, row: Row) -> Observation:
    detail = _detail(cipher.open_(TABLE, "detail", row["id"], row["detail"]))
    more = {name: getattr(detail, name) for name in Detail.__struct_fields__}
    return Observation(**{name: row[name] for name in OPEN}, version=row["version"], updated_at=row["updated_at"], **more)


def _sealed(cipher: FieldCipher, one: Observation) -> tuple[object, ...]:
    """The observation as it is stored."""
    detail = msgspec.json.encode(detail_of(one))
    open_ = tuple(getattr(one, name) for name in OPEN)
    content = b"\0".join((msgspec.json.encode(open_), detail))
    return (*open_, cipher.seal(TABLE, "detail", one.id, detail), cipher.mark(TABLE, "content_hash", content))


def _mark(cipher: FieldCipher, identifier: Identifier) -> bytes:
    """What an identifier is unique by."""
    return cipher.mark("vitals.identifier", "mark", f"{identifier.system}\0{identifier.value}".encode())
