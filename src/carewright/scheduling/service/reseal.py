"""Sealing anew what people wrote about appointments and blocks, batch by batch, when a key was rotated."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.modules import Reseal
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.scheduling import store

Batch = Callable[[Session, FieldCipher, UUID, int], Awaitable[list[UUID]]]


def _in_transaction(batch: Batch) -> Reseal:
    async def reseal(ctx: Context, after: UUID, limit: int) -> list[UUID]:
        cipher = await ctx.cipher()
        async with ctx.db.transaction() as tx:
            return await batch(tx, cipher, after, limit)

    return reseal


SEALED: dict[str, Reseal] = {
    "scheduling.appointment": _in_transaction(store.reseal_appointments),
    "scheduling.appointment_history": _in_transaction(store.reseal_history),
    "scheduling.block": _in_transaction(store.reseal_blocks),
}
"""Live appointments before those that are over: what moves into history meanwhile is met there."""
