"""What the portal does about appointments, offers, passkeys and turns that others report: it has the patient told. Safe to repeat.

A handler only queues a job, in the transaction that records the delivery: to ask for the patient and the appointment takes longer than the
stream of events may wait. There is no copy that could be stale: the job asks for everything when it runs.
"""

from collections.abc import Mapping

from carewright.contracts.access import PasskeyAdded, PasskeyFact, PasskeyRemoved
from carewright.contracts.elsewhere import TurnElsewhere
from carewright.contracts.flow import AppointmentExpected, QueueEntryMoved, TurnSoon
from carewright.contracts.notifications import TemplateName
from carewright.contracts.offers import OfferMade
from carewright.contracts.queue import WhereAction
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.portal.model.jobs import Confirmation, DelayHeard, OfferHeard, PasskeyChange, TurnCalled, TurnSoonHeard, TurnTold
from carewright.portal.service.telling import ASK_BY_OFFER, ASK_NEAR, CALL_IN, CONFIRM, TELL_ELSEWHERE, TELL_OF_DELAY, TELL_OF_PASSKEY


async def confirm_booked(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """The patient hears that it is booked."""
    await _confirm(ctx, tx, event, "appointment_booked")


async def confirm_requested(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """The patient hears that we have the request, and that it waits for somebody."""
    await _confirm(ctx, tx, event, "appointment_requested")


async def confirm_rescheduled(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """The patient hears of the new time, whoever moved it."""
    await _confirm(ctx, tx, event, "appointment_rescheduled")


async def confirm_cancelled(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """The patient hears that it is off, whoever called it off."""
    await _confirm(ctx, tx, event, "appointment_cancelled")


async def tell_of_added_passkey(ctx: Context, tx: Session, event: PasskeyAdded) -> None:
    """The patient hears that there is one more way in."""
    await _tell_of_passkey(ctx, tx, event, "passkey_added")


async def tell_of_removed_passkey(ctx: Context, tx: Session, event: PasskeyRemoved) -> None:
    """The patient hears that a way in is closed."""
    await _tell_of_passkey(ctx, tx, event, "passkey_removed")


ELSEWHERE: Mapping[WhereAction, TemplateName] = {"offer": "turn_elsewhere", "come": "turn_come"}
"""What is said to who may wait elsewhere, or does and has to set out."""


async def tell_elsewhere(ctx: Context, tx: Session, event: TurnElsewhere) -> None:
    """Whoever may wait elsewhere hears of it, and whoever does, when to come."""
    if template := ELSEWHERE.get(event.action):
        told = TurnTold(event.organization_id, event.patient_id, event.entry_id, event.version, event.ticket, ctx.clock.now(), template)
        await jobs.enqueue(ctx, tx, TELL_ELSEWHERE, told, unique_key=f"{event.entry_id}:{event.version}")


async def ask_by_offer(ctx: Context, tx: Session, event: OfferMade) -> None:
    """Whoever is offered another time hears of it, and how to answer."""
    wanted = OfferHeard(event.organization_id, event.offer_id)
    await jobs.enqueue(ctx, tx, ASK_BY_OFFER, wanted, unique_key=str(event.offer_id))


async def call_in(ctx: Context, tx: Session, event: QueueEntryMoved) -> None:
    """Whoever is called hears of it, wherever in the house they wait. What is not heard within minutes is not said any more."""
    if event.action == "call":
        wanted = TurnCalled(event.organization_id, event.patient_id, event.entry_id, event.version, event.ticket, ctx.clock.now())
        await jobs.enqueue(ctx, tx, CALL_IN, wanted, unique_key=f"{event.entry_id}:{event.version}")


async def tell_of_delay(ctx: Context, tx: Session, event: AppointmentExpected) -> None:
    """The patient hears that it begins later, or as booked after all, where flow says that they are to hear of it now."""
    if event.tell is not None:
        wanted = DelayHeard(
            event.organization_id, event.appointment_id, event.version, event.start, event.late_minutes, event.tell, event.by_emergency
        )
        await jobs.enqueue(ctx, tx, TELL_OF_DELAY, wanted, unique_key=f"{event.appointment_id}:{event.version}")


async def ask_near(ctx: Context, tx: Session, event: TurnSoon) -> None:
    """Whoever is nearly next hears of it, and comes to where they hear themselves called."""
    wanted = TurnSoonHeard(event.organization_id, event.patient_id, event.entry_id, event.ticket, ctx.clock.now())
    await jobs.enqueue(ctx, tx, ASK_NEAR, wanted, unique_key=str(event.entry_id))


async def _tell_of_passkey(ctx: Context, tx: Session, event: PasskeyFact, template: TemplateName) -> None:
    wanted = PasskeyChange(event.organization_id, event.patient_id, event.passkey_id, template)
    await jobs.enqueue(ctx, tx, TELL_OF_PASSKEY, wanted, unique_key=f"{event.passkey_id}:{template}")


async def _confirm(ctx: Context, tx: Session, event: AppointmentFact, template: TemplateName) -> None:
    wanted = Confirmation(event.organization_id, event.appointment_id, event.version, template)
    await jobs.enqueue(ctx, tx, CONFIRM, wanted, unique_key=f"{event.appointment_id}:{event.version}")
