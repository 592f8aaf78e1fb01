"""The language of CDS Hooks, as its elements are called there (https://cds-hooks.hl7.org/2.0/)."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.scheduling import PickedTime
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant

HOOK: Literal["appointment-book"] = "appointment-book"
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Summary = Annotated[str, Meta(min_length=1, max_length=140)]
"""A card's sentence; the specification wants fewer than 140 characters."""
FhirId = Annotated[str, Meta(min_length=1, max_length=200)]
Json = dict[str, Any]


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Coding: why somebody went on in spite of a card."""

    code: Text
    system: Text | None = None
    display: Text | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose word a card is."""

    label: Text
    url: Text | None = None
    topic: Reason | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What to do with a resource: `update` holds it whole."""

    type: Literal["create", "update", "delete"]
    description: Text
    resource: Json | None = None
    resource_id: Text | None = None


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Something to choose instead. Who takes it takes all of its actions."""

    label: Text
    uuid: Text | None = None
    is_recommended: bool | None = None
    actions: Annotated[tuple[Action, ...], Meta(max_length=20)] = ()


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to look at: a page (`absolute`), or an app to start (`smart`)."""

    label: Text
    url: Text
    type: Literal["absolute", "smart"]


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One piece of advice. Whoever gives suggestions says how many may be taken."""

    summary: Summary
    indicator: Literal["info", "warning", "critical"]
    source: Source
    uuid: Text | None = None
    detail: Annotated[str, Meta(max_length=10_000)] | None = None
    suggestions: Annotated[tuple[Suggestion, ...], Meta(max_length=20)] = ()
    selection_behavior: Literal["at-most-one", "any"] | None = None
    override_reasons: Annotated[tuple[Reason, ...], Meta(max_length=50)] = ()
    links: Annotated[tuple[Link, ...], Meta(max_length=20)] = ()


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What a service answers. `systemActions` are none of what we do, or heed."""

    cards: Annotated[tuple[Card, ...], Meta(max_length=50)]


class BookingContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Who books what for whom. `appointments` is a Bundle of proposed Appointments."""

    user_id: FhirId
    patient_id: FhirId
    encounter_id: FhirId | None = None
    appointments: Json


class HookCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One call of a service. `hook_instance` is a UUID of this call."""

    hook: Literal["appointment-book"]
    hook_instance: UUID
    context: BookingContext
    fhir_server: Text | None = None
    prefetch: Json = {}


class Offered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A service, as discovery names it."""

    hook: str
    id: str
    description: str
    title: str = ""
    prefetch: dict[str, str] = {}
    usage_requirements: str = ""
    version: str = ""
    hook_version: str = ""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The suggestion that was taken."""

    id: Text


class Overridden(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Why a card was not heeded: a code, or somebody's own words."""

    reason: Reason | None = None
    user_comment: Text | None = None


class Feedback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What became of a card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: Instant
    accepted_suggestions: Annotated[tuple[Accepted, ...], Meta(max_length=20)] = ()
    override_reason: Overridden | None = None


class FeedbackGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Several at once, of any calls."""

    feedback: Annotated[tuple[Feedback, ...], Meta(max_length=100)]


class AddService(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service of others to ask before a booking: `service` is its id at `base`, the address before `/cds-services`."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
    base: Annotated[str, Meta(min_length=8, max_length=500)]
    service: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]
    site_ids: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()


class AskedService(msgspec.Struct, frozen=True, kw_only=True):
    """A service of others that is asked, at some sites or, without any, at all. It knows us by `public_key`, a JWK."""

    id: UUID
    name: str
    address: str
    site_ids: tuple[UUID, ...]
    prefetch: tuple[str, ...]
    public_key: Json
    added_at: Instant


class AskAdvice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask what others say of this booking."""

    patient_id: UUID
    time: PickedTime


class ShownSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a service would rather do, in its words. `id` is what its feedback is told."""

    label: str
    id: str | None


class ShownReason(msgspec.Struct, frozen=True, kw_only=True):
    """A reason for going on in spite of a card."""

    code: str
    system: str | None
    display: str


class ShownCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card as the desk sees it: text alone, and pages over HTTPS. Without `id` its service wants no feedback."""

    id: UUID | None
    indicator: Literal["info", "warning", "critical"]
    summary: str
    detail: str
    source: str
    suggestions: tuple[ShownSuggestion, ...]
    override_reasons: tuple[ShownReason, ...]
    links: tuple[str, ...]


class ServiceSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What one service answered; `error` is a code that says why it did not."""

    service_id: UUID
    name: str
    cards: tuple[ShownCard, ...] = ()
    error: str | None = None


class AdviceFound(msgspec.Struct, frozen=True, kw_only=True):
    """What every service said that is asked at this site."""

    items: tuple[ServiceSaid, ...]


class SendFeedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell a service what became of its card: a suggestion was taken, or the card was overridden, perhaps for a reason of the card."""

    service_id: UUID
    card_id: UUID
    accepted: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    reason: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    reason_system: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class FeedbackSent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service took it; it is not told again."""

    taken: bool


class UnknownAskedService(Refusal):
    code = "cds.unknown_asked_service"
    status = 404
    issue = "not-found"
    title = "We ask no such service."


class ServiceNotAdded(Refusal):
    code = "cds.service_not_added"
    status = 409
    issue = "duplicate"
    title = "There is a service of this name, or there are as many as are asked."


class ServiceNotOffered(Refusal):
    code = "cds.service_not_offered"
    status = 422
    issue = "not-found"
    title = "There is no service of this id for the hook appointment-book at this address."


class AskingNotSetUp(Refusal):
    code = "cds.asking_not_set_up"
    status = 503
    issue = "not-supported"
    title = "Set CAREWRIGHT_CDS_PUBLIC_URL first: it is by this address that services know us."


class PatientNotTold(Refusal):
    """CDS Hooks, HTTP Status Codes: 412 where what is needed was neither prefetched nor is to be had."""

    code = "cds.patient_not_told"
    status = 412
    issue = "not-found"
    title = "We do not know the patient by this id. Send `prefetch.patient` with an identifier that one patient has here."


class UnknownService(Refusal):
    code = "cds.unknown_service"
    status = 404
    issue = "not-found"
    title = "There is no such service. GET /cds-services names those there are."
