"""Rows to values: one function runs one named query."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from struct import Struct
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from carewright.contracts.directory import HealthcareService, Location, VisitType
from carewright.contracts.hours import BlockTime, Busy, Opening
from carewright.contracts.patients import PatientChanged, PatientErased
from carewright.contracts.schedules import ListSchedules, ScheduleSummary
from carewright.contracts.scheduling import (
    HOLD_ENDED,
    Appointment,
    ClaimedTime,
    ListAppointments,
    SearchAppointments,
)
from carewright.contracts.starts import IsExpected
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Row, Session, Transaction, microseconds_of
from carewright.kernel.events import Event
from carewright.kernel.idempotency import seal_answer
from carewright.kernel.invariants import invariant
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load
from carewright.scheduling.model.actors import Actor
from carewright.scheduling.model.appointment import began_as, stopped_at
from carewright.scheduling.model.hours import NO_HOURS, Hours

Q = load("carewright.scheduling")
MICROSECOND = timedelta(microseconds=1)
CLAIM = Struct(">hi16si16siqiqi16s")
"""A claim in PostgreSQL's binary COPY format: the number of fields, then each with its length before it."""
APPOINTMENT, BLOCK, VERSION = "scheduling.appointment", "scheduling.block", "scheduling.appointment_version"
"""What sealed fields are bound to. A row that moves into history keeps its place's name."""
VERSIONS_MAX = 1_000
_decode = msgspec.json.Decoder(Appointment).decode


class Part(NamedTuple):
    """A stretch of appointments by (start, id), both ends left out."""

    after: datetime
    after_id: UUID
    before: datetime
    before_id: UUID


class Words(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people wrote about an appointment, and the referral: kept sealed beside the value, never in it."""

    based_on: str | None = None
    override_reason: str | None = None
    cancelation_reason: str | None = None


class Booking(NamedTuple):
    """What is booked in one statement. `versions` are the calendar versions chosen on, `mirrors` says in whose stead."""

    appointment: Appointment
    claims: Sequence[ClaimedTime]
    versions: dict[UUID, int]
    fact: Event
    note: str | None
    mirrors: str | None


async def book_appointment(ctx: Context, db: Session, cipher: FieldCipher, booking: Booking) -> None:
    """Claim the time in lane 0, store the appointment, its event, its audit entry and the caller's key: one statement, all or nothing.

    Raises `TimeNotFree`, `PatientBusy`, `UnknownPatient`, `AlreadyDone`, `BookedElsewhere`, `NotMirrored`, `CalendarMoved`, or `NotCovered`
    and `NotAuthorised` where the payer's answer stops it.
    """
    appointment, claims, versions, fact, note, mirrors = booking
    start, deed = appointment.start, entry_of(ctx, began_as(appointment), "C", appointment)
    whole = msgspec.json.encode(appointment)
    open_part, private = _parted(cipher, appointment, whole)
    answer = seal_answer(ctx, ctx.once, whole) if ctx.once else None
    await db.execute(
        Q.book_appointment, ctx.actor.organization_id, appointment.id, list(versions), list(versions.values()),
        [claim.schedule_id for claim in claims], [(claim.start - start) // MICROSECOND for claim in claims],
        [(claim.end - start) // MICROSECOND for claim in claims],
        appointment.status, appointment.patient_id, start, appointment.end, appointment.visit_type_id,
        appointment.expires_at, open_part, _sealed_note(cipher, appointment, note),
        ctx.ids.new(), fact.topic, msgspec.json.encode(fact), ctx.clock.now(), ctx.origin, ctx.actor.subject, ctx.trace,
        ctx.once.key if ctx.once else None, answer.fingerprint if answer else None, deed.id, audit.body_of(deed), private,
        answer.answer if answer else None, stopped_at(appointment), appointment.site_id, mirrors,
    )  # fmt: skip


def entry_of(ctx: Context, event: str, action: audit.Action, appointment: Appointment) -> audit.Entry:
    """What the actor does to an appointment, for the journal."""
    about = audit.Entity(type="Appointment", id=appointment.id)
    return audit.entry(ctx, event, action, patient_id=appointment.patient_id, entities=(about,))


async def lock_calendars(tx: Session, organization_id: UUID, versions: dict[UUID, int]) -> bool:
    """Lock the calendars a choice was made on; False when one has changed since."""
    rows = await tx.fetch(Q.lock_calendars, organization_id, list(versions), list(versions.values()))
    return len(rows) == len(versions)


async def claim_time(
    tx: Session, organization_id: UUID, claims: Sequence[tuple[UUID, ClaimedTime]], beside_nobody_but: UUID | None,
    expires_at: datetime | None = None,
) -> list[UUID]:  # fmt: skip
    """Claim time for (appointment, claim) pairs; returns the schedule of each one got. Fewer than asked: somebody was faster.

    What an appointment other than `beside_nobody_but` holds in a further lane is not claimed; None is for those who may book beside others.
    """
    rows = await tx.fetch(
        Q.claim_time, organization_id, [c.schedule_id for _, c in claims], [c.lane for _, c in claims],
        [c.start for _, c in claims], [c.end for _, c in claims], [appointment_id for appointment_id, _ in claims], beside_nobody_but,
        expires_at,
    )  # fmt: skip
    return [row["schedule_id"] for row in rows]


async def release_claims(tx: Session, organization_id: UUID, appointment_ids: Sequence[UUID]) -> tuple[ClaimedTime, ...]:
    """Give back what the appointments hold. The caller holds the lock on their rows."""
    return tuple(_claimed(row) for row in await tx.fetch(Q.release_claims, organization_id, list(appointment_ids)))


async def claims_of_appointment(db: Session, organization_id: UUID, appointment_id: UUID) -> tuple[ClaimedTime, ...]:
    return tuple(_claimed(row) for row in await db.fetch(Q.claims_of_appointment, organization_id, appointment_id))


async def keep_claims(tx: Session, organization_id: UUID, appointment_id: UUID) -> None:
    await tx.execute(Q.keep_claims, organization_id, appointment_id)


async def taken_lanes(tx: Session, organization_id: UUID, claim: ClaimedTime, besides: UUID) -> set[int]:
    """The lanes in which an appointment other than `besides` already holds part of this time."""
    rows = await tx.fetch(Q.taken_lanes, organization_id, [claim.schedule_id], [claim.start], [claim.end], besides)
    return {row["lane"] for row in rows}


async def claims_beside(
    tx: Session, organization_id: UUID, claims: Sequence[ClaimedTime], besides: UUID, now: datetime
) -> tuple[ClaimedTime, ...]:
    """What appointments other than `besides` hold of this time."""
    these = [c.schedule_id for c in claims], [c.start for c in claims], [c.end for c in claims]
    rows = await tx.fetch(Q.claims_beside, organization_id, *these, besides, now)
    return tuple(_claimed(row) for row in rows)


async def expired_holds_in_the_way(
    tx: Session, organization_id: UUID, claims: Sequence[ClaimedTime], now: datetime
) -> tuple[Appointment, ...]:
    """Expired holds that still lie on this time, locked for removal."""
    these = [c.schedule_id for c in claims], [c.start for c in claims], [c.end for c in claims]
    rows = await tx.fetch(Q.expired_holds_in_the_way, organization_id, *these, now)
    return tuple(_decode(row["value"]) for row in rows)


async def expired_holds(tx: Session, now: datetime, limit: int) -> list[tuple[UUID, Appointment]]:
    """Expired holds of every organization, locked for removal."""
    return [(row["organization_id"], _decode(row["value"])) for row in await tx.fetch(Q.expired_holds, now, limit)]


async def lock_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    """Keep others from holding time for this patient until the transaction ends."""
    await tx.fetch_one(Q.lock_patient, organization_id, patient_id)


async def live_holds_of_patient(db: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> int:
    row = await db.fetch_one(Q.live_holds_of_patient, organization_id, patient_id, now)
    return row["holds"] if row else 0


async def insert_series(tx: Session, cipher: FieldCipher, appointments: Sequence[Appointment]) -> bool:
    """Store the visits of one series; False when the patient is not known."""
    first = appointments[0]
    parts = [_parted(cipher, a, msgspec.json.encode(a)) for a in appointments]
    rows = await tx.fetch(
        Q.insert_appointments, cipher.organization_id, [a.id for a in appointments], [a.status for a in appointments], first.patient_id,
        [a.start for a in appointments], [a.end for a in appointments], first.visit_type_id,
        [open_part for open_part, _ in parts], first.series_id, [private for _, private in parts],
    )  # fmt: skip
    return len(rows) == len(appointments)


async def insert_one(tx: Session, cipher: FieldCipher, appointment: Appointment, note: str | None) -> bool:
    """Store one appointment; False when the patient is not known."""
    if not await insert_series(tx, cipher, [appointment]):
        return False
    if note is not None:
        await save_appointment(tx, cipher, appointment, note)
    return True


async def appointment_for_change(tx: Session, cipher: FieldCipher, appointment_id: UUID) -> tuple[Appointment | None, str | None]:
    """The appointment, its row locked until the transaction ends, and the system that is its master until then, if we are not.

    One that was archived is brought back first, by us or somebody else.
    """
    row = await tx.fetch_one(Q.appointment_for_change, cipher.organization_id, appointment_id)
    if row is None:
        await tx.fetch_one(Q.restore_archived, cipher.organization_id, appointment_id)
        row = await tx.fetch_one(Q.appointment_for_change, cipher.organization_id, appointment_id)
    return (whole_of(cipher, row), row["master"]) if row else (None, None)


async def appointment_by_id(db: Session, cipher: FieldCipher, appointment_id: UUID) -> Appointment | None:
    row = await db.fetch_one(Q.appointment_by_id, cipher.organization_id, appointment_id)
    return whole_of(cipher, row) if row else None


async def notes_of(db: Session, cipher: FieldCipher, appointment_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What was written to the practice, by appointment; nothing for those without a note."""
    rows = await db.fetch(Q.notes_of, cipher.organization_id, list(appointment_ids))
    return {row["id"]: cipher.open_(APPOINTMENT, "note", row["id"], row["note"]).decode() for row in rows}


async def save_appointment(tx: Session, cipher: FieldCipher, appointment: Appointment, note: str | None = None) -> None:
    """Write a changed appointment. The caller holds the lock on its row; without a note the earlier one stays."""
    open_part, private = _parted(cipher, appointment, msgspec.json.encode(appointment))
    await tx.execute(
        Q.save_appointment, cipher.organization_id, appointment.id, appointment.status, appointment.start, appointment.end,
        appointment.expires_at, appointment.version, open_part, _sealed_note(cipher, appointment, note), private,
    )  # fmt: skip


async def keep_version(tx: Session, cipher: FieldCipher, id_: UUID, appointment: Appointment) -> None:
    """Keep what is about to be replaced. The caller holds the lock on its row."""
    await tx.execute(
        Q.keep_version, cipher.organization_id, id_, appointment.id, appointment.patient_id, appointment.version, appointment.updated_at,
        cipher.seal(VERSION, "said", id_, msgspec.json.encode(appointment)),
    )  # fmt: skip


async def earlier_versions(db: Session, cipher: FieldCipher, appointment_id: UUID) -> list[Appointment]:
    """What was kept of an appointment, the newest first; `VERSIONS_MAX` at most."""
    rows = await db.fetch(Q.versions_of_appointment, cipher.organization_id, appointment_id, VERSIONS_MAX)
    return [_decode(cipher.open_(VERSION, "said", row["id"], row["said"])) for row in rows]


async def save_hold(tx: Session, organization_id: UUID, hold: Appointment) -> None:
    """Write a changed hold, of whatever organization. Nobody has written anything about it yet, so there is nothing to seal."""
    invariant(hold.based_on is None and hold.override_reason is None, "a hold carries no words of anybody")
    await tx.execute(
        Q.save_appointment, organization_id, hold.id, hold.status, hold.start, hold.end, hold.expires_at, hold.version,
        msgspec.json.encode(hold), None, None,
    )  # fmt: skip


async def appointments_of_patient(
    db: Session, cipher: FieldCipher, patient_id: UUID, query: ListAppointments, after: tuple[datetime, UUID], now: datetime, limit: int,
    site_ids: Collection[UUID],
) -> list[Appointment]:  # fmt: skip
    """A page of them; where `site_ids` are named, only of those at these."""
    rows = await db.fetch(
        Q.appointments_of_patient, cipher.organization_id, patient_id, query.from_at, query.until_at, list(query.statuses), *after, now,
        limit, [str(each) for each in site_ids], query.clashing,
    )  # fmt: skip
    return [whole_of(cipher, row) for row in rows]


async def plan_once(tx: Session) -> None:
    """Have the searches of this transaction use plans that are there already."""
    await tx.execute(Q.plan_once)


async def search_these(
    db: Session, cipher: FieldCipher, query: SearchAppointments, part: Part, now: datetime
) -> tuple[list[Appointment], int]:
    """One more than a page of those that are named, or of the patients that are, and how many there are in the time asked for."""
    rows = await db.fetch(
        Q.search_these, *_conditions(cipher, query, now), *part, query.limit + 1, list(query.ids), list(query.patient_ids),
        query.start_from, query.start_until, query.order == "start",
    )  # fmt: skip
    return [whole_of(cipher, row) for row in rows if row["value"] is not None], rows[0]["total"]


async def search_by_time(db: Session, cipher: FieldCipher, query: SearchAppointments, part: Part, now: datetime) -> list[Appointment]:
    """One more than a page of what begins in that part of the time asked for."""
    statement = Q.search_forward if query.order == "start" else Q.search_backward
    rows = await db.fetch(statement, *_conditions(cipher, query, now), *part, query.limit + 1)
    return [whole_of(cipher, row) for row in rows]


async def count_by_time(db: Session, cipher: FieldCipher, query: SearchAppointments, now: datetime, limit: int) -> int:
    """How many begin in the time asked for, counted as far as `limit`."""
    tenant, statuses, actors, *rest = _conditions(cipher, query, now)
    stretch = (query.start_from, query.start_until, limit)
    if actors:
        row = await db.fetch_one(Q.count_of_actors_by_time, tenant, statuses, actors, *rest, *stretch)
    else:
        row = await db.fetch_one(Q.count_by_time, tenant, statuses, *rest, *stretch)
    return row["total"] if row else 0


def _conditions(cipher: FieldCipher, query: SearchAppointments, now: datetime) -> tuple[object, ...]:
    """What every search has in common, in the order of its statements."""
    actors = [msgspec.json.encode([{"actor_id": each}]) for each in query.actor_ids]
    return cipher.organization_id, list(query.statuses), actors, list(query.site_ids), list(query.visit_type_ids), now


async def schedules_page(db: Session, organization_id: UUID, query: ListSchedules, site_ids: Collection[UUID]) -> list[ScheduleSummary]:
    """One more than a page of calendars; where `site_ids` are named, only of those that belong to one of these too."""
    rows = await db.fetch(
        Q.schedules_page, organization_id, list(query.ids), list(query.kinds), list(query.site_ids), list(site_ids), query.after,
        query.limit + 1,
    )  # fmt: skip
    return [
        ScheduleSummary(
            id=row["id"], kind=row["kind"], display=row["display"], site_ids=tuple(row["site_ids"]), active=row["active"],
            version=row["calendar_version"],
        )
        for row in rows
    ]  # fmt: skip


async def patients_in_hidden_order(db: Session, organization_id: UUID, secret: bytes, after: bytes, limit: int) -> tuple[list[UUID], bytes]:
    """The next `limit` patients behind the place `after`, and the last one's place."""
    rows = await db.fetch(Q.patients_in_hidden_order, organization_id, secret, after, limit)
    return [row["id"] for row in rows], rows[-1]["place"] if rows else after


async def past_of_patients(
    db: Session, organization_id: UUID, patient_ids: Sequence[UUID], before: datetime, statuses: Collection[str]
) -> list[Appointment]:
    """What ended before that instant, by start, without a word of anybody: sealed fields are not read."""
    rows = await db.fetch(Q.past_of_patients, organization_id, list(patient_ids), before, list(statuses))
    return [_decode(row["value"]) for row in rows]


async def has_earlier_visit(db: Session, organization_id: UUID, patient_id: UUID, visit_type_id: UUID, before: datetime) -> bool:
    row = await db.fetch_one(Q.has_earlier_visit, organization_id, patient_id, visit_type_id, before)
    return bool(row and row["found"])


async def is_expected(db: Session, organization_id: UUID, query: IsExpected) -> bool:
    sites = [str(each) for each in query.site_ids]
    row = await db.fetch_one(Q.is_expected, organization_id, query.patient_id, query.from_at, query.until_at, sites)
    return bool(row and row["found"])


async def patient_known(db: Session, organization_id: UUID, patient_id: UUID) -> bool:
    row = await db.fetch_one(Q.patient_known, organization_id, patient_id)
    return bool(row and row["active"])


async def raise_calendar_version(tx: Session, organization_id: UUID, schedule_id: UUID) -> int:
    row = await tx.fetch_one(Q.raise_calendar_version, organization_id, schedule_id)
    return row["calendar_version"] if row else 0


async def replace_openings(
    tx: Session, organization_id: UUID, schedule_id: UUID, openings: Iterable[tuple[UUID, datetime, datetime]], after: datetime
) -> None:
    """Replace what is materialised from `after` on."""
    await tx.execute(Q.delete_openings, organization_id, schedule_id, after)
    await add_openings(tx, organization_id, schedule_id, openings)


async def add_openings(tx: Session, organization_id: UUID, schedule_id: UUID, openings: Iterable[tuple[UUID, datetime, datetime]]) -> None:
    sites, starts, ends = zip(*openings, strict=True) if (openings := list(openings)) else ((), (), ())
    await tx.execute(Q.insert_openings, organization_id, schedule_id, list(sites), list(starts), list(ends))


async def save_hours(tx: Session, organization_id: UUID, schedule_id: UUID, hours: object, until: date) -> None:
    await tx.execute(Q.save_hours, organization_id, schedule_id, msgspec.json.encode(hours), until)


async def appointments_hit(
    tx: Session, cipher: FieldCipher, schedule_id: UUID, start: datetime, end: datetime, now: datetime
) -> tuple[Appointment, ...]:
    rows = await tx.fetch(Q.appointments_hit, cipher.organization_id, schedule_id, start, end, now)
    return tuple(whole_of(cipher, row) for row in rows)


async def appointments_outside_hours(tx: Session, cipher: FieldCipher, schedule_id: UUID, now: datetime) -> tuple[Appointment, ...]:
    rows = await tx.fetch(Q.appointments_outside_hours, cipher.organization_id, schedule_id, now)
    return tuple(whole_of(cipher, row) for row in rows)


async def insert_block(
    tx: Session, cipher: FieldCipher, block_id: UUID, command: BlockTime, start: datetime, end: datetime, by: str, now: datetime
) -> None:
    reason = cipher.seal(BLOCK, "reason", block_id, command.reason.encode())
    await tx.execute(Q.insert_block, cipher.organization_id, block_id, command.schedule_id, start, end, reason, by, now)


async def block_schedule(tx: Session, organization_id: UUID, block_id: UUID) -> UUID | None:
    """Whose calendar a block lies in."""
    row = await tx.fetch_one(Q.block_schedule, organization_id, block_id)
    return row["schedule_id"] if row else None


async def delete_block(tx: Session, organization_id: UUID, block_id: UUID) -> tuple[datetime, datetime] | None:
    """The period that is open again; None when somebody else removed the block."""
    row = await tx.fetch_one(Q.delete_block, organization_id, block_id)
    return (row["starts_at"], row["ends_at"]) if row else None


async def lock_schedule(tx: Session, organization_id: UUID, schedule_id: UUID) -> tuple[UUID, ...] | None:
    """Shut bookings out of this calendar until the transaction ends, and say which sites it belongs to; None when there is none."""
    row = await tx.fetch_one(Q.lock_schedule, organization_id, schedule_id)
    return tuple(row["site_ids"]) if row else None


async def openings_of_schedule(
    db: Session, organization_id: UUID, schedule_id: UUID, start: datetime, end: datetime
) -> tuple[Opening, ...]:
    rows = await db.fetch(Q.openings_of_schedule, organization_id, schedule_id, start, end)
    return tuple(Opening(site_id=row["site_id"], start=row["starts_at"], end=row["ends_at"]) for row in rows)


async def claims_of_schedule(
    db: Session, organization_id: UUID, schedule_id: UUID, start: datetime, end: datetime, now: datetime, site_ids: Collection[UUID]
) -> tuple[Busy, ...]:
    """What is taken. Where `site_ids` are named, the appointments of other sites stay unnamed."""
    rows = await db.fetch(Q.claims_of_schedule, organization_id, schedule_id, start, end, now, list(site_ids))
    return tuple(
        Busy(
            status="busy-tentative" if row["expires_at"] else "busy", start=row["starts_at"], end=row["ends_at"],
            appointment_id=row["appointment_id"], queue_entry_id=row["queue_entry_id"],
        )
        for row in rows
    )  # fmt: skip


async def blocks_of_schedule(db: Session, organization_id: UUID, schedule_id: UUID, start: datetime, end: datetime) -> tuple[Busy, ...]:
    rows = await db.fetch(Q.blocks_of_schedule, organization_id, schedule_id, start, end)
    return tuple(
        Busy(
            status="busy-unavailable", start=row["starts_at"], end=row["ends_at"],
            block_id=None if row["is_outage"] else row["id"], outage_id=row["id"] if row["is_outage"] else None,
        )
        for row in rows
    )  # fmt: skip


async def schedules_to_extend(tx: Session, until: date, limit: int) -> list[tuple[UUID, UUID, Hours, date]]:
    """(organization, schedule, hours, last day materialised) of calendars that end before `until`, locked."""
    rows = await tx.fetch(Q.schedules_to_extend, until, limit)
    return [(r["organization_id"], r["id"], msgspec.json.decode(r["hours"], type=Hours), r["materialised_on"]) for r in rows]


async def extend_materialised(tx: Session, organization_id: UUID, schedule_id: UUID, until: date) -> int:
    row = await tx.fetch_one(Q.extend_materialised, organization_id, schedule_id, until)
    return row["calendar_version"] if row else 0


async def archive_past(tx: Session, before: datetime, limit: int) -> int:
    """Move what ended before `before` into history, at most `limit` appointments; returns how many."""
    for row in await tx.fetch(Q.months_to_archive, before, limit):
        await tx.execute(Q.ensure_history_month, row["month"])
    moved = await tx.fetch_one(Q.archive_past, before, limit)
    return moved["moved"] if moved else 0


async def forget_past_openings(db: Session, before: datetime) -> None:
    await db.execute(Q.forget_past_openings, before)


async def dispose_appointments(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete appointments that ended before `before` and that no hold covers."""
    rows = await tx.fetch(Q.dispose_appointments, organization_id, before, limit)
    return [Gone("Appointment", row["id"], row["patient_id"]) for row in rows]


async def dispose_blocks(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete blocks that ended before `before`."""
    return [Gone("Slot", row["id"]) for row in await tx.fetch(Q.dispose_blocks, organization_id, before, limit)]


async def put_site(tx: Session, organization_id: UUID, site: Location) -> bool:
    """Copy a site; False when this state, or a newer one, is here already."""
    return await tx.fetch_one(Q.put_site, organization_id, site.id, site.name, site.time_zone, site.active, site.version) is not None


async def zones(db: Session, organization_id: UUID) -> dict[UUID, ZoneInfo]:
    """The time zone of every site, closed ones included: whoever works there once more finds their calendar whole."""
    return {row["id"]: ZoneInfo(row["time_zone"]) for row in await db.fetch(Q.sites, organization_id)}


async def put_visit_type(tx: Session, organization_id: UUID, visit_type: VisitType, service: HealthcareService) -> bool:
    """Copy a visit type; False when this state, or a newer one, is here already."""
    value, active, version = msgspec.json.encode(visit_type), visit_type.active and service.active, visit_type.version + service.version
    return await tx.fetch_one(Q.put_visit_type, organization_id, visit_type.id, service.name, value, active, version) is not None


async def put_patient(tx: Session, event: PatientChanged) -> None:
    await tx.execute(Q.put_patient, event.organization_id, event.patient_id, event.active, event.version)


async def erase_patient(tx: Session, event: PatientErased) -> list[UUID]:
    """Let nobody book for a patient any more, and clear what was written; the appointments about which there was anything."""
    await tx.execute(Q.put_patient, event.organization_id, event.patient_id, False, event.version)
    await tx.fetch(Q.lock_appointments_of, event.organization_id, event.patient_id)
    queries = (Q.erase_words, Q.erase_words_of_history, Q.erase_versions)
    return list({row["id"]: None for query in queries for row in await tx.fetch(query, event.organization_id, event.patient_id)})


async def put_schedule(tx: Session, organization_id: UUID, actor: Actor, materialised_on: date) -> int | None:
    """Copy what an actor can do; returns the new calendar version, or None when nothing is newer. Hours stay as they are."""
    row = await tx.fetch_one(
        Q.put_schedule, organization_id, actor.id, actor.kind, actor.display, list(actor.codes), list(actor.languages),
        list(actor.site_ids), actor.active, actor.source_version, msgspec.json.encode(NO_HOURS), materialised_on,
    )  # fmt: skip
    return row["calendar_version"] if row else None


def _claimed(row: Row) -> ClaimedTime:
    return ClaimedTime(schedule_id=row["schedule_id"], lane=row["lane"], start=row["starts_at"], end=row["ends_at"])


def _parted(cipher: FieldCipher, appointment: Appointment, whole: bytes) -> tuple[bytes, bytes | None]:
    """The appointment without anybody's own words, and those sealed, if there are any. `whole` is all of it as JSON.

    Why somebody cancelled may tell of their health ("pat-preg"); why a hold ended is ours, and stays open.
    """
    invariant(appointment.note is UNSET, "a note is stored sealed and apart")
    why = appointment.cancelation_reason
    said = why if why is not None and why not in HOLD_ENDED else None
    if appointment.based_on is None and appointment.override_reason is None and said is None:
        return whole, None
    words = Words(based_on=appointment.based_on, override_reason=appointment.override_reason, cancelation_reason=said)
    private = cipher.seal(APPOINTMENT, "private", appointment.id, msgspec.json.encode(words))
    opened = replace(appointment, based_on=None, override_reason=None, cancelation_reason=None if said else why)
    return msgspec.json.encode(opened), private


def whole_of(cipher: FieldCipher, row: Row) -> Appointment:
    appointment = _decode(row["value"])
    if row["private"] is None:
        return appointment
    words = msgspec.json.decode(cipher.open_(APPOINTMENT, "private", appointment.id, row["private"]), type=Words)
    why = words.cancelation_reason or appointment.cancelation_reason
    return replace(appointment, based_on=words.based_on, override_reason=words.override_reason, cancelation_reason=why)


def _sealed_note(cipher: FieldCipher, appointment: Appointment, note: str | None) -> bytes | None:
    return None if note is None else cipher.seal(APPOINTMENT, "note", appointment.id, note.encode())


async def copy_schedules(tx: Transaction, organization_id: UUID, actors: Sequence[tuple[Actor, Hours]], materialised_on: date) -> None:
    columns = (
        "organization_id", "id", "kind", "display", "codes", "languages", "site_ids", "active", "source_version", "hours",
        "materialised_on",
    )  # fmt: skip
    rows = (
        (
            organization_id, a.id, a.kind, a.display, list(a.codes), list(a.languages), list(a.site_ids), a.active, a.source_version,
            msgspec.json.encode(hours), materialised_on,
        )
        for a, hours in actors
    )  # fmt: skip
    await tx.copy("scheduling", "schedule", columns, rows)


async def copy_patients(tx: Transaction, organization_id: UUID, patient_ids: Iterable[UUID]) -> None:
    rows = ((organization_id, patient_id, True, 1) for patient_id in patient_ids)
    await tx.copy("scheduling", "patient", ("organization_id", "id", "active", "source_version"), rows)


async def copy_openings(tx: Transaction, organization_id: UUID, openings: Iterable[tuple[UUID, UUID, datetime, datetime]]) -> None:
    rows = ((organization_id, *opening) for opening in openings)
    await tx.copy("scheduling", "opening", ("organization_id", "schedule_id", "site_id", "starts_at", "ends_at"), rows)


async def copy_appointments(tx: Transaction, cipher: FieldCipher, appointments: Iterable[Appointment]) -> None:
    columns = ("organization_id", "id", "status", "patient_id", "starts_at", "ends_at", "visit_type_id", "version", "value", "private")
    rows = (
        (
            cipher.organization_id, a.id, a.status, a.patient_id, a.start, a.end, a.visit_type_id, a.version,
            *_parted(cipher, a, msgspec.json.encode(a)),
        )
        for a in appointments
    )  # fmt: skip
    await tx.copy("scheduling", "appointment", columns, rows)


async def copy_claims(tx: Transaction, organization_id: UUID, claims: Iterable[tuple[UUID, datetime, datetime, UUID]]) -> None:
    """(schedule, start, end, appointment), all in lane 0."""
    columns = ("organization_id", "schedule_id", "starts_at", "ends_at", "appointment_id")
    rows = (
        CLAIM.pack(5, 16, organization_id.bytes, 16, whose.bytes, 8, microseconds_of(start), 8, microseconds_of(end), 16, what.bytes)
        for whose, start, end, what in claims
    )
    await tx.copy_packed("scheduling", "claim", columns, rows)
