"""How an entry of the log looks: an AuditEvent of IHE BALP (https://profiles.ihe.net/ITI/BALP), and, of a change, a Provenance."""

from base64 import b64encode
from typing import Any

from carewright.contracts.audit import AuditEntity, AuditEvent

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
PATTERNS = {
    "C": ("Create", "create"),
    "R": ("Read", "read"),
    "U": ("Update", "update"),
    "D": ("Delete", "delete"),
    "E": ("Query", "search"),
}
IP_ADDRESS = "2"
"""http://hl7.org/fhir/network-type"""
CHANGES = {"C": "CREATE", "U": "UPDATE", "D": "DELETE"}
"""http://terminology.hl7.org/CodeSystem/v3-DataOperation"""
OUTCOMES = {"success": "0", "refused": "4", "failed": "8"}
RESOURCES = frozenset({
    "Appointment", "Communication", "Device", "Group", "HealthcareService", "Location", "Organization", "Patient", "Practitioner",
    "PractitionerRole", "RelatedPerson", "Schedule", "Slot", "Encounter", "Observation", "ServiceRequest",
})  # fmt: skip
"""Types that FHIR knows. What it lacks is named by its identifier."""


def audit_event(event: AuditEvent) -> dict[str, Any]:
    """The resource, as FHIR's JSON has it. A search gives its name as the query: its words would be a person's data."""
    pattern, interaction = PATTERNS[event.action]
    rendered = {
        "resourceType": "AuditEvent",
        "id": str(event.id),
        "meta": {"profile": [PROFILES + ("Patient" if event.patient_id else "") + pattern]},
        "type": _coding("audit-event-type", "rest", "Restful Operation"),
        "subtype": [
            {"system": "http://hl7.org/fhir/restful-interaction", "code": interaction},
            {"system": "urn:carewright:audit-event", "code": event.event},
        ],
        "action": event.action,
        "recorded": event.recorded_at.isoformat(timespec="milliseconds"),
        "outcome": OUTCOMES[event.outcome],
        "purposeOfEvent": [{"coding": [_coding("v3-ActReason", event.purpose)]}] if event.purpose else None,
        "outcomeDesc": event.code,
        "agent": [_client(event), _server(), _user(event)],
        "source": {"observer": {"display": "Carewright"}, "type": [_coding("security-source-type", "4", "Application Server")]},
        "entity": _entities(event),
    }
    return {name: value for name, value in rendered.items() if value}


def provenance(event: AuditEvent) -> dict[str, Any] | None:
    """Who changed what, and why: what an entry of a change says, and nothing besides. None where nothing was changed."""
    targets = [_reference(each) for each in event.entities] or ([_about(event)] if event.patient_id else [])
    if event.action not in CHANGES or event.outcome != "success" or not targets:
        return None
    user = _user(event)
    made = {
        "resourceType": "Provenance",
        "id": str(event.id),
        "target": targets,
        "recorded": event.recorded_at.isoformat(timespec="milliseconds"),
        "reason": [{"coding": [_coding("v3-ActReason", event.purpose)]}] if event.purpose else None,
        "activity": {"coding": [_coding("v3-DataOperation", CHANGES[event.action])]},
        "agent": [
            {"type": _concept(TERMINOLOGY + "provenance-participant-type", "author", "Author"), "role": user["role"], "who": user["who"]}
        ],
    }
    return {name: value for name, value in made.items() if value}


def _client(event: AuditEvent) -> dict[str, Any]:
    """What the request came from: which of our own rims or whose program, the token alone knows."""
    client = {"type": _concept(DICOM, "110153", "Source Role ID"), "who": {"display": event.role}, "requestor": False}
    return client | {"network": {"address": event.address, "type": IP_ADDRESS}} if event.address else client


def _server() -> dict[str, Any]:
    return {"type": _concept(DICOM, "110152", "Destination Role ID"), "who": {"display": "Carewright"}, "requestor": False}


def _user(event: AuditEvent) -> dict[str, Any]:
    who = {"identifier": {"system": "urn:carewright:subject", "value": event.agent}}
    role = {"coding": [{"system": "urn:carewright:role", "code": event.role}]}
    user: dict[str, Any] = {"type": _concept(TERMINOLOGY + "v3-ParticipationType", "IRCP", "information recipient"), "who": who}
    purpose = {"purposeOfUse": [{"coding": [_coding("v3-ActReason", event.purpose)]}]} if event.purpose else {}
    return user | {"requestor": True, "role": [role]} | purpose


def _entities(event: AuditEvent) -> list[dict[str, Any]]:
    """The patient, what was touched, the search, and the trace that the request was part of."""
    found = [_entity("4", "Domain Resource", _reference(each)) for each in event.entities]
    if event.patient_id:
        found.insert(0, _patient(event))
    if event.action == "E":
        found.append(_query(event))
    elif not event.entities:
        found.append(_entity("4", "Domain Resource", _about(event) if event.patient_id else {"display": event.event}))
    if event.trace:
        request = {"identifier": {"system": "urn:carewright:trace", "value": event.trace}}
        found.append(
            {"what": request, "type": {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}}
        )
    return found


def _patient(event: AuditEvent) -> dict[str, Any]:
    return {"what": _about(event), "type": _coding("audit-entity-type", "1", "Person"), "role": _coding("object-role", "1", "Patient")}


def _query(event: AuditEvent) -> dict[str, Any]:
    kind = {"type": _coding("audit-entity-type", "2", "System Object"), "role": _coding("object-role", "24", "Query")}
    return kind | {"query": b64encode(event.event.encode()).decode()}


def _entity(role: str, display: str, what: dict[str, Any]) -> dict[str, Any]:
    kind = {"type": _coding("audit-entity-type", "2", "System Object"), "role": _coding("object-role", role, display)}
    return {"what": what} | kind


def _about(event: AuditEvent) -> dict[str, Any]:
    return {"type": "Patient", "reference": f"Patient/{event.patient_id}"}


def _reference(entity: AuditEntity) -> dict[str, Any]:
    if entity.type in RESOURCES:
        return {"type": entity.type, "reference": f"{entity.type}/{entity.id}"}
    return {"identifier": {"system": f"urn:carewright:{entity.type}", "value": str(entity.id)}}


def _coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    coding = {"system": TERMINOLOGY + system, "code": code}
    return coding | {"display": display} if display else coding


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
