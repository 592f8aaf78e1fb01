"""Coverage over HTTP: parse, call one use case, answer."""

from carewright.contracts.coverage import (
    AlreadyRecorded,
    Coverage,
    CoverageDetails,
    CoveragesPage,
    InvalidCoverage,
    ListCoverages,
    PatientGone,
    RecordCoverage,
    UnknownCoverage,
    UpdateCoverage,
)
from carewright.coverage.service import coverages
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route

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


ROUTES = (
    Route(
        "POST", COVERAGES, record_coverage, "Record a patient's coverage", coverages.CHANGE, Coverage, body=RecordCoverage,
        keyed=True, versioned=True, created=COVERAGES + "/{id}", refusals=(InvalidCoverage, AlreadyRecorded, PatientGone),
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
)  # fmt: skip
