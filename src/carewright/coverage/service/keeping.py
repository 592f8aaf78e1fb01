"""How long coverages and answers are kept, and their keys."""

from datetime import datetime
from uuid import UUID

from carewright.coverage import store
from carewright.kernel.context import Context
from carewright.kernel.keeping import note_disposed


async def dispose_coverages(ctx: Context, before: datetime, limit: int) -> int:
    """End the coverages of one organization that ended long enough ago; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_coverages(tx, ctx.actor.organization_id, before.date(), limit)
        return await note_disposed(ctx, tx, "coverage.coverage.dispose", gone)


async def reseal_coverages(ctx: Context, after: UUID, limit: int) -> list[UUID]:
    """Seal coverages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal_coverages(tx, cipher, after, limit)


async def dispose_eligibilities(ctx: Context, before: datetime, limit: int) -> int:
    """End what was asked, and visits that began, long enough ago; one batch of each."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_eligibilities(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "coverage.eligibility.dispose", gone)


async def reseal_eligibilities(ctx: Context, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_coverages`, of what payers were asked."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal_eligibilities(tx, cipher, after, limit)
