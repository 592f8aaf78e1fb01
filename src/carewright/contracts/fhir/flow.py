"""What happens while a patient is here."""

from collections.abc import Mapping

from carewright.contracts.encounters import Encounter, EncounterParticipant
from carewright.contracts.fhir.basics import (
    Resource,
    coding,
    concept,
    concepts,
    identifiers,
    instant,
    moment,
    period,
    reference,
    resource,
    said,
)
from carewright.contracts.queue import QueueEntry, QueueEntryStatus
from carewright.contracts.rooms import PatientPrecautions

TURN_STATUS, TICKET, PRECAUTION = "urn:carewright:turn-status", "urn:carewright:ticket", "urn:carewright:precaution"
TASK_STATUS: Mapping[QueueEntryStatus, str] = {
    "expected": "requested", "waiting": "accepted", "called": "accepted", "in-service": "in-progress", "on-hold": "on-hold",
    "skipped": "on-hold", "completed": "completed", "left": "cancelled", "transferred": "cancelled", "cancelled": "entered-in-error",
}  # fmt: skip
"""http://hl7.org/fhir/R4/valueset-task-status.html has no words for being called, skipped or sent on: `businessStatus` says them."""


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


def precautions(kept: PatientPrecautions) -> list[Resource]:
    """What staff are to mind of a patient, as flags (http://hl7.org/fhir/R4/flag.html); none where nobody ever said any."""
    if kept.recorded_at is None:
        return []
    coded = [{"system": PRECAUTION, "code": each} for each in kept.precautions]
    return [resource("Flag", kept.patient_id, {
        "status": "active" if coded else "inactive",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/flag-category", "code": "safety"}]}],
        "code": {"coding": coded or None, "text": "Precautions against what may be passed on"},
        "subject": reference("Patient", kept.patient_id),
        "period": {"start": instant(kept.recorded_at)},
    }, kept.version, kept.recorded_at)]  # fmt: skip


def turn(one: QueueEntry) -> Resource:
    """A place in a queue, as the task of seeing somebody: since when it counts, how urgent, when they were called, seen, and gone."""
    return resource("Task", one.id, {
        "identifier": [{"system": TICKET, "value": one.ticket}],
        "status": TASK_STATUS[one.status],
        "businessStatus": {"coding": [{"system": TURN_STATUS, "code": one.status}]},
        "intent": "order",
        "code": {"text": "A turn in a queue"},
        "focus": reference("HealthcareService", one.service_id),
        "for": reference("Patient", one.patient_id),
        "encounter": reference("Encounter", one.encounter_id),
        "executionPeriod": period(one.started_at, one.ended_at if one.started_at else None),
        "authoredOn": moment(one.arrived_at or one.expected_at),
        "lastModified": instant(one.updated_at),
        "owner": reference("Practitioner", one.practitioner_id) if one.practitioner_id else None,
        "location": reference("Location", one.location_id or one.site_id),
        "input": [
            {"type": {"text": what}, "valueInstant": instant(at)}
            for what, at in (("counts since", one.ranked_from), ("triaged", one.triaged_at), ("called", one.called_at)) if at
        ] + [{"type": {"text": "level, 1 is the most urgent"}, "valuePositiveInt": one.level}],
    }, one.version, one.updated_at)  # fmt: skip


def _participant(each: EncounterParticipant) -> Resource:
    role = concept(each.role)
    return said({"type": [role] if role else None, "individual": reference("Practitioner", each.practitioner_id)})
