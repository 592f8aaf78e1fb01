"""Live pages: how soon everybody who watches a site hears of what one person does there, and what a viewer costs the server.

All viewers watch one site, each signed in as somebody else, on a connection of their own. It is from the moment at which the booking's
request goes out to the event's arrival, both as this process sees them, so that the booking itself is in it. The viewers live in this
process, whose share of the two cores is in it, too.
"""

import asyncio
import re
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.fhir import Booking, published
from bench.serving import server
from bench.world import ORGANIZATION, SITE, Ground, clinic, context_of, system
from carewright.access import store
from carewright.access.model.sessions import Owner
from carewright.access.service import sessions
from carewright.console.http.page import SESSION
from carewright.roles.lifecycle import System

VIEWERS = 2_000
ROUNDS = ((1, 1.0), (1, 0.1), (2, 0.0))
"""Clients that book, and for how many seconds each of these rests after a booking."""
SECONDS = 20.0
BOOKING = 8
OPENED_AT_ONCE = 40
SETTLED_SECONDS = 5.0
ARRIVED_SECONDS_MAX = 120
FACT = re.compile(rb"data: id=([0-9a-f-]{36})&")
PLACE = re.compile(rb'data-place="([0-9-]+)"')


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each round, and one for the memory."""
    dsn = await ground.database("live")
    async with system(ground, dsn) as started:
        await clinic(started, BOOKING, BOOKING)
        await published(started)
        told(f"live: {VIEWERS:,} people sign in")
        tokens = [await session_of(started, number) for number in range(VIEWERS)]
        made = Booking((await context_of(started).calendars()).index.horizon.origin + timedelta(days=2))
        integration = [started.tokens.actor("integration", f"bench {number}", ORGANIZATION) for number in range(BOOKING)]
        booking = [started.tokens.issue(each, timedelta(hours=1)) for each in integration]
    arrived: dict[str, list[float]] = defaultdict(list)
    rows: list[dict[str, Any]] = []
    async with server(ground, dsn) as (port, pid):
        place = await place_of(port, tokens[0])
        before = _kib(pid)
        viewers = await all_open(port, tokens, place, arrived)
        await asyncio.sleep(SETTLED_SECONDS)
        rows.append({"what": "memory", "viewers": VIEWERS, "kib_a_viewer": (_kib(pid) - before) / VIEWERS})
        for clients, pause in ROUNDS:
            told(f"live: {clients} clients book and rest for {pause} s")
            rows.append(await _heard(port, made, booking[:clients], pause, arrived))
        rows.append({"what": "memory, after", "viewers": VIEWERS, "kib_a_viewer": (_kib(pid) - before) / VIEWERS})
        for each in viewers:
            each.close()
    return rows


async def _heard(port: int, made: Booking, booking: list[str], pause: float, arrived: dict[str, list[float]]) -> dict[str, Any]:
    made.booked_at.clear()
    made.asked_at.clear()
    arrived.clear()
    began = time.perf_counter()
    await made.rate(port, booking, SECONDS, pause)
    booked = len(made.booked_at)
    async with asyncio.timeout(ARRIVED_SECONDS_MAX):
        while sum(map(len, arrived.values())) < booked * VIEWERS:  # noqa: ASYNC110  (what the server sends sets no event of ours)
            await asyncio.sleep(0.05)
    last = max(map(max, arrived.values()))
    lags = sorted(at - made.asked_at[each] for each, times in arrived.items() for at in times)
    return {
        "what": "told", "viewers": VIEWERS, "booked_per_second": booked / SECONDS, "told_per_second": len(lags) / (last - began),
        "p50_ms": 1e3 * lags[len(lags) // 2], "p99_ms": 1e3 * lags[len(lags) * 99 // 100], "slowest_ms": 1e3 * lags[-1],
    }  # fmt: skip


async def session_of(started: System, number: int) -> str:
    """The token of somebody at the desk."""
    context = started.context("access")
    ctx = context.acting(started.tokens.actor("administrator", "bench", ORGANIZATION))
    owner = Owner(account_id=ctx.ids.new(), subject=f"viewer-{number}", role="front-desk", display=f"Viewer {number}")
    async with ctx.db.transaction() as tx:
        await store.insert_staff_account(tx, ORGANIZATION, owner, "https://bench.example.org", owner.subject, ctx.clock.now())
        return (await sessions.start(ctx, tx, owner, "oidc")).token


async def place_of(port: int, token: str) -> str:
    """Where the page of today was read, which everybody then goes on from."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /staff/today?place={SITE} HTTP/1.1\r\nHost: bench\r\nCookie: {SESSION}={token}\r\nConnection: close\r\n\r\n".encode()
    )
    page = await reader.read(-1)
    writer.close()
    found = PLACE.search(page)
    if found is None:
        raise RuntimeError(page.decode())
    return found[1].decode()


async def all_open(port: int, tokens: list[str], place: str, arrived: dict[str, list[float]]) -> list[asyncio.Transport]:
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(OPENED_AT_ONCE)

    async def opened(token: str) -> asyncio.Transport:
        async with room:
            transport, viewer = await loop.create_connection(lambda: _Viewer(arrived), "127.0.0.1", port)
            head = f"GET /staff/live?site={SITE}&after={place} HTTP/1.1\r\nHost: bench\r\nCookie: {SESSION}={token}\r\n\r\n"
            transport.write(head.encode())
            await viewer.live.wait()
            return transport

    return await asyncio.gather(*map(opened, tokens))


class _Viewer(asyncio.Protocol):
    """One browser: notes when which appointment arrived."""

    def __init__(self, arrived: dict[str, list[float]]) -> None:
        self._arrived = arrived
        self.live = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Chunks are small and whole: what is sent together arrives together on this machine."""
        now = time.perf_counter()
        for found in FACT.findall(data):
            self._arrived[found.decode()].append(now)
        if not self.live.is_set() and b"event: beat" in data:
            self.live.set()


def _kib(pid: int) -> int:
    """What a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])
