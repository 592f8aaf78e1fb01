"""Observations through FHIR: read and found by the use cases of `vitals`."""

from functools import partial
from typing import Any, get_args

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import SearchTooWide
from carewright.contracts.fhir.vitals import observation
from carewright.contracts.vitals import ObservationStatus, SearchObservations
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.service.gathering import ends, every_page, named, uuids

PAGE = 1_000


async def read(ctx: FhirContext, id_: str) -> Resource:
    return observation(await ctx.vitals.get_observation(ctx.actor, known_uuid(id_)))


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id, patient or encounter, and when it was observed."""
    if (query := _question(ctx, bounds)) is None:
        return []
    return [observation(one) for one in await every_page(partial(ctx.vitals.search_observations, ctx.actor), query)]


def _question(ctx: FhirContext, bounds: Narrowing) -> SearchObservations | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search to somebody."""
    ids, patient_ids, encounter_ids = (uuids(each) for each in (bounds.ids, bounds.patient_ids, named(bounds, "encounter")))
    statuses = None if bounds.statuses is None else tuple(each for each in get_args(ObservationStatus) if each in bounds.statuses)
    if () in (ids, patient_ids, encounter_ids, statuses):
        return None
    if not any((ids, patient_ids, encounter_ids, smart.bound_to(ctx.actor, "Observation"))):
        raise SearchTooWide("Observations are found by _id, patient or encounter, and whatever narrows that: code, category, date.")
    from_at, until_at = ends(bounds.starts)
    return SearchObservations(
        ids=ids or (), patient_ids=patient_ids or (), encounter_ids=encounter_ids or (), statuses=statuses or (), from_at=from_at,
        until_at=until_at, limit=PAGE,
    )  # fmt: skip
