"""What notifications do about what others report. Safe to repeat: a job under the fact's own key, which says what it says once.

There is no copy that could be stale.
"""

from carewright.contracts.access import BreakGlassStarted
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.notifications import store
from carewright.notifications.service import TELL_OFFICERS, GlassBroken


async def tell_privacy_officers(ctx: Context, tx: Session, event: BreakGlassStarted) -> None:
    """The privacy officers hear at once that emergency access is in use."""
    broken = GlassBroken(event.organization_id, event.break_glass_id, event.until)
    await jobs.enqueue(ctx, tx, TELL_OFFICERS, broken, unique_key=str(event.break_glass_id))


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said to the patient is cleared; that something was said stays."""
    ids = await store.erase_texts(tx, event.organization_id, event.patient_id)
    about = tuple(audit.Entity(type="Communication", id=each) for each in ids)
    name = "notifications.communication.erase"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "D", patient_id=event.patient_id, entities=about))


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """What was said to a record that was merged stands with its survivor. Where it was sent to stays as it was."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id)
    await audit.record_merge(ctx, tx, "notifications.communication.merge", event, "Communication", ids)
