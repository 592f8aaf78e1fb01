"""What happens while a patient is here."""

from carewright.contracts.fhir.basics import Resource, coding, concept, concepts, identifiers, period, reference, resource, said
from carewright.contracts.flow import Encounter, EncounterParticipant


def encounter(one: Encounter) -> Resource:
    """A visit or stay: of whom, when, where, with whom, after which appointment."""
    return resource("Encounter", one.id, {
        "identifier": identifiers(one.identifiers),
        "status": one.status,
        "class": coding(one.encounter_class),
        "type": concepts(one.types),
        "serviceType": concept(one.service_type),
        "subject": reference("Patient", one.patient_id),
        "participant": [_participant(each) for each in one.participants],
        "appointment": [reference("Appointment", one.appointment_id)] if one.appointment_id else None,
        "period": period(one.start, one.end),
        "location": [{"location": reference("Location", each)} for each in one.location_ids],
    }, one.version, one.updated_at)  # fmt: skip


def _participant(each: EncounterParticipant) -> Resource:
    role = concept(each.role)
    return said({"type": [role] if role else None, "individual": reference("Practitioner", each.practitioner_id)})
