"""What HL7 v2 does about what others report. Safe to repeat: what was cleared stays so. There is no copy that could be stale."""

from carewright.contracts.patients import PatientErased
from carewright.hl7 import store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said about the patient is cleared; that something was said stays."""
    ids = await store.erase_messages(tx, event.organization_id, event.patient_id)
    about = tuple(audit.Entity(type="MessageHeader", id=each) for each in ids)
    await audit.record(
        tx, audit.entry_of_system(ctx, event.organization_id, "hl7.message.erase", "D", patient_id=event.patient_id, entities=about)
    )
