"""Searching appointments as a desk and a FHIR client do: a patient's, a day's at one site or of one actor. Each leaves its audit entry.

By FHIR it is asked over HTTP, of a server apart, and answered with the total, as R4 wants it. Before each way is measured it is asked some
times that do not count: a connection plans a search of all months once, and servers keep their connections.

At most a quarter of a million are live, the rest lie in history, by the month in which each was made, up to 60 days before its day.
"""

import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bench.serving import Client, server
from bench.world import VISIT_TYPE, Ground, context_of, system
from carewright.contracts.scheduling import SearchAppointments
from carewright.kernel.memory import set_aside
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.search import search_appointments

SEED = 20_261_126
LIVE_MAX = 250_000
LIVE_DAYS, PAST_DAYS = 60, 1_000
SITES, ACTORS, PATIENTS = 20, 900, 100_000
WARM_UP, QUESTIONS = 50, 200
BATCH = 250_000
STORE = """
    INSERT INTO scheduling.{table} (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value)
    SELECT $1, id, $6, patient_id, starts_at, starts_at + interval '25 minutes', $5, 1, jsonb_build_object(
        'id', id, 'status', $6::text, 'visit_type_id', $5::uuid, 'visit_type_name', 'Follow-up', 'service_name', 'Cardiology',
        'site_id', site_id, 'site_name', 'Bench', 'time_zone', 'UTC', 'patient_id', patient_id, 'start', starts_at,
        'end', starts_at + interval '25 minutes', 'urgency', 'P2', 'created_at', starts_at - interval '30 days', 'version', 1,
        'participants', (SELECT jsonb_agg(jsonb_build_object(
            'kind', kind, 'actor_id', actor_id, 'display', 'Somebody ' || kind, 'status', 'accepted',
            'claimed_from', starts_at, 'claimed_to', starts_at + interval '25 minutes'))
            FROM (VALUES ('practitioner', practitioner_id), ('room', room_id), ('patient', patient_id)) AS part(kind, actor_id)))
    FROM generate_series($2::bigint, $3::bigint) n
    CROSS JOIN LATERAL (SELECT $4::timestamptz + (n % $7) * interval '1 day' + (n / $7 % 120) * interval '5 minutes' AS starts_at) AS time
    CROSS JOIN LATERAL (SELECT
        (lpad(to_hex((extract(epoch FROM starts_at - (n % 60) * interval '1 day') * 1000)::bigint), 12, '0')
            || '7' || substr(md5(n::text), 1, 3) || 'a' || substr(md5(n::text), 4, 15))::uuid AS id,
        ('60000000-0000-7000-8000-' || lpad(((hashint8extended(n, 1) & 2147483647) % $8)::text, 12, '0'))::uuid AS patient_id,
        ('50000000-0000-7000-8000-' || lpad(((hashint8extended(n, 2) & 2147483647) % $9)::text, 12, '0'))::uuid AS practitioner_id,
        ('50000002-0000-7000-8000-' || lpad(((hashint8extended(n, 3) & 2147483647) % $9)::text, 12, '0'))::uuid AS room_id,
        ('20000000-0000-7000-8000-' || lpad(((hashint8extended(n, 4) & 2147483647) % $10)::text, 12, '0'))::uuid AS site_id) AS whose
"""


async def measure(ground: Ground, count: int, told: Any) -> list[dict[str, Any]]:
    """A row for each way to ask: p50, p95 and p99 in milliseconds, and how many a page showed."""
    dsn = await ground.database("search")
    rng = random.Random(SEED)
    async with system(ground, dsn) as started:
        context = context_of(started)
        told(f"search: storing {count:,} appointments")
        await store_appointments(dsn, context, count)
        set_aside()
        rows = [await _asked(what, ask) for what, ask in _ways(context, rng).items()]
        today, token = context.clock.now().date(), started.tokens.issue(context.actor, timedelta(hours=1))
    async with server(ground, dsn) as (port, _), Client.of(port, token) as client:
        told("search: by FHIR over HTTP")
        rows += [await _asked(what, ask) for what, ask in _fhir_ways(client, today, rng).items()]
    return [{"stored": count} | row for row in rows]


def _ways(context: SchedulingContext, rng: random.Random) -> dict[str, Callable[[], Awaitable[int]]]:
    today = context.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)

    def way(question: Callable[[], SearchAppointments]) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            return len((await search_appointments(context, question())).items)

        return ask

    def some(prefix: str, count: int) -> tuple[UUID]:
        return (_some(prefix, count, rng),)

    def day(**conditions: Any) -> SearchAppointments:
        start = today + timedelta(days=rng.randrange(-PAST_DAYS, LIVE_DAYS))
        return SearchAppointments(start_from=start, start_until=start + timedelta(days=1), **conditions)

    return {
        "a patient's": way(lambda: SearchAppointments(patient_ids=some("60000000", PATIENTS))),
        "a patient's, counted, latest first": way(
            lambda: SearchAppointments(patient_ids=some("60000000", PATIENTS), count=True, order="-start")
        ),
        "a day at one site": way(lambda: day(site_ids=some("20000000", SITES))),
        "a day of one actor": way(lambda: day(actor_ids=some("50000000", ACTORS))),
        "a day at one site, counted": way(lambda: day(site_ids=some("20000000", SITES), count=True)),
        "a whole day, latest first": way(lambda: day(order="-start")),
        "an actor's at any time": way(lambda: SearchAppointments(actor_ids=some("50000000", ACTORS), order="-start")),
    }


def _fhir_ways(client: Client, today: date, rng: random.Random) -> dict[str, Callable[[], Awaitable[int]]]:
    def way(query: Callable[[], str]) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            return (await client.get(f"/fhir/R4/Appointment?{query()}")).count(b'"match"')

        return ask

    def day() -> str:
        return f"date={today + timedelta(days=rng.randrange(-PAST_DAYS, LIVE_DAYS))}"

    return {
        "FHIR, a patient's": way(lambda: f"patient=Patient/{_some('60000000', PATIENTS, rng)}"),
        "FHIR, a day's": way(day),
        "FHIR, a practitioner's day": way(lambda: f"{day()}&practitioner=Practitioner/{_some('50000000', ACTORS, rng)}"),
    }


def _some(prefix: str, count: int, rng: random.Random) -> UUID:
    return UUID(f"{prefix}-0000-7000-8000-{rng.randrange(count):012d}")


async def _asked(what: str, ask: Callable[[], Awaitable[int]]) -> dict[str, Any]:
    taken, shown = [], []
    for _ in range(WARM_UP):
        await ask()
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        shown.append(await ask())
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=100)
    return {"what": what, "p50 ms": cuts[49], "p95 ms": cuts[94], "p99 ms": cuts[98], "shown": statistics.fmean(shown)}


async def store_appointments(dsn: str, context: SchedulingContext, count: int) -> None:
    """What is live begins today, what is over ended yesterday and before. Made in the database, its statistics brought up to date."""
    today = context.clock.now().replace(hour=8, minute=0, second=0, microsecond=0)
    live = min(count // 20, LIVE_MAX)
    connection = await asyncpg.connect(dsn)
    try:
        for month in range((PAST_DAYS + 60) // 28 + 2):
            await connection.execute("SELECT scheduling.ensure_history_month($1)", (today - timedelta(days=28 * month)).date())
        await _fill(connection, context, "appointment", (0, live - 1), today, "booked", LIVE_DAYS)
        for first in range(0, count - live, BATCH):
            last = min(first + BATCH, count - live) - 1
            past = today - timedelta(days=PAST_DAYS)
            await _fill(connection, context, "appointment_history", (first, last), past, "fulfilled", PAST_DAYS)
        await connection.execute("VACUUM ANALYZE", timeout=900)
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _fill(
    connection: "asyncpg.Connection[asyncpg.Record]", context: SchedulingContext, table: str, numbers: tuple[int, int], begin: Any,
    status: str, days: int,
) -> None:  # fmt: skip
    await connection.execute(
        STORE.format(table=table), context.actor.organization_id, *numbers, begin, VISIT_TYPE, status, days, PATIENTS, ACTORS, SITES,
        timeout=900,
    )  # fmt: skip
