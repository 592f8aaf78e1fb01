"""The rows of queues, to values and back. One function runs one named query."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.directory import Location, VisitType
from carewright.contracts.flow import TurnSoon
from carewright.contracts.queue import EntryAction, FoundTicket, ListEntries, PutQueue, Queue, QueueEntry, QueuePolicy, QueueSummary
from carewright.flow.model import order
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")
ANYBODY = UUID(int=0)
"""Whom a patient wants who wants nobody in particular, in a column of an index."""
HEADS = 16
"""As many desks may call from one queue at one moment, each in order; the next waits its turn by calling again."""
_policy = msgspec.json.Decoder(QueuePolicy).decode
_entry = msgspec.json.Decoder(QueueEntry).decode
Ticket = tuple[date, int]


class Step(NamedTuple):
    """The last thing that was done with an entry, and how it was before."""

    version: int
    action: EntryAction
    at: datetime
    before: QueueEntry | None


async def put_queue(tx: Session, organization_id: UUID, queue_id: UUID, command: PutQueue) -> Queue | None:
    """The queue as it is now; None where it was so already, or somebody changed it since."""
    row = await tx.fetch_one(
        Q.put_queue, organization_id, queue_id, command.site_id, command.service_id, command.name, command.letter, command.policy,
        command.expected_version,
    )  # fmt: skip
    return queue_of_row(row) if row else None


async def queue_of(db: Session, organization_id: UUID, site_id: UUID, service_id: UUID) -> Queue | None:
    """The queue of a service at a site, if anybody put one yet."""
    row = await db.fetch_one(Q.queue_of, organization_id, site_id, service_id)
    return queue_of_row(row) if row else None


async def queue_by_id(db: Session, organization_id: UUID, queue_id: UUID) -> Queue | None:
    row = await db.fetch_one(Q.queue_by_id, organization_id, queue_id)
    return queue_of_row(row) if row else None


async def queues_at(db: Session, organization_id: UUID, site_ids: Iterable[UUID] | None, queue_id: UUID | None) -> list[QueueSummary]:
    """Queues at these sites, or all of them, or one, with how full each is."""
    rows = await db.fetch(Q.queues_at, organization_id, None if site_ids is None else list(site_ids), queue_id)
    return [
        QueueSummary(
            queue=queue_of_row(row), waiting=tuple(row["waiting"]), in_service=row["in_service"], waiting_since=row["since"],
            walk_ins=row["walk_ins"],
        )
        for row in rows
    ]  # fmt: skip


async def find_tickets(
    db: Session, organization_id: UUID, site_ids: Iterable[UUID] | None, ticket: str, limit: int
) -> tuple[FoundTicket, ...]:
    """Where this ticket is in use, at these sites or everywhere."""
    rows = await db.fetch(Q.find_tickets, organization_id, ticket, None if site_ids is None else list(site_ids), limit)
    return tuple(FoundTicket(**row) for row in rows)


async def draw_ticket(tx: Session, organization_id: UUID, queue: Queue, now: datetime) -> Ticket:
    """The next number of the queue's day. Nobody else draws from this queue until the transaction ends."""
    (row,) = await tx.fetch(Q.draw_ticket, organization_id, queue.id, queue.site_id, now)
    return row["day"], row["last_number"]


async def insert_entry(tx: Session, organization_id: UUID, entry: QueueEntry, day: date) -> bool:
    """Whether the patient had no turn there yet."""
    row = await tx.fetch_one(
        Q.insert_entry, organization_id, entry.id, entry.queue_id, entry.site_id, entry.service_id, entry.encounter_id, entry.patient_id,
        entry.appointment_id, entry.practitioner_id or ANYBODY, entry.location_id, day, entry.ticket, entry.status, entry.level,
        entry.ranked_from, entry.expected_at, entry.arrived_at, entry.triaged_at, entry.called_at, entry.started_at, entry.ended_at,
        entry.skipped, entry.version, entry.updated_at, entry.travel_minutes, entry.come_at, entry.due_at, entry.more_times,
        entry.in_room,
    )  # fmt: skip
    return row is not None


async def entry_in_the_way(
    db: Session, organization_id: UUID, queue_id: UUID, patient_id: UUID, appointment_id: UUID | None, besides: UUID | None = None
) -> UUID | None:
    """The turn in the queue because of which the patient gets none, for the appointment or without one."""
    row = await db.fetch_one(Q.entry_in_the_way, organization_id, queue_id, patient_id, appointment_id, besides)
    return row["id"] if row else None


async def entry_by_id(db: Session, organization_id: UUID, entry_id: UUID) -> QueueEntry | None:
    row = await db.fetch_one(Q.entry_by_id, organization_id, entry_id)
    return _opened(row) if row else None


async def entry_for_change(tx: Session, organization_id: UUID, entry_id: UUID) -> QueueEntry | None:
    """The entry, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.entry_for_change, organization_id, entry_id)
    return _opened(row) if row else None


async def entries_of_encounter(db: Session, organization_id: UUID, encounter_id: UUID) -> list[QueueEntry]:
    return await entries_of_encounters(db, organization_id, [encounter_id])


async def entries_of_encounters(db: Session, organization_id: UUID, encounter_ids: Sequence[UUID]) -> list[QueueEntry]:
    return [_opened(row) for row in await db.fetch(Q.entries_of_encounters, organization_id, encounter_ids)]


async def entry_of_appointment(db: Session, organization_id: UUID, appointment_id: UUID) -> UUID | None:
    row = await db.fetch_one(Q.entry_of_appointment, organization_id, appointment_id)
    return row["id"] if row else None


async def open_entries_of_patient(db: Session, organization_id: UUID, patient_id: UUID) -> list[QueueEntry]:
    return [_opened(row) for row in await db.fetch(Q.open_entries_of_patient, organization_id, patient_id)]


async def open_entries_of_appointment(db: Session, organization_id: UUID, appointment_id: UUID) -> list[UUID]:
    return [row["id"] for row in await db.fetch(Q.open_entries_of_appointment, organization_id, appointment_id)]


async def update_entry(tx: Session, organization_id: UUID, action: EntryAction, by: str, before: QueueEntry, entry: QueueEntry) -> None:
    """The entry after a step, and the step. The caller holds the row."""
    await tx.execute(
        Q.update_entry, organization_id, entry.id, entry.practitioner_id or ANYBODY, entry.location_id, entry.status, entry.level,
        entry.ranked_from, entry.expected_at, entry.arrived_at, entry.triaged_at, entry.called_at, entry.started_at, entry.ended_at,
        entry.skipped, entry.version, entry.updated_at, action, by, before, entry.offered_at, entry.travel_minutes, entry.come_at,
        entry.due_at, entry.more_times, entry.unreached_at, entry.in_room,
    )  # fmt: skip


async def lock_next(
    tx: Session, organization_id: UUID, queue: Queue, practitioner_id: UUID | None, now: datetime, walk_ins_until: datetime | None = None
) -> QueueEntry | None:
    """Who is next for whoever calls, the row locked until the transaction ends; nobody that another call has locked, or who is elsewhere.

    With `walk_ins_until` no walk-in but emergencies, and those whose turn counts since then or before.
    """
    lines = [ANYBODY] if practitioner_id is None else [ANYBODY, practitioner_id]
    policy = queue.policy
    busy_below = None if policy.staff is None else policy.staff - policy.kept_for_emergencies
    heads = await tx.fetch(Q.heads_for_caller, organization_id, queue.id, lines, HEADS, busy_below, walk_ins_until, now)
    row = await tx.fetch_one(Q.lock_first_waiting, organization_id, _in_order(queue, heads, now))
    return _opened(row) if row else None


async def entries_waiting(db: Session, organization_id: UUID, queue: Queue, now: datetime, limit: int) -> list[QueueEntry]:
    """In the order in which they would be called now."""
    heads = await db.fetch(Q.heads_of_levels, organization_id, queue.id, limit)
    return [_opened(row) for row in await db.fetch(Q.entries_by_place, organization_id, _in_order(queue, heads, now)[:limit])]


async def count_before(db: Session, organization_id: UUID, queue: Queue, entry: QueueEntry, now: datetime) -> int:
    """How many of those whom the same may call are called before a turn, as things stand."""
    levels, sinces, ties = zip(*order.before(queue.policy, entry.level, entry.ranked_from, now), strict=True)
    row = await db.fetch_one(
        Q.count_before, organization_id, queue.id, entry.practitioner_id or ANYBODY, entry.ranked_from, entry.id, levels, sinces, ties
    )  # fmt: skip
    return row["ahead"] if row else 0


async def entries_active(db: Session, organization_id: UUID, query: ListEntries) -> list[QueueEntry]:
    return [_opened(row) for row in await db.fetch(Q.entries_active, organization_id, query.queue_id, query.limit)]


async def practitioners_busy(db: Session, organization_id: UUID, practitioner_ids: Iterable[UUID]) -> set[UUID]:
    """Who of these has called somebody, or sees somebody, in whatever queue."""
    rows = await db.fetch(Q.practitioners_busy, organization_id, list(practitioner_ids))
    return {row["practitioner_id"] for row in rows}


async def insert_first_step(tx: Session, organization_id: UUID, entry: QueueEntry, action: EntryAction, by: str) -> None:
    await tx.execute(Q.insert_first_step, organization_id, entry.id, entry.version, action, entry.updated_at, by)


async def last_step(tx: Session, organization_id: UUID, entry_id: UUID) -> Step | None:
    row = await tx.fetch_one(Q.last_step, organization_id, entry_id)
    return Step(row["version"], row["action"], row["at"], _entry(row["before"]) if row["before"] else None) if row else None


async def say_soon(tx: Session, organization_id: UUID, entry_ids: Sequence[UUID], now: datetime) -> list[TurnSoon]:
    """Note of those who still wait that they are told; who was told before is not among what comes back."""
    rows = await tx.fetch(Q.say_soon, organization_id, list(entry_ids), now)
    return [
        TurnSoon(
            organization_id=organization_id, entry_id=row["id"], queue_id=row["queue_id"], site_id=row["site_id"],
            patient_id=row["patient_id"], ticket=row["ticket"],
        )
        for row in rows
    ]  # fmt: skip


async def put_site(tx: Session, organization_id: UUID, site: Location) -> None:
    await tx.execute(Q.put_site, organization_id, site.id, site.name, site.time_zone or "UTC")


async def put_visit_type(tx: Session, organization_id: UUID, visit_type: VisitType, service_name: str) -> None:
    await tx.execute(
        Q.put_visit_type, organization_id, visit_type.id, visit_type.healthcare_service_id, service_name, visit_type.duration_minutes
    )


async def service_of(db: Session, organization_id: UUID, visit_type_id: UUID) -> tuple[UUID, str] | None:
    """Which service a kind of visit belongs to, by id and name."""
    row = await db.fetch_one(Q.visit_type, organization_id, visit_type_id)
    return (row["service_id"], row["service_name"]) if row else None


async def close_second_turns(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> None:
    await tx.execute(Q.close_second_turns, organization_id, prior_id, now)


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's turns to its survivor; which those were."""
    return [row["id"] for row in await tx.fetch(Q.take_over_entries, organization_id, prior_id, now)]


def _in_order(queue: Queue, heads: Sequence[Row], now: datetime) -> list[UUID]:
    return order.in_order(queue.policy, ((row["level"], row["ranked_from"], row["id"]) for row in heads), now)


def queue_of_row(row: Row) -> Queue:
    """The queue of a row that has all its columns."""
    return Queue(
        id=row["id"], site_id=row["site_id"], service_id=row["service_id"], name=row["name"], letter=row["letter"],
        policy=_policy(row["policy"]), version=row["version"],
    )  # fmt: skip


def _opened(row: Row) -> QueueEntry:
    said = {name: row[name] for name in QueueEntry.__struct_fields__}
    return QueueEntry(**said | {"practitioner_id": None if row["practitioner_id"] == ANYBODY else row["practitioner_id"]})
