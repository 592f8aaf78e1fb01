"""The shape of an AuditEvent in IHE BALP as a JSON Schema: what its Create, Read, Update, Delete and Query patterns require, for FHIR R4.

Source: https://profiles.ihe.net/ITI/BALP (required elements and fixed codes of the patterns, with and without a patient).
"""

from typing import Any

import jsonschema_rs

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
INTERACTIONS = {
    "C": ("Create", "create"),
    "R": ("Read", "read"),
    "U": ("Update", "update"),
    "D": ("Delete", "delete"),
    "E": ("Query", "search"),
}


def coded(system: str, code: str) -> dict[str, Any]:
    """A Coding of this system and code."""
    return {"type": "object", "required": ["system", "code"], "properties": {"system": {"const": system}, "code": {"const": code}}}


def concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept with such a coding."""
    return {"type": "object", "required": ["coding"], "properties": {"coding": {"type": "array", "contains": coded(system, code)}}}


REFERENCE = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "type": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
        "reference": {"type": "string", "pattern": "^[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}$"},
        "display": {"type": "string", "minLength": 1},
        "identifier": {
            "type": "object",
            "required": ["system", "value"],
            "properties": {"system": {"type": "string", "format": "uri"}, "value": {"type": "string", "minLength": 1}},
        },
    },
}


NETWORK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["address", "type"],
    "properties": {"address": {"type": "string", "pattern": "^[0-9a-fA-F:.]{2,45}$"}, "type": {"const": "2"}},
}


def agent(system: str, code: str, *, requestor: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "who", "requestor"],
        "properties": {"type": concept(system, code), "who": REFERENCE, "requestor": {"const": requestor}, "network": NETWORK},
    }


def entity(kind: str, role: str, *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "role", *required],
        "properties": {
            "type": coded(TERMINOLOGY + "audit-entity-type", kind),
            "role": coded(TERMINOLOGY + "object-role", role),
            "what": REFERENCE,
            "query": {"type": "string", "minLength": 4, "pattern": "^[A-Za-z0-9+/]+={0,2}$"},
        },
    }


PATIENT, DATA, QUERY = entity("1", "1", "what"), entity("2", "4", "what"), entity("2", "24", "query")


def of_action(action: str) -> dict[str, Any]:
    """What an event of this action must be besides."""
    pattern, interaction = INTERACTIONS[action]
    return {
        "if": {"properties": {"action": {"const": action}}},
        "then": {
            "properties": {
                "meta": {"properties": {"profile": {"contains": {"enum": [PROFILE + pattern, f"{PROFILE}Patient{pattern}"]}}}},
                "subtype": {"contains": coded("http://hl7.org/fhir/restful-interaction", interaction)},
                "entity": {"contains": QUERY if action == "E" else DATA},
            }
        },
    }


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["resourceType", "id", "meta", "type", "subtype", "action", "recorded", "outcome", "agent", "source", "entity"],
    "additionalProperties": False,
    "properties": {
        "resourceType": {"const": "AuditEvent"},
        "id": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
        "meta": {"type": "object", "required": ["profile"], "properties": {"profile": {"type": "array", "minItems": 1}}},
        "type": coded(TERMINOLOGY + "audit-event-type", "rest"),
        "subtype": {"type": "array", "minItems": 1},
        "action": {"enum": list(INTERACTIONS)},
        "recorded": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "outcome": {"enum": ["0", "4", "8", "12"]},
        "outcomeDesc": {"type": "string", "minLength": 1},
        "purposeOfEvent": {"type": "array", "minItems": 1},
        "agent": {
            "type": "array",
            "allOf": [
                {"contains": agent(DICOM, "110153", requestor=False)},
                {"contains": agent(DICOM, "110152", requestor=False)},
                {"contains": agent(TERMINOLOGY + "v3-ParticipationType", "IRCP", requestor=True)},
            ],
        },
        "source": {
            "type": "object",
            "required": ["observer", "type"],
            "properties": {"observer": REFERENCE, "type": {"contains": coded(TERMINOLOGY + "security-source-type", "4")}},
        },
        "entity": {"type": "array", "minItems": 1, "items": {"type": "object", "anyOf": [{"required": ["what"]}, {"required": ["query"]}]}},
    },
    "allOf": [
        *(of_action(action) for action in INTERACTIONS),
        {
            "if": {"properties": {"meta": {"properties": {"profile": {"contains": {"pattern": "BasicAudit.Patient"}}}}}},
            "then": {"properties": {"entity": {"contains": PATIENT, "minContains": 1, "maxContains": 1}}},
        },
    ],
}
_VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


def faults_of(rendered: dict[str, Any]) -> list[str]:
    """What is not as BALP has it."""
    return [f"{error.instance_path}: {error.message}" for error in _VALIDATOR.iter_errors(rendered)]
