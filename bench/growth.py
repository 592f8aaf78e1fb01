"""Find and book as stored appointments grow to 5,000,000: at most a quarter of a million live, the rest in history, as in a hospital."""

import statistics
import time
from datetime import timedelta
from typing import Any

import asyncpg

from bench.booking import Ours
from bench.world import PEOPLE_GROWTH, SITE, VISIT_TYPE, Ground, clinic, context_of, system
from carewright.contracts.starts import FindTimes
from carewright.kernel.memory import set_aside
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.find import find_times

STEPS = (10_000, 100_000, 1_000_000, 5_000_000)
LIVE_MAX = 250_000
SECONDS = 4.0
ROUNDS = 3
LIVE = """
    INSERT INTO scheduling.appointment (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value)
    SELECT $1, gen_random_uuid(), 'booked', ('60000000-0000-7000-8000-' || lpad((n % $5)::text, 12, '0'))::uuid,
           $2::timestamptz + n * interval '5 minutes', $2::timestamptz + (n + 1) * interval '5 minutes', $4, 1, $6::jsonb
    FROM generate_series($3::bigint, $3::bigint + $7::bigint - 1) n
"""
CLAIMS = """
    INSERT INTO scheduling.claim (organization_id, schedule_id, starts_at, ends_at, appointment_id)
    SELECT $1, ('7000000' || k || '-0000-7000-8000-' || lpad((n % 900)::text, 12, '0'))::uuid,
           $2::timestamptz + (n / 900) * interval '5 minutes', $2::timestamptz + (n / 900 + 1) * interval '5 minutes', gen_random_uuid()
    FROM generate_series($3::bigint, $3::bigint + $4::bigint - 1) n, generate_series(0, 3) k
    ORDER BY 2, 3
"""
HISTORY = """
    INSERT INTO scheduling.appointment_history (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value)
    SELECT $1, (lpad(to_hex((extract(epoch FROM $2::timestamptz - (n % 1000) * interval '1 day') * 1000)::bigint), 12, '0')
                || '7' || substr(md5(n::text), 1, 3) || 'a' || substr(md5(n::text), 4, 15))::uuid, 'fulfilled',
           ('60000000-0000-7000-8000-' || lpad((n % $5)::text, 12, '0'))::uuid,
           $2::timestamptz - (n % 1000) * interval '1 day',
           $2::timestamptz - (n % 1000) * interval '1 day' + interval '5 minutes', $4, 1, $6::jsonb
    FROM generate_series($3::bigint, $3::bigint + $7::bigint - 1) n
"""


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row a step: find's p50 and bookings a second with 8 clients, and each relative to the first step."""
    dsn = await ground.database("growth")
    rows: list[dict[str, Any]] = []
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE_GROWTH, 1000)
        context = context_of(started)
        calendars = await context.calendars()
        set_aside()
        ours = Ours(context, calendars.index.horizon.origin + timedelta(days=2), PEOPLE_GROWTH)
        live = history = 0
        for step in STEPS:
            told(f"growth: storing up to {step:,} appointments")
            wanted = min(step, LIVE_MAX)
            await _store(dsn, context, live, wanted - live, history, step - wanted - history)
            live, history = wanted, step - wanted
            told(f"growth: measuring at {step:,}")
            find = await _find(context)
            rates = [(await ours.run(8, SECONDS))[0] for _ in range(ROUNDS)]
            rows.append({"stored": step, "find_p50_ms": 1e3 * find, "bookings_per_second": statistics.median(rates)})
    for row in rows:
        row["find_to_first"] = row["find_p50_ms"] / rows[0]["find_p50_ms"]
        row["book_to_first"] = row["bookings_per_second"] / rows[0]["bookings_per_second"]
    return rows


async def _find(context: SchedulingContext) -> float:
    question = FindTimes(visit_type_id=VISIT_TYPE, site_id=SITE, until_at=context.clock.now() + timedelta(days=31))
    seconds = []
    for _ in range(200):
        began = time.perf_counter()
        await find_times(context, question)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


async def _store(dsn: str, context: SchedulingContext, live: int, more_live: int, history: int, more_history: int) -> None:
    """Appointments that are over, and live ones of other actors. Made in the database; its statistics are brought up to date."""
    body = '{"filler": "' + "x" * 900 + '"}'
    now, organization_id = context.clock.now(), context.actor.organization_id
    soon = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    connection = await asyncpg.connect(dsn)
    try:
        for month in range(36):
            await connection.execute("SELECT scheduling.ensure_history_month($1)", (now - timedelta(days=31 * month)).date())
        if more_live:
            await connection.execute(LIVE, organization_id, soon, live, VISIT_TYPE, 100_000, body, more_live, timeout=600)
            await connection.execute(CLAIMS, organization_id, soon, live, more_live, timeout=900)
        if more_history:
            await connection.execute(
                HISTORY, organization_id, now - timedelta(days=8), history, VISIT_TYPE, 100_000, body, more_history, timeout=900
            )
        await connection.execute("VACUUM ANALYZE", timeout=900)
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
