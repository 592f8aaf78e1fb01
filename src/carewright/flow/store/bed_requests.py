"""The rows of who waits for a bed, to values and back: what precautions are needed is sealed. One function runs one named query."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.rooms import BedRequest, ListBedRequests, Precaution
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.flow")
TABLE = "flow.bed_request"
_needed = msgspec.json.Decoder(tuple[Precaution, ...]).decode


async def requests_at(db: Session, cipher: FieldCipher, query: ListBedRequests) -> list[BedRequest]:
    """Those that are open at a site, in the order in which they are to have a bed."""
    asked = (query.site_id, list(query.ids) or None, query.encounter_id, query.limit)
    return [_opened(cipher, row) for row in await db.fetch(Q.bed_requests_at, cipher.organization_id, *asked)]


async def count_requests(db: Session, organization_id: UUID, site_id: UUID) -> int:
    """How many wait for a bed at a site."""
    (row,) = await db.fetch(Q.count_bed_requests, organization_id, site_id)
    return int(row["count"])


async def request_for_change(tx: Session, cipher: FieldCipher, request_id: UUID) -> BedRequest | None:
    """The request, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.bed_request_for_change, cipher.organization_id, request_id)
    return _opened(cipher, row) if row else None


async def open_requests_of(tx: Session, cipher: FieldCipher, encounter_ids: Iterable[UUID]) -> list[BedRequest]:
    """What these visits wait for, the rows locked until the transaction ends. The caller holds the encounters' rows."""
    rows = await tx.fetch(Q.open_bed_requests_of, cipher.organization_id, list(encounter_ids))
    return [_opened(cipher, row) for row in rows]


async def put_request(tx: Session, cipher: FieldCipher, request: BedRequest) -> None:
    """Keep it as it is from now on. The caller holds its row, or its encounter's where it is new."""
    sealed = cipher.seal(TABLE, "needed", request.id, msgspec.json.encode(request.precautions))
    await tx.execute(
        Q.put_bed_request, cipher.organization_id, request.id, request.encounter_id, request.site_id, request.urgency, request.room_type,
        list(request.devices), sealed, request.asked_at, request.asked_by, request.ended_at, request.ended, request.version,
    )  # fmt: skip


async def drop_requests(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Which were dropped of a patient."""
    return [row["id"] for row in await tx.fetch(Q.drop_bed_requests, organization_id, patient_id)]


async def forget_requests(db: Session, before: datetime, limit: int) -> int:
    """Drop what ended before, of every organization; how many."""
    return len(await db.fetch(Q.forget_bed_requests, before, limit))


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal anew what an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("needed",), (Q.bed_requests_to_reseal, Q.reseal_bed_requests), after, limit)


def _opened(cipher: FieldCipher, row: Row) -> BedRequest:
    said = {name: row[name] for name in BedRequest.__struct_fields__ if name != "precautions"}
    needed = _needed(cipher.open_(TABLE, "needed", row["id"], row["needed"]))
    return BedRequest(**said | {"devices": tuple(row["devices"]), "precautions": needed})
