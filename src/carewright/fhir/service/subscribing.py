"""Subscriptions of the client that asks."""

from typing import Any, cast, get_args

from carewright.contracts.fhir import subscriptions
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, UnknownId
from carewright.contracts.subscriptions import ChangeSubscription, Content, ListEvents, Subscription
from carewright.fhir.context import FhirContext
from carewright.fhir.model.bundles import searchset
from carewright.fhir.model.parameters import Parameters
from carewright.fhir.model.pointing import uuid_or_none
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.subscribing import read_subscription
from carewright.fhir.model.writes import Sent, Written

NUMBER_MAX = 2**63 - 1


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


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """Another request from now on; the secret stays. A status that was read is no wish: whatever is put is on again."""
    one = await find(ctx, id_)
    asked = read_subscription(sent.resource | {"status": "requested"}, sent.base)
    command = ChangeSubscription(subscription_id=one.id, request=asked, expected_version=sent.version)
    return Written(resource=subscriptions.subscription(await ctx.subscriptions.change_subscription(ctx.actor, command, sent.key)))


async def rotate(ctx: FhirContext, id_: str, key: str | None) -> Resource:
    """`$rotate-secret`, an operation of ours: the answer alone tells the new secret."""
    made = await ctx.subscriptions.rotate_secret(ctx.actor, (await find(ctx, id_)).id, key)
    return subscriptions.subscription(made.subscription, made.secret)


async def events(ctx: FhirContext, id_: str, given: Parameters) -> Resource:
    """`$events` (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-events.html)."""
    query = ListEvents(
        subscription_id=(await find(ctx, id_)).id, since=_number(given, "eventsSinceNumber", 0),
        until=_number(given, "eventsUntilNumber", NUMBER_MAX), content=_content(given),
    )  # fmt: skip
    found = await ctx.subscriptions.list_events(ctx.actor, query)
    one, now = found.subscription, ctx.clock.now()
    return subscriptions.notification(one, "query-event", ctx.ids.new(), now, one.events, found.noted, found.resources)


def _number(given: Parameters, name: str, default: int) -> int:
    """A number of an event, written as a string since R4 has no integer64. Raises `InvalidElement`."""
    text = given.text(name, 19)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) <= NUMBER_MAX):
        raise InvalidElement("The number of an event belongs here.", expression=name)
    return int(text)


def _content(given: Parameters) -> Content | None:
    text = given.text("content", 20)
    if text is None or text in get_args(Content):
        return cast("Content | None", text)
    raise InvalidElement("Say empty, id-only or full-resource.", expression="content")


async def end(ctx: FhirContext, id_: str) -> Resource:
    """As it was before it ended."""
    one = await find(ctx, id_)
    await ctx.subscriptions.end_subscription(ctx.actor, one.id)
    return subscriptions.subscription(one)


async def status(ctx: FhirContext, id_: str, base: str) -> Resource:
    """`$status`: how a subscription stands (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html)."""
    one = await find(ctx, id_)
    return searchset(base, [subscriptions.status(one, "query-status", one.events)], 1, f"{base}/Subscription/{id_}/$status")
