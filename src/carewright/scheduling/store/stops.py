"""Scheduling's copy of what payers' no stops. `book_appointment` reads it in its own statement."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.coverage import VisitsStopped
from carewright.contracts.scheduling import Appointment
from carewright.kernel.db import Session
from carewright.kernel.sql import load
from carewright.scheduling.model.appointment import stopped_at

Q = load("carewright.scheduling")


async def payer_stop(db: Session, organization_id: UUID, appointment: Appointment, now: datetime) -> str | None:
    """Why what a payer said stops a visit at its time now, or None."""
    about = (appointment.patient_id, stopped_at(appointment), appointment.visit_type_id, appointment.start, now)
    row = await db.fetch_one(Q.payer_stop, organization_id, *about)
    return row["why"] if row else None


async def put_payer_stops(tx: Session, event: VisitsStopped, now: datetime) -> None:
    """Keep what is stopped for a patient, in place of what was."""
    await tx.execute(Q.clear_payer_stops, event.organization_id, event.patient_id, now)
    for number, stop in enumerate(event.stops):
        what = (stop.site_id, stop.why, list(stop.visit_type_ids), stop.all_but, stop.starts_from, stop.starts_before, stop.counts_until)
        await tx.execute(Q.put_payer_stop, event.organization_id, event.patient_id, number, *what)
