"""How long messages are kept, and their keys."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.kernel.db import Session
from carewright.kernel.keeping import note_disposed
from carewright.kernel.privacy.cipher import FieldCipher


async def dispose_messages(ctx: Hl7Context, before: datetime, limit: int) -> int:
    """End the messages of one organization that are past their time and were decided about; one batch."""
    async with ctx.db.transaction() as tx:
        return await note_disposed(ctx, tx, "hl7.message.dispose", await store.dispose(tx, ctx.actor.organization_id, before, limit))


async def dispose_outgoing(ctx: Hl7Context, before: datetime, limit: int) -> int:
    """As `dispose_messages`, of what partners were told."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_outgoing(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "hl7.message.dispose", gone)


async def reseal_messages(ctx: Hl7Context, after: UUID, limit: int) -> list[UUID]:
    """Seal messages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
    return await _resealed(ctx, store.reseal, after, limit)


async def reseal_outgoing(ctx: Hl7Context, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_messages`, of what partners were told."""
    return await _resealed(ctx, store.reseal_outgoing, after, limit)


async def reseal_links(ctx: Hl7Context, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_messages`, of senders' own ids."""
    return await _resealed(ctx, store.reseal_links, after, limit)


async def _resealed(
    ctx: Hl7Context, reseal: Callable[[Session, FieldCipher, UUID, int], Awaitable[list[UUID]]], after: UUID, limit: int
) -> list[UUID]:
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await reseal(tx, cipher, after, limit)
