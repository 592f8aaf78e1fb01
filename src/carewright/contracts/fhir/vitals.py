"""What was observed of a patient (https://hl7.org/fhir/R4/observation.html)."""

from carewright.contracts.fhir.basics import Resource, coding, identifiers, moment, reference, resource, said, timed
from carewright.contracts.vitals import Concept, Finding, Observation, Quantity


def observation(one: Observation) -> Resource:
    """What was looked at, what it was, of whom and when."""
    return resource("Observation", one.id, {
        "identifier": identifiers(one.identifiers),
        "status": one.status,
        "category": [_concept(each) for each in one.categories],
        "subject": reference("Patient", one.patient_id),
        "encounter": reference("Encounter", one.encounter_id),
        **timed("effective", one.effective_from, one.effective_until),
        "issued": moment(one.issued_at),
        **_finding(one),
        "component": [said(_finding(each)) for each in one.components],
    }, one.version, one.updated_at)  # fmt: skip


def _finding(one: Finding) -> Resource:
    return {
        "code": _concept(one.about),
        "valueQuantity": _quantity(one.quantity) if one.quantity else None,
        "valueCodeableConcept": _concept(one.concept) if one.concept else None,
        "valueString": one.words,
        "dataAbsentReason": _concept(one.absent) if one.absent else None,
    }


def _concept(one: Concept) -> Resource:
    return said({"coding": [coding(each) for each in one.codings], "text": one.text})


def _quantity(one: Quantity) -> Resource:
    number = int(one.value) if one.value.is_integer() else one.value
    return said({"value": number, "comparator": one.comparator, "unit": one.unit, "system": one.system, "code": one.code})
