"""What the portal does about appointments that others report: it has the patient told. Safe to repeat.

A handler only queues a job, in the transaction that records the delivery: to ask for the patient and the appointment takes longer than the
stream of events may wait. There is no copy that could be stale: the job asks for everything when it runs.
"""

from carewright.contracts.notifications import TemplateName
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.portal.service import CONFIRM, Confirmation


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


async def _confirm(ctx: Context, tx: Session, event: AppointmentFact, template: TemplateName) -> None:
    wanted = Confirmation(event.organization_id, event.appointment_id, event.version, template)
    await jobs.enqueue(ctx, tx, CONFIRM, wanted, unique_key=f"{event.appointment_id}:{event.version}")
