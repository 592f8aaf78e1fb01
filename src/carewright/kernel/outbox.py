"""The event log: written in the transaction that made the facts true, read in commit-safe order.

Sequence numbers are not commit order. A reader keeps its place by `(xid, position)` and reads only below the oldest running
transaction (`pg_snapshot_xmin`), so that a late commit cannot slip in behind it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.kernel.context import Context
from carewright.kernel.db import Row, Session
from carewright.kernel.events import Delivered, Event
from carewright.kernel.sql import load

Q = load("carewright.kernel")


class Columns(msgspec.Struct, frozen=True):
    """Events as parallel arrays, the shape in which a statement appends them (`unnest`)."""

    organization_ids: list[UUID]
    ids: list[UUID]
    topics: list[str]
    subjects: list[UUID]
    payloads: list[bytes]


def columns_of(ctx: Context, events: Sequence[Event]) -> Columns:
    """The arrays for `kernel.append_events`, or for a statement that appends events itself."""
    return Columns(
        [event.organization_id for event in events],
        [ctx.ids.new() for _ in events],
        [event.topic for event in events],
        [event.subject for event in events],
        [msgspec.json.encode(event) for event in events],
    )


async def publish(ctx: Context, tx: Session, *events: Event) -> None:
    """Append events within the caller's transaction, each for the tenant it names. Call `ctx.wake()` after the commit."""
    columns = columns_of(ctx, events)
    await tx.execute(
        Q.append_events, columns.organization_ids, columns.ids, columns.topics, columns.subjects, columns.payloads,
        ctx.clock.now(), ctx.origin, ctx.actor.subject, ctx.trace,
    )  # fmt: skip


async def read_between(db: Session, place: tuple[int, int], end: tuple[int, int], limit: int, topics: Sequence[str]) -> list[Delivered]:
    """The next events of these topics after `place` and before `end`, in log order.

    `end` must come from `end_of_log`: below it nothing is still running, so no event can be overtaken.
    """
    rows = await db.fetch(Q.events_between, str(place[0]), place[1], str(end[0]), limit, list(topics))
    return [delivered(row) for row in rows]


async def written_here(tx: Session, consumer: str, topics: Sequence[str]) -> list[Delivered]:
    """What the caller's transaction has written of these topics so far, as far as `consumer` has not handled it."""
    return [delivered(row) for row in await tx.fetch(Q.written_here, consumer, list(topics))]


async def end_of_log(db: Session) -> tuple[int, int]:
    """The place from which only later facts follow: everything committed before this call lies before it or is read again."""
    row = await db.fetch_one(Q.end_of_log)
    return (int(row["xid"]), row["position"]) if row else (0, 0)


async def last_place(db: Session) -> tuple[int, int]:
    """The last fact below the oldest running transaction. Unlike the end of the log it stays what it is when PostgreSQL crashes."""
    row = await db.fetch_one(Q.last_place)
    return (int(row["xid"]), row["position"]) if row else (0, 0)


async def occurred_at(db: Session, place: tuple[int, int]) -> datetime | None:
    """When the fact at this place became true; None where there is none, or none any more."""
    row = await db.fetch_one(Q.occurred_at, str(place[0]), place[1])
    return row["occurred_at"] if row else None


def delivered(row: Row) -> Delivered:
    """An event from its row in the outbox."""
    return Delivered(
        id=row["id"],
        organization_id=row["organization_id"],
        xid=int(row["xid"]),
        position=row["position"],
        occurred_at=row["occurred_at"],
        topic=row["topic"],
        subject=row["subject"],
        origin=row["origin"],
        actor=row["actor"],
        trace=row["trace"],
        payload=row["payload"],
    )
