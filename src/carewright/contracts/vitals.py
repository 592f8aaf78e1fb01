"""The language of vitals: what was observed of a patient, measured, or found in a laboratory (FHIR R4 Observation)."""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Coding, Identifier
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Cursor, Instant, LongText, ShortText

ObservationStatus = Literal[
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"
]  # fmt: skip
"""FHIR R4 Observation.status (http://hl7.org/fhir/R4/valueset-observation-status.html)."""
Comparator = Literal["<", "<=", ">=", ">"]
"""http://hl7.org/fhir/R4/valueset-quantity-comparator.html"""
ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=500)]


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """A number in a unit; `system` and `code` name the unit for machines (UCUM, as a rule)."""

    value: float
    comparator: Comparator | None = None
    unit: ShortText = ""
    system: ShortText = ""
    code: ShortText = ""


class Concept(msgspec.Struct, frozen=True, kw_only=True):
    """Something by its codes, and in words."""

    codings: Annotated[tuple[Coding, ...], Meta(max_length=50)] = ()
    text: ShortText = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at (`about`) and what it was: a quantity, a concept, words, or the reason why there is nothing to say (`absent`)."""

    about: Concept
    quantity: Quantity | None = None
    concept: Concept | None = None
    words: LongText = ""
    absent: Concept | None = None


class Observation(Finding, frozen=True, kw_only=True):
    """What was observed of one patient, from `effective_from` until `effective_until`; at one moment where these are the same."""

    id: UUID
    patient_id: UUID
    status: ObservationStatus
    categories: Annotated[tuple[Concept, ...], Meta(max_length=50)] = ()
    components: Annotated[tuple[Finding, ...], Meta(max_length=50)] = ()
    encounter_id: UUID | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    issued_at: Instant | None = None
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=50)] = ()
    version: int = 1
    updated_at: Instant | None = None


class PutObservations(msgspec.Struct, frozen=True, kw_only=True):
    """Create or change many at once, matched by id; for imports."""

    observations: tuple[Observation, ...]


class PutObservationsResult(msgspec.Struct, frozen=True, kw_only=True):
    created: int
    changed: int
    unchanged: int


class SearchObservations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Observations that meet every condition that has a value. Patients, and who speaks for one, search among their own.

    One lies in the time from `from_at` until before `until_at` if any of it does; one without a time lies in none. `after` is the cursor of
    an earlier page.
    """

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    encounter_ids: ListedIds = ()
    statuses: Annotated[tuple[ObservationStatus, ...], Meta(max_length=8)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=500)] = ()
    from_at: Instant | None = None
    until_at: Instant | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class ObservationsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Observation, ...]
    next: str | None = None


class UnknownObservation(Refusal):
    code = "vitals.unknown_observation"
    status = 404
    issue = "not-found"
    title = "We do not know this observation."


class InvalidObservation(Refusal):
    """`field` is what breaks the rule."""

    code = "vitals.invalid_observation"
    status = 422
    issue = "business-rule"
    title = "Something in the observation is not right."


class PatientNotKept(Refusal):
    code = "vitals.patient_gone"
    status = 404
    issue = "not-found"
    title = "This patient was erased. Nothing is kept about them any more."


class ObservationFact(Event, frozen=True, kw_only=True):
    """Ids and the status of an observation alone: whoever needs more asks, and is authorised when asking."""

    observation_id: UUID
    patient_id: UUID
    status: ObservationStatus
    version: int

    @property
    def subject(self) -> UUID:
        return self.observation_id


class ObservationRecorded(ObservationFact, frozen=True, kw_only=True):
    """Something was observed."""

    topic: ClassVar[str] = "vitals.observation.recorded.v1"


class ObservationChanged(ObservationFact, frozen=True, kw_only=True):
    """Something about an observation is other than it was."""

    topic: ClassVar[str] = "vitals.observation.changed.v1"


class Vitals(Protocol):
    """What the rims may ask of vitals."""

    async def get_observation(self, actor: Actor, observation_id: UUID) -> Observation: ...

    async def search_observations(self, actor: Actor, query: SearchObservations) -> ObservationsPage: ...

    async def put_observations(self, actor: Actor, command: PutObservations) -> PutObservationsResult: ...
