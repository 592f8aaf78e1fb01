"""The rows of late running, to values and back. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.delays import Delay, DelayStep, ExpectedStart, Telling
from carewright.contracts.scheduling import AppointmentFact, AppointmentRescheduled
from carewright.flow.model.lateness import Progress, Said, Times, Visit
from carewright.flow.model.order import FIRST_LEVEL
from carewright.flow.model.waits import MINUTES_USUAL
from carewright.flow.store.encounters import is_emergency_visit
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load

Q = load("carewright.flow")
STEPS_MAX = 200
EXPECTED_MAX = 2_000


class Site(NamedTuple):
    """What day it is there, and from how many minutes on patients are told."""

    zone: ZoneInfo
    tell_minutes: int

    def day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


class Known(NamedTuple):
    """How late a calendar is known to be, and somebody's word for it, where it was not seen."""

    site_id: UUID
    minutes: int
    said: Said | None


class Affected(NamedTuple):
    """How many appointments are expected late, and how many of these because an emergency came first."""

    late: int
    by_emergency: int


class Change(NamedTuple):
    """What is expected of an appointment from now on, and what the patient is to hear of it."""

    visit: Visit
    late: int
    told: int
    tell: Telling | None
    by_emergency: bool

    @property
    def version(self) -> int:
        return self.visit.version + 1


async def put_times(tx: Session, event: AppointmentFact) -> None:
    """The time that an appointment takes of each calendar, and whose it is."""
    await tx.execute(Q.drop_times, event.organization_id, event.appointment_id)
    is_moved = isinstance(event, AppointmentRescheduled)
    await tx.execute(Q.put_expected, event.organization_id, event.appointment_id, event.patient_id, is_moved)
    columns = [list(column) for column in zip(*((each.schedule_id, each.start, each.end) for each in event.claims), strict=True)]
    if columns:
        await tx.execute(Q.insert_times, event.organization_id, event.appointment_id, *columns)


async def sites_in_turn(tx: Session, organization_id: UUID) -> dict[UUID, Site]:
    """The sites, locked until the transaction ends."""
    return {row["id"]: _site(row) for row in await tx.fetch(Q.sites_in_turn, organization_id)}


async def site_of(db: Session, organization_id: UUID, site_id: UUID) -> Site | None:
    row = await db.fetch_one(Q.site_of, organization_id, site_id)
    return _site(row) if row else None


async def set_telling(tx: Session, organization_id: UUID, site_id: UUID, minutes: int) -> bool:
    return await tx.fetch_one(Q.set_telling, organization_id, site_id, minutes) is not None


async def visits_of(db: Session, cipher: FieldCipher, calendars: Collection[UUID], since: datetime, until: datetime) -> list[Visit]:
    """The appointments of these calendars, and who is with one without an appointment, who takes as long as is usual."""
    named = list(calendars)
    booked = await db.fetch(Q.visits_of_calendars, cipher.organization_id, named, since, until)
    walked_in = await db.fetch(Q.served_without_booking, cipher.organization_id, named, since)
    return [*(_visit(row) for row in booked), *(_walk_in(cipher, row) for row in walked_in)]


async def is_booked(db: Session, organization_id: UUID, calendar_id: UUID, since: datetime, until: datetime) -> bool:
    """Whether an appointment takes any of this calendar then."""
    row = await db.fetch_one(Q.is_booked, organization_id, calendar_id, since, until)
    return bool(row and row["is_booked"])


async def calendars_of(db: Session, organization_id: UUID, appointment_id: UUID) -> set[UUID]:
    return {row["calendar_id"] for row in await db.fetch(Q.calendars_of, organization_id, appointment_id)}


async def calendars_to_watch(db: Session, since: datetime, until: datetime, now: datetime, limit: int) -> dict[UUID, set[UUID]]:
    """Of every organization."""
    found: dict[UUID, set[UUID]] = {}
    for row in await db.fetch(Q.calendars_to_watch, since, until, now, limit):
        found.setdefault(row["organization_id"], set()).add(row["calendar_id"])
    return found


async def calendars_at(
    db: Session, organization_id: UUID, site_id: UUID, since: datetime, until: datetime, calendar_id: UUID | None = None
) -> dict[UUID, Affected]:
    """Calendars with appointments there then, with how many are expected late."""
    rows = await db.fetch(Q.calendars_at, organization_id, site_id, since, until, calendar_id)
    return {row["calendar_id"]: Affected(row["affected"], row["by_emergency"]) for row in rows}


async def delays_of(db: Session, organization_id: UUID, calendars: Collection[UUID], day: date) -> dict[UUID, Delay]:
    return {row["calendar_id"]: _delay(row) for row in await db.fetch(Q.delays_of, organization_id, list(calendars), day)}


async def latest_delays(db: Session, organization_id: UUID, calendars: Collection[UUID], since: datetime) -> dict[UUID, Known]:
    rows = await db.fetch(Q.latest_delays, organization_id, list(calendars), since)
    return {row["calendar_id"]: Known(row["site_id"], row["minutes"], _said(row)) for row in rows}


async def put_delay(tx: Session, organization_id: UUID, delay: Delay, from_at: datetime, by: str) -> int:
    """A delay as it is from now on, and the step to it; its version."""
    said = (delay.minutes, delay.source, delay.reason, delay.said_at)
    (row,) = await tx.fetch(Q.put_delay, organization_id, delay.calendar_id, delay.day, delay.site_id, *said, from_at)
    version: int = row["version"]
    await tx.execute(Q.insert_delay_step, organization_id, delay.calendar_id, delay.day, version, *said, by)
    return version


async def delay_steps(db: Session, organization_id: UUID, calendar_id: UUID, day: date) -> list[DelayStep]:
    """The last of them, oldest first."""
    rows = await db.fetch(Q.delay_steps, organization_id, calendar_id, day, STEPS_MAX)
    return [DelayStep(**dict(row)) for row in reversed(rows)]


async def update_expected(tx: Session, organization_id: UUID, changes: Sequence[Change]) -> None:
    columns = zip(*((each.visit.id, each.late, each.told, each.version, each.by_emergency) for each in changes), strict=True)
    await tx.execute(Q.update_expected, organization_id, *(list(column) for column in columns))


async def expected_late(
    db: Session, organization_id: UUID, site_id: UUID | None, patient_id: UUID | None, since: datetime, until: datetime
) -> list[ExpectedStart]:
    rows = await db.fetch(Q.expected_late, organization_id, site_id, patient_id, since, until, EXPECTED_MAX)
    return [
        ExpectedStart(
            appointment_id=row["appointment_id"], site_id=row["site_id"], start=row["starts_at"], late_minutes=row["late_minutes"],
            expected_at=row["starts_at"] + timedelta(minutes=row["late_minutes"]), by_emergency=row["by_emergency"], version=row["version"],
        )
        for row in rows
    ]  # fmt: skip


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> None:
    await tx.execute(Q.take_over_expected, organization_id, prior_id)


async def forget_past(db: Session, before: date, limit: int) -> int:
    """Drop the delays of days before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_delays, before, limit))


def _visit(row: Row) -> Visit:
    spans = zip(row["calendars"] or (), row["froms"] or (), row["untils"] or (), strict=True)
    return Visit(
        id=row["appointment_id"], site_id=row["site_id"], patient_id=row["patient_id"], start=row["starts_at"],
        times=tuple(Times(*each) for each in spans), people=frozenset(row["practitioner_ids"]), progress=_progress(row),
        began_at=row["began_at"], over_at=row["ended_at"] if row["began_at"] else None, late=row["late_minutes"], told=row["told_minutes"],
        version=row["version"], by_emergency=row["by_emergency"],
    )  # fmt: skip


def _progress(row: Row) -> Progress:
    if row["is_served"]:
        return "begun"
    if row["began_at"] is not None or row["status"] == "fulfilled":
        return "over"
    if row["is_open"]:
        return "here"
    return "over" if row["ended_at"] is not None else "here" if row["status"] != "booked" else "to-come"


def _walk_in(cipher: FieldCipher, row: Row) -> Visit:
    began = row["started_at"]
    until = began + timedelta(minutes=MINUTES_USUAL)
    times = tuple(Times(each, began, until) for each in (row["practitioner_id"], row["location_id"]) if each is not None)
    people = frozenset({row["practitioner_id"]} - {None})
    is_emergency = row["level"] == FIRST_LEVEL if row["level"] is not None else is_emergency_visit(cipher, row)
    return Visit(
        row["id"], row["site_id"], row["patient_id"], began, times, people, progress="begun", began_at=began, is_emergency=is_emergency
    )


def _said(row: Row) -> Said | None:
    return Said(row["minutes"], row["said_at"], row["from_at"], row["reason"] == "emergency") if row["source"] == "entered" else None


def _delay(row: Row) -> Delay:
    return Delay(**dict(row))


def _site(row: Row) -> Site:
    return Site(ZoneInfo(row["time_zone"]), row["tell_minutes"])
