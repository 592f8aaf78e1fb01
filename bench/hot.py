"""One hot clinician-day: 200 clients want the same person's day. Exactly one may win each time, and nobody may wait long or deadlock."""

import asyncio
import contextlib
import random
import statistics
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bench.world import MINUTES, ORGANIZATION, SITE, VISIT_TYPE, Ground, actor_id, clinic, context_of, patient_id, system
from carewright.contracts.scheduling import AppointmentBooked, BookAppointment, Participant, PickedTime, Slot
from carewright.kernel.context import Once
from carewright.kernel.errors import Refusal
from carewright.kernel.memory import set_aside
from carewright.kernel.sql import Query
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.appointment import Draft, claims_of, fact_of
from carewright.scheduling.service.book import book_appointment
from carewright.scheduling.service.picking import versions_of, visit_kind

CLIENTS = 200
TIMES = 96
ATTEMPTS = 30
ROUNDS = 5
"""Every round in a database of its own; the figures of a row are medians over them, and the worst p99 stands beside."""
KEY = b"\0" * 32


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """Two rows: as one process answers (the live copy refuses losers), and with every attempt decided by the ledger."""
    rows = []
    for name, blind in (("one process", False), ("every attempt decided in PostgreSQL", True)):
        rounds = []
        for number in range(ROUNDS):
            told(f"hot clinician-day, {name}, round {number + 1} of {ROUNDS}")
            dsn = await ground.database(f"hot_{'blind' if blind else 'seen'}_{number}")
            async with system(ground, dsn) as started:
                await clinic(started, CLIENTS, CLIENTS)
                rounds.append(await _run(context_of(started), blind=blind))
        rows.append({"how": name} | _summary(rounds))
    return rows


def _summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the figures; the largest of what must never be exceeded, and the smallest and largest number of bookings."""
    booked = [each["booked"] for each in rounds]
    return {
        "attempts": rounds[0]["attempts"],
        "attempts_per_second": statistics.median(each["attempts_per_second"] for each in rounds),
        "booked": f"{min(booked)} to {max(booked)}" if min(booked) != max(booked) else booked[0],
        "winners_of_one_time_max": max(each["winners_of_one_time_max"] for each in rounds),
        "deadlocks": sum(each["deadlocks"] for each in rounds),
        "p50_ms": statistics.median(each["p50_ms"] for each in rounds),
        "p99_ms": statistics.median(each["p99_ms"] for each in rounds),
        "p99_ms_worst": max(each["p99_ms"] for each in rounds),
        "other_answers": rounds[-1]["other_answers"],
    }


async def _run(context: SchedulingContext, *, blind: bool) -> dict[str, Any]:
    calendars = await context.calendars()
    set_aside()
    first = calendars.index.horizon.origin + timedelta(days=3, hours=8)
    clinician = actor_id("practitioner", 0)
    seconds: list[float] = []
    codes: Counter[str] = Counter()

    async def client(number: int) -> None:
        rng = random.Random(number)
        for attempt in range(ATTEMPTS):
            start = first + timedelta(minutes=MINUTES * rng.randrange(TIMES))
            actors = (clinician, actor_id("nurse", number), actor_id("room", number))
            time_ = PickedTime(visit_type_id=VISIT_TYPE, site_id=SITE, start=start, actor_ids=actors)
            own = context.acting(context.actor, Once(f"hot {number} {attempt}", KEY))
            ask = _ledger(own, calendars, time_, patient_id(number)) if blind else book_appointment(own, _command(number, time_))
            began = time.perf_counter()
            try:
                await ask
                codes["booked"] += 1
            except Refusal as refusal:
                codes[refusal.code] += 1
            seconds.append(time.perf_counter() - began)

    await _warm_up(context, first + timedelta(days=1))
    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    elapsed = time.perf_counter() - began
    seconds.sort()
    return {
        "attempts": len(seconds),
        "attempts_per_second": len(seconds) / elapsed,
        "booked": codes["booked"],
        "winners_of_one_time_max": await _winners_max(context),
        "deadlocks": await _deadlocks(context),
        "p50_ms": 1e3 * seconds[len(seconds) // 2],
        "p99_ms": 1e3 * seconds[int(len(seconds) * 0.99)],
        "other_answers": ", ".join(f"{code} {count}" for code, count in sorted(codes.items()) if code != "booked"),
    }


async def _warm_up(context: SchedulingContext, first: datetime) -> None:
    """Open every connection and plan the statements on it, by bookings and lost races of other people on another day."""

    async def book(number: int) -> None:
        actors = (actor_id("practitioner", number), actor_id("nurse", number), actor_id("room", number))
        for visit in range(3):
            start = first + timedelta(minutes=MINUTES * visit)
            time_ = PickedTime(visit_type_id=VISIT_TYPE, site_id=SITE, start=start, actor_ids=actors)
            await book_appointment(context, _command(number, time_))
            with contextlib.suppress(Refusal):
                again = context.acting(context.actor, Once(f"warm {number} {visit}", KEY))
                await book_appointment(again, _command(number, time_))

    await asyncio.gather(*(book(number) for number in range(1, CLIENTS)))


def _command(number: int, time_: PickedTime) -> BookAppointment:
    return BookAppointment(patient_id=patient_id(number), time=time_)


async def _ledger(context: SchedulingContext, calendars: Calendars, time_: PickedTime, patient: UUID) -> None:
    """The booking statement itself, as a process would send it that has heard of nobody else's bookings."""
    kind = visit_kind(calendars, time_.visit_type_id)
    people = [
        Participant(kind=need.kind, actor_id=actor, claimed_from=time_.start, claimed_to=time_.start + timedelta(minutes=MINUTES))
        for need, actor in zip(kind.value.requirements, time_.actor_ids, strict=True)
    ]
    slot = Slot(visit_type_id=VISIT_TYPE, site_id=SITE, start=time_.start, end=people[0].claimed_to, participants=tuple(people))
    drafted = Draft(
        visit_type=kind.value, service_name=kind.service_name, site_name="Bench", time_zone="UTC", patient_id=patient, by_patient=False,
        urgency="P2", created_at=context.clock.now(),
    )  # fmt: skip
    appointment = drafted.at(slot, context.ids.new())
    claims = claims_of(appointment)
    fact = fact_of(AppointmentBooked, appointment, ORGANIZATION, claims)
    cipher, versions = await context.cipher(), versions_of(calendars, people)
    await store.book_appointment(context, context.db, cipher, store.Booking(appointment, claims, versions, fact, None, None))


async def _winners_max(context: SchedulingContext) -> int:
    query = Query("bench.winners", """
        SELECT coalesce(max(n), 0) AS winners FROM (
            SELECT count(*) AS n FROM scheduling.claim WHERE organization_id = $1 AND schedule_id = $2 GROUP BY starts_at) times
    """)  # fmt: skip
    row = await context.db.fetch_one(query, ORGANIZATION, actor_id("practitioner", 0))
    return int(row["winners"]) if row else 0


async def _deadlocks(context: SchedulingContext) -> int:
    row = await context.db.fetch_one(Query("bench.deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    return int(row["deadlocks"]) if row else 0
