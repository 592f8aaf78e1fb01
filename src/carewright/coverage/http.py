"""Coverage over HTTP: parse, call one use case, answer."""

from typing import Literal

import msgspec

from carewright.contracts.coverage import (
    WHOLE_PLAN,
    AlreadyRecorded,
    Authorisation,
    AuthorisationNeed,
    AuthorisationNumber,
    AuthorisationsPage,
    CheckEligibility,
    Coverage,
    CoverageDetails,
    CoveragePolicy,
    CoveragesPage,
    EligibilitiesPage,
    Eligibility,
    InvalidAuthorisation,
    InvalidCoverage,
    ListAuthorisations,
    ListCoverages,
    ListEligibilities,
    ListVisits,
    PatientGone,
    RecordAuthorisation,
    RecordCoverage,
    Rule,
    ServiceType,
    SetPolicy,
    SetServiceType,
    UnknownCoverage,
    UnknownEligibility,
    UnknownVisit,
    UpdateCoverage,
    VisitCoverage,
    VisitServiceType,
    VisitsPage,
)
from carewright.coverage.context import CoverageContext
from carewright.coverage.service import authorisations, checking, coverages, policies, visits
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.values import Day, ShortText

COVERAGES = "/api/v1/coverages"


async def record_coverage(ctx: Context, call: Call[Nothing, RecordCoverage]) -> Coverage:
    """A patient's new coverage."""
    return await coverages.record_coverage(ctx, call.body)


async def list_coverages(ctx: Context, call: Call[ListCoverages, Nothing]) -> CoveragesPage:
    """A patient's coverages."""
    return await coverages.list_coverages(ctx, call.query)


async def get_coverage(ctx: Context, call: Call[Nothing, Nothing]) -> Coverage:
    """One coverage."""
    return await coverages.get_coverage(ctx, call.path["coverage_id"])


async def update_coverage(ctx: Context, call: Call[Nothing, CoverageDetails]) -> Coverage:
    """Change what a coverage says."""
    command = UpdateCoverage(coverage_id=call.path["coverage_id"], details=call.body, expected_version=call.version)
    return await coverages.update_coverage(ctx, command)


class CheckBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked about, for which day. `again` asks even if the payer answered today."""

    serviced_on: Day
    service_type: ServiceType = WHOLE_PLAN
    again: bool = False


async def check_eligibility(ctx: CoverageContext, call: Call[Nothing, CheckBody]) -> Eligibility:
    """Ask the payer of a coverage."""
    body = msgspec.structs.asdict(call.body)
    return await checking.check_eligibility(ctx, CheckEligibility(coverage_id=call.path["coverage_id"], **body))


async def list_eligibilities(ctx: CoverageContext, call: Call[ListEligibilities, Nothing]) -> EligibilitiesPage:
    """What payers were asked about a patient."""
    return await checking.list_eligibilities(ctx, call.query)


async def get_eligibility(ctx: CoverageContext, call: Call[Nothing, Nothing]) -> Eligibility:
    """One question to a payer, and what became of it."""
    return await checking.get_eligibility(ctx, call.path["eligibility_id"])


async def get_visit(ctx: CoverageContext, call: Call[Nothing, Nothing]) -> VisitCoverage:
    """Who pays for a visit, what the patient pays, and what is missing."""
    return await visits.get_visit(ctx, call.path["appointment_id"])


async def list_visits(ctx: CoverageContext, call: Call[ListVisits, Nothing]) -> VisitsPage:
    """Visits of a day at a site that nobody said they pay for."""
    return await visits.list_visits(ctx, call.query)


async def check_visit(ctx: CoverageContext, call: Call[Nothing, Nothing]) -> VisitCoverage:
    """Ask again who pays for a visit."""
    return await visits.check_visit(ctx, call.path["appointment_id"])


async def get_policy(ctx: CoverageContext, call: Call[Nothing, Nothing]) -> CoveragePolicy:
    """A site's rule."""
    return await policies.get_policy(ctx, call.path["site_id"])


class AuthorisationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a payer said by telephone or letter. What is certified has a number."""

    state: Literal["pended", "certified", "denied"]
    number: AuthorisationNumber | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None


async def record_authorisation(ctx: CoverageContext, call: Call[Nothing, AuthorisationBody]) -> Authorisation:
    """Write down what a payer said about a visit."""
    command = RecordAuthorisation(appointment_id=call.path["appointment_id"], **msgspec.structs.asdict(call.body))
    return await authorisations.record_authorisation(ctx, command)


async def list_authorisations(ctx: CoverageContext, call: Call[ListAuthorisations, Nothing]) -> AuthorisationsPage:
    """What payers said about a patient's visits."""
    return await authorisations.list_authorisations(ctx, call.query)


class PolicyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`authorisation` is the rule about visits that nobody authorised; without it, `rule` is."""

    rule: Rule
    time_zone: ShortText
    authorisation: Rule | None = None


async def set_policy(ctx: CoverageContext, call: Call[Nothing, PolicyBody]) -> CoveragePolicy:
    """Set a site's rule."""
    return await policies.set_policy(ctx, SetPolicy(site_id=call.path["site_id"], **msgspec.structs.asdict(call.body)))


class ServiceTypeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `authorisation` nobody authorises such visits before, as far as we know."""

    service_type: ServiceType
    authorisation: AuthorisationNeed | None = None


async def get_service_type(ctx: CoverageContext, call: Call[Nothing, Nothing]) -> VisitServiceType:
    """About what payers are asked for a visit type."""
    return await policies.get_service_type(ctx, call.path["visit_type_id"])


async def set_service_type(ctx: CoverageContext, call: Call[Nothing, ServiceTypeBody]) -> VisitServiceType:
    """Set about what payers are asked for a visit type."""
    command = SetServiceType(visit_type_id=call.path["visit_type_id"], **msgspec.structs.asdict(call.body))
    return await policies.set_service_type(ctx, command)


ROUTES = (
    Route(
        "POST", COVERAGES, record_coverage, "Record a patient's coverage", coverages.CHANGE, Coverage, body=RecordCoverage,
        keyed=True, versioned=True, created=COVERAGES + "/{id}", refusals=(InvalidCoverage, AlreadyRecorded, PatientGone),
    ),
    Route(
        "GET", COVERAGES + "/authorisations", list_authorisations, "What payers said about a patient's visits", coverages.READ,
        AuthorisationsPage, query=ListAuthorisations,
    ),
    Route(
        "GET", COVERAGES + "/eligibilities", list_eligibilities, "What payers were asked about a patient", coverages.READ,
        EligibilitiesPage, query=ListEligibilities,
    ),
    Route(
        "GET", COVERAGES + "/visits", list_visits, "Visits of a day at a site that nobody said they pay for", checking.CHECK,
        VisitsPage, query=ListVisits,
    ),
    Route("GET", COVERAGES, list_coverages, "A patient's coverages", coverages.READ, CoveragesPage, query=ListCoverages),
    Route(
        "GET", COVERAGES + "/{coverage_id}", get_coverage, "One coverage", coverages.READ, Coverage, versioned=True,
        refusals=(UnknownCoverage,),
    ),
    Route(
        "PUT", COVERAGES + "/{coverage_id}", update_coverage, "Change what a coverage says", coverages.CHANGE, Coverage,
        body=CoverageDetails, keyed=True, versioned=True, refusals=(UnknownCoverage, InvalidCoverage, AlreadyRecorded),
    ),
    Route(
        "POST", COVERAGES + "/{coverage_id}/eligibility", check_eligibility, "Ask the payer of a coverage", checking.CHECK, Eligibility,
        body=CheckBody, keyed=True, refusals=(UnknownCoverage, PatientGone),
    ),
    Route(
        "GET", COVERAGES + "/eligibilities/{eligibility_id}", get_eligibility, "One question to a payer, and what became of it",
        coverages.READ, Eligibility, refusals=(UnknownEligibility,),
    ),
    Route(
        "GET", COVERAGES + "/visits/{appointment_id}", get_visit, "Who pays for a visit, what the patient pays, and what is missing",
        coverages.READ, VisitCoverage, refusals=(UnknownVisit,),
    ),
    Route(
        "POST", COVERAGES + "/visits/{appointment_id}/check", check_visit, "Ask again who pays for a visit", checking.CHECK,
        VisitCoverage, refusals=(UnknownVisit, PatientGone),
    ),
    Route(
        "POST", COVERAGES + "/visits/{appointment_id}/authorisation", record_authorisation, "Write down what a payer authorised",
        coverages.CHANGE, Authorisation, body=AuthorisationBody, keyed=True, refusals=(UnknownVisit, InvalidAuthorisation, PatientGone),
    ),
    Route(
        "GET", COVERAGES + "/policies/{site_id}", get_policy, "A site's rule about visits that nobody said they pay for",
        policies.POLICY_READ, CoveragePolicy,
    ),
    Route(
        "PUT", COVERAGES + "/policies/{site_id}", set_policy, "Set a site's rule about visits that nobody said they pay for",
        policies.POLICY_CHANGE, CoveragePolicy, body=PolicyBody,
    ),
    Route(
        "GET", COVERAGES + "/service-types/{visit_type_id}", get_service_type, "About what payers are asked for a visit type",
        policies.POLICY_READ, VisitServiceType,
    ),
    Route(
        "PUT", COVERAGES + "/service-types/{visit_type_id}", set_service_type, "Set about what payers are asked for a visit type",
        policies.POLICY_CHANGE, VisitServiceType, body=ServiceTypeBody,
    ),
)  # fmt: skip
