"""FHIR R4 rows as small as they may be; tests add what they are about."""

from typing import Any

NPI = "http://hl7.org/fhir/sid/us-npi"
NUCC = "http://nucc.org/provider-taxonomy"
PHYSICAL = "http://terminology.hl7.org/CodeSystem/location-physical-type"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
KANSAS_CITY = {"line": ["1 Main Street"], "city": "Kansas City", "state": "MO", "postalCode": "64106", "country": "US"}

Json = dict[str, Any]


def concept(system: str, code: str, display: str = "") -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def to(resource_type: str, source_id: str) -> Json:
    return {"reference": f"{resource_type}/{source_id}"}


def by(system: str, value: str) -> Json:
    return {"identifier": {"system": system, "value": value}}


def organization(source_id: str = "o1", **more: Any) -> Json:
    return {"resourceType": "Organization", "id": source_id, "name": "Saint Luke"} | more


def site(source_id: str = "s1", **more: Any) -> Json:
    return {"resourceType": "Location", "id": source_id, "name": "Main site", "address": KANSAS_CITY} | more


def place(source_id: str, physical_type: str, part_of: str | None, **more: Any) -> Json:
    row = {"resourceType": "Location", "id": source_id, "name": f"Place {source_id}", "physicalType": concept(PHYSICAL, physical_type)}
    return row | ({"partOf": to("Location", part_of)} if part_of else {}) | more


def practitioner(source_id: str = "p1", **more: Any) -> Json:
    return {"resourceType": "Practitioner", "id": source_id, "name": [{"family": "Okafor", "given": ["Ada"], "prefix": ["Dr."]}]} | more


def role(source_id: str = "r1", practitioner_id: str = "p1", site_id: str = "s1", code: str = "208D00000X", **more: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": source_id,
        "practitioner": to("Practitioner", practitioner_id),
        "location": [to("Location", site_id)],
        "code": [concept(NUCC, code)],
        "specialty": [concept(NUCC, code)],
    } | more


def device(source_id: str = "d1", **more: Any) -> Json:
    return {"resourceType": "Device", "id": source_id, "type": concept(SNOMED, "19257004", "Defibrillator")} | more


def observation(source_id: str = "v1", patient_id: str = "a1", **more: Any) -> Json:
    """As Synthea writes a weight."""
    row = {"resourceType": "Observation", "id": source_id, "status": "final", "code": concept(LOINC, "29463-7", "Body Weight")}
    value = {"value": 72.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    return row | {"subject": to("Patient", patient_id), "effectiveDateTime": "2025-03-01T09:30:00-05:00", "valueQuantity": value} | more


def encounter(source_id: str = "e1", patient_id: str = "a1", **more: Any) -> Json:
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    row = {"resourceType": "Encounter", "id": source_id, "status": "finished", "class": ambulatory}
    return row | {"subject": to("Patient", patient_id)} | more


def patient(source_id: str = "a1", **more: Any) -> Json:
    return {"resourceType": "Patient", "id": source_id, "name": [{"use": "official", "family": "Meyer", "given": ["Lena"]}]} | more
