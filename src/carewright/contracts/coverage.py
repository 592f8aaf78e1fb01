"""The coverage module's language: who pays for whom (FHIR R4 Coverage), and what they answered."""

from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.patients import Gender, Name
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Day, Instant, Limit, ShortText, Version

CoverageStatus = Literal["active", "cancelled", "draft", "entered-in-error"]
"""http://hl7.org/fhir/R4/valueset-fm-status.html"""
Relationship = Literal["self", "spouse", "child", "parent", "common", "other", "injured"]
"""What the patient is to the subscriber: http://terminology.hl7.org/CodeSystem/subscriber-relationship."""
PayerId = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
"""A payer's number at clearing-houses (X12 NM109 with qualifier PI)."""
MemberId = Annotated[str, Meta(min_length=2, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$")]
"""X12 NM109 with qualifier MI."""
Order = Annotated[int, Meta(ge=1, le=9)]
CoverageIds = Annotated[tuple[UUID, ...], Meta(max_length=200)]


class Payer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pays. `id` is None for one that no clearing-house reaches."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    id: PayerId | None = None


class Insured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person as the payer knows them, which may differ from our record of them."""

    family: Name
    given: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    birth_on: Day | None = None
    gender: Gender | None = None


class CoverageDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a coverage says. `beneficiary` is the patient; `subscriber` is there where the plan is somebody else's.

    It holds from `starts_on` through `ends_on`; None is open. Of several that hold, the lowest `order` pays first.
    """

    payer: Payer
    member_id: MemberId
    beneficiary: Insured
    relationship: Relationship = "self"
    subscriber: Insured | None = None
    plan: ShortText = ""
    group: ShortText = ""
    starts_on: Day | None = None
    ends_on: Day | None = None
    order: Order = 1
    status: CoverageStatus = "active"


class Coverage(CoverageDetails, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """One coverage of a patient, as it was last changed."""

    id: UUID
    patient_id: UUID
    version: int
    updated_at: Instant


class RecordCoverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    patient_id: UUID
    details: CoverageDetails


class UpdateCoverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace what a coverage says; it stays with its patient."""

    coverage_id: UUID
    details: CoverageDetails
    expected_version: Version | None = None


class ListCoverages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Coverages by whose they are, or by id, newest last. Without either a patient sees their own. `after` is the last id of a page."""

    patient_id: UUID | None = None
    ids: CoverageIds = ()
    after: UUID | None = None
    limit: Limit = 50


class CoveragesPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the last id shown where more follow."""

    items: tuple[Coverage, ...]
    next: UUID | None = None


class UnknownCoverage(Refusal):
    code = "coverage.unknown_coverage"
    status = 404
    issue = "not-found"
    title = "We do not know this coverage."


class InvalidCoverage(Refusal):
    """`field` is what breaks the rule."""

    code = "coverage.invalid_coverage"
    status = 422
    issue = "business-rule"
    title = "Something in the coverage is not right."


class AlreadyRecorded(Refusal):
    code = "coverage.already_recorded"
    status = 409
    issue = "duplicate"
    title = "The patient has this coverage already: the same payer and the same member."


class PatientGone(Refusal):
    code = "coverage.patient_gone"
    status = 404
    issue = "not-found"
    title = "This patient was erased. Nothing is kept about them any more."


class Coverages(Protocol):
    """What the rims may ask about coverage."""

    async def record_coverage(self, actor: Actor, command: RecordCoverage, idempotency_key: str | None = None) -> Coverage: ...

    async def update_coverage(self, actor: Actor, command: UpdateCoverage, idempotency_key: str | None = None) -> Coverage: ...

    async def get_coverage(self, actor: Actor, coverage_id: UUID) -> Coverage: ...

    async def list_coverages(self, actor: Actor, query: ListCoverages) -> CoveragesPage: ...
