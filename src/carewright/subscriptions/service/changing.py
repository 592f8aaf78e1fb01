"""Changing a subscription of one's own, and exchanging the secret that signs."""

from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.subscriptions import ChangeSubscription, Subscribed, Subscription, UnknownSubscription
from carewright.kernel import audit
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once, remember
from carewright.kernel.rng import new_secret
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.model.signing import SECRET_BYTES, secret_text
from carewright.subscriptions.service.subscribing import SUBSCRIBE, client_of, ensure_request, entry_of
from carewright.subscriptions.store import Standing


async def change_subscription(ctx: SubscriptionsContext, command: ChangeSubscription) -> Subscription:
    """Begin anew with another request: the receiver is asked for its consent again, and is told whatever it was not told yet.

    One that was off is on again. Numbers go on. Raises what `subscribe` does, `UnknownSubscription` and `PreconditionFailed`.
    """
    ctx.actor.require(SUBSCRIBE)
    ensure_request(ctx, command.request)
    cipher = await ctx.cipher()

    async def work() -> Subscription:
        standing = await own(ctx, command.subscription_id)
        if command.expected_version not in (None, standing.subscription.version):
            raise PreconditionFailed
        now = ctx.clock.now()
        async with ctx.db.transaction() as tx:
            if not await store.change_subscription(tx, cipher, standing, command.request, now):
                raise PreconditionFailed
            await audit.record(tx, entry_of(ctx, "subscriptions.subscription.change", "U", command.subscription_id))
            changed = msgspec.structs.replace(
                standing.subscription, status="requested", request=msgspec.structs.replace(command.request, headers=()), error=None,
                version=standing.subscription.version + 1, updated_at=now,
            )  # fmt: skip
            await remember(ctx, tx, changed)
        ctx.wake()
        return changed

    return await once(ctx, Subscription, work)


async def rotate_secret(ctx: SubscriptionsContext, subscription_id: UUID) -> Subscribed:
    """A new secret, told this once. It signs at once, and the former one beside it for as long as the settings say.

    Raises `UnknownSubscription`, `PreconditionFailed`.
    """
    ctx.actor.require(SUBSCRIBE)
    cipher = await ctx.cipher()

    async def work() -> Subscribed:
        standing, secret = await own(ctx, subscription_id), new_secret(SECRET_BYTES)
        until = ctx.clock.now() + timedelta(hours=ctx.settings.former_secret_hours)
        target = msgspec.structs.replace(standing.target, secret=secret, former=standing.target.secret, former_until=until)
        answer = Subscribed(subscription=standing.subscription, secret=secret_text(secret))
        async with ctx.db.transaction() as tx:
            if not await store.put_target(tx, cipher, standing, target):
                raise PreconditionFailed
            await audit.record(tx, entry_of(ctx, "subscriptions.secret.rotate", "U", subscription_id))
            await remember(ctx, tx, answer)
        return answer

    return await once(ctx, Subscribed, work)


async def own(ctx: SubscriptionsContext, subscription_id: UUID) -> Standing:
    """A subscription of the client that asks. Raises `UnknownSubscription`: what is another client's does not exist."""
    standing = await store.for_sending(ctx.db, await ctx.cipher(), subscription_id)
    if standing is None or standing.client_id != client_of(ctx):
        raise UnknownSubscription
    return standing
