"""What a CoverageEligibilityRequest that was sent to us asks (https://hl7.org/fhir/R4/coverageeligibilityrequest.html)."""

import re
from datetime import date
from uuid import UUID

import msgspec

from carewright.contracts.coverage import WHOLE_PLAN
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.datatypes import CodeableConcept, Period
from carewright.contracts.fhir.eligibility import PURPOSES, SERVICE_TYPES
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.fhir.model.left_out import ensure_unmodified
from carewright.fhir.model.pointing import pointer
from carewright.kernel.values import Day

KIND = "CoverageEligibilityRequest"
SYSTEMS = frozenset({SERVICE_TYPES, "https://codesystem.x12.org/005010/1365", "http://terminology.hl7.org/CodeSystem/ex-benefitcategory"})
"""X12's kinds of services, as HL7 and Da Vinci name them, and HL7's example, which has the same numbers."""
NUMBER = re.compile(r"[A-Z0-9]{1,2}", re.ASCII)


class _Item(msgspec.Struct, frozen=True):
    category: CodeableConcept = CodeableConcept()


class _Request(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    purpose: tuple[str, ...]
    created: str
    serviced_date: str | None = None
    serviced_period: Period = Period()
    item: tuple[_Item, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One coverage of one patient, about one kind of service on one day."""

    patient_id: UUID
    coverage_id: UUID
    service_type: str
    serviced_on: date


def read_asked(resource: Resource, base: str) -> Asked:
    """Raises `InvalidElement` for what no payer is asked here."""
    ensure_unmodified(resource)
    said = msgspec.convert(resource, _Request)
    if said.status != "active":
        raise InvalidElement("A payer is asked by what is `active`.", expression=f"{KIND}.status")
    if not set(said.purpose) <= {*PURPOSES, "auth-requirements"}:
        raise InvalidElement("A known coverage is asked about, and none is looked for.", expression=f"{KIND}.purpose")
    insurance = resource.get("insurance", [])
    if len(insurance) != 1:
        raise InvalidElement("One coverage is asked about.", expression=f"{KIND}.insurance")
    return Asked(
        patient_id=_id(resource["patient"], "Patient", "patient", base),
        coverage_id=_id(insurance[0]["coverage"], "Coverage", "insurance[0].coverage", base),
        service_type=_service(said.item), serviced_on=_day(said.serviced_date or said.serviced_period.start or said.created),
    )  # fmt: skip


def _id(reference: Resource, kind: str, element: str, base: str) -> UUID:
    found = pointer(reference, f"{KIND}.{element}", base)
    if found is None or found.kind != kind:
        raise InvalidElement(f"A {kind} of this server belongs here.", expression=f"{KIND}.{element}")
    return found.uuid


def _service(items: tuple[_Item, ...]) -> str:
    """The kind of service by X12's code; without one the plan as a whole."""
    if len(items) > 1:
        raise InvalidElement("One kind of service is asked about at a time.", expression=f"{KIND}.item")
    codings = [each for item in items for each in item.category.coding]
    found = next((each.code for each in codings if each.system in SYSTEMS and NUMBER.fullmatch(each.code or "")), None)
    if items and found is None:
        raise InvalidElement(f"A service is named by a code of {SERVICE_TYPES}.", expression=f"{KIND}.item[0].category")
    return found or WHOLE_PLAN


def _day(text: str) -> date:
    try:
        return msgspec.convert(text[:10], Day)
    except msgspec.ValidationError:
        raise InvalidElement("A whole date belongs here: 2026-11-26.", expression=f"{KIND}.serviced") from None
