"""What migration does about what others report. Safe to repeat: what was forgotten stays so."""

from carewright.contracts.patients import PatientErased
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.migration.context import MigrationContext
from carewright.migration.store import links


async def erase_patient(ctx: MigrationContext, tx: Session, event: PatientErased) -> None:
    """Where the patient's appointments came from is forgotten."""
    ids = await links.erase_links(tx, event.organization_id, event.patient_id)
    about = tuple(audit.Entity(type="Appointment", id=each) for each in ids)
    await audit.record(
        tx, audit.entry_of_system(ctx, event.organization_id, "migration.link.erase", "D", patient_id=event.patient_id, entities=about)
    )
