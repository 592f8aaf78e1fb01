"""A hospital's day of 4,500 appointments, over HTTP, a server apart: one desk after another says that a practitioner runs late.

300 practitioners have 15 visits each, one after the other from now on, each with a room of its own, so that a delay makes all 15 later.
Measured from the moment at which the desk's request goes out: to its answer, when every estimate that is asked for is right; and to each of
the 15 facts at each of the screens that watch the site.
"""

import asyncio
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bench.fhir import published
from bench.live import all_open, place_of, session_of
from bench.serving import Client, server
from bench.world import ORGANIZATION, SITE, Ground, clinic, system

PRACTITIONERS, VISITS, VISIT_MINUTES = 300, 15, 20
VIEWERS = 100
DELAYS = 200
CLIENTS = (1, 8)
ARRIVED_SECONDS_MAX = 60
FILL = """
WITH booked AS (
    SELECT p, v, ('71000000-0000-7000-8000-' || lpad((p * 100 + v)::text, 12, '0'))::uuid AS id,
        ('72000000-0000-7000-8000-' || lpad(p::text, 12, '0'))::uuid AS practitioner,
        ('73000000-0000-7000-8000-' || lpad(p::text, 12, '0'))::uuid AS room,
        now() + (10 + v * $5) * interval '1 minute' AS starts_at
    FROM generate_series(1, $3) p, generate_series(0, $4 - 1) v
), copied AS (
    INSERT INTO flow.coming
        (organization_id, appointment_id, site_id, visit_type_id, practitioner_ids, level, status, starts_at, ends_at, version)
    SELECT $1, id, $2, $2, ARRAY[practitioner], 4, 'booked', starts_at, starts_at + $5 * interval '1 minute', 1 FROM booked
), site AS (
    INSERT INTO flow.site (organization_id, id, name, time_zone, tell_minutes) VALUES ($1, $2, 'Bench', 'UTC', 240)
    ON CONFLICT (organization_id, id) DO UPDATE SET tell_minutes = 240
), expected AS (
    INSERT INTO flow.expected (organization_id, appointment_id, patient_id) SELECT $1, id, id FROM booked
)
INSERT INTO flow.coming_time (organization_id, calendar_id, appointment_id, starts_at, ends_at)
SELECT $1, c.id, b.id, b.starts_at, b.starts_at + $5 * interval '1 minute'
FROM booked b CROSS JOIN LATERAL (VALUES (b.practitioner), (b.room)) AS c(id)
"""


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each number of desks: p50 and p99 in milliseconds to the answer, and to the last fact at a screen."""
    dsn = await ground.database("delays")
    async with system(ground, dsn) as started:
        await clinic(started, 1, 1)
        await published(started)
        desks = [started.tokens.actor("nurse", f"desk {number}", ORGANIZATION) for number in range(max(CLIENTS))]
        tokens = [started.tokens.issue(each, timedelta(hours=1)) for each in desks]
        sessions = [await session_of(started, number) for number in range(VIEWERS)]
    told(f"delays: {PRACTITIONERS * VISITS:,} appointments")
    connection = await asyncpg.connect(dsn)
    await connection.execute(FILL, ORGANIZATION, SITE, PRACTITIONERS, VISITS, VISIT_MINUTES, timeout=600)
    await connection.execute("VACUUM ANALYZE", timeout=600)
    await connection.close()
    arrived: dict[str, list[float]] = defaultdict(list)
    rows = []
    async with server(ground, dsn) as (port, _), AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(Client.of(port, token)) for token in tokens]
        viewers = await all_open(port, sessions, await place_of(port, sessions[0]), arrived)
        for round_, count in enumerate(CLIENTS):
            told(f"delays: {count} desks")
            rows.append({"desks": count, "viewers": VIEWERS} | await _said(clients[:count], 30 * (round_ + 1), arrived))
        for each in viewers:
            each.close()
    return rows


async def _said(clients: list[Client], minutes: int, arrived: dict[str, list[float]]) -> dict[str, Any]:
    """Every desk says it of practitioner after practitioner, all of the same number of minutes."""
    answers: list[float] = []
    asked: dict[str, float] = {}
    arrived.clear()
    left = list(range(1, DELAYS + 1))

    async def desk(client: Client) -> None:
        while left:
            number = left.pop()
            at = time.perf_counter()
            asked.update({str(_id(71, number * 100 + visit)): at for visit in range(VISITS)})
            body = {"site_id": str(SITE), "minutes": minutes}
            await client.put(f"/api/v1/delays/{_id(72, number)}", body, f"Idempotency-Key: {uuid4()}")
            answers.append(time.perf_counter() - at)

    began = time.perf_counter()
    await asyncio.gather(*map(desk, clients))
    said_per_second = DELAYS / (time.perf_counter() - began)
    async with asyncio.timeout(ARRIVED_SECONDS_MAX):
        while sum(len(arrived[each]) for each in asked) < len(asked) * VIEWERS:  # noqa: ASYNC110  (what the server sends sets no event of ours)
            await asyncio.sleep(0.05)
    lags = sorted(at - asked[each] for each in asked for at in arrived[each])
    answers.sort()
    return {
        "said_per_second": said_per_second, "answered_p50_ms": 1e3 * answers[len(answers) // 2],
        "answered_p99_ms": 1e3 * answers[len(answers) * 99 // 100], "seen_p50_ms": 1e3 * lags[len(lags) // 2],
        "seen_p99_ms": 1e3 * lags[len(lags) * 99 // 100], "slowest_ms": 1e3 * lags[-1],
    }  # fmt: skip


def _id(kind: int, number: int) -> UUID:
    return UUID(f"{kind}000000-0000-7000-8000-{number:012}")
