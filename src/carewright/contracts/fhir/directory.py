"""Who and what can be booked."""

from collections.abc import Iterable

from carewright.contracts.directory import (
    Device,
    HealthcareService,
    Location,
    LocationKind,
    Organization,
    PostalAddress,
    Practitioner,
    PractitionerRole,
    VisitType,
)
from carewright.contracts.fhir.basics import (
    VISIT_TYPES,
    Resource,
    concept,
    concepts,
    identifiers,
    language,
    reference,
    references,
    resource,
    said,
)

PHYSICAL_TYPES = "http://terminology.hl7.org/CodeSystem/location-physical-type"
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
PLACES: dict[LocationKind, tuple[str, str]] = {
    "site": ("si", "Site"), "building": ("bu", "Building"), "room": ("ro", "Room"), "bed": ("bd", "Bed"), "lab-bench": ("area", "Area"),
}  # fmt: skip
"""What a place is physically (http://hl7.org/fhir/R4/valueset-location-physical-type.html)."""


def organization(one: Organization) -> Resource:
    return resource("Organization", one.id, {
        "identifier": identifiers(one.identifiers), "active": one.active, "name": one.name,
        "partOf": reference("Organization", one.part_of_id),
    }, one.version)  # fmt: skip


def location(one: Location) -> Resource:
    """A place; a site tells its time zone."""
    code, display = PLACES[one.kind]
    zone = [{"url": TIME_ZONE, "valueCode": one.time_zone}] if one.time_zone else None
    return resource("Location", one.id, {
        "extension": zone,
        "identifier": identifiers(one.identifiers),
        "status": "active" if one.active else "inactive",
        "name": one.name,
        "mode": "instance",
        "type": concepts([one.room_type] if one.room_type else []),
        "telecom": [{"system": "phone", "value": one.phone}] if one.phone else None,
        "address": _address(one),
        "physicalType": {"coding": [{"system": PHYSICAL_TYPES, "code": code, "display": display}]},
        "managingOrganization": reference("Organization", one.managing_organization_id),
        "partOf": reference("Location", one.part_of_id),
    }, one.version)  # fmt: skip


def _address(one: Location) -> Resource:
    """What people read, and the parts of it that are known."""
    parts = one.postal or PostalAddress()
    return said({
        "text": one.address, "line": list(parts.lines), "city": parts.city, "district": parts.district, "state": parts.state,
        "postalCode": parts.postal_code, "country": parts.country,
    })  # fmt: skip


def practitioner(one: Practitioner) -> Resource:
    return resource("Practitioner", one.id, {
        "identifier": identifiers(one.identifiers),
        "active": one.active,
        "name": [said({"family": one.family, "given": list(one.given), "prefix": [one.prefix] if one.prefix else None})],
        "gender": one.gender,
        "communication": [language(tag) for tag in one.languages],
    }, one.version)  # fmt: skip


def practitioner_role(one: PractitionerRole) -> Resource:
    """What somebody does and where. Skills stand among the specialties: R4 has no place of their own for them."""
    return resource("PractitionerRole", one.id, {
        "identifier": identifiers(one.identifiers),
        "active": one.active,
        "practitioner": reference("Practitioner", one.practitioner_id),
        "organization": reference("Organization", one.for_organization_id),
        "code": concepts(one.codes),
        "specialty": concepts((*one.specialties, *one.skills)),
        "location": references("Location", one.site_ids),
    }, one.version)  # fmt: skip


def device(one: Device) -> Resource:
    return resource("Device", one.id, {
        "identifier": identifiers(one.identifiers),
        "status": "active" if one.active else "inactive",
        "deviceName": [{"name": one.name, "type": "user-friendly-name"}],
        "type": concept(one.device_type),
        "location": reference("Location", one.location_id or one.site_id),
    }, one.version)  # fmt: skip


def healthcare_service(one: HealthcareService, visit_types: Iterable[VisitType] = ()) -> Resource:
    """A service; its kinds of visits are its types."""
    return resource("HealthcareService", one.id, {
        "active": one.active,
        "type": [visit_type(each) for each in visit_types],
        "specialty": concepts([one.specialty]),
        "location": references("Location", one.site_ids),
        "name": one.name,
        "comment": one.description,
        "appointmentRequired": True,
    }, one.version)  # fmt: skip


def visit_type(one: VisitType) -> Resource:
    """A kind of visit as a concept."""
    return {"coding": [{"system": VISIT_TYPES, "code": str(one.id), "display": one.name}], "text": one.name}
