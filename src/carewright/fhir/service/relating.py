"""Who acts for patients, as RelatedPersons: a consent that access keeps, with the proxy's own record for whoever may read it."""

from functools import partial
from uuid import UUID

from carewright.contracts import smart
from carewright.contracts.consents import Consent, FindProxies
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.people import PERSON, related_person
from carewright.contracts.fhir.refusals import SearchTooWide, UnknownId
from carewright.contracts.patients import Patient
from carewright.contracts.smart import READ
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.search import Search
from carewright.fhir.service.gathering import every_page, uuids

PAGE = 1_000
PEOPLE_PAGE = 200
FINDS_PATIENTS = "patients.find"


async def read(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownId`, also for one that is not the reader's to see."""
    found = await candidates(ctx, None, Narrowing(ids=frozenset({id_})))
    if not found:
        raise UnknownId
    return found[0]


async def candidates(ctx: FhirContext, _: Search | None, bounds: Narrowing) -> list[Resource]:
    """By id, patient, or whose record the proxy's own is."""
    if (query := _question(ctx, bounds)) is None:
        return []
    found = await every_page(partial(ctx.access.find_proxies, ctx.actor), query)
    people, now = await _people(ctx, found), ctx.clock.now()
    return [related_person(one, people.get(one.proxy_patient_id), now) for one in found]


def _question(ctx: FhirContext, bounds: Narrowing) -> FindProxies | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids, patient_ids, proxies = uuids(bounds.ids), uuids(bounds.patient_ids), _proxies(bounds)
    if () in (ids, patient_ids, proxies):
        return None
    if not any((ids, patient_ids, proxies, smart.bound_to(ctx.actor, "RelatedPerson"))):
        raise SearchTooWide(f"RelatedPersons are found by _id, patient or identifier ({PERSON}|id), and whatever narrows that.")
    return FindProxies(ids=ids or (), patient_ids=patient_ids or (), proxy_patient_ids=proxies or (), limit=PAGE)


def _proxies(bounds: Narrowing) -> tuple[UUID, ...] | None:
    """Whose own records are meant, where every alternative names one by its system."""
    if bounds.identifiers is None or any(each.system != PERSON for each in bounds.identifiers):
        return None
    return uuids(each.code for each in bounds.identifiers if each.code)


async def _people(ctx: FhirContext, found: list[Consent]) -> dict[UUID | None, Patient]:
    """The proxies' own records, for whoever could read them as Patients: a patient reads nobody else's."""
    if not (ctx.actor.may(FINDS_PATIENTS) and smart.may(ctx.actor, "Patient", READ)):
        return {}
    ids = tuple(sorted({one.proxy_patient_id for one in found if one.proxy_patient_id}))
    pages = [await ctx.patients.get_patients(ctx.actor, ids[at : at + PEOPLE_PAGE]) for at in range(0, len(ids), PEOPLE_PAGE)]
    return {one.id: one for page in pages for one in page}
