"""The part of FHIR R4 that we read (https://hl7.org/fhir/R4/). Other elements, `meta`, `text` and extensions are passed over.

Arrays may hold nulls where only an extension has the value (https://hl7.org/fhir/R4/json.html#primitive), so text lists allow them.
"""

from typing import Any

import msgspec


class Head(msgspec.Struct, frozen=True, rename="camel"):
    """Just enough of a row to know what it is."""

    resource_type: Any = None
    id: Any = None


class Coding(msgspec.Struct, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Identifier(msgspec.Struct, frozen=True):
    system: str | None = None
    value: str | None = None
    use: str | None = None
    type: CodeableConcept | None = None


class Reference(msgspec.Struct, frozen=True):
    reference: str | None = None
    identifier: Identifier | None = None


class HumanName(msgspec.Struct, frozen=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    prefix: tuple[str | None, ...] = ()


class ContactPoint(msgspec.Struct, frozen=True):
    system: str | None = None
    value: str | None = None
    use: str | None = None
    rank: int | None = None


class Address(msgspec.Struct, frozen=True, rename="camel"):
    line: tuple[str | None, ...] = ()
    city: str | None = None
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
