"""The keys that sign id tokens."""

from datetime import datetime
from uuid import UUID

from carewright.access.model.id_tokens import IdKey
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.access")
ID_KEY = "access.id_key"
"""What sealed private keys are bound to."""


async def signing_id_key(tx: Session, cipher: FieldCipher, now: datetime) -> IdKey | None:
    """The newest key that signs now."""
    row = await tx.fetch_one(Q.signing_id_key, cipher.organization_id, now)
    if row is None:
        return None
    private = cipher.open_(ID_KEY, "private_key", row["id"], row["private_key"])
    return IdKey(id=row["id"], private=private, public=row["public_key"], signs_until=row["signs_until"])


async def insert_id_key(tx: Session, cipher: FieldCipher, made: IdKey) -> None:
    private = cipher.seal(ID_KEY, "private_key", made.id, made.private)
    await tx.execute(Q.insert_id_key, cipher.organization_id, made.id, private, made.public, made.signs_until)


async def published_id_keys(db: Session, limit: int) -> list[bytes]:
    """The public part of every key, of whatever tenant, the newest first."""
    return [row["public_key"] for row in await db.fetch(Q.published_id_keys, limit)]


async def reseal_id_keys(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal private keys anew that an older key sealed, at most `limit` with ids behind `after`; their ids in order."""
    return await reseal_rows(tx, cipher, ID_KEY, ("private_key",), (Q.id_keys_to_reseal, Q.reseal_id_keys), after, limit)
