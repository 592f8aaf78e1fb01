"""The rows of tunings, to values and back, and what of a queue's past they are made of. One function runs one named query."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.queue import Queue
from carewright.contracts.tuning import ISO_DAYS, DayKind, Found, Ordering, StartTuning, Tuning, TuningFault, TuningStatus
from carewright.flow.model.tuning import Question, Seen
from carewright.flow.store.waits import SERVED_MAX
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")
SPANS_MAX = 20_000
"""The newest of those who were seen tell how many were seen at once."""
LISTED_MAX = 20
_question = msgspec.json.Decoder(Question).decode
_found = msgspec.json.Decoder(Found).decode
_ordering = msgspec.json.Decoder(Ordering).decode


class Kept(NamedTuple):
    """A tuning as it is kept, and what it is reckoned with."""

    tuning: Tuning
    question: Question


async def seen(db: Session, organization_id: UUID, queue: Queue, days: DayKind, since: datetime, until: datetime) -> Seen:
    """What is known of who came to a queue, and was seen, on days of a kind."""
    kind = list(ISO_DAYS[days])
    came = await db.fetch(Q.came_on_days, organization_id, queue.id, since, until, kind)
    spans = [(row["start"], row["end"]) for row in await db.fetch(Q.seen_on_days, organization_id, queue.id, since, until, kind, SPANS_MAX)]
    planned = await db.fetch_one(Q.minutes_of_service, organization_id, queue.service_id)
    return Seen(
        days=days, day_count=came[0]["days"] if came else 0, came={(row["level"], row["hour"]): row["people"] for row in came},
        spans=spans, services=[(end - start).total_seconds() / 60 for start, end in spans[:SERVED_MAX]],
        service_minutes=planned["minutes"] if planned else None,
    )  # fmt: skip


async def insert(
    tx: Session, organization_id: UUID, tuning_id: UUID, queue: Queue, command: StartTuning, question: Question, now: datetime, by: str
) -> Tuning | None:
    """The tuning that runs from now; None where one runs at the site."""
    row = await tx.fetch_one(
        Q.insert_tuning, organization_id, tuning_id, queue.id, queue.site_id, command.days, command.entered is not None, question, now, by
    )  # fmt: skip
    return _kept(row).tuning if row else None


async def running_at(db: Session, organization_id: UUID, site_id: UUID) -> UUID | None:
    row = await db.fetch_one(Q.tuning_running, organization_id, site_id)
    return row["id"] if row else None


async def tuning_by_id(db: Session, organization_id: UUID, tuning_id: UUID) -> Kept | None:
    row = await db.fetch_one(Q.tuning_by_id, organization_id, tuning_id)
    return _kept(row) if row else None


async def tuning_for_change(tx: Session, organization_id: UUID, tuning_id: UUID) -> Tuning | None:
    """The tuning, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.tuning_for_change, organization_id, tuning_id)
    return _kept(row).tuning if row else None


async def tunings_of(db: Session, organization_id: UUID, queue_id: UUID) -> list[Tuning]:
    """The newest first."""
    return [_kept(row).tuning for row in await db.fetch(Q.tunings_of, organization_id, queue_id, LISTED_MAX)]


async def advance(db: Session, organization_id: UUID, tuning_id: UUID, percent: int) -> bool:
    """Whether anybody still wants it."""
    return await db.fetch_one(Q.advance_tuning, organization_id, tuning_id, percent) is not None


async def end(
    tx: Session,
    organization_id: UUID,
    tuning_id: UUID,
    status: TuningStatus,
    now: datetime,
    found: Found | None = None,
    fault: TuningFault | None = None,
) -> Tuning | None:
    """The tuning that has ended so; None where it had ended."""
    row = await tx.fetch_one(Q.end_tuning, organization_id, tuning_id, status, now, found, fault)
    return _kept(row).tuning if row else None


async def apply(tx: Session, organization_id: UUID, tuning_id: UUID, former: Ordering, now: datetime) -> Tuning:
    """Note what was in force before. The caller holds the row."""
    (row,) = await tx.fetch(Q.apply_tuning, organization_id, tuning_id, now, former)
    return _kept(row).tuning


async def take_back(tx: Session, organization_id: UUID, tuning_id: UUID, now: datetime) -> Tuning:
    """Note that what was in force before is so again. The caller holds the row."""
    (row,) = await tx.fetch(Q.take_back_tuning, organization_id, tuning_id, now)
    return _kept(row).tuning


async def forget_past(db: Session, before: datetime, limit: int) -> int:
    """Drop what was asked before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_tunings, before, limit))


def _kept(row: Row) -> Kept:
    question = _question(row["question"])
    same: Sequence[str] = (
        "id", "queue_id", "site_id", "status", "percent", "days", "is_entered", "asked_at", "ended_at", "fault", "applied_at",
        "taken_back_at", "version",
    )  # fmt: skip
    tuning = Tuning(
        **{name: row[name] for name in same}, order=question.order, targets=question.targets, staff=question.staff,
        people_a_day=question.people_a_day, found=_found(row["found"]) if row["found"] else None,
        former=_ordering(row["former"]) if row["former"] else None,
    )  # fmt: skip
    return Kept(tuning, question)
