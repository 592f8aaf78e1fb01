"""What a Coverage that was sent to us says (https://hl7.org/fhir/R4/coverage.html): the card, before anybody is looked up."""

from datetime import date
from typing import Any, cast, get_args
from uuid import UUID

import msgspec

from carewright.contracts.coverage import Insured, Payer, Relationship
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.datatypes import CodeableConcept, HumanName, Period, Reference
from carewright.contracts.fhir.payment import CLASSES, PAYERS, RELATIONSHIPS
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.fhir.model.left_out import ensure_unmodified
from carewright.fhir.model.pointing import Pointer, pointer
from carewright.kernel.values import Day

ELEMENTS = {
    "payer": "payor", "member_id": "subscriberId", "beneficiary": "beneficiary", "relationship": "relationship",
    "subscriber": "subscriber", "plan": "class", "group": "class", "starts_on": "period.start", "ends_on": "period.end", "order": "order",
    "status": "status",
}  # fmt: skip
"""Our fields of a coverage, and the elements of a Coverage that they come from."""
PAYER_TYPES = frozenset({"Organization"})


class _Class(msgspec.Struct, frozen=True):
    type: CodeableConcept
    value: str


class _Person(msgspec.Struct, frozen=True, rename="camel"):
    id: str | None = None
    name: tuple[HumanName, ...] = ()
    gender: str | None = None
    birth_date: str | None = None


class _Coverage(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    beneficiary: Reference
    payor: tuple[Reference, ...]
    contained: tuple[_Person, ...] = ()
    subscriber: Reference | None = None
    subscriber_id: str | None = None
    relationship: CodeableConcept = CodeableConcept()
    period: Period = Period()
    class_: tuple[_Class, ...] = msgspec.field(default=(), name="class")
    order: int = 1


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A coverage as somebody else wrote it. The subscriber is contained, a patient of ours, or None: the patient.

    The payer is said by name, or is an organization of our directory. `more` holds what needs no looking up, by our fields.
    """

    patient_id: UUID
    subscriber: Insured | Pointer | None
    payer: Payer | Pointer
    more: dict[str, Any]


def read_card(resource: Resource, base: str) -> Card:
    """Raises `InvalidElement` and `MissingElement` with the FHIRPath of what cannot be kept."""
    ensure_unmodified(resource)
    said = msgspec.convert(resource, _Coverage)
    patient_id = _patient(pointer(resource["beneficiary"], expression_of("beneficiary"), base))
    subscriber = _subscriber(said, resource, patient_id, base)
    return Card(
        patient_id=patient_id, subscriber=subscriber, payer=_payer(said, resource, base),
        more={
            "status": said.status, "member_id": said.subscriber_id or _missing("member_id"),
            "relationship": _relationship(said.relationship, is_own=subscriber is None),
            "plan": _class(said, "plan"), "group": _class(said, "group"), "order": said.order,
            "starts_on": _day(said.period.start, "starts_on"), "ends_on": _day(said.period.end, "ends_on"),
        },
    )  # fmt: skip


def expression_of(field: str) -> str:
    """The FHIRPath of one of our fields."""
    return f"Coverage.{ELEMENTS[field]}" if field in ELEMENTS else "Coverage"


def _missing(field: str) -> Any:
    raise MissingElement("Without this no payer can be asked.", expression=expression_of(field))


def _patient(found: Pointer | None) -> UUID:
    if found is None or found.kind != "Patient":
        raise InvalidElement("A coverage is of a Patient of this server.", expression=expression_of("beneficiary"))
    return found.uuid


def _subscriber(said: _Coverage, resource: Resource, patient_id: UUID, base: str) -> Insured | Pointer | None:
    place = expression_of("subscriber")
    text = said.subscriber.reference if said.subscriber else None
    if text is None:
        return None
    if text.startswith("#"):
        return _insured(next((each for each in said.contained if each.id == text[1:]), _Person()))
    found = pointer(resource["subscriber"], place, base)
    if found is None or found.kind != "Patient":
        raise InvalidElement("A subscriber is a Patient of this server, or contained.", expression=place)
    return None if found.uuid == patient_id else found


def _insured(person: _Person) -> Insured:
    name = next((each for each in person.name if each.family), HumanName())
    said = {"family": name.family, "given": [each for each in name.given if each], "gender": person.gender}
    try:
        return msgspec.convert(said | {"birth_on": person.birth_date}, Insured)
    except msgspec.ValidationError:
        raise InvalidElement("A contained subscriber has a family name, and a whole birth date.", expression="Coverage.contained") from None


def _payer(said: _Coverage, resource: Resource, base: str) -> Payer | Pointer:
    place = f"{expression_of('payer')}[0]"
    if len(said.payor) != 1:
        raise InvalidElement("A coverage has one payer here.", expression=expression_of("payer"))
    one = said.payor[0]
    if (found := pointer(resource["payor"][0], place, base)) is not None:
        if found.kind not in PAYER_TYPES:
            raise InvalidElement("A payer is an Organization, or said by its name.", expression=found.expression)
        return found
    number = one.identifier.value if one.identifier and one.identifier.system == PAYERS else None
    return payer_called(one.display, number, place)


def payer_called(name: str | None, number: str | None, place: str) -> Payer:
    """Raises `InvalidElement` for a name or a number that none can have."""
    try:
        return msgspec.convert({"name": name, "id": number}, Payer)
    except msgspec.ValidationError:
        raise InvalidElement("A payer has a name (display), and a number that clearing-houses know.", expression=place) from None


def _relationship(concept: CodeableConcept, *, is_own: bool) -> Relationship:
    known = [each.code for each in concept.coding if each.system in (RELATIONSHIPS, None)]
    if not concept.coding:
        return "self" if is_own else "other"
    found = next((code for code in known if code in get_args(Relationship)), None)
    if found is None:
        raise InvalidElement(f"The relationship is one of {', '.join(get_args(Relationship))}.", expression=expression_of("relationship"))
    return cast("Relationship", found)


def _class(said: _Coverage, kind: str) -> str:
    """The first class of a kind."""
    for each in said.class_:
        if any(one.code == kind and one.system in (CLASSES, None) for one in each.type.coding):
            return each.value
    return ""


def _day(text: str | None, field: str) -> date | None:
    """The day of a FHIR dateTime; a coverage begins and ends with whole days."""
    try:
        return msgspec.convert(text[:10], Day) if text else None
    except msgspec.ValidationError:
        raise InvalidElement("A whole date belongs here: 2026-11-26.", expression=expression_of(field)) from None
