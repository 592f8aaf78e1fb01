"""Events that were told, or were to be told, once more: for a receiver that lost some."""

import msgspec

from carewright.contracts.subscriptions import TOPICS, EventsFound, ListEvents
from carewright.kernel import audit
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.service.changing import own
from carewright.subscriptions.service.showing import resources_of, seen
from carewright.subscriptions.service.subscribing import READS, SUBSCRIBE

EVENTS_MAX = 100


async def list_events(ctx: SubscriptionsContext, query: ListEvents) -> EventsFound:
    """The first `EVENTS_MAX` that are kept, as the client may know them now. Raises `UnknownSubscription`, and `Forbidden`."""
    ctx.actor.require(SUBSCRIBE)
    one = (await own(ctx, query.subscription_id)).subscription
    ctx.actor.require(READS[TOPICS[one.request.topic].focus])
    content = query.content or one.request.content
    kept = await store.events_between(ctx.db, ctx.actor.organization_id, one.id, query.since, query.until, EVENTS_MAX)
    noted = tuple(seen(each, ctx.actor) for each in kept)
    resources = await resources_of(ctx, ctx.actor, noted) if content == "full-resource" else {}
    shown = [(each.patient_id, audit.Entity(type=each.focus, id=each.focus_id)) for each in noted if each.focus_id]
    told = [(patient, about) for patient, about in shown if patient] if content != "empty" else []
    async with ctx.db.transaction() as tx:
        await audit.record(tx, *audit.entries_about(ctx, "subscriptions.event.list", told))
    asked = msgspec.structs.replace(one, request=msgspec.structs.replace(one.request, content=content))
    return EventsFound(subscription=asked, noted=noted, resources=resources)
