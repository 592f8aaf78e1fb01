"""What migration does about what others report. Safe to repeat: what was forgotten stays so."""

from carewright.contracts.patients import PatientErased
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.migration.context import MigrationContext
from carewright.migration.store import links


async def erase_patient(ctx: MigrationContext, tx: Session, event: PatientErased) -> None:
    """Where the patient's appointments came from is forgotten."""
    ids = await links.erase_links(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "migration.link.erase", event, "Appointment", ids)
