"""The rows of flow's copy of appointments. One function runs one named query."""

from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.queue import LEVEL_OF_TIER, Queue
from carewright.contracts.scheduling import AppointmentFact
from carewright.flow.model.coming import Coming, Due
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")
SINCE, UNTIL = timedelta(hours=12), timedelta(hours=4)
"""No service takes longer than the latter, as far as calls reckon."""


async def put_coming(tx: Session, event: AppointmentFact) -> None:
    """The appointment as the event has it, unless a later one was heard before."""
    await tx.execute(
        Q.put_coming, event.organization_id, event.appointment_id, event.site_id, event.visit_type_id, list(event.practitioner_ids),
        LEVEL_OF_TIER[event.urgency], event.status, event.start, event.end, event.version,
    )  # fmt: skip


async def coming(db: Session, organization_id: UUID, queue: Queue, since: datetime, until: datetime) -> list[Coming]:
    """Those at the queue's service and site that begin between the two and are still to be kept, by start."""
    return [_coming(row) for row in await db.fetch(Q.coming, organization_id, queue.site_id, queue.service_id, since, until)]


async def due_next(db: Session, organization_id: UUID, practitioner_id: UUID, now: datetime, grace: timedelta) -> list[Due]:
    """What a practitioner is booked for in the next hours, and what was due before while the patient is here, or may still come."""
    rows = await db.fetch(Q.due_next, organization_id, practitioner_id, now - SINCE, now + UNTIL, now - grace)
    return [Due(start=row["starts_at"], arrived_at=row["arrived_at"]) for row in rows]


async def forget_past(db: Session, before: datetime, limit: int) -> int:
    """Drop what ended before that, of every organization; how many there were, at most `limit`."""
    return len(await db.fetch(Q.forget_coming, before, limit))


def _coming(row: Row) -> Coming:
    return Coming(
        appointment_id=row["appointment_id"], practitioner_ids=tuple(row["practitioner_ids"]), level=row["level"], status=row["status"],
        start=row["starts_at"], end=row["ends_at"],
    )  # fmt: skip
