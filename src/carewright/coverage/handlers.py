"""What coverage does about what others report. Safe to repeat: what was erased stays so. There is no copy that could be stale."""

from carewright.contracts.patients import PatientErased
from carewright.coverage import store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Who paid for the patient goes, and what they answered."""
    ids = await store.erase_patient(tx, event.organization_id, event.patient_id, ctx.clock.now())
    about = tuple(audit.Entity(type="Coverage", id=each) for each in ids)
    name = "coverage.coverage.erase"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "D", patient_id=event.patient_id, entities=about))
