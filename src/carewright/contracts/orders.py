"""The orders module's language: what somebody asks to be done for a patient, a referral among it (FHIR R4 ServiceRequest)."""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Coding, Identifier
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Cursor, Instant, LongText, ShortText, Version

RequestStatus = Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]
"""FHIR R4 ServiceRequest.status (http://hl7.org/fhir/R4/valueset-request-status.html)."""
Intent = Literal[
    "proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"
]  # fmt: skip
"""http://hl7.org/fhir/R4/valueset-request-intent.html"""
Priority = Literal["routine", "urgent", "asap", "stat"]
"""http://hl7.org/fhir/R4/valueset-request-priority.html"""
PartyKind = Literal["Practitioner", "PractitionerRole", "Organization", "Device", "Patient"]
Categories = Annotated[tuple[Coding, ...], Meta(max_length=20)]
Identifiers = Annotated[tuple[Identifier, ...], Meta(max_length=20)]
Reasons = Annotated[tuple[LongText, ...], Meta(max_length=20)]
ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=500)]
Numbers = Annotated[tuple[ShortText, ...], Meta(max_length=1000)]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, or is to do it: an entry of ours by `kind` and `id`, or somebody outside by the words of `display` alone."""

    kind: PartyKind | None = None
    id: UUID | None = None
    display: ShortText = ""


Parties = Annotated[tuple[Party, ...], Meta(max_length=20)]


class RequestDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What an order says. `placer` is the number of whoever asks, `filler` that of whoever does it (v2-0203 PLAC and FILL).

    It is wanted from `occurs_from` until `occurs_until`; at one moment where these are the same. `reasons` are in words.
    """

    status: RequestStatus
    intent: Intent
    priority: Priority = "routine"
    code: Coding | None = None
    categories: Categories = ()
    placer: Identifier | None = None
    filler: Identifier | None = None
    identifiers: Identifiers = ()
    requester: Party | None = None
    performers: Parties = ()
    authored_at: Instant | None = None
    occurs_from: Instant | None = None
    occurs_until: Instant | None = None
    reasons: Reasons = ()


class ServiceRequest(RequestDetails, frozen=True, kw_only=True):
    """An order or a referral of one patient."""

    id: UUID
    patient_id: UUID
    version: int = 1
    updated_at: Instant | None = None


class RecordRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something is asked for. Whoever records it has just looked the patient up."""

    patient_id: UUID
    details: RequestDetails


class UpdateRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace what an order says; it stays with its patient."""

    request_id: UUID
    details: RequestDetails
    expected_version: Version | None = None


class SearchRequests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Orders that meet every condition that has a value. Patients, and who speaks for one, search among their own.

    `party_ids` ask or are asked; `numbers` are values of identifiers, whoever gave them. `after` is the cursor of an earlier page.
    """

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    party_ids: ListedIds = ()
    statuses: Annotated[tuple[RequestStatus, ...], Meta(max_length=7)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=500)] = ()
    numbers: Numbers = ()
    authored_from: Instant | None = None
    authored_until: Instant | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class RequestsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[ServiceRequest, ...]
    next: str | None = None


class UnknownRequest(Refusal):
    code = "orders.unknown_request"
    status = 404
    issue = "not-found"
    title = "We do not know this order."


class InvalidRequest(Refusal):
    """`field` is what breaks the rule."""

    code = "orders.invalid_request"
    status = 422
    issue = "business-rule"
    title = "Something in the order is not right."


class RequestStatusNotAllowed(Refusal):
    """`request_status` is what the order is now."""

    code = "orders.status_not_allowed"
    status = 409
    issue = "business-rule"
    title = "An order does not go from its status to this one."


class PatientForgotten(Refusal):
    code = "orders.patient_gone"
    status = 404
    issue = "not-found"
    title = "This patient was erased. Nothing is kept about them any more."


class RequestFact(Event, frozen=True, kw_only=True):
    """Ids and the status of an order alone: whoever needs more asks, and is authorised when asking."""

    request_id: UUID
    patient_id: UUID
    status: RequestStatus
    version: int

    @property
    def subject(self) -> UUID:
        return self.request_id


class RequestRecorded(RequestFact, frozen=True, kw_only=True):
    """Something is asked for."""

    topic: ClassVar[str] = "orders.request.recorded.v1"


class RequestChanged(RequestFact, frozen=True, kw_only=True):
    """Something about an order is other than it was."""

    topic: ClassVar[str] = "orders.request.changed.v1"


class Orders(Protocol):
    """What the rims may ask of orders."""

    async def get_request(self, actor: Actor, request_id: UUID) -> ServiceRequest: ...

    async def search_requests(self, actor: Actor, query: SearchRequests) -> RequestsPage: ...

    async def record_request(self, actor: Actor, command: RecordRequest, idempotency_key: str | None = None) -> ServiceRequest: ...

    async def update_request(self, actor: Actor, command: UpdateRequest, idempotency_key: str | None = None) -> ServiceRequest: ...
