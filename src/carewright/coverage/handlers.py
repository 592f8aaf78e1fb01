"""What coverage does about what others report. Safe to repeat: what was erased stays so, what was asked about a visit stays."""

from carewright.contracts.coverage import VisitsStopped
from carewright.contracts.directory import URGENT
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentHeld,
    AppointmentRescheduled,
)
from carewright.coverage import store
from carewright.coverage.service.asking_later import Booked, Held, ask_ahead, ask_later
from carewright.coverage.service.stopping import tell_later
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session

ENDED = frozenset({"cancelled", "noshow", "entered-in-error"})


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Who paid for the patient goes, and what they answered."""
    ids = await store.erase_patient(tx, event.organization_id, event.patient_id, ctx.clock.now())
    if await store.note_stops(tx, event.organization_id, event.patient_id, has_stops=False):
        await outbox.publish(ctx, tx, VisitsStopped(organization_id=event.organization_id, patient_id=event.patient_id, stops=()))
    about = tuple(audit.Entity(type="Coverage", id=each) for each in ids)
    name = "coverage.coverage.erase"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "D", patient_id=event.patient_id, entities=about))


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """Who pays for a record that was merged pays for its survivor, and nothing more comes under the old one.

    What stops the survivor's visits now is told to scheduling by a job: it opens what payers said.
    """
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    if await store.note_stops(tx, event.organization_id, event.prior_id, has_stops=False):
        await outbox.publish(ctx, tx, VisitsStopped(organization_id=event.organization_id, patient_id=event.prior_id, stops=()))
    await tell_later(ctx.working_in(event.organization_id), tx, event.patient_id)
    await audit.record_merge(ctx, tx, "coverage.coverage.merge", event, "Coverage", ids)


async def ask_about_visit(ctx: Context, tx: Session, event: AppointmentBooked | AppointmentConfirmed | AppointmentRescheduled) -> None:
    """Asking is a job: a payer who hangs must not delay the event stream, and booking waits for nobody.

    A visit that moved, or became one of another kind, is asked about anew; the answer of the same day and kind counts on.
    """
    if event.status != "booked" or not await store.lock_patient(tx, event.organization_id, event.patient_id):
        return
    if await store.put_visit(tx, event):
        await ask_later(ctx, tx, Booked(event.organization_id, event.appointment_id), str(event.version))


async def ask_about_hold(ctx: Context, tx: Session, event: AppointmentHeld) -> None:
    """Where a payer's no stops a booking, the payer is asked while the person decides; of a hold that runs out, for nothing."""
    policy = await store.policy_of(tx, event.organization_id, event.site_id)
    if policy.rule == "require" and event.urgency not in URGENT:
        held = Held(event.organization_id, event.patient_id, event.site_id, event.visit_type_id, event.start)
        await ask_ahead(ctx, tx, held, event.appointment_id)


async def end_visit(_: Context, tx: Session, event: AppointmentCancelled | AppointmentAdvanced) -> None:
    """Of a visit that does not take place nobody is asked, and the desk sees it no more."""
    if event.status in ENDED:
        await store.end_visit(tx, event.organization_id, event.appointment_id)
