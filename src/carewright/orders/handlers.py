"""What orders does about what others report. Safe to repeat: what was erased stays so. There is no copy that could be stale."""

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.orders import store


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was asked for the patient goes, and comes no more."""
    ids = await store.erase_patient(tx, event.organization_id, event.patient_id, ctx.clock.now())
    await audit.record_erasure(ctx, tx, "orders.request.erase", event, "ServiceRequest", ids)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """What was asked for a record that was merged is asked for its survivor, and nothing more comes under the old one."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "orders.request.merge", event, "ServiceRequest", ids)
