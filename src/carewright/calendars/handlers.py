"""What calendars do about what others report: count that a feed changed. A count too many, by a repeat, has it written once more."""

from carewright.calendars import store
from carewright.calendars.context import CalendarsContext
from carewright.contracts.access import AccountChanged
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel import audit
from carewright.kernel.db import Session


async def note_appointment(_: CalendarsContext, tx: Session, event: AppointmentFact) -> None:
    schedule_ids = {claim.schedule_id for claim in (*event.claims, *event.released)}
    await store.note_changes(tx, event.organization_id, event.patient_id, sorted(schedule_ids))


async def note_account(_: CalendarsContext, tx: Session, event: AccountChanged) -> None:
    """Whether an account may still have its feeds is asked when one is fetched next; of patients, only where one was shut out."""
    await store.note_account_changes(tx, event.organization_id, of_patients=event.disabled)


async def erase_patient(ctx: CalendarsContext, tx: Session, event: PatientErased) -> None:
    """The patient's feeds end, and nothing is made for them later."""
    ids = await store.erase_patient(tx, event.organization_id, event.patient_id, ctx.clock.now())
    await audit.record_erasure(ctx, tx, "calendars.feed.erase", event, "Feed", ids)


async def take_over(ctx: CalendarsContext, tx: Session, event: PatientMerged) -> None:
    """The feeds of a record that was merged go on, with its survivor's appointments."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id)
    await audit.record_merge(ctx, tx, "calendars.feed.merge", event, "Feed", ids)
