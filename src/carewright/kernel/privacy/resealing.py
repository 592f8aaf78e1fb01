"""One batch of a rotation: rows that an older key sealed are sealed anew."""

from collections.abc import Sequence
from uuid import UUID

from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import Query


async def reseal_rows(
    tx: Session, cipher: FieldCipher, table: str, columns: Sequence[str], queries: tuple[Query, Query], after: UUID, limit: int
) -> list[UUID]:
    """Seal the `columns` of at most `limit` rows with ids behind `after` anew; returns their ids in order.

    The first of `queries` finds and locks them: $1 organization, $2 `after`, $3 what the newest key's fields begin with, $4 `limit`. The
    second stores them: $1 organization, $2 ids, then an array for each column. What is NULL stays so.
    """
    find, save = queries
    rows = await tx.fetch(find, cipher.organization_id, after, cipher.header, limit)
    ids = [row["id"] for row in rows]
    anew = ([None if row[name] is None else cipher.reseal(table, name, row["id"], row[name]) for row in rows] for name in columns)
    await tx.execute(save, cipher.organization_id, ids, *anew)
    return ids
