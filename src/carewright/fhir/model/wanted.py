"""What an Appointment that was sent to us asks for (https://hl7.org/fhir/R4/appointment.html)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.fhir.basics import VISIT_TYPES, Resource
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.contracts.fhir.scheduling import PRIORITIES
from carewright.fhir.model.pointing import Pointer, pointer, uuid_or_none
from carewright.fhir.model.searching.elements import local
from carewright.kernel.values import Instant

ACTOR_TYPES = frozenset({"Practitioner", "PractitionerRole", "Location", "Device", "Patient", "RelatedPerson", "HealthcareService"})
PARTICIPANTS_MAX = 50
NOTE_MAX = 2000
"""Characters, as scheduling takes them."""
TIERS: Mapping[int, UrgencyTier] = {priority: tier for tier, priority in PRIORITIES.items()}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as somebody else wrote it: whatever they left out is None or empty. `actors` have no patient among them.

    `based_on` is the referral in words or by its number; `order` is there where it is named as one of this server.
    """

    status: str
    id: str | None = None
    visit_type_id: UUID | None = None
    start: datetime | None = None
    end: datetime | None = None
    patient_id: UUID | None = None
    patient_status: str | None = None
    actors: tuple[Pointer, ...] = ()
    urgency: UrgencyTier | None = None
    comment: str | None = None
    based_on: str | None = None
    order: Pointer | None = None
    cancelation_reason: str | None = None


def read_wanted(resource: Resource, base: str) -> Wanted:
    """Raises `InvalidElement` and `MissingElement` with the FHIRPath of what is wrong."""
    if resource.get("resourceType") != "Appointment":
        raise InvalidElement("An Appointment belongs here.", expression="Appointment")
    patient, patient_status, actors = _participants(resource, base)
    return Wanted(
        status=_code(resource, "status"),
        id=resource.get("id"),
        visit_type_id=_visit_type(resource),
        start=instant_in(resource, "start"),
        end=instant_in(resource, "end"),
        patient_id=patient,
        patient_status=patient_status,
        actors=actors,
        urgency=_urgency(resource.get("priority")),
        comment=_text(resource, "comment", NOTE_MAX),
        based_on=_based_on(resource.get("basedOn")),
        order=_order(resource.get("basedOn"), base),
        cancelation_reason=_reason(resource.get("cancelationReason")),
    )


def _participants(resource: Resource, base: str) -> tuple[UUID | None, str | None, tuple[Pointer, ...]]:
    patients: list[tuple[Pointer, str | None]] = []
    actors: list[Pointer] = []
    for number, each in enumerate(_objects(resource.get("participant"), "Appointment.participant")):
        if (found := pointer(each.get("actor"), f"Appointment.participant[{number}].actor", base)) is None:
            continue
        if found.kind not in ACTOR_TYPES:
            raise InvalidElement(f"A {found.kind[:40]} cannot take part.", expression=found.expression)
        if found.kind == "Patient":
            patients.append((found, each.get("status")))
        else:
            actors.append(found)
    if len(patients) > 1:
        raise InvalidElement("One appointment is for one patient.", expression=patients[1][0].expression)
    return (patients[0][0].uuid, patients[0][1], tuple(actors)) if patients else (None, None, tuple(actors))


def _visit_type(resource: Resource) -> UUID | None:
    """Our coding, wherever FHIR lets somebody say what kind of visit it is."""
    concepts = [
        *((each, f"Appointment.serviceType[{number}]") for number, each in enumerate(_objects(resource.get("serviceType"), "serviceType"))),
        (resource.get("appointmentType"), "Appointment.appointmentType"),
    ]
    for concept, expression in concepts:
        if found := visit_type_of(concept, expression):
            return found
    return None


def visit_type_of(concept: Any, expression: str) -> UUID | None:
    """The kind of visit that a CodeableConcept names by our code. Raises `InvalidElement` for a code that none of ours can be."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for one in _objects(codings, f"{expression}.coding"):
        if one.get("system") == VISIT_TYPES:
            found = uuid_or_none(str(one.get("code", "")))
            if found is None:
                raise InvalidElement("We do not know this kind of visit.", expression=f"{expression}.coding.code")
            return found
    return None


def _based_on(references: Any) -> str | None:
    """The referral: its identifier, or the words it is shown by."""
    for each in _objects(references, "Appointment.basedOn"):
        identifier = each.get("identifier")
        text = (identifier.get("value") if isinstance(identifier, dict) else None) or each.get("display") or each.get("reference")
        if isinstance(text, str) and text.strip():
            return text.strip()[:200]
    return None


def _order(references: Any, base: str) -> Pointer | None:
    """The ServiceRequest of ours that is referred to first. What lies elsewhere is a referral in words."""
    for number, each in enumerate(_objects(references, "Appointment.basedOn")):
        text = each.get("reference")
        place = local(text, base) if isinstance(text, str) else None
        if place and place.startswith("ServiceRequest/"):
            return pointer(each, f"Appointment.basedOn[{number}]", base)
    return None


def _reason(concept: Any) -> str | None:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    codes = [one.get("code") for one in _objects(codings, "Appointment.cancelationReason.coding")]
    return next((code[:200] for code in codes if isinstance(code, str) and code), None)


def _urgency(priority: Any) -> UrgencyTier | None:
    return TIERS.get(priority) if isinstance(priority, int) else None


def _code(resource: Resource, name: str) -> str:
    value = resource.get(name)
    if not isinstance(value, str) or not value:
        raise MissingElement(f"An Appointment says its {name}.", expression=f"Appointment.{name}")
    return value


def _text(resource: Resource, name: str, length_max: int) -> str | None:
    value = resource.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > length_max:
        raise InvalidElement(f"At most {length_max} characters belong here.", expression=f"Appointment.{name}")
    return value.strip() or None


def instant_in(resource: Resource, name: str) -> datetime | None:
    """The instant that an element says, if it is there. Raises `InvalidElement`."""
    value = resource.get(name)
    if value is None:
        return None
    try:
        return msgspec.convert(value, Instant)
    except msgspec.ValidationError:
        expression = f"{resource['resourceType']}.{name}"
        raise InvalidElement("An instant with its offset belongs here: 2026-11-26T09:30:00Z.", expression=expression) from None


def _objects(value: Any, expression: str) -> list[dict[str, Any]]:
    """A list of objects; nothing is none. Raises `InvalidElement`."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > PARTICIPANTS_MAX or not all(isinstance(each, dict) for each in value):
        raise InvalidElement("A list of objects belongs here.", expression=expression)
    return value
