"""Appointments and the orders that they are based on: scheduling keeps a referral by its number, `orders` knows what it says."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from carewright.contracts.fhir import scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.orders import SearchRequests, ServiceRequest, UnknownRequest
from carewright.contracts.scheduling import Appointment
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import Pointer, uuid_or_none
from carewright.fhir.model.wanted import Wanted
from carewright.fhir.service.gathering import every_page

READ = "orders.request.read"
TYPE = "ServiceRequest/"
AT_A_TIME = 200
Place = tuple[UUID, str]
"""A patient, and the number by which an appointment of theirs names its order."""


async def shown(ctx: FhirContext, appointments: Sequence[Appointment]) -> list[Resource]:
    """Appointments, each with a reference to its order where there is one that the reader may see."""
    known = await _known(ctx, [each for each in appointments if each.based_on])
    return [scheduling.appointment(each, known.get((each.patient_id, each.based_on or ""))) for each in appointments]


async def one_shown(ctx: FhirContext, appointment: Appointment) -> Resource:
    return (await shown(ctx, [appointment]))[0]


async def referral_of(ctx: FhirContext, wanted: Wanted, patient_id: UUID) -> str | None:
    """By which number scheduling keeps the order that is named. Raises `InvalidElement` for one that is not this patient's."""
    if wanted.order is None:
        return wanted.based_on
    found = await _order(ctx, wanted.order)
    if found.patient_id != patient_id:
        raise InvalidElement("There is no ServiceRequest of this patient under this id.", expression=wanted.order.expression)
    return next(iter(numbers_of(found)))


async def patients_of(ctx: FhirContext, places: Iterable[str]) -> frozenset[str]:
    """Whose the named orders are; their appointments are based on these."""
    ids = _ids(places)
    if not ids or not ctx.actor.may(READ):
        return frozenset()
    found = await every_page(partial(ctx.orders.search_requests, ctx.actor), SearchRequests(ids=ids[:AT_A_TIME], limit=AT_A_TIME))
    return frozenset(str(each.patient_id) for each in found)


async def _order(ctx: FhirContext, named: Pointer) -> ServiceRequest:
    try:
        return await ctx.orders.get_request(ctx.actor, named.uuid)
    except UnknownRequest:
        raise InvalidElement("There is no ServiceRequest of this patient under this id.", expression=named.expression) from None


async def _known(ctx: FhirContext, appointments: Sequence[Appointment]) -> Mapping[Place, UUID]:
    """The orders that appointments name, by patient and number; nothing for who may not read any."""
    if not ctx.actor.may(READ):
        return {}
    known: dict[Place, UUID] = {}
    for first in range(0, len(appointments), AT_A_TIME):
        some = appointments[first : first + AT_A_TIME]
        for query in _questions(some):
            for each in await every_page(partial(ctx.orders.search_requests, ctx.actor), query):
                known |= {(each.patient_id, number): each.id for number in numbers_of(each)}
    return known


def _questions(appointments: Sequence[Appointment]) -> Iterable[SearchRequests]:
    """Orders by their numbers, and those that have none and are named by their address."""
    patient_ids = tuple({each.patient_id for each in appointments})
    named = {each.based_on for each in appointments if each.based_on}
    numbers = tuple(sorted(each for each in named if not each.startswith(TYPE)))
    ids = _ids(named)
    if numbers:
        yield SearchRequests(patient_ids=patient_ids, numbers=numbers, limit=AT_A_TIME)
    if ids:
        yield SearchRequests(patient_ids=patient_ids, ids=ids, limit=AT_A_TIME)


def _ids(places: Iterable[str]) -> tuple[UUID, ...]:
    """The ids of the orders among `places`, which are `Type/id`."""
    return tuple(id_ for each in sorted(places) if each.startswith(TYPE) and (id_ := uuid_or_none(each.removeprefix(TYPE))))


def numbers_of(order: ServiceRequest) -> list[str]:
    """By what an appointment may name it, the best first."""
    identifiers = (order.placer, order.filler, *order.identifiers)
    return [*(each.value for each in identifiers if each), f"{TYPE}{order.id}"]
