"""From a fact of ours to the subscriptions that it concerns: numbered for each, in the transaction that handles it."""

from uuid import UUID

from carewright.contracts.patients import PatientChanged
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.subscriptions import store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.model.concerning import concerns, told_of, topics_of


async def note_event(ctx: SubscriptionsContext, tx: Session, event: AppointmentFact | PatientChanged) -> None:
    """Every subscription that the event concerns is to be told of it."""
    told = told_of(event)
    standing = await store.subscriptions_to(tx, event.organization_id, topics_of(told))
    ids = [id_ for id_, asked in standing if concerns(asked.filters, told)]
    if ids:
        await store.note_events(tx, event.organization_id, ids, told, ctx.clock.now())


async def erase_patient(ctx: SubscriptionsContext, tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    """What is still to be told of the patient is no more than that there was something."""
    ids = await store.erase_events(tx, organization_id, patient_id)
    about = tuple(audit.Entity(type="Subscription", id=each) for each in ids)
    await audit.record(
        tx, audit.entry_of_system(ctx, organization_id, "subscriptions.event.erase", "D", patient_id=patient_id, entities=about)
    )
