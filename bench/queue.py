"""A queue in which 50,000 wait, over HTTP, a server apart: joining it and calling from it by N clients, each another system.

Half of those who wait are of level 4, the rest of 2, 3 and 5; the queue orders by accumulating priority, which is the dearer rule. A desk
reads the first 100.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from bench.serving import Client, server
from bench.world import ORGANIZATION, SERVICE, SITE, Ground, system
from carewright.contracts.queue import PutQueue, Queue, QueuePolicy
from carewright.flow.service import queue as service

WAITING = 50_000
CLIENTS = (1, 16)
SECONDS = 8.0
PAGES = 200
FILL = """
WITH who AS (
    SELECT n, ('70000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid AS id, (ARRAY[2, 3, 3, 4, 4, 4, 4, 5])[1 + n % 8] AS level,
        now() - n * interval '1 second' AS since
    FROM generate_series(1, $5) n
), visit AS (
    INSERT INTO flow.encounter (organization_id, id, patient_id, status, site_id, starts_at, content, version, recorded_at, updated_at)
    SELECT $1, id, id, 'arrived', $3, since, sha256(n::text::bytea), 1, now(), now() FROM who
)
INSERT INTO flow.queue_entry (
    organization_id, id, queue_id, site_id, service_id, encounter_id, patient_id, practitioner_id, day, ticket, status, level, ranked_from,
    arrived_at, version, updated_at)
SELECT $1, id, $2, $3, $4, id, id, '00000000-0000-0000-0000-000000000000', '2020-01-01', 'A' || n, 'waiting', level, since, since, 1, now()
FROM who
"""
Ask = Callable[[Client], Awaitable[object]]


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each thing that is done, by each number of clients: how often in a second, and p50 and p99 in milliseconds."""
    dsn = await ground.database("queue")
    async with system(ground, dsn) as started:
        operations = started.tokens.actor("operations", "bench", ORGANIZATION)
        command = PutQueue(site_id=SITE, service_id=SERVICE, name="Bench", policy=QueuePolicy(order="accumulating"))
        queue = await service.put_queue(started.context("flow").acting(operations), command)
        systems = [started.tokens.actor("integration", f"bench {number}", ORGANIZATION) for number in range(max(CLIENTS))]
        tokens = [started.tokens.issue(each, timedelta(hours=1)) for each in systems]
    told(f"queue: {WAITING:,} patients come")
    await _fill(dsn, queue)
    entries, call = f"/api/v1/queues/{queue.id}/entries", f"/api/v1/queues/{queue.id}/call"

    last = ""

    async def join(client: Client) -> None:
        nonlocal last
        answer = await client.post(
            entries, {"patient_id": str(uuid4())}, f"Idempotency-Key: {uuid4()}", status=201, kind="application/json"
        )
        last = msgspec.json.decode(answer)["id"]

    async def call_next(client: Client) -> None:
        answer = await client.post(call, {}, f"Idempotency-Key: {uuid4()}", kind="application/json")
        if msgspec.json.decode(answer)["entry"] is None:
            raise RuntimeError("nobody was called, while thousands wait")

    rows: list[dict[str, Any]] = []
    async with server(ground, dsn) as (port, _), AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(Client.of(port, token)) for token in tokens]

        async def timed(what: str, ask: Ask, counts: Sequence[int] = CLIENTS) -> None:
            for count in counts:
                told(f"queue: {what}, {count} clients")
                rows.append({"what": what, "clients": count} | await _measured(clients[:count], ask, SECONDS))

        await timed("join", join)
        await timed("tell the last", lambda one: one.get(f"/api/v1/queue-entries/{last}/wait"), [1])
        await timed("call", call_next)
        await timed("read the first 100", lambda one: one.get(entries), [1])
    return rows


async def _fill(dsn: str, queue: Queue) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(FILL, ORGANIZATION, queue.id, SITE, SERVICE, WAITING, timeout=600)
        await connection.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await connection.close()


async def _measured(clients: list[Client], ask: Ask, seconds: float) -> dict[str, Any]:
    taken: list[float] = []

    async def work(client: Client) -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            await ask(client)
            taken.append((time.perf_counter() - began) * 1000)

    for client in clients:
        await ask(client)
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(work(each) for each in clients))
    cuts = statistics.quantiles(taken, n=100)
    return {"a second": len(taken) / (time.perf_counter() - began), "p50 ms": cuts[49], "p99 ms": cuts[98]}
