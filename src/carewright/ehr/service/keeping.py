"""Their keys: one batch of a rotation."""

from uuid import UUID

from carewright.ehr import store
from carewright.ehr.context import EhrContext


async def reseal_connections(ctx: EhrContext, after: UUID, limit: int) -> list[UUID]:
    """Seal our keys at EHRs anew that an older key sealed, at most `limit` with ids behind `after`."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal_connections(tx, cipher, after, limit)


async def reseal_links(ctx: EhrContext, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_connections`, the ids of theirs."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal_links(tx, cipher, after, limit)
