"""The rows of orders, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.orders import SearchRequests, ServiceRequest
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load
from carewright.orders.model import Detail, detail_of, identifiers_of, parties_of

Q = load("carewright.orders")
TABLE = "orders.request"
IDENTIFIER = "orders.identifier"
_detail = msgspec.json.Decoder(Detail).decode


async def request_by_id(db: Session, cipher: FieldCipher, request_id: UUID) -> ServiceRequest | None:
    row = await db.fetch_one(Q.request_by_id, cipher.organization_id, request_id)
    return _opened(cipher, row) if row else None


async def search_requests(db: Session, cipher: FieldCipher, query: SearchRequests, after: UUID, limit: int) -> list[ServiceRequest]:
    """At most `limit` behind `after`, in order of ids."""
    asked = (query.ids, query.patient_ids, query.party_ids, query.statuses)
    marks = [_mark(cipher, each) for each in query.identifiers]
    numbers = [_number_hash(cipher, each) for each in query.numbers]
    rows = await db.fetch(
        Q.search_requests, cipher.organization_id, after, *(list(each) or None for each in asked), marks or None, numbers or None,
        query.authored_from, query.authored_until, limit,
    )  # fmt: skip
    return [_opened(cipher, row) for row in rows]


async def put_request(tx: Session, cipher: FieldCipher, one: ServiceRequest) -> None:
    """Store a new order, or what an order says now."""
    detail = cipher.seal(TABLE, "detail", one.id, msgspec.json.encode(detail_of(one)))
    await tx.execute(
        Q.put_request, cipher.organization_id, one.id, one.patient_id, one.status, one.intent, one.priority, one.authored_at,
        one.occurs_from, one.occurs_until, parties_of(one), detail, one.version, one.updated_at,
    )  # fmt: skip


async def put_identifiers(tx: Session, cipher: FieldCipher, one: ServiceRequest) -> bool:
    """By what the order is found from now on; False where another order carries one of them."""
    named = identifiers_of(one)
    await tx.execute(Q.drop_identifiers, cipher.organization_id, one.id)
    marks, numbers = [_mark(cipher, each) for each in named], [_number_hash(cipher, each.value) for each in named]
    return len(await tx.fetch(Q.claim_identifiers, cipher.organization_id, one.id, marks, numbers)) == len(named)


async def lock_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> bool:
    """Let changes about one patient go one after another, until the transaction ends. False for who was erased."""
    row = await tx.fetch_one(Q.lock_patient, organization_id, patient_id)
    return row is not None and row["erased_at"] is None


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> list[UUID]:
    """Delete a patient's orders, and note that nothing may come later; the ids of the orders."""
    await tx.execute(Q.note_erased, organization_id, patient_id, now)
    return [row["id"] for row in await tx.fetch(Q.erase_requests, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's orders to its survivor, and note that none may come later under the old id; which those were."""
    await tx.execute(Q.note_erased, organization_id, prior_id, now)
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id, now)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete orders that were over before `before`, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_requests, organization_id, before, limit)
    return [Gone("ServiceRequest", row["id"], row["patient_id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal orders anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("detail",), (Q.requests_to_reseal, Q.reseal_requests), after, limit)


def _opened(cipher: FieldCipher, row: Row) -> ServiceRequest:
    detail = _detail(cipher.open_(TABLE, "detail", row["id"], row["detail"]))
    return ServiceRequest(
        id=row["id"], patient_id=row["patient_id"], status=row["status"], intent=row["intent"], priority=row["priority"],
        authored_at=row["authored_at"], occurs_from=row["occurs_from"], occurs_until=row["occurs_until"], version=row["version"],
        updated_at=row["updated_at"], **msgspec.structs.asdict(detail),
    )  # fmt: skip


def _mark(cipher: FieldCipher, identifier: Identifier) -> bytes:
    """What an identifier is unique by."""
    return cipher.mark(IDENTIFIER, "mark", f"{identifier.system}\0{identifier.value}".encode())


def _number_hash(cipher: FieldCipher, value: str) -> bytes:
    return cipher.mark(IDENTIFIER, "number_hash", value.encode())
