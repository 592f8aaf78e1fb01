"""The rows of flow, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.encounters import Encounter, SearchEncounters
from carewright.flow.model.encounters import Detail, actors_of, detail_of
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.flow")
TABLE = "flow.encounter"
_detail = msgspec.json.Decoder(Detail).decode


async def encounter_by_id(db: Session, cipher: FieldCipher, encounter_id: UUID) -> Encounter | None:
    row = await db.fetch_one(Q.encounter_by_id, cipher.organization_id, encounter_id)
    return _opened(cipher, row) if row else None


async def encounters_for_change(tx: Session, cipher: FieldCipher, ids: Iterable[UUID]) -> dict[UUID, Encounter]:
    """Those that are known, their rows locked until the transaction ends."""
    rows = await tx.fetch(Q.encounters_for_change, cipher.organization_id, list(ids))
    return {row["id"]: _opened(cipher, row) for row in rows}


async def search_encounters(
    db: Session, cipher: FieldCipher, query: SearchEncounters, site_ids: Iterable[UUID], after: UUID, limit: int
) -> list[Encounter]:
    """At most `limit` behind `after`, in order of ids; at `site_ids`, where there are any."""
    asked = (query.ids, query.patient_ids, query.appointment_ids, tuple(site_ids), query.statuses, query.actor_ids)
    marks = [_mark(cipher, each) for each in query.identifiers]
    rows = await db.fetch(
        Q.search_encounters, cipher.organization_id, after, *(list(each) or None for each in asked), marks or None, query.from_at,
        query.until_at, limit,
    )  # fmt: skip
    return [_opened(cipher, row) for row in rows]


async def put_encounters(tx: Session, cipher: FieldCipher, encounters: Sequence[Encounter], now: datetime) -> list[Encounter]:
    """Store the encounters; those that are new or say something new come back, with their versions."""
    given = {each.id: each for each in encounters}
    columns = [list(column) for column in zip(*(_sealed(cipher, each) for each in encounters), strict=True)]
    rows = await tx.fetch(Q.put_encounters, cipher.organization_id, *columns, now) if columns else []
    return [msgspec.structs.replace(given[row["id"]], version=row["version"], updated_at=now) for row in rows]


async def put_links(tx: Session, cipher: FieldCipher, encounters: Sequence[Encounter]) -> list[UUID]:
    """By what these encounters are found from now on. The carrier of each identifier that was free comes back."""
    if known := [each.id for each in encounters if each.version > 1]:
        await tx.execute(Q.drop_links, cipher.organization_id, known)
    if parts := [(actor_id, each.id) for each in encounters for actor_id in sorted(actors_of(each))]:
        await tx.execute(Q.insert_taking_part, cipher.organization_id, [one for one, _ in parts], [one for _, one in parts])
    wanted = [(_mark(cipher, identifier), each.id) for each in encounters for identifier in dict.fromkeys(each.identifiers)]
    if not wanted:
        return []
    rows = await tx.fetch(Q.claim_identifiers, cipher.organization_id, [mark for mark, _ in wanted], [carrier for _, carrier in wanted])
    return [row["encounter_id"] for row in rows]


def is_emergency_visit(cipher: FieldCipher, row: Row) -> bool:
    """Whether an encounter, of which there are `id` and `detail`, is an emergency (v3-ActCode EMER)."""
    return row["detail"] is not None and _detail(cipher.open_(TABLE, "detail", row["id"], row["detail"])).encounter_class.code == "EMER"


async def erase_encounters(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Clear what was said of a patient's encounters; which those were."""
    return [row["id"] for row in await tx.fetch(Q.erase_encounters, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's encounters to its survivor; which those were."""
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id, now)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete encounters that ended before `before`, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_encounters, organization_id, before, limit)
    return [Gone("Encounter", row["id"], row["patient_id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal encounters anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("detail",), (Q.encounters_to_reseal, Q.reseal_encounters), after, limit)


def _opened(cipher: FieldCipher, row: Row) -> Encounter:
    detail = Detail() if row["detail"] is None else _detail(cipher.open_(TABLE, "detail", row["id"], row["detail"]))
    return Encounter(
        id=row["id"], patient_id=row["patient_id"], status=row["status"], appointment_id=row["appointment_id"], site_id=row["site_id"],
        start=row["starts_at"], end=row["ends_at"], version=row["version"], updated_at=row["updated_at"], **msgspec.structs.asdict(detail),
    )  # fmt: skip


def _sealed(cipher: FieldCipher, one: Encounter) -> tuple[object, ...]:
    """The encounter as it is stored."""
    detail = msgspec.json.encode(detail_of(one))
    open_ = (one.id, one.patient_id, one.status, one.appointment_id, one.site_id, one.start, one.end)
    content = b"\0".join((msgspec.json.encode(open_), detail))
    return (*open_, cipher.seal(TABLE, "detail", one.id, detail), cipher.mark(TABLE, "content", content))


def _mark(cipher: FieldCipher, identifier: Identifier) -> bytes:
    """What an identifier is unique by."""
    return cipher.mark("flow.identifier", "mark", f"{identifier.system}\0{identifier.value}".encode())
