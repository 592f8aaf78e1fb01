"""What flow does about what others report. Safe to repeat: what was cleared stays so. There is no copy that could be stale."""

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.flow import store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said of the patient's encounters is cleared; that there were some stays."""
    ids = await store.erase_encounters(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "flow.encounter.erase", event, "Encounter", ids)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """The encounters of a record that was merged are its survivor's."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "flow.encounter.merge", event, "Encounter", ids)
