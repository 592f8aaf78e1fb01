"""How long coverages and answers are kept, and their keys."""

from datetime import datetime

from carewright.coverage import store
from carewright.kernel.context import Context
from carewright.kernel.keeping import note_disposed
from carewright.kernel.resealing import in_transaction


async def dispose_coverages(ctx: Context, before: datetime, limit: int) -> int:
    """End the coverages of one organization that ended long enough ago; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_coverages(tx, ctx.actor.organization_id, before.date(), limit)
        return await note_disposed(ctx, tx, "coverage.coverage.dispose", gone)


reseal_coverages = in_transaction(store.reseal_coverages)
"""Seal coverages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


async def dispose_eligibilities(ctx: Context, before: datetime, limit: int) -> int:
    """End what was asked, and visits that began, long enough ago; one batch of each."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_eligibilities(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "coverage.eligibility.dispose", gone)


reseal_eligibilities = in_transaction(store.reseal_eligibilities)
"""As `reseal_coverages`, of what payers were asked."""
reseal_authorisations = in_transaction(store.reseal_authorisations)
"""As `reseal_coverages`, of what payers authorised."""
