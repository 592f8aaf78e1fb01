"""How long messages are kept, and their keys."""

from datetime import datetime

from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.kernel.keeping import note_disposed
from carewright.kernel.resealing import in_transaction


async def dispose_messages(ctx: Hl7Context, before: datetime, limit: int) -> int:
    """End the messages of one organization that are past their time and were decided about; one batch."""
    async with ctx.db.transaction() as tx:
        return await note_disposed(ctx, tx, "hl7.message.dispose", await store.dispose(tx, ctx.actor.organization_id, before, limit))


async def dispose_outgoing(ctx: Hl7Context, before: datetime, limit: int) -> int:
    """As `dispose_messages`, of what partners were told."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_outgoing(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "hl7.message.dispose", gone)


reseal_messages = in_transaction(store.reseal)
"""Seal messages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


reseal_outgoing = in_transaction(store.reseal_outgoing)
"""As `reseal_messages`, of what partners were told."""


reseal_partners = in_transaction(store.reseal_partners)
"""As `reseal_messages`, of what partners are shown."""


reseal_links = in_transaction(store.reseal_links)
"""As `reseal_messages`, of senders' own ids."""
