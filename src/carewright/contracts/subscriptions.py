"""Standing requests of other systems: tell me when this changes (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1).

A subscription belongs to the client that made it, and is nobody else's to see. What a receiver is told is decided when it is told, by the
rights that the client has then.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant, ShortText, Version

SubscriptionStatus = Literal["requested", "active", "error", "off"]
Content = Literal["empty", "id-only", "full-resource"]
Change = Literal["create", "update", "delete"]
Focus = Literal["Appointment", "Patient"]
Header = Annotated[str, Meta(max_length=2000, pattern=r"^[A-Za-z0-9-]+: ?[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]
TOPIC = "http://carewright.org/fhir/SubscriptionTopic"
"""Canonicals are names: nothing is asked there."""


class Topic(NamedTuple):
    """What a topic is about, which changes it tells, and by what it may be narrowed."""

    focus: Focus
    changes: frozenset[Change]
    filters: frozenset[str]


_OF_APPOINTMENTS = frozenset({"patient", "location", "practitioner", "status"})
TOPICS: Mapping[str, Topic] = {
    f"{TOPIC}/appointment-change": Topic("Appointment", frozenset({"create", "update", "delete"}), _OF_APPOINTMENTS),
    f"{TOPIC}/appointment-create": Topic("Appointment", frozenset({"create"}), _OF_APPOINTMENTS),
    f"{TOPIC}/appointment-update": Topic("Appointment", frozenset({"update"}), _OF_APPOINTMENTS),
    f"{TOPIC}/appointment-cancel": Topic("Appointment", frozenset({"delete"}), _OF_APPOINTMENTS),
    f"{TOPIC}/patient-change": Topic("Patient", frozenset({"create", "update"}), frozenset({"patient"})),
}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One of `values` must be met. Values are ids, or statuses."""

    name: str
    values: tuple[str, ...]


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell `endpoint` of what `topic` names, in the words of `base`, our address. `headers` are sent with each notification.

    `max_count` events are in one notification at most. Without events for `heartbeat_seconds`, one is sent that has none.
    """

    topic: str
    filters: Annotated[tuple[Filter, ...], Meta(max_length=10)] = ()
    endpoint: Annotated[str, Meta(max_length=2048)]
    headers: Annotated[tuple[Header, ...], Meta(max_length=10)] = ()
    content: Content = "empty"
    media_type: Literal["application/fhir+json", "application/json"] = "application/fhir+json"
    heartbeat_seconds: Annotated[int, Meta(ge=10, le=86_400)] | None = None
    max_count: Annotated[int, Meta(ge=1, le=100)] = 20
    end_at: Instant | None = None
    reason: ShortText
    base: Annotated[str, Meta(max_length=500)]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is a code that says why it is in error, or off. `events` counts what was told or is to be told since it began."""

    id: UUID
    status: SubscriptionStatus
    request: Subscribe
    error: str | None = None
    events: int = 0
    version: int = 1
    updated_at: Instant


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a subscription. Without `focus_id` nothing is left to tell but that there was one."""

    number: int
    occurred_at: Instant
    change: Change
    focus: Focus
    focus_id: UUID | None = None
    patient_id: UUID | None = None
    site_id: UUID | None = None


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` signs notifications as Standard Webhooks have it. It is told this once.

    One that takes over from another signs beside it for a day.
    """

    subscription: Subscription
    secret: str


class ChangeSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for from now on, whole: headers that are not said again are sent no more."""

    subscription_id: UUID
    request: Subscribe
    expected_version: Version | None = None


class ListEvents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events of a subscription from `since` through `until`, both included, as far as they are kept. `content` says how much is told."""

    subscription_id: UUID
    since: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    until: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 2**63 - 1
    content: Content | None = None


class EventsFound(msgspec.Struct, frozen=True, kw_only=True):
    """The earliest of them, with what changed as it is now, by id. The subscription's content is that which was asked for."""

    subscription: Subscription
    noted: tuple[Noted, ...]
    resources: dict[UUID, dict[str, Any]] = {}


class UnknownSubscription(Refusal):
    code = "subscriptions.unknown_subscription"
    status = 404
    issue = "not-found"
    title = "We do not know this subscription."


class UnknownTopic(Refusal):
    code = "subscriptions.unknown_topic"
    status = 422
    issue = "not-supported"
    title = "We tell of no such topic, or not narrowed like this. GET /fhir/R4/metadata names the topics."


class TooManySubscriptions(Refusal):
    code = "subscriptions.too_many"
    status = 422
    issue = "too-costly"
    title = "You have as many subscriptions as one system may have. End one first."


class NotAClient(Refusal):
    code = "subscriptions.not_a_client"
    status = 403
    issue = "forbidden"
    title = "Only a system that was registered as a client may subscribe."


class Subscriptions(Protocol):
    """What the FHIR rim may ask of subscriptions, for the client that asks."""

    async def subscribe(self, actor: Actor, command: Subscribe, idempotency_key: str | None = None) -> Subscribed: ...

    async def change_subscription(self, actor: Actor, command: ChangeSubscription, idempotency_key: str | None = None) -> Subscription: ...

    async def rotate_secret(self, actor: Actor, subscription_id: UUID, idempotency_key: str | None = None) -> Subscribed: ...

    async def list_events(self, actor: Actor, query: ListEvents) -> EventsFound: ...

    async def list_subscriptions(self, actor: Actor) -> tuple[Subscription, ...]: ...

    async def end_subscription(self, actor: Actor, subscription_id: UUID) -> None: ...
