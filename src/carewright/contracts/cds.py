"""The language of CDS Hooks, as its elements are called there (https://cds-hooks.hl7.org/2.0/)."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant

HOOK = "appointment-book"
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
