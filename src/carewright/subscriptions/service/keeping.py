"""The keys of subscriptions."""

from uuid import UUID

from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext


async def reseal_subscriptions(ctx: SubscriptionsContext, after: UUID, limit: int) -> list[UUID]:
    """Seal targets anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await store.reseal(tx, cipher, after, limit)
