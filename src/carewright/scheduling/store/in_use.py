"""The rows of time that turns take, and who else has time. One function runs one named query."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.in_use import TimeInUse
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load
from carewright.scheduling.model.in_use import Held

Q = load("carewright.scheduling")


async def begin(tx: Session, organization_id: UUID, use: TimeInUse, now: datetime) -> bool:
    """Whether the turn had no time yet."""
    row = await tx.fetch_one(
        Q.begin_in_use, organization_id, use.entry_id, use.site_id, use.practitioner_id, use.location_id, use.start, use.end, now,
        use.is_kept,
    )  # fmt: skip
    return row is not None


async def for_change(tx: Session, organization_id: UUID, entry_id: UUID) -> TimeInUse | None:
    """What the turn has, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.in_use_for_change, organization_id, entry_id)
    return _use(row) if row else None


async def save(tx: Session, organization_id: UUID, use: TimeInUse) -> None:
    """Write what the turn has now. The caller holds its row."""
    await tx.execute(Q.save_in_use, organization_id, use.entry_id, use.location_id, use.end, use.is_kept)


async def end(tx: Session, organization_id: UUID, entry_id: UUID) -> None:
    await tx.execute(Q.end_in_use, organization_id, entry_id)


async def next_running_out(
    tx: Session, soon: datetime, unheard: datetime, forgotten: datetime, after: tuple[UUID, UUID]
) -> tuple[UUID, TimeInUse] | None:
    """The first by (organization, turn) after `after` that ends by `soon`, or was taken by `unheard` and not called, or by `forgotten`.

    Of every organization, and locked; what somebody else has locked is theirs.
    """
    row = await tx.fetch_one(Q.next_running_out, soon, unheard, forgotten, *after)
    return (row["organization_id"], _use(row)) if row else None


async def held_by_others(
    tx: Session, organization_id: UUID, schedule_id: UUID, start: datetime, end_: datetime, entry_id: UUID, now: datetime
) -> list[Held]:
    """Who but the turn has any of this time."""
    rows = await tx.fetch(Q.held_by_others, organization_id, schedule_id, start, end_, entry_id, now)
    return [
        Held(lane=row["lane"], start=row["starts_at"], end=row["ends_at"], status=row["status"], booked_at=row["booked_at"]) for row in rows
    ]


async def schedules_known(db: Session, organization_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Those of these that have a calendar."""
    return [row["id"] for row in await db.fetch(Q.schedules_known, organization_id, list(ids))]


async def planned_minutes(db: Session, organization_id: UUID, service_id: UUID) -> float | None:
    """How long a visit of the service is planned to take, on the average of its kinds."""
    row = await db.fetch_one(Q.planned_minutes, organization_id, str(service_id))
    return row["minutes"] if row else None


async def not_used(
    db: Session, organization_id: UUID, practitioner_ids: Sequence[UUID], site_id: UUID, now: datetime, missed_before: datetime
) -> dict[UUID, tuple[datetime, UUID | None]]:
    """By practitioner, until when an appointment has time now that it does not need; and which, where its patient has not come."""
    rows = await db.fetch(Q.not_used, organization_id, list(practitioner_ids), site_id, now, missed_before)
    return {row["schedule_id"]: (row["ends_at"], row["id"] if row["status"] == "booked" else None) for row in rows}


def _use(row: Row) -> TimeInUse:
    return TimeInUse(
        entry_id=row["entry_id"], site_id=row["site_id"], practitioner_id=row["practitioner_id"], location_id=row["location_id"],
        start=row["starts_at"], end=row["ends_at"], is_kept=row["kept"],
    )  # fmt: skip
