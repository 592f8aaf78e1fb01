"""Tasks through FHIR: how far orders have come, made of what `orders` and `scheduling` keep, and stored nowhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import SearchTooWide, UnknownId
from carewright.contracts.fhir.tasks import task
from carewright.contracts.orders import SearchRequests, ServiceRequest
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.service.gathering import ends, every_page, named, uuids
from carewright.fhir.service.referrals import Place, numbers_of

PAGE = 1_000
AT_A_TIME = 200
"""Patients whose appointments are looked for in one question."""


async def read(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownId` for an order whose status says nothing, and what `get_request` refuses."""
    made = await _made(ctx, [await ctx.orders.get_request(ctx.actor, known_uuid(id_))])
    if not made:
        raise UnknownId
    return made[0]


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id, order, patient, when the order was written, or who asks or is asked."""
    if (query := _question(ctx, bounds)) is None:
        return []
    return await _made(ctx, await every_page(partial(ctx.orders.search_requests, ctx.actor), query))


def _question(ctx: FhirContext, bounds: Narrowing) -> SearchRequests | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids = uuids(bounds.ids if bounds.ids is not None else named(bounds, "focus"))
    patient_ids = uuids(bounds.patient_ids)
    party_ids = next((uuids(places) for code in ("owner", "requester") if (places := named(bounds, code))), None)
    if () in (ids, patient_ids, party_ids):
        return None
    if not any((ids, patient_ids, party_ids, bounds.starts, smart.bound_to(ctx.actor, "Task"))):
        raise SearchTooWide("Tasks are found by _id, focus (ServiceRequest), patient, owner, requester or authored-on.")
    authored_from, authored_until = ends(bounds.starts)
    return SearchRequests(
        ids=ids or (), patient_ids=patient_ids or (), party_ids=party_ids or (), authored_from=authored_from,
        authored_until=authored_until, limit=PAGE,
    )  # fmt: skip


async def _made(ctx: FhirContext, orders: Sequence[ServiceRequest]) -> list[Resource]:
    based = await _appointments(ctx, sorted({each.patient_id for each in orders if each.status == "active"}))
    return [made for each in orders if (made := task(each, _of(each, based)))]


def _of(order: ServiceRequest, based: Mapping[Place, Sequence[Appointment]]) -> list[Appointment]:
    """The appointments that name an order by any of its numbers, each once."""
    named = (one for number in dict.fromkeys(numbers_of(order)) for one in based.get((order.patient_id, number), ()))
    return list({one.id: one for one in named}.values())


async def _appointments(ctx: FhirContext, patient_ids: Sequence[UUID]) -> dict[Place, list[Appointment]]:
    """Of these patients, as far as the reader may see them, by the number of the order that each names."""
    found: dict[Place, list[Appointment]] = defaultdict(list)
    asked = SearchAppointments(limit=PAGE)
    for first in range(0, len(patient_ids), AT_A_TIME):
        query = replace(asked, patient_ids=tuple(patient_ids[first : first + AT_A_TIME]))
        for each in await every_page(partial(ctx.scheduling.search_appointments, ctx.actor), query):
            if each.based_on:
                found[each.patient_id, each.based_on].append(each)
    return found
