"""What payers are asked through FHIR, and what they say: the questions that coverage keeps."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from uuid import UUID

from carewright.contracts import smart
from carewright.contracts.coverage import CheckEligibility, Eligibility, ListEligibilities, UnknownEligibility
from carewright.contracts.fhir import eligibility
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, SearchTooWide
from carewright.fhir.context import FhirContext
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.questions import KIND, read_asked
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.gathering import every_page, named, uuids

PAGE = 200
AT_ONCE_MAX = 50
"""Questions by their ids, or patients, in one search."""
Render = Callable[[Eligibility], Resource]


async def read(render: Render, ctx: FhirContext, id_: str) -> Resource:
    return render(await ctx.coverages.get_eligibility(ctx.actor, known_uuid(id_)))


async def requests(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    return [eligibility.request(one) async for one in _found(ctx, bounds)]


async def responses(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    return [eligibility.response(one) async for one in _found(ctx, bounds)]


async def _found(ctx: FhirContext, bounds: Narrowing) -> AsyncIterator[Eligibility]:
    """By id, by the request (which has the same), or by whom they are about; patients find their own."""
    ids = uuids(bounds.ids if bounds.ids is not None else named(bounds, "request"))
    own = smart.bound_to(ctx.actor, "CoverageEligibilityRequest")
    patient_ids = uuids(bounds.patient_ids) if own is None else (own,)
    asked = ids if ids is not None else patient_ids
    if asked is None or len(asked) > AT_ONCE_MAX:
        raise SearchTooWide(f"Questions to payers are found by 1 to {AT_ONCE_MAX} ids or patients, and whatever narrows that.")
    for each in asked:
        for one in await (_of_patient(ctx, each) if ids is None else _called(ctx, each)):
            yield one


async def _of_patient(ctx: FhirContext, patient_id: UUID) -> list[Eligibility]:
    query = ListEligibilities(patient_id=patient_id, limit=PAGE)
    return await every_page(partial(ctx.coverages.list_eligibilities, ctx.actor), query)


async def _called(ctx: FhirContext, eligibility_id: UUID) -> list[Eligibility]:
    """The question with this id, where there is one."""
    try:
        return [await ctx.coverages.get_eligibility(ctx.actor, eligibility_id)]
    except UnknownEligibility:
        return []


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """Ask the payer; what they answered today about the same is answered from that, and is then not new.

    Raises `InvalidElement`, and what `check_eligibility` refuses. A payer who does not answer makes an `error` of the response.
    """
    asked = read_asked(sent.resource, sent.base)
    coverage = await ctx.coverages.get_coverage(ctx.actor, asked.coverage_id)
    if coverage.patient_id != asked.patient_id:
        raise InvalidElement("This coverage is another patient's.", expression=f"{KIND}.patient")
    began_at = ctx.clock.now()
    command = CheckEligibility(coverage_id=asked.coverage_id, service_type=asked.service_type, serviced_on=asked.serviced_on)
    shown = eligibility.request(found := await ctx.coverages.check_eligibility(ctx.actor, command, sent.key))
    return Written(resource=shown, is_new=found.asked_at >= began_at, left_out=left_out(sent.resource, shown))
