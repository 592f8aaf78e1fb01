"""Coverages through FHIR: who pays, read, found and written by the use cases of our own API."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts import smart
from carewright.contracts.coverage import (
    Coverage,
    CoverageDetails,
    Insured,
    InvalidCoverage,
    ListCoverages,
    Payer,
    RecordCoverage,
    UpdateCoverage,
)
from carewright.contracts.directory import FindEntries
from carewright.contracts.fhir import payment
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import ChangeNotSupported, InvalidElement, SearchTooWide
from carewright.fhir.context import FhirContext
from carewright.fhir.model.cards import Card, expression_of, payer_called, read_card
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.pointing import Pointer, known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.writes import Sent, Written, field_of
from carewright.fhir.service.gathering import every_page, named, uuids
from carewright.fhir.service.telling import told

PAGE = 200
PATIENTS_MAX = 50
"""Of so many patients at a time."""


async def read(ctx: FhirContext, id_: str) -> Resource:
    return payment.coverage(await ctx.coverages.get_coverage(ctx.actor, known_uuid(id_)))


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id, or by whose they are; patients find their own. A subscriber who is not the patient has no record here to be found by."""
    patients = bounds.patient_ids if bounds.patient_ids is not None else named(bounds, "subscriber")
    ids, patient_ids = uuids(bounds.ids), uuids(patients)
    return [
        payment.coverage(one)
        for query in _questions(smart.bound_to(ctx.actor, "Coverage"), ids, patient_ids)
        for one in await every_page(partial(ctx.coverages.list_coverages, ctx.actor), query)
    ]


def _questions(own: UUID | None, ids: tuple[UUID, ...] | None, patient_ids: tuple[UUID, ...] | None) -> Iterator[ListCoverages]:
    if own is not None:
        yield ListCoverages(patient_id=own, limit=PAGE)
    elif ids is not None:
        yield from (ListCoverages(ids=ids[first : first + PAGE], limit=PAGE) for first in range(0, len(ids), PAGE))
    elif patient_ids is None or len(patient_ids) > PATIENTS_MAX:
        raise SearchTooWide(f"Coverages are found by _id, or by 1 to {PATIENTS_MAX} patients (beneficiary), and whatever narrows that.")
    else:
        yield from (ListCoverages(patient_id=each, limit=PAGE) for each in patient_ids)


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new coverage. Raises `InvalidElement`, `MissingElement`, and what `record_coverage` refuses."""
    card = read_card(sent.resource, sent.base)
    command = RecordCoverage(patient_id=card.patient_id, details=await _details(ctx, card, await _person(ctx, card.patient_id)))
    made = await told(ctx.coverages.record_coverage(ctx.actor, command, sent.key), InvalidCoverage, expression_of)
    return _written(made, sent, is_new=True)


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """The card says what was sent, and nothing else; the patient stays as the payer knows them. Raises what `update_coverage` refuses."""
    card = read_card(sent.resource, sent.base)
    before = await ctx.coverages.get_coverage(ctx.actor, known_uuid(id_))
    if before.patient_id != card.patient_id:
        raise ChangeNotSupported("A coverage stays with its patient.", expression=expression_of("beneficiary"))
    details = await _details(ctx, card, before.beneficiary)
    command = UpdateCoverage(coverage_id=before.id, details=details, expected_version=sent.version)
    stored = await told(ctx.coverages.update_coverage(ctx.actor, command, sent.key), InvalidCoverage, expression_of)
    return _written(stored, sent)


async def _details(ctx: FhirContext, card: Card, beneficiary: Insured) -> CoverageDetails:
    subscriber, payer = card.subscriber, card.payer
    values = card.more | {
        "payer": await _payer(ctx, payer) if isinstance(payer, Pointer) else payer, "beneficiary": beneficiary,
        "subscriber": await _person(ctx, subscriber.uuid) if isinstance(subscriber, Pointer) else subscriber,
    }  # fmt: skip
    try:
        return msgspec.convert(msgspec.to_builtins(values), CoverageDetails)
    except msgspec.ValidationError as fault:
        raise InvalidElement("This is more, or other, than we keep.", expression=expression_of(field_of(fault))) from None


async def _person(ctx: FhirContext, patient_id: UUID) -> Insured:
    """Somebody as our own record has them."""
    one = await ctx.patients.get_patient(ctx.actor, patient_id)
    return Insured(family=one.family, given=one.given, birth_on=one.birth_on, gender=one.gender)


async def _payer(ctx: FhirContext, place: Pointer) -> Payer:
    """A payer that the directory knows, with the number that it has there for clearing-houses."""
    query = FindEntries(resource_type="Organization", ids=(place.uuid,))
    for one in (await ctx.directory.find_entries(ctx.actor, query)).organizations:
        number = next((each.value for each in one.identifiers if each.system == payment.PAYERS), None)
        return payer_called(one.name, number, place.expression)
    raise InvalidElement("We do not know this organization.", expression=place.expression)


def _written(stored: Coverage, sent: Sent, *, is_new: bool = False) -> Written:
    shown = payment.coverage(stored)
    return Written(resource=shown, is_new=is_new, left_out=left_out(sent.resource, shown))
