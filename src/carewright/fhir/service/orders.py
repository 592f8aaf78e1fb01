"""Orders through FHIR: ServiceRequests read, found and written by the use cases of `orders`."""

from functools import partial
from typing import Any, cast, get_args

from carewright.contracts import smart
from carewright.contracts.directory import EntryType, FindEntries, Identifier
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.orders import service_request
from carewright.contracts.fhir.refusals import ChangeNotSupported, InvalidElement, SearchTooWide
from carewright.contracts.orders import InvalidRequest, RecordRequest, RequestStatus, SearchRequests, ServiceRequest, UpdateRequest
from carewright.fhir.context import FhirContext
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.ordered import Ordered, expression_of, read_ordered
from carewright.fhir.model.pointing import Pointer, known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.gathering import ends, every_page, named, uuids
from carewright.fhir.service.telling import told

PAGE = 1_000
IDENTIFIERS_MAX = 500


async def read(ctx: FhirContext, id_: str) -> Resource:
    return service_request(await ctx.orders.get_request(ctx.actor, known_uuid(id_)))


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id, patient, identifier, when they were written, or who asks or is asked."""
    if (query := _question(ctx, bounds)) is None:
        return []
    return [service_request(one) for one in await every_page(partial(ctx.orders.search_requests, ctx.actor), query)]


def _question(ctx: FhirContext, bounds: Narrowing) -> SearchRequests | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids, patient_ids = uuids(bounds.ids), uuids(bounds.patient_ids)
    party_ids = next((uuids(places) for code in ("requester", "performer") if (places := named(bounds, code))), None)
    statuses = None if bounds.statuses is None else tuple(each for each in get_args(RequestStatus) if each in bounds.statuses)
    if () in (ids, patient_ids, party_ids, statuses):
        return None
    identifiers = _identifiers(bounds)
    if not any((ids, patient_ids, party_ids, identifiers, bounds.starts, smart.bound_to(ctx.actor, "ServiceRequest"))):
        raise SearchTooWide("ServiceRequests are found by _id, patient, identifier (system|value), requester, performer or authored.")
    authored_from, authored_until = ends(bounds.starts)
    return SearchRequests(
        ids=ids or (), patient_ids=patient_ids or (), party_ids=party_ids or (), statuses=statuses or (), identifiers=identifiers,
        authored_from=authored_from, authored_until=authored_until, limit=PAGE,
    )  # fmt: skip


def _identifiers(bounds: Narrowing) -> tuple[Identifier, ...]:
    """Those asked for; none where one has no system, since then the others alone would narrow too far."""
    asked = bounds.identifiers or frozenset()
    whole = tuple(Identifier(system=each.system, value=each.code) for each in asked if each.system and each.code)
    return whole if len(whole) == len(asked) < IDENTIFIERS_MAX else ()


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new order. Raises `InvalidElement`, and what `record_request` refuses."""
    ordered = read_ordered(sent.resource, sent.base)
    await ctx.patients.get_patient(ctx.actor, ordered.patient_id)
    await _ensure_known(ctx, ordered)
    command = RecordRequest(patient_id=ordered.patient_id, details=ordered.details)
    made = await told(ctx.orders.record_request(ctx.actor, command, sent.key), InvalidRequest, expression_of)
    return _written(made, sent, is_new=True)


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """The order says what was sent, and nothing else. Raises what `update_request` refuses."""
    ordered = read_ordered(sent.resource, sent.base)
    before = await ctx.orders.get_request(ctx.actor, known_uuid(id_))
    if before.patient_id != ordered.patient_id:
        raise ChangeNotSupported("An order stays with its patient.", expression="ServiceRequest.subject")
    await _ensure_known(ctx, ordered)
    command = UpdateRequest(request_id=before.id, details=ordered.details, expected_version=sent.version)
    stored = await told(ctx.orders.update_request(ctx.actor, command, sent.key), InvalidRequest, expression_of)
    return _written(stored, sent)


async def _ensure_known(ctx: FhirContext, ordered: Ordered) -> None:
    """Raises `InvalidElement` for the first party that is nobody of ours; a patient asks for themselves alone."""
    for party in ordered.parties:
        if party.kind == "Patient":
            is_known = party.uuid == ordered.patient_id
        else:
            is_known = await _is_listed(ctx, party)
        if not is_known:
            raise InvalidElement(f"We do not know this {party.kind} here.", expression=party.expression)


async def _is_listed(ctx: FhirContext, party: Pointer) -> bool:
    query = FindEntries(resource_type=cast("EntryType", party.kind), ids=(party.uuid,))
    page = await ctx.directory.find_entries(ctx.actor, query)
    return any((page.practitioners, page.practitioner_roles, page.organizations, page.devices))


def _written(stored: ServiceRequest, sent: Sent, *, is_new: bool = False) -> Written:
    shown = service_request(stored)
    return Written(resource=shown, is_new=is_new, left_out=left_out(sent.resource, shown))
