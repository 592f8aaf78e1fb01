"""What HL7 v2 does about what others report. Safe to repeat: what was cleared stays so, and a version of an appointment is told once.

Whom we tell is remembered for a moment: a partner who was just added hears of what happens from then on.
"""

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import AppointmentFact, ScheduleChanged
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.service.announce import announce, announce_block
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said about the patient, and told of them, is cleared; that something was said stays."""
    named = [bytes.fromhex(each) for each in event.identifier_hashes]
    ids = await store.erase_messages(tx, event.organization_id, event.patient_id, named)
    ids += await store.erase_outgoing(tx, event.organization_id, event.patient_id)
    about = tuple(audit.Entity(type="MessageHeader", id=each) for each in ids)
    await audit.record(
        tx, audit.entry_of_system(ctx, event.organization_id, "hl7.message.erase", "D", patient_id=event.patient_id, entities=about)
    )


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """What was said of a record that was merged, and told of it, is its survivor's."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id)
    await audit.record_merge(ctx, tx, "hl7.message.merge", event, "MessageHeader", ids)


async def tell_partners(ctx: Hl7Context, tx: Session, event: AppointmentFact) -> None:
    """Whoever is told of appointments hears of this one, in time."""
    await announce(ctx, tx, event)


async def tell_of_block(ctx: Hl7Context, tx: Session, event: ScheduleChanged) -> None:
    """They hear as well of time that was closed, and opened again."""
    await announce_block(ctx, tx, event)
