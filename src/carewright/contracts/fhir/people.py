"""Who receives care, who acts for them, and what was said to them."""

from collections.abc import Mapping
from datetime import datetime

from carewright.contracts.consents import Consent, Relationship
from carewright.contracts.directory import Coding
from carewright.contracts.fhir.basics import Resource, concept, identifiers, language, moment, period, reference, resource, said
from carewright.contracts.notifications import Said
from carewright.contracts.patients import Patient

CHANNELS, TOPICS = "urn:carewright:channel", "urn:carewright:message"
"""The systems of the ways by which messages go out, and of their templates."""
NOTIFICATION = Coding(system="http://terminology.hl7.org/CodeSystem/communication-category", code="notification", display="Notification")
PERSON = "urn:carewright:patient"
"""The system of our patients' ids, by which a RelatedPerson is told to be one of them."""
ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RELATIONSHIPS: Mapping[Relationship, Coding] = {
    "parent": Coding(system=ROLE_CODES, code="PRN", display="parent"),
    "guardian": Coding(system=ROLE_CODES, code="GUARD", display="guardian"),
    "spouse": Coding(system=ROLE_CODES, code="SPS", display="spouse"),
    "child": Coding(system=ROLE_CODES, code="CHILD", display="child"),
    "carer": Coding(system="http://terminology.hl7.org/CodeSystem/v3-RoleClass", code="CAREGIVER", display="caregiver"),
    "other": Coding(system="http://terminology.hl7.org/CodeSystem/v2-0131", code="O", display="Other"),
}
"""What a proxy is to the patient, by R4's preferred codes (http://hl7.org/fhir/R4/valueset-relatedperson-relationshiptype.html), which
has none for a carer."""


def patient(record: Patient) -> Resource:
    """Identity and contacts. What is withheld from the reader is not there, and is named as hidden."""
    person = {"identifier": identifiers(record.identifiers), "active": record.active, **_person(record), "link": _links(record)}
    return _redacted(resource("Patient", record.id, person, record.version), record)


def related_person(one: Consent, proxy: Patient | None, now: datetime) -> Resource:
    """Who may act for a patient by their consent: what they are to them, since when and until when. The rest is for who may read it.

    `proxy` is their own record as the reader may see it; without one nothing is told of them but the relationship.
    """
    known = {"identifier": [{"system": PERSON, "value": str(proxy.id)}], **_person(proxy)} if proxy else {}
    until = min(one.ends_at, one.withdrawn_at or one.ends_at)
    changed_at = max(each for each in (one.given_at, one.accepted_at, one.withdrawn_at) if each)
    shown = resource("RelatedPerson", one.id, {
        **known,
        "active": one.holds(now),
        "patient": reference("Patient", one.patient_id),
        "relationship": [concept(RELATIONSHIPS[one.relationship])],
        "period": period(one.starts_at, until) if until >= one.starts_at else None,
    }, at=changed_at)  # fmt: skip
    return _redacted(shown, proxy) if proxy else shown


def _links(record: Patient) -> list[Resource]:
    """Records of the same person (http://hl7.org/fhir/R4/valueset-link-type.html): the one that stands, and those that do not any more."""
    into = [("replaced-by", record.replaced_by)] if record.replaced_by else []
    links = (*into, *(("replaces", each) for each in record.replaces))
    return [{"other": reference("Patient", each), "type": kind} for kind, each in links]


def _person(record: Patient) -> Resource:
    """What Patient and RelatedPerson say of somebody alike."""
    return {
        "name": [said({"use": "official", "family": record.family, "given": list(record.given)})],
        "telecom": [{"system": one.system, "value": one.value} for one in record.telecom],
        "gender": record.gender,
        "birthDate": record.birth_on.isoformat() if record.birth_on else None,
        "communication": [{"language": language(record.language), "preferred": True}] if record.language else None,
    }


def _redacted(shown: Resource, record: Patient) -> Resource:
    """Marked, where something of the record is withheld from the reader."""
    return _marked(shown) if record.withheld else shown


def _marked(shown: Resource) -> Resource:
    """With the label that says that there is more than is shown."""
    meta = shown.get("meta", {}) | {
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"}]
    }
    return shown | {"meta": meta}


def communication(one: Said) -> Resource:
    """A message: by which channel, how far it came, and its words as long as they are kept, unless they open something."""
    told = one.communication
    words = " ".join(each for each in (one.title, one.text) if each)
    shown = resource("Communication", told.id, {
        "status": told.status,
        "statusReason": {"text": told.status_reason} if told.status_reason else None,
        "category": [concept(NOTIFICATION)],
        "medium": [{"coding": [{"system": CHANNELS, "code": told.channel}], "text": told.channel}],
        "subject": reference("Patient", told.recipient.id),
        "topic": {"coding": [{"system": TOPICS, "code": told.template}], "text": told.template},
        "recipient": [reference("Patient", told.recipient.id)],
        "sent": moment(told.sent_at),
        "payload": [{"contentString": words}] if words else None,
    })  # fmt: skip
    return _marked(shown) if one.withheld else shown
