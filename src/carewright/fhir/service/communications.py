"""What patients were told, as Communications: messages that notifications keep."""

from functools import partial
from uuid import UUID

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.people import communication
from carewright.contracts.fhir.refusals import SearchTooWide, UnknownId
from carewright.contracts.notifications import SearchCommunications
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.search import Search
from carewright.fhir.service.gathering import every_page, named, uuids

PAGE = 1_000
PATIENT = "Patient/"


async def read(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownId`, also for one that is not the reader's to see."""
    found = await candidates(ctx, None, Narrowing(ids=frozenset({id_})))
    if not found:
        raise UnknownId
    return found[0]


async def candidates(ctx: FhirContext, _: Search | None, bounds: Narrowing) -> list[Resource]:
    """By id, or by the patient who was told."""
    ids, patient_ids = uuids(bounds.ids), _patients(bounds)
    if () in (ids, patient_ids):
        return []
    if not any((ids, patient_ids, smart.bound_to(ctx.actor, "Communication"))):
        raise SearchTooWide("Communications are found by _id, patient, subject or recipient, and whatever narrows that.")
    query = SearchCommunications(ids=ids or (), patient_ids=patient_ids or (), limit=PAGE)
    return [communication(one) for one in await every_page(partial(ctx.notifications.search_communications, ctx.actor), query)]


def _patients(bounds: Narrowing) -> tuple[UUID, ...] | None:
    """Who was told, where the search names patients and nobody else."""
    recipients = bounds.references.get("recipient")
    if bounds.patient_ids is None and recipients is not None and all(each.startswith(PATIENT) for each in recipients):
        return uuids(named(bounds, "recipient"))
    return uuids(bounds.patient_ids)
