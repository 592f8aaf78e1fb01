"""What is known of how long people wait, and what they were told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.queue import Queue, QueueEntry
from carewright.flow.model.waiting.estimates import Estimate
from carewright.flow.model.waiting.learning import OUTCOMES_MAX, Outcome
from carewright.flow.model.waits import DAYS_SEEN, HOURS_AHEAD, OVERDUE, Known, Served, usual_minutes_of
from carewright.flow.store.coming import coming
from carewright.flow.store.queue import ANYBODY
from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.flow")
SERVED_MAX, USUAL_OF = 500, 100
"""Of how many who were seen last an estimate learns how long it takes, and a call."""


async def away_until(db: Session, organization_id: UUID, queue: Queue, now: datetime) -> dict[UUID, datetime]:
    """Until when practitioners of the queue's site see nobody, as somebody said; not who has begun with anybody of the queue since."""
    return {row["calendar_id"]: row["until"] for row in await db.fetch(Q.away_until, organization_id, queue.site_id, queue.id, now)}


async def known_of(
    db: Session, organization_id: UUID, queue: Queue, waiting: Sequence[QueueEntry], away: Mapping[UUID, datetime], now: datetime
) -> Known:
    """What there is to tell waits by, beside who waits."""
    serving = await db.fetch(Q.being_served, organization_id, queue.id, now)
    served = await db.fetch(Q.served_last, organization_id, queue.id, SERVED_MAX)
    planned = await db.fetch_one(Q.minutes_of_service, organization_id, queue.service_id)
    came = await db.fetch(Q.came_by_hour, organization_id, queue.id, now, DAYS_SEEN)
    booked = await coming(db, organization_id, queue, now - OVERDUE, now + timedelta(hours=HOURS_AHEAD))
    return Known(
        waiting=waiting,
        coming=booked,
        away={who: (until - now).total_seconds() / 60 for who, until in away.items()},
        serving=[
            Served(elapsed=row["elapsed"], practitioner_id=None if row["practitioner_id"] == ANYBODY else row["practitioner_id"])
            for row in serving
        ],
        minutes_served=[row["minutes"] for row in served],
        minutes_planned=planned["minutes"] if planned else None,
        came={(row["level"], row["hour"]): row["people"] for row in came},
    )  # fmt: skip


async def usual_minutes(db: Session, organization_id: UUID, queue: Queue) -> float:
    """How long a service of this queue usually takes."""
    served = await db.fetch(Q.served_last, organization_id, queue.id, USUAL_OF)
    planned = await db.fetch_one(Q.minutes_of_service, organization_id, queue.service_id)
    return usual_minutes_of([row["minutes"] for row in served], planned["minutes"] if planned else None)


async def outcomes(db: Session, organization_id: UUID, queue_id: UUID) -> dict[int, list[Outcome]]:
    """What people in this queue were told first, and how long it was, by level, the newest last."""
    by_level: dict[int, list[Outcome]] = {}
    for row in await db.fetch(Q.outcomes, organization_id, queue_id, OUTCOMES_MAX):
        told = Outcome(low=row["low"], median=row["median"], high=row["high"], actual=row["actual"])
        by_level.setdefault(row["level"], []).append(told)
    return by_level


async def note_told(tx: Session, organization_id: UUID, queue_id: UUID, now: datetime, told: Mapping[UUID, Estimate]) -> None:
    """Keep what each was told first. What cannot be told is not."""
    whole = [(id_, each.low, each.median, each.high) for id_, each in told.items() if None not in (each.low, each.median, each.high)]
    if whole:
        await tx.execute(Q.note_told, organization_id, queue_id, now, *(list(column) for column in zip(*whole, strict=True)))
