"""Making, seeing and ending subscriptions: each client its own."""

from uuid import UUID

from carewright.contracts.subscriptions import (
    TOPICS,
    NotAClient,
    Subscribe,
    Subscribed,
    Subscription,
    TooManySubscriptions,
    UnknownSubscription,
    UnknownTopic,
)
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.idempotency import once, remember
from carewright.kernel.rng import new_secret
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.model.signing import SECRET_BYTES, secret_text

SUBSCRIBE = "subscriptions.subscribe"
SUBSCRIPTIONS_MAX = 20
READS = {"Appointment": "scheduling.appointment.read", "Patient": "patients.read"}
"""What a client must be able to read to be told of it, whatever the payload."""
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "webhook-id", "webhook-timestamp",
                  "webhook-signature"})  # fmt: skip


async def subscribe(ctx: SubscriptionsContext, command: Subscribe) -> Subscribed:
    """Begin: the receiver is asked for its consent (a handshake), and told from then on.

    Raises `UnknownTopic`, `NotAClient`, `Forbidden` for what the client cannot read, `AddressRefused`, and `TooManySubscriptions`.
    """
    ctx.actor.require(SUBSCRIBE)
    ensure_request(ctx, command)
    client_id, cipher = client_of(ctx), await ctx.cipher()

    async def work() -> Subscribed:
        made = Subscription(id=ctx.ids.new(), status="requested", request=command, updated_at=ctx.clock.now())
        secret = new_secret(SECRET_BYTES)
        async with ctx.db.transaction() as tx:
            if not await store.insert_subscription(tx, cipher, made, client_id, secret, SUBSCRIPTIONS_MAX):
                raise TooManySubscriptions(limit=SUBSCRIPTIONS_MAX)
            await audit.record(tx, entry_of(ctx, "subscriptions.subscription.create", "C", made.id))
            answer = Subscribed(subscription=made, secret=secret_text(secret))
            await remember(ctx, tx, answer)
        ctx.wake()
        return answer

    return await once(ctx, Subscribed, work)


async def list_subscriptions(ctx: SubscriptionsContext) -> tuple[Subscription, ...]:
    """The client's own, oldest first."""
    ctx.actor.require(SUBSCRIBE)
    return tuple(await store.subscriptions_of(ctx.db, await ctx.cipher(), client_of(ctx)))


async def end_subscription(ctx: SubscriptionsContext, subscription_id: UUID) -> None:
    """Tell no more, and forget what was still to be told. Raises `UnknownSubscription`."""
    ctx.actor.require(SUBSCRIBE)
    async with ctx.db.transaction() as tx:
        if not await store.delete_subscription(tx, ctx.actor.organization_id, subscription_id, client_of(ctx)):
            raise UnknownSubscription
        await audit.record(tx, entry_of(ctx, "subscriptions.subscription.delete", "D", subscription_id))


def client_of(ctx: SubscriptionsContext) -> UUID:
    """The id of the client that asks: its account's subject names it."""
    if ctx.actor.role != "integration":
        raise NotAClient
    try:
        return UUID(ctx.actor.subject.removeprefix("client/"))
    except ValueError:
        raise NotAClient from None


def ensure_request(ctx: SubscriptionsContext, command: Subscribe) -> None:
    """Raise what is in the way of telling it: `UnknownTopic`, `Forbidden`, `AddressRefused`, `BadInput`."""
    _ensure_topic(command)
    ctx.actor.require(READS[TOPICS[command.topic].focus])
    _ensure_target(ctx, command)


def _ensure_topic(command: Subscribe) -> None:
    known = TOPICS.get(command.topic)
    if known is None or any(each.name not in known.filters or not each.values for each in command.filters):
        raise UnknownTopic


def _ensure_target(ctx: SubscriptionsContext, command: Subscribe) -> None:
    """An address that has the form of those we send to, headers that are not ours, and an end that lies ahead."""
    ctx.outgoing.ensure_asked(command.endpoint)
    if any(header.partition(":")[0].lower() in OURS for header in command.headers):
        raise BadInput("One of these headers is ours to send.", parameter="headers")
    if command.end_at and command.end_at <= ctx.clock.now():
        raise BadInput("A subscription ends in the future.", parameter="end_at")


def entry_of(ctx: SubscriptionsContext, event: str, action: audit.Action, subscription_id: UUID) -> audit.Entry:
    return audit.entry(ctx, event, action, entities=(audit.Entity(type="Subscription", id=subscription_id),))
