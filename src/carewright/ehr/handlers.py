"""What EHR connections do about what others report. Safe to repeat: an instant only says when we were told.

Where it comes late, what of ours changed a moment ago may be taken for older than what the EHR says; the difference is on record.
"""

from uuid import UUID

from carewright.contracts.directory import LocationChanged, PractitionerChanged
from carewright.contracts.ehr import Kind
from carewright.contracts.patients import PatientChanged, PatientErased, PatientMerged
from carewright.contracts.scheduling import AppointmentFact
from carewright.ehr import store
from carewright.ehr.service.pushing import queue_telling
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def note_practitioner(ctx: Context, tx: Session, event: PractitionerChanged) -> None:
    """Ours has changed just now."""
    await _note(ctx, tx, event.organization_id, "Practitioner", event.practitioner.id)


async def note_place(ctx: Context, tx: Session, event: LocationChanged) -> None:
    """Ours has changed just now."""
    await _note(ctx, tx, event.organization_id, "Location", event.location.id)


async def note_patient(ctx: Context, tx: Session, event: PatientChanged) -> None:
    """Ours has changed just now."""
    await _note(ctx, tx, event.organization_id, "Patient", event.patient_id)


async def queue_push(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Every EHR of the hospital is told, by a job for each version: it tells how the appointment is when its turn comes.

    One that was stopped is told when it is resumed.
    """
    for each in await store.connections(tx, event.organization_id):
        if each.stopped_at is None:
            await queue_telling(ctx, tx, event.organization_id, each, event.appointment_id, event.version)


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Who the patient is at an EHR goes with the record; what their EHR has is theirs to erase."""
    await store.erase_patient(tx, event.organization_id, event.patient_id)
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, "ehr.link.erase", "D", patient_id=event.patient_id))


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """Who a record that was merged is at an EHR its survivor is; that theirs are two is theirs to merge."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id)
    await audit.record_merge(ctx, tx, "ehr.link.merge", event, "Linkage", ids)


async def _note(ctx: Context, tx: Session, organization_id: UUID, kind: Kind, ours: UUID) -> None:
    await store.note_changed(tx, organization_id, kind, ours, ctx.clock.now())
