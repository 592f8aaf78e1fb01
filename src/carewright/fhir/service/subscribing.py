"""Subscriptions of the client that asks."""

from typing import Any

from carewright.contracts.fhir import subscriptions
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import UnknownId
from carewright.contracts.subscriptions import Subscription
from carewright.fhir.context import FhirContext
from carewright.fhir.model.bundles import searchset
from carewright.fhir.model.pointing import uuid_or_none
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.subscribing import read_subscription
from carewright.fhir.model.writes import Sent, Written


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """The client's own: those named, or all."""
    own = await ctx.subscriptions.list_subscriptions(ctx.actor)
    return [subscriptions.subscription(one) for one in own if bounds.ids is None or str(one.id) in bounds.ids]


async def find(ctx: FhirContext, id_: str) -> Subscription:
    """Raises `UnknownId`: what is another client's does not exist."""
    for one in await ctx.subscriptions.list_subscriptions(ctx.actor):
        if one.id == uuid_or_none(id_):
            return one
    raise UnknownId


async def read(ctx: FhirContext, id_: str) -> Resource:
    return subscriptions.subscription(await find(ctx, id_))


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new one. The answer alone tells the secret that signs."""
    made = await ctx.subscriptions.subscribe(ctx.actor, read_subscription(sent.resource, sent.base), sent.key)
    return Written(resource=subscriptions.subscription(made.subscription, made.secret), is_new=True)


async def end(ctx: FhirContext, id_: str) -> Resource:
    """As it was before it ended."""
    one = await find(ctx, id_)
    await ctx.subscriptions.end_subscription(ctx.actor, one.id)
    return subscriptions.subscription(one)


async def status(ctx: FhirContext, id_: str, base: str) -> Resource:
    """`$status`: how a subscription stands (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html)."""
    one = await find(ctx, id_)
    return searchset(base, [subscriptions.status(one, "query-status", one.events)], 1, f"{base}/Subscription/{id_}/$status")
