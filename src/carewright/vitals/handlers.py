"""What vitals does about what others report. Safe to repeat: what was erased stays so. There is no copy that could be stale."""

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.vitals import store


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was observed of the patient goes, and comes no more."""
    ids = await store.erase_patient(tx, event.organization_id, event.patient_id, ctx.clock.now())
    await audit.record_erasure(ctx, tx, "vitals.observation.erase", event, "Observation", ids)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """What was observed under a record that was merged was observed of its survivor, and nothing more comes under the old one."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "vitals.observation.merge", event, "Observation", ids)
