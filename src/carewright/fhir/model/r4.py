"""The part of FHIR R4 that we read (https://hl7.org/fhir/R4/). Other elements, `meta`, `text` and extensions are passed over.

Their datatypes are those of `contracts/fhir/datatypes.py`.
"""

from typing import Any

import msgspec

from carewright.contracts.fhir.datatypes import CodeableConcept, Coding, ContactPoint, HumanName, Identifier, Reference

__all__ = ["CodeableConcept", "Coding", "ContactPoint", "HumanName", "Identifier", "Reference"]


class Head(msgspec.Struct, frozen=True, rename="camel"):
    """Just enough of a row to know what it is."""

    resource_type: Any = None
    id: Any = None


class Address(msgspec.Struct, frozen=True, rename="camel"):
    text: str | None = None
    line: tuple[str | None, ...] = ()
    city: str | None = None
    district: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str | None = None
    identifier: tuple[Identifier, ...] = ()


class Organization(Resource, frozen=True, kw_only=True, rename="camel"):
    name: str | None = None
    active: bool = True
    part_of: Reference | None = None


class Location(Resource, frozen=True, kw_only=True, rename="camel"):
    """R4 has one address; rows with a list are met in practice and read by their first."""

    name: str | None = None
    status: str = "active"
    mode: str | None = None
    physical_type: CodeableConcept | None = None
    type: tuple[CodeableConcept, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    address: Address | tuple[Address, ...] | None = None
    managing_organization: Reference | None = None
    part_of: Reference | None = None


class Qualification(msgspec.Struct, frozen=True):
    code: CodeableConcept | None = None


class Practitioner(Resource, frozen=True, kw_only=True, rename="camel"):
    name: tuple[HumanName, ...] = ()
    active: bool = True
    gender: str | None = None
    communication: tuple[CodeableConcept, ...] = ()
    qualification: tuple[Qualification, ...] = ()


class PractitionerRole(Resource, frozen=True, kw_only=True, rename="camel"):
    active: bool = True
    practitioner: Reference | None = None
    organization: Reference | None = None
    code: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()
    location: tuple[Reference, ...] = ()


class DeviceName(msgspec.Struct, frozen=True):
    name: str | None = None
    type: str | None = None


class Device(Resource, frozen=True, kw_only=True, rename="camel"):
    status: str = "active"
    device_name: tuple[DeviceName, ...] = ()
    type: CodeableConcept | None = None
    patient: Reference | None = None
    location: Reference | None = None


class HealthcareService(Resource, frozen=True, kw_only=True, rename="camel"):
    name: str | None = None
    active: bool = True
    specialty: tuple[CodeableConcept, ...] = ()
    comment: str = ""


class Period(msgspec.Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class EncounterParticipant(msgspec.Struct, frozen=True):
    type: tuple[CodeableConcept, ...] = ()
    individual: Reference | None = None


class EncounterLocation(msgspec.Struct, frozen=True):
    location: Reference | None = None


class Encounter(Resource, frozen=True, kw_only=True, rename="camel"):
    status: str | None = None
    class_: Coding | None = msgspec.field(default=None, name="class")
    type: tuple[CodeableConcept, ...] = ()
    service_type: CodeableConcept | None = None
    subject: Reference | None = None
    participant: tuple[EncounterParticipant, ...] = ()
    period: Period | None = None
    location: tuple[EncounterLocation, ...] = ()


class Quantity(msgspec.Struct, frozen=True):
    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Finding(Resource, frozen=True, kw_only=True, rename="camel"):
    """What an Observation and each of its components say alike; of a component the rest is empty.

    The values that we have no place for are told by being there.
    """

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: dict[str, Any] | None = None
    value_ratio: dict[str, Any] | None = None
    value_sampled_data: dict[str, Any] | None = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: dict[str, Any] | None = None
    data_absent_reason: CodeableConcept | None = None


class Observation(Finding, frozen=True, kw_only=True, rename="camel"):
    status: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    component: tuple[Finding, ...] = ()


class Communication(msgspec.Struct, frozen=True):
    language: CodeableConcept | None = None
    preferred: bool = False


class Patient(Resource, frozen=True, kw_only=True, rename="camel"):
    name: tuple[HumanName, ...] = ()
    active: bool = True
    gender: str | None = None
    birth_date: str | None = None
    telecom: tuple[ContactPoint, ...] = ()
    communication: tuple[Communication, ...] = ()
    deceased_boolean: bool = False
    deceased_date_time: str | None = None
