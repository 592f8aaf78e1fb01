"""What a module says of what it seals: a batch of a rotation in a transaction of its own."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher

Batch = Callable[[Session, FieldCipher, UUID, int], Awaitable[list[UUID]]]
"""Seals at most so many rows with ids behind one anew; returns their ids in order."""


def in_transaction(batch: Batch) -> Callable[[Context, UUID, int], Awaitable[list[UUID]]]:
    """The batch under the keys of the context's organization."""

    async def reseal(ctx: Context, after: UUID, limit: int) -> list[UUID]:
        cipher = await ctx.cipher()
        async with ctx.db.transaction() as tx:
            return await batch(tx, cipher, after, limit)

    return reseal
