"""How long messages are kept, and their keys."""

from datetime import datetime
from uuid import UUID

from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.kernel.keeping import note_disposed


async def dispose_messages(ctx: Hl7Context, before: datetime, limit: int) -> int:
    """End the messages of one organization that are past their time and were decided about; one batch."""
    async with ctx.db.transaction() as tx:
        return await note_disposed(ctx, tx, "hl7.message.dispose", await store.dispose(tx, ctx.actor.organization_id, before, limit))


async def reseal_messages(ctx: Hl7Context, after: UUID, limit: int) -> list[UUID]:
    """Seal messages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal(tx, cipher, after, limit)
