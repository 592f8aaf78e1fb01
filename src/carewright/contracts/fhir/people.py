"""Who receives care, and what was said to them."""

from carewright.contracts.fhir.basics import Resource, identifiers, language, reference, resource, said
from carewright.contracts.notifications import Said
from carewright.contracts.patients import Patient


def patient(record: Patient) -> Resource:
    """Identity and contacts. What is withheld from the reader is not there, and is named as hidden."""
    shown = resource("Patient", record.id, {
        "identifier": identifiers(record.identifiers),
        "active": record.active,
        "name": [said({"use": "official", "family": record.family, "given": list(record.given)})],
        "telecom": [{"system": one.system, "value": one.value} for one in record.telecom],
        "gender": record.gender,
        "birthDate": record.birth_on.isoformat() if record.birth_on else None,
        "communication": [{"language": language(record.language), "preferred": True}] if record.language else None,
    }, record.version)  # fmt: skip
    if record.withheld:
        shown["meta"]["security"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"}]
    return shown


def communication(one: Said) -> Resource:
    """A message: by which channel, how far it came, and its words as long as they are kept."""
    told = one.communication
    words = " ".join(each for each in (one.title, one.text) if each)
    return resource("Communication", told.id, {
        "status": told.status,
        "statusReason": {"text": told.status_reason} if told.status_reason else None,
        "medium": [{"text": f"{told.channel}: {one.contact}" if one.contact else told.channel}],
        "topic": {"text": told.template},
        "recipient": [reference("Patient", told.recipient.id)],
        "sent": told.sent_at.isoformat() if told.sent_at else None,
        "payload": [{"contentString": words}] if words else None,
    })  # fmt: skip
