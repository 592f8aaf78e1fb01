"""The rows of relief, to values and back. One function runs one named query."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.queue import Queue
from carewright.contracts.relief import Relief, ReliefBy, ReliefKind, ReliefReason
from carewright.flow.model.relief import Due, Last, Load
from carewright.flow.store.queue import queue_of_row
from carewright.kernel.db import Row, Session
from carewright.kernel.reach import FIRST_ID
from carewright.kernel.sql import load

Q = load("carewright.flow")
PAST_MAX = 20
START = (FIRST_ID, FIRST_ID)


class Step(msgspec.Struct, frozen=True):
    """How a step stands, as the database tells it."""

    what: ReliefKind
    is_on: bool
    since: datetime
    by_person: bool


class Watched(NamedTuple):
    """A queue, how many wait in it, and how its steps stand."""

    organization_id: UUID
    queue: Queue
    waiting: int
    last: Mapping[ReliefKind, Last]


class Elsewhere(NamedTuple):
    """A queue of the same service at another site."""

    queue: Queue
    site_name: str
    waiting: int


_steps = msgspec.json.Decoder(tuple[Step, ...]).decode


async def queues_to_watch(db: Session, after: tuple[UUID, UUID], limit: int) -> list[Watched]:
    """Of every organization, behind one organization and queue, in their order."""
    rows = await db.fetch(Q.queues_to_watch, *after, limit)
    return [
        Watched(row["organization_id"], queue_of_row(row), row["waiting"], {each.what: _last(each) for each in _steps(row["last"])})
        for row in rows
    ]  # fmt: skip


async def begin(
    tx: Session, organization_id: UUID, relief_id: UUID, queue_id: UUID, due: Due, load: Load, now: datetime, by: str | None
) -> Relief | None:
    """The step that is on from now; None where it is so already. Nobody in `by` is the policy."""
    row = await tx.fetch_one(Q.begin_relief, organization_id, relief_id, queue_id, due.what, now, by, due.reason, *load)
    return _relief(row) if row else None


async def end(tx: Session, organization_id: UUID, queue_id: UUID, due: Due, now: datetime, by: str | None) -> Relief | None:
    """The step that is off from now; None where it is so already."""
    row = await tx.fetch_one(Q.end_relief, organization_id, queue_id, due.what, now, by, due.reason)
    return _relief(row) if row else None


async def on(db: Session, organization_id: UUID, queue_ids: Sequence[UUID]) -> list[Relief]:
    return [_relief(row) for row in await db.fetch(Q.relief_on, organization_id, list(queue_ids))]


async def past(db: Session, organization_id: UUID, queue_id: UUID) -> list[Relief]:
    """The last that ended, the newest first."""
    return [_relief(row) for row in await db.fetch(Q.relief_past, organization_id, queue_id, PAST_MAX)]


async def queues_of_service(db: Session, organization_id: UUID, queue: Queue, limit: int) -> list[Elsewhere]:
    rows = await db.fetch(Q.queues_of_service, organization_id, queue.service_id, queue.site_id, limit)
    return [Elsewhere(queue_of_row(row), row["site_name"], row["waiting"]) for row in rows]


async def waiting_in(db: Session, organization_id: UUID, queue_id: UUID) -> int:
    (row,) = await db.fetch(Q.waiting_in, organization_id, queue_id)
    return int(row["waiting"])


async def forget_past(db: Session, before: datetime, limit: int) -> int:
    """Drop steps that ended before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_relief, before, limit))


def _by(person: str | None) -> ReliefBy:
    return "policy" if person is None else "person"


def _last(step: Step) -> Last:
    return Last(step.is_on, step.since, "person" if step.by_person else "policy")


def _relief(row: Row) -> Relief:
    said = {name: row[name] for name in Relief.__struct_fields__}
    end_reason: ReliefReason | None = row["end_reason"]
    ended_by = _by(row["ended_by"]) if end_reason else None
    return Relief(**said | {"begun_by": _by(row["begun_by"]), "ended_by": ended_by})
