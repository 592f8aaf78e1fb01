"""What modules hold about a patient, as FHIR R4 resources (https://hl7.org/fhir/R4/). Nothing is left out but what says nothing."""

from collections.abc import Mapping
from typing import Any

from carewright.contracts.notifications import Said
from carewright.contracts.patients import Patient
from carewright.contracts.scheduling import Appointment, Participant

Resource = dict[str, Any]
TYPES = {"practitioner": "Practitioner", "nurse": "Practitioner", "technician": "Practitioner", "device": "Device", "patient": "Patient"}
"""What an actor is in FHIR; the rest are places."""


def patient(record: Patient) -> Resource:
    """Identity and contacts."""
    language = {"coding": [{"system": "urn:ietf:bcp:47", "code": record.language}]} if record.language else None
    return _said({
        "resourceType": "Patient", "id": str(record.id), "active": record.active,
        "name": [_said({"family": record.family, "given": list(record.given)})],
        "telecom": [{"system": one.system, "value": one.value} for one in record.telecom],
        "gender": record.gender, "birthDate": record.birth_on.isoformat() if record.birth_on else None,
        "identifier": [{"system": one.system, "value": one.value} for one in record.identifiers],
        "communication": [{"language": language, "preferred": True}] if language else None,
    })  # fmt: skip


def appointment(one: Appointment) -> Resource:
    """When, where, with whom, what became of it, and every word that was written about it."""
    return _said({
        "resourceType": "Appointment", "id": str(one.id), "status": one.status, "created": one.created_at.isoformat(),
        "start": one.start.isoformat(), "end": one.end.isoformat(),
        "serviceType": [{"text": one.service_name}], "appointmentType": {"text": one.visit_type_name},
        "cancelationReason": {"text": one.cancelation_reason} if one.cancelation_reason else None,
        "basedOn": [{"display": one.based_on}] if one.based_on else None, "comment": one.note,
        "participant": [*(_participant(each) for each in one.participants), _place(one)],
        "extension": [{"url": "urn:carewright:override-reason", "valueString": one.override_reason}] if one.override_reason else None,
    })  # fmt: skip


def communication(one: Said) -> Resource:
    """A message: by which channel, how far it came, and its words as long as they are kept."""
    told = one.communication
    words = " ".join(each for each in (one.title, one.text) if each)
    return _said({
        "resourceType": "Communication", "id": str(told.id), "status": told.status, "topic": {"text": told.template},
        "statusReason": {"text": told.status_reason} if told.status_reason else None,
        "medium": [{"text": f"{told.channel}: {one.contact}" if one.contact else told.channel}],
        "recipient": [{"reference": f"Patient/{told.recipient.id}"}], "sent": told.sent_at.isoformat() if told.sent_at else None,
        "payload": [{"contentString": words}] if words else None,
    })  # fmt: skip


def _participant(each: Participant) -> Resource:
    kind = TYPES.get(each.kind, "Location")
    return {"actor": _said({"reference": f"{kind}/{each.actor_id}", "display": each.display}), "status": each.status}


def _place(one: Appointment) -> Resource:
    return {"actor": {"reference": f"Location/{one.site_id}", "display": one.site_name}, "status": "accepted"}


def _said(elements: Mapping[str, Any]) -> Resource:
    """Without what is empty: FHIR has no nulls."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}
