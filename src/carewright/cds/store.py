"""The rows of services that are asked, to values and back: our keys there are sealed. One function runs one named query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.cds import AskedService
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.cds")
TABLE, COLUMN = "cds.service", "key"


@dataclass(frozen=True, slots=True)
class Keyed:
    """A service with our private key there, as a JWK."""

    service: AskedService
    key: Mapping[str, Any]


async def insert_service(tx: Session, cipher: FieldCipher, made: AskedService, private: bytes, most: int) -> bool:
    """False where there is one of this name, or there are `most` already."""
    row = await tx.fetch_one(
        Q.insert_service, cipher.organization_id, made.id, made.name, made.address, list(made.site_ids), list(made.prefetch),
        cipher.seal(TABLE, COLUMN, made.id, private), msgspec.json.encode(made.public_key), made.added_at, most,
    )  # fmt: skip
    return row is not None


async def services(db: Session, organization_id: UUID) -> tuple[AskedService, ...]:
    return tuple(_service(row) for row in await db.fetch(Q.services, organization_id))


async def services_to_ask(db: Session, cipher: FieldCipher, site_id: UUID) -> list[Keyed]:
    return [_keyed(cipher, row) for row in await db.fetch(Q.services_to_ask, cipher.organization_id, site_id)]


async def service_by_id(db: Session, cipher: FieldCipher, service_id: UUID) -> Keyed | None:
    row = await db.fetch_one(Q.service_by_id, cipher.organization_id, service_id)
    return _keyed(cipher, row) if row else None


async def published_key(db: Session, service_id: UUID) -> dict[str, Any] | None:
    row = await db.fetch_one(Q.published_key, service_id)
    return msgspec.json.decode(row["public_key"]) if row else None


async def delete_service(tx: Session, organization_id: UUID, name: str) -> UUID | None:
    """Its id; None where there was none."""
    row = await tx.fetch_one(Q.delete_service, organization_id, name)
    return row["id"] if row else None


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal keys anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, (COLUMN,), (Q.services_to_reseal, Q.reseal_services), after, limit)


def _keyed(cipher: FieldCipher, row: Row) -> Keyed:
    return Keyed(_service(row), msgspec.json.decode(cipher.open_(TABLE, COLUMN, row["id"], row["key"])))


def _service(row: Row) -> AskedService:
    return AskedService(
        id=row["id"], name=row["name"], address=row["address"], site_ids=tuple(row["site_ids"]), prefetch=tuple(row["prefetch"]),
        public_key=msgspec.json.decode(row["public_key"]), added_at=row["added_at"],
    )  # fmt: skip
