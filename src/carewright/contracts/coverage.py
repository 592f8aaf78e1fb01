"""The coverage module's language: who pays for whom (FHIR R4 Coverage), and what they answered."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.patients import Gender, Name
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
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


ServiceType = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,2}$")]
"""What is asked about, by X12's code (data element 1365): `30` is the plan as a whole, `98` a visit to a physician's office."""
WHOLE_PLAN, OFFICE_VISIT = "30", "98"
Standing = Literal["active", "inactive", "unknown"]
"""Whether the patient is covered for the service, as far as the payer said."""
Missing = Literal[
    "coverage",
    "payer",
    "member-id",
    "name",
    "birth-date",
    "gender",
    "group",
    "subscriber",
    "patient",
    "provider",
    "service-date",
    "not-enrolled",
    "not-covered",
    "other-payer",
    "authorisation",
    "authorisation-pending",
    "partly-authorised",
    "not-authorised",
    "death",
    "data",
    "not-allowed",
    "cannot-process",
    "payer-away",
    "no-clearing-house",
    "bad-answer",
    "refused",
    "waiting",
]
"""What the desk must see to before the visit is paid for, a word each."""
Rule = Literal["allow", "warn", "require"]
"""What a site does about visits that nobody said they pay for."""
Decision = Literal["proceed", "warn", "stop"]


class Benefits(msgspec.Struct, frozen=True, kw_only=True):
    """What the patient pays, within the payer's network: cents and percent. None is what the payer did not say."""

    plan: ShortText = ""
    begins_on: Day | None = None
    ends_on: Day | None = None
    copay_cents: int | None = None
    coinsurance_percent: float | None = None
    deductible_cents: int | None = None
    deductible_left_cents: int | None = None
    out_of_pocket_left_cents: int | None = None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a payer and what became of it. `coverage_version` is that of the coverage which was asked about.

    `outcome` is FHIR's (http://hl7.org/fhir/R4/valueset-remittance-outcome.html): queued while the answer is on its way, error for none.
    """

    id: UUID
    coverage_id: UUID
    coverage_version: int
    patient_id: UUID
    payer: Payer
    service_type: ServiceType
    serviced_on: Day
    outcome: Literal["queued", "complete", "error"]
    standing: Standing = "unknown"
    missing: tuple[Missing, ...] = ()
    benefits: Benefits = Benefits()
    asked_at: Instant
    answered_at: Instant | None = None

    @property
    def counts_until(self) -> datetime | None:
        """Till when the same is answered from this: the end of the day (UTC) on which it was asked. None for what went wrong."""
        begins = self.asked_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return None if self.outcome == "error" else begins + timedelta(days=1)


class CheckEligibility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask the payer of a coverage. What was asked today about the same is answered from that, unless it is to be asked `again`."""

    coverage_id: UUID
    service_type: ServiceType = WHOLE_PLAN
    serviced_on: Day
    again: bool = False


class ListEligibilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What payers were asked about a patient, newest last. `after` is the last id of a page.

    `latest` is the other end of the list: the newest first, and no more pages.
    """

    patient_id: UUID
    latest: bool = False
    after: UUID | None = None
    limit: Limit = 50


class EligibilitiesPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the last id shown where more follow."""

    items: tuple[Eligibility, ...]
    next: UUID | None = None


AuthorisationState = Literal["pended", "certified", "partial", "denied", "unknown"]
"""What a payer that wants to be asked first says of a visit: still looking at it, yes, yes to a part, no, or nothing that counts."""
AuthorisationNumber = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$")]
"""A payer's number of what it authorised (X12 REF02 with qualifier BB, FHIR ClaimResponse.preAuthRef)."""
Procedure = Annotated[str, Meta(pattern=r"^[A-Z0-9]{5}$")]
"""What is to be done, by its code of CPT or HCPCS."""


Place = Annotated[str, Meta(pattern=r"^[0-9]{2}$")]
"""Where it is done, by CMS's code of a place of service."""
OUTPATIENT = "22"
"""The outpatient department of a hospital, on its campus."""


class Authorisation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a payer agreed beforehand to one visit. `number`, the days (None is open) and `reasons` are the payer's; these are its codes.

    `by_desk` is one that somebody was told by telephone or letter and wrote down.
    """

    id: UUID
    patient_id: UUID
    appointment_id: UUID
    coverage_id: UUID
    payer: Payer
    visit_type_id: UUID | None
    serviced_on: Day
    state: AuthorisationState
    number: str = ""
    valid_from: Day | None = None
    valid_until: Day | None = None
    missing: tuple[Missing, ...] = ()
    reasons: tuple[str, ...] = ()
    by_desk: bool = False
    asked_at: Instant
    answered_at: Instant | None = None


class RecordAuthorisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a payer said about a visit by telephone or letter. What is certified has a number."""

    appointment_id: UUID
    state: Literal["pended", "certified", "denied"]
    number: AuthorisationNumber | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None


class ListAuthorisations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What payers authorised for a patient, newest last. `after` is the last id of a page."""

    patient_id: UUID
    after: UUID | None = None
    limit: Limit = 50


class AuthorisationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the last id shown where more follow."""

    items: tuple[Authorisation, ...]
    next: UUID | None = None


class VisitCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk is shown about who pays for a visit. `decision` follows the site's rule, and never stops an urgent visit.

    `needs_authorisation` says that the payer wants to be asked before such a visit, as far as anybody said.
    """

    appointment_id: UUID
    patient_id: UUID
    site_id: UUID
    starts_at: Instant
    decision: Decision
    missing: tuple[Missing, ...] = ()
    coverage: Coverage | None = None
    eligibility: Eligibility | None = None
    needs_authorisation: bool = False
    authorisation: Authorisation | None = None


class ListVisits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Visits of a day at a site about which the desk must do something, by start. Without `day`, today's there.

    `limit` is how many visits are looked at; `after` is the last one of a page.
    """

    site_id: UUID
    day: Day | None = None
    after: UUID | None = None
    limit: Limit = 50


class VisitsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the last visit looked at where more follow; a page may show none of those it looked at."""

    items: tuple[VisitCoverage, ...]
    next: UUID | None = None


class AuthorisationNeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Visits of a type are to be authorised before, by `payers`; where none is named, by every one."""

    payers: Annotated[tuple[PayerId, ...], Meta(max_length=1_000)] = ()
    procedure: Procedure | None = None
    place: Place = OUTPATIENT

    def is_of(self, payer: Payer) -> bool:
        """Whether this payer wants to be asked."""
        return not self.payers or payer.id in self.payers


class VisitServiceType(msgspec.Struct, frozen=True, kw_only=True):
    """About what kind of service payers are asked for a visit type, and whether they authorise it before."""

    visit_type_id: UUID
    service_type: ServiceType = OFFICE_VISIT
    authorisation: AuthorisationNeed | None = None


class SetServiceType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    visit_type_id: UUID
    service_type: ServiceType
    authorisation: AuthorisationNeed | None = None


class CoveragePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A site's rule, and the IANA zone in which the day of a visit is told to payers.

    `authorisation` is its rule about visits that nobody authorised; None is the same rule.
    """

    site_id: UUID
    rule: Rule = "warn"
    time_zone: ShortText = "UTC"
    authorisation: Rule | None = None

    @property
    def of_authorisations(self) -> Rule:
        return self.authorisation or self.rule


class SetPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site_id: UUID
    rule: Rule
    time_zone: ShortText
    authorisation: Rule | None = None


class StoppedVisits(msgspec.Struct, frozen=True, kw_only=True):
    """Visits at a site that are not to be booked now, because of what the payer said and the site's rule.

    Those of `visit_type_ids`, or with `all_but` of all others, that begin from `starts_from` and before `starts_before` (None is open).
    The answer behind it counts until `counts_until`. An urgent visit is never stopped.
    """

    site_id: UUID
    why: Literal["not-covered", "not-authorised"]
    visit_type_ids: tuple[UUID, ...]
    all_but: bool = False
    starts_from: Instant
    starts_before: Instant | None = None
    counts_until: Instant


class VisitsStopped(Event, frozen=True, kw_only=True):
    """Which visits of a patient are not to be booked now: all there are, so that what was told before is over."""

    topic: ClassVar[str] = "coverage.visits.stopped.v1"
    patient_id: UUID
    stops: tuple[StoppedVisits, ...]

    @property
    def subject(self) -> UUID:
        return self.patient_id


class UnknownVisit(Refusal):
    code = "coverage.unknown_visit"
    status = 404
    issue = "not-found"
    title = "We know no visit under this id whose coverage was looked at."


class UnknownEligibility(Refusal):
    code = "coverage.unknown_eligibility"
    status = 404
    issue = "not-found"
    title = "We know no question to a payer under this id."


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


class InvalidAuthorisation(Refusal):
    """`field` is what breaks the rule."""

    code = "coverage.invalid_authorisation"
    status = 422
    issue = "business-rule"
    title = "Something in the authorisation is not right."


class NotCovered(Refusal):
    code = "coverage.not_covered"
    status = 422
    issue = "business-rule"
    title = (
        "The payer says that the patient is not covered that day, so nothing was booked. Record another coverage, ask the payer again, or "
        "let a scheduler book it with a reason. Urgent visits are never held back."
    )


class NotAuthorised(Refusal):
    code = "coverage.not_authorised"
    status = 422
    issue = "business-rule"
    title = (
        "The payer did not authorise this visit, so nothing was booked. Ask the payer why and record what they say, or let a scheduler "
        "book it with a reason. Urgent visits are never held back."
    )


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

    async def check_eligibility(self, actor: Actor, command: CheckEligibility, idempotency_key: str | None = None) -> Eligibility: ...

    async def get_eligibility(self, actor: Actor, eligibility_id: UUID) -> Eligibility: ...

    async def list_eligibilities(self, actor: Actor, query: ListEligibilities) -> EligibilitiesPage: ...

    async def get_visit(self, actor: Actor, appointment_id: UUID) -> VisitCoverage: ...

    async def check_visit(self, actor: Actor, appointment_id: UUID) -> VisitCoverage: ...

    async def list_visits(self, actor: Actor, query: ListVisits) -> VisitsPage: ...

    async def record_authorisation(
        self, actor: Actor, command: RecordAuthorisation, idempotency_key: str | None = None
    ) -> Authorisation: ...

    async def list_authorisations(self, actor: Actor, query: ListAuthorisations) -> AuthorisationsPage: ...
