"""Telling one subscription what it is to be told next: a handshake first, then its events in order, else a heartbeat."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.subscriptions import Kind, notification
from carewright.contracts.subscriptions import TOPICS, Noted
from carewright.kernel import audit, telemetry
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.model.signing import signed
from carewright.subscriptions.model.trying import TAKEN, Turn, failed
from carewright.subscriptions.service.showing import resources_of, seen
from carewright.subscriptions.service.subscribing import READS
from carewright.subscriptions.store import Due, Standing

SUCCESS = range(200, 300)
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out: its kind, the events in it, and the number of the last event before its end."""

    kind: Kind
    noted: tuple[Noted, ...]
    reached: int


async def tell(base: SubscriptionsContext, due: Due) -> None:
    """One turn of a subscription whose lease is held. Whatever comes of it is stored; nothing a receiver does is raised."""
    ctx = base.working_in(due.organization_id)
    standing = await store.for_sending(ctx.db, await ctx.cipher(), due.id)
    if standing is None:
        return
    actor = await ctx.access.actor_of_client(ctx.actor, standing.client_id)
    if actor is None or not actor.may(READS[TOPICS[standing.subscription.request.topic].focus]):
        await _finish(ctx, standing, Turn("off", "rights"), None)
    elif (end := standing.subscription.request.end_at) and end <= ctx.clock.now():
        await _finish(ctx, standing, Turn("off", "ended"), None)
    else:
        await _tell(ctx, standing, actor)


async def _tell(ctx: SubscriptionsContext, standing: Standing, actor: Actor) -> None:
    message = await _message(ctx, standing, actor)
    whole = standing.subscription.request.content == "full-resource"
    error = await _sent(ctx, standing, message, await resources_of(ctx, actor, message.noted) if whole else {})
    now = ctx.clock.now()
    if error:
        await _finish(ctx, standing, failed(error, standing.failures, standing.failing_since, now, ctx.settings), None)
        return
    pause = standing.subscription.request.heartbeat_seconds
    await _finish(ctx, standing, replace(TAKEN, due_at=now + timedelta(seconds=pause) if pause else None), message)


async def _message(ctx: SubscriptionsContext, standing: Standing, actor: Actor) -> Message:
    one = standing.subscription
    if not standing.is_confirmed:
        return Message("handshake", (), standing.sent)
    noted = await store.events_after(ctx.db, ctx.actor.organization_id, one.id, standing.sent, one.request.max_count)
    if not noted:
        return Message("heartbeat", (), standing.sent)
    return Message("event-notification", tuple(seen(each, actor) for each in noted), noted[-1].number)


async def _sent(ctx: SubscriptionsContext, standing: Standing, message: Message, resources: dict[UUID, Resource]) -> str | None:
    """Send it; None where it was taken, else why not, in a word of ours."""
    one, now = standing.subscription, ctx.clock.now()
    bundle = notification(one, message.kind, ctx.ids.new(), now, message.reached, message.noted, resources)
    body, id_ = msgspec.json.encode(bundle), f"{one.id}.{message.kind}.{message.reached}"
    pairs = (header.partition(":") for header in standing.target.headers)
    headers = {name: value.strip() for name, _, value in pairs} | {"Content-Type": one.request.media_type}
    headers |= signed(standing.target.secrets(now), id_, int(now.timestamp()), body)
    try:
        answer = await ctx.outgoing.fetch("POST", standing.target.endpoint, content=body, headers=headers)
    except Refusal as refusal:
        return refusal.code
    return None if answer.status_code in SUCCESS else f"status-{answer.status_code}"


async def _finish(ctx: SubscriptionsContext, standing: Standing, turn: Turn, taken: Message | None) -> None:
    """Store how it stands, and in the journal whom it was told of, or that it is off."""
    one, sent = standing.subscription, taken.reached if taken else standing.sent
    async with ctx.db.transaction() as tx:
        if await store.finish_turn(tx, ctx.actor.organization_id, one, turn, sent, ctx.clock.now(), confirmed=taken is not None):
            await audit.record(tx, *_entries(ctx, standing, turn, taken))
    if turn.status == "off":
        log.warning("subscription.off", subscription_id=str(one.id), reason=turn.error)
    ctx.wake()


def _entries(ctx: SubscriptionsContext, standing: Standing, turn: Turn, taken: Message | None) -> list[audit.Entry]:
    itself = audit.Entity(type="Subscription", id=standing.subscription.id)
    organization_id = ctx.actor.organization_id
    if turn.status == "off":
        return [audit.entry_of_system(ctx, organization_id, "subscriptions.subscription.stop", "U", entities=(itself,))]
    shown = taken.noted if taken and standing.subscription.request.content != "empty" else ()
    return [
        audit.entry_of_system(
            ctx, organization_id, "subscriptions.event.tell", "R", patient_id=each.patient_id,
            entities=(itself, audit.Entity(type=each.focus, id=each.focus_id)),
        )
        for each in shown
        if each.focus_id
    ]  # fmt: skip
