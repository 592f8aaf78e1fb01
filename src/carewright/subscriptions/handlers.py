"""What subscriptions do about what others report.

A handler numbers events in the transaction that also holds its inbox row, so a repeat numbers nothing twice. A late event is told late; its
subject is told as it is then.
"""

from carewright.contracts.patients import PatientChanged, PatientErased
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel.db import Session
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.service import noting


async def tell_of_appointment(ctx: SubscriptionsContext, tx: Session, event: AppointmentFact) -> None:
    await noting.note_event(ctx, tx, event)


async def tell_of_patient(ctx: SubscriptionsContext, tx: Session, event: PatientChanged) -> None:
    await noting.note_event(ctx, tx, event)


async def erase_patient(ctx: SubscriptionsContext, tx: Session, event: PatientErased) -> None:
    await noting.erase_patient(ctx, tx, event.organization_id, event.patient_id)
