"""What is asked to be done for a patient (https://hl7.org/fhir/R4/servicerequest.html)."""

from collections.abc import Iterator, Mapping

from carewright.contracts.fhir.basics import Resource, concept, concepts, identifiers, moment, reference, resource, timed
from carewright.contracts.orders import Party, ServiceRequest

IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
NUMBERS: Mapping[str, str] = {"placer": "PLAC", "filler": "FILL"}
"""Our fields for the numbers of both sides, and the types by which FHIR tells them apart."""


def service_request(one: ServiceRequest) -> Resource:
    """An order or a referral: of whom, what, when, by whom, why."""
    return resource("ServiceRequest", one.id, {
        "identifier": [*_numbers(one), *identifiers(one.identifiers)],
        "status": one.status,
        "intent": one.intent,
        "category": concepts(one.categories),
        "priority": one.priority,
        "code": concept(one.code),
        "subject": reference("Patient", one.patient_id),
        **timed("occurrence", one.occurs_from, one.occurs_until),
        "authoredOn": moment(one.authored_at),
        "requester": party(one.requester) if one.requester else None,
        "performer": [party(each) for each in one.performers],
        "reasonCode": [{"text": each} for each in one.reasons],
    }, one.version, one.updated_at)  # fmt: skip


def _numbers(one: ServiceRequest) -> Iterator[Resource]:
    for field, code in NUMBERS.items():
        if number := getattr(one, field):
            yield {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": code}]}, "system": number.system, "value": number.value}


def party(one: Party) -> Resource:
    """An entry of ours, or somebody outside by name."""
    return (reference(one.kind, one.id, one.display) if one.kind else None) or {"display": one.display}
