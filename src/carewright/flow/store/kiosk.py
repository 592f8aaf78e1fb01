"""The rows of kiosks, to values and back: codes of today, tickets, calls for help. One function runs one named query."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.kiosk import HelpCall, HelpReason, WalkIn, WalkInEnd
from carewright.flow.model.check_in import Today
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")
HELP_SHOWN_MAX = 20


class Kept(NamedTuple):
    """A ticket of a kiosk, and the day that it is of."""

    walk_in: WalkIn
    day: date


class Tries(NamedTuple):
    """How many wrong codes a kiosk took, and since when they are counted."""

    since: datetime
    wrong: int


async def lock_tries(tx: Session, organization_id: UUID, station: str, now: datetime, since: datetime) -> Tries:
    """The wrong codes of a kiosk after `since`; nobody else tries one there until the transaction ends."""
    (row,) = await tx.fetch(Q.lock_code_tries, organization_id, station, now, since)
    return Tries(row["since"], row["wrong"])


async def count_wrong(tx: Session, organization_id: UUID, station: str) -> int:
    """One more; how many there are now. The caller holds the row."""
    (row,) = await tx.fetch(Q.count_wrong_code, organization_id, station)
    return int(row["wrong"])


async def today(
    db: Session, organization_id: UUID, now: datetime, *, at: UUID | None = None, besides: UUID | None = None
) -> list[Today]:  # fmt: skip
    """What is booked today: at a site, at all but one, or everywhere."""
    rows = await db.fetch(Q.codes_of_today, organization_id, now, at, besides)
    return [
        Today(
            appointment_id=row["appointment_id"], site_id=row["site_id"], site_name=row["site_name"], time_zone=row["time_zone"],
            visit_type_id=row["visit_type_id"], practitioner_ids=tuple(row["practitioner_ids"]), level=row["level"], status=row["status"],
            start=row["starts_at"], end=row["ends_at"], patient_id=row["patient_id"],
        )
        for row in rows
    ]  # fmt: skip


async def insert_walk_in(tx: Session, organization_id: UUID, walk_in: WalkIn, station: str, day: date) -> None:
    await tx.execute(
        Q.insert_walk_in, organization_id, walk_in.id, walk_in.queue_id, walk_in.site_id, station, day, walk_in.ticket, walk_in.taken_at
    )


async def taken_since(db: Session, organization_id: UUID, queue_id: UUID, station: str, since: datetime) -> int:
    """How many tickets of a queue a kiosk gave that nobody has seen to yet."""
    (row,) = await db.fetch(Q.tickets_taken, organization_id, queue_id, station, since)
    return int(row["taken"])


async def walk_ins_open(db: Session, organization_id: UUID, queue_id: UUID, limit: int) -> list[WalkIn]:
    """Whom the desk does not know yet, who came first before."""
    return [_walk_in(row) for row in await db.fetch(Q.walk_ins_open, organization_id, queue_id, limit)]


async def walk_in_for_change(tx: Session, organization_id: UUID, walk_in_id: UUID) -> Kept | None:
    """The ticket, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.walk_in_for_change, organization_id, walk_in_id)
    return Kept(_walk_in(row), row["day"]) if row else None


async def update_walk_in(tx: Session, organization_id: UUID, walk_in: WalkIn, reason: WalkInEnd | None) -> None:
    await tx.execute(
        Q.update_walk_in, organization_id, walk_in.id, walk_in.status, walk_in.called_at, walk_in.ended_at, reason, walk_in.entry_id,
        walk_in.version,
    )  # fmt: skip


async def open_help(tx: Session, organization_id: UUID, call: HelpCall, station: str) -> HelpCall | None:
    """The call; None where that kiosk has called already, and nobody has answered."""
    row = await tx.fetch_one(
        Q.open_help, organization_id, call.id, call.site_id, station, call.station_name, call.reason, call.raised_at
    )  # fmt: skip
    return HelpCall(**row) if row else None


async def help_open_of(tx: Session, organization_id: UUID, station: str, reason: HelpReason) -> HelpCall | None:
    """The call of a kiosk that nobody has answered."""
    row = await tx.fetch_one(Q.help_open_of, organization_id, station, reason)
    return HelpCall(**row) if row else None


async def help_open_at(db: Session, organization_id: UUID, site_id: UUID) -> list[HelpCall]:
    return [HelpCall(**row) for row in await db.fetch(Q.help_open_at, organization_id, site_id, HELP_SHOWN_MAX)]


async def help_for_change(tx: Session, organization_id: UUID, help_id: UUID) -> HelpCall | None:
    """The call, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.help_for_change, organization_id, help_id)
    return HelpCall(**row) if row else None


async def answer_help(tx: Session, organization_id: UUID, help_id: UUID, now: datetime, by: str) -> HelpCall:
    (row,) = await tx.fetch(Q.answer_help, organization_id, help_id, now, by)
    return HelpCall(**row)


async def forget_walk_ins(db: Session, before: datetime, limit: int) -> int:
    """Drop tickets that were seen to before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_walk_ins, before, limit))


async def forget_help(db: Session, before: datetime, limit: int) -> int:
    """Drop calls that were answered before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_help, before, limit))


def _walk_in(row: Row) -> WalkIn:
    return WalkIn(**{name: row[name] for name in WalkIn.__struct_fields__})
