"""What a ServiceRequest that was sent to us says (https://hl7.org/fhir/R4/servicerequest.html), before anybody is looked up."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.datatypes import CodeableConcept, Identifier, Reference
from carewright.contracts.fhir.orders import IDENTIFIER_TYPES, NUMBERS
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.orders import PartyKind, RequestDetails
from carewright.fhir.model.left_out import ensure_unmodified
from carewright.fhir.model.pointing import Pointer, pointer
from carewright.fhir.model.writes import field_of
from carewright.kernel.values import Instant

ELEMENTS = {
    "status": "status", "intent": "intent", "priority": "priority", "code": "code", "categories": "category", "placer": "identifier",
    "filler": "identifier", "identifiers": "identifier", "requester": "requester", "performers": "performer", "authored_at": "authoredOn",
    "occurs_from": "occurrence", "occurs_until": "occurrence", "reasons": "reasonCode",
}  # fmt: skip
"""Our fields of an order, and the elements of a ServiceRequest that they come from."""
KINDS = get_args(PartyKind)
Values = dict[str, Any]


class _Period(msgspec.Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class _Request(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    intent: str
    identifier: tuple[Identifier, ...] = ()
    priority: str = "routine"
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    requester: Reference | None = None
    performer: tuple[Reference, ...] = ()
    authored_on: str | None = None
    occurrence_date_time: str | None = None
    occurrence_period: _Period = _Period()
    reason_code: tuple[CodeableConcept, ...] = ()


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """An order as somebody else wrote it. `parties` are the entries of ours that it names."""

    patient_id: UUID
    details: RequestDetails
    parties: tuple[Pointer, ...]


def read_ordered(resource: Resource, base: str) -> Ordered:
    """Raises `InvalidElement` with the FHIRPath of what cannot be kept."""
    ensure_unmodified(resource, "doNotPerform")
    said = msgspec.convert(resource, _Request)
    parties = list(_parties(resource, base))
    values = _plain(said) | _numbers(said.identifier) | {
        "requester": next((_party(said.requester, found) for field, found in parties if field == "requester" and said.requester), None),
        "performers": [
            _party(each, found)
            for each, found in zip(said.performer, [found for field, found in parties if field == "performers"], strict=True)
        ],
    }  # fmt: skip
    try:
        details = msgspec.convert(msgspec.to_builtins(values), RequestDetails)
    except msgspec.ValidationError as fault:
        raise InvalidElement("This is more, or other, than we keep.", expression=expression_of(field_of(fault))) from None
    return Ordered(patient_id=_patient(resource, base), details=details, parties=tuple(found for _, found in parties if found))


def expression_of(field: str) -> str:
    """The FHIRPath of one of our fields."""
    return f"ServiceRequest.{ELEMENTS[field]}" if field in ELEMENTS else "ServiceRequest"


def _plain(said: _Request) -> Values:
    """What needs no looking up."""
    start, end = _occurrence(said)
    return {
        "status": said.status, "intent": said.intent, "priority": said.priority, "code": _coding(said.code) if said.code else None,
        "categories": [_coding(each) for each in said.category], "authored_at": _instant(said.authored_on, "authored_at"),
        "occurs_from": start, "occurs_until": end, "reasons": [text for each in said.reason_code if (text := _words(each))],
    }  # fmt: skip


def _numbers(identifiers: tuple[Identifier, ...]) -> Values:
    """The first number of each side, and whatever else names the order. One without system or value names nothing."""
    found: Values = {"identifiers": []}
    for each in identifiers:
        if not each.system or not each.value:
            raise InvalidElement("An identifier has a system and a value.", expression=expression_of("identifiers"))
        number = {"system": each.system, "value": each.value}
        field = next((field for field, code in NUMBERS.items() if _is_typed(each, code) and field not in found), None)
        if field:
            found[field] = number
        else:
            found["identifiers"].append(number)
    return found


def _is_typed(identifier: Identifier, code: str) -> bool:
    codings = identifier.type.coding if identifier.type else ()
    return any(each.code == code and each.system in (IDENTIFIER_TYPES, None) for each in codings)


def _coding(concept: CodeableConcept) -> Values:
    """Its first coding, or else its words."""
    one = concept.coding[0] if concept.coding else None
    display = (one.display if one else None) or concept.text or ""
    return {"system": (one.system if one else None) or "", "code": (one.code if one else None) or "", "display": display}


def _words(concept: CodeableConcept) -> str | None:
    return concept.text or next((each.display or each.code for each in concept.coding if each.display or each.code), None)


def _occurrence(said: _Request) -> tuple[datetime | None, datetime | None]:
    if said.occurrence_date_time:
        at = _instant(said.occurrence_date_time, "occurs_from")
        return at, at
    return _instant(said.occurrence_period.start, "occurs_from"), _instant(said.occurrence_period.end, "occurs_until")


def _instant(text: str | None, field: str) -> datetime | None:
    try:
        return msgspec.convert(text, Instant) if text else None
    except msgspec.ValidationError:
        raise InvalidElement("An instant with its offset belongs here: 2026-11-26T09:30:00Z.", expression=expression_of(field)) from None


def _parties(resource: Resource, base: str) -> Iterator[tuple[str, Pointer | None]]:
    """Each reference to who asks or is asked, with our field; None for who is named in words alone."""
    places = [("requester", resource["requester"], "")] if "requester" in resource else []
    places += [("performers", each, f"[{number}]") for number, each in enumerate(resource.get("performer", ()))]
    for field, reference, number in places:
        found = pointer(reference, expression_of(field) + number, base)
        if found is not None and found.kind not in KINDS:
            raise InvalidElement(f"Here this is one of {', '.join(KINDS)}, or somebody named in words.", expression=found.expression)
        yield field, found


def _party(reference: Reference, found: Pointer | None) -> Values:
    return {"kind": found and found.kind, "id": found and found.uuid, "display": reference.display or ""}


def _patient(resource: Resource, base: str) -> UUID:
    found = pointer(resource["subject"], "ServiceRequest.subject", base)
    if found is None or found.kind != "Patient":
        raise InvalidElement("What is asked for is for a Patient of this server.", expression="ServiceRequest.subject")
    return found.uuid
