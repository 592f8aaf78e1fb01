"""Who pays (https://hl7.org/fhir/R4/coverage.html)."""

from collections.abc import Mapping

from carewright.contracts.coverage import Coverage, Insured, Payer
from carewright.contracts.fhir.basics import Resource, period, reference, resource, said

PAYERS = "urn:carewright:payer"
"""The system of payers' numbers at clearing-houses."""
RELATIONSHIPS = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
CLASSES = "http://terminology.hl7.org/CodeSystem/coverage-class"
SUBSCRIBER = "subscriber"
"""The id of the contained subscriber."""


def coverage(one: Coverage) -> Resource:
    """A coverage. A subscriber who is not the patient is contained: payers' names of people have no record of their own here."""
    return resource("Coverage", one.id, {
        "contained": [_person(one.subscriber, one)] if one.subscriber else None,
        "status": one.status,
        "subscriber": {"reference": f"#{SUBSCRIBER}"} if one.subscriber else reference("Patient", one.patient_id),
        "subscriberId": one.member_id,
        "beneficiary": reference("Patient", one.patient_id),
        "relationship": {"coding": [{"system": RELATIONSHIPS, "code": one.relationship}]},
        "period": period(one.starts_on, one.ends_on),
        "payor": [payer(one.payer)],
        "class": [_class(kind, value) for kind, value in (("plan", one.plan), ("group", one.group)) if value],
        "order": one.order,
    }, one.version, one.updated_at)  # fmt: skip


def payer(one: Payer) -> Resource:
    """A reference by number alone: payers have no record here."""
    number = {"system": PAYERS, "value": one.id} if one.id else None
    return said({"identifier": number, "display": one.name})


def _class(kind: str, value: str) -> Mapping[str, object]:
    return {"type": {"coding": [{"system": CLASSES, "code": kind}]}, "value": value}


def _person(person: Insured, of: Coverage) -> Resource:
    return said({
        "resourceType": "RelatedPerson",
        "id": SUBSCRIBER,
        "patient": reference("Patient", of.patient_id),
        "name": [said({"family": person.family, "given": list(person.given)})],
        "gender": person.gender,
        "birthDate": person.birth_on.isoformat() if person.birth_on else None,
    })  # fmt: skip
