"""Subscriptions: how soon receivers hear of what others book, and how much a second, the server apart.

Each receiver is a system of its own, subscribed to every appointment that is created, with ids alone. Bookings come by one client
that rests between them, as at a busy hospital, or as fast as eight get them, and then `lag` tells of the backlog. It is from a booking's
answer to its notification, both as this process sees them.
"""

import asyncio
import time
from datetime import timedelta
from typing import Any

import msgspec

from bench.fhir import FHIR, Booking, clients_of, published
from bench.serving import Client, server
from bench.world import ORGANIZATION, Ground, clinic, context_of, system
from carewright.access.service.clients import register_client
from carewright.contracts.clients import RegisterClient
from carewright.roles.lifecycle import System

ROUNDS = ((1, 1, 0.05), (16, 1, 0.05), (16, 8, 0.0))
"""Receivers, clients that book, and for how many seconds each of these rests after a booking."""
BOOKING = 8
SECONDS = 8.0
ARRIVED_SECONDS_MAX = 60
TOPIC = "http://carewright.org/fhir/SubscriptionTopic/appointment-create"
CONTENT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
SCOPES = ("subscriptions.subscribe", "scheduling.appointment.read", "scheduling.appointment.any_patient")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each round."""
    rows = []
    for count, booking, pause in ROUNDS:
        told(f"subscriptions: {count} receivers, {booking} clients that book")
        dsn = await ground.database(f"subscriptions_{count}_{booking}")
        rows.append({"receivers": count, "clients": booking} | await _heard(ground, dsn, count, booking, pause))
    return rows


async def _heard(ground: Ground, dsn: str, count: int, clients_booking: int, pause: float) -> dict[str, Any]:
    async with system(ground, dsn) as started:
        await clinic(started, BOOKING, BOOKING)
        await published(started)
        first = (await context_of(started).calendars()).index.horizon.origin + timedelta(days=2)
        actors = [started.tokens.actor("integration", f"bench {number}", ORGANIZATION) for number in range(clients_booking)]
        booking = [started.tokens.issue(each, timedelta(hours=1)) for each in actors]
        receiving = [await _receiver(started, number) for number in range(count)]
    heard = [_Heard() for _ in range(count)]
    listeners = [await asyncio.start_server(each.take, "127.0.0.1", 0) for each in heard]
    places = [f"http://127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in listeners]
    async with server(ground, dsn, CAREWRIGHT_EDGE_OUTGOING_ORIGINS=",".join(places)) as (port, _):
        async with clients_of(port, receiving) as clients:
            for client, place in zip(clients, places, strict=True):
                await _subscribe(client, place)
        await asyncio.wait_for(asyncio.gather(*(each.greeted.wait() for each in heard)), ARRIVED_SECONDS_MAX)
        made, began = Booking(first), time.perf_counter()
        await made.rate(port, booking, SECONDS, pause)
        async with asyncio.timeout(ARRIVED_SECONDS_MAX):
            while any(len(each.at) < len(made.booked_at) for each in heard):  # noqa: ASYNC110  (what the server sends sets no event of ours)
                await asyncio.sleep(0.01)
    for each in listeners:
        each.close()
    lags = sorted(each.at[id_] - at for each in heard for id_, at in made.booked_at.items())
    last = max(max(each.at.values()) for each in heard)
    return {
        "booked_per_second": len(made.booked_at) / SECONDS, "told_per_second": len(lags) / (last - began),
        "lag_p50_ms": 1e3 * lags[len(lags) // 2], "lag_p99_ms": 1e3 * lags[len(lags) * 99 // 100],
        "requests": sum(each.requests for each in heard),
    }  # fmt: skip


async def _receiver(started: System, number: int) -> str:
    """The token of a system that may subscribe."""
    access = started.context("access")
    admin = msgspec.structs.replace(started.tokens.actor("administrator", "bench", ORGANIZATION), authenticated_at=access.clock.now())
    command = RegisterClient(name=f"Receiver {number}", scopes=SCOPES, keys_address="https://bench.example.org/keys.json")
    made = await register_client(access.acting(admin), command)
    return started.tokens.issue(await started.context("subscriptions").access.actor_of_client(access.actor, made.id), timedelta(hours=1))


async def _subscribe(client: Client, place: str) -> None:
    payload = {"extension": [{"url": CONTENT, "valueCode": "id-only"}]}
    channel = {"type": "rest-hook", "endpoint": place, "payload": "application/fhir+json", "_payload": payload}
    sent = {"resourceType": "Subscription", "status": "requested", "reason": "bench", "criteria": TOPIC, "channel": channel}
    await client.post(f"{FHIR}/Subscription", sent, status=201)


class _Heard:
    """A receiver: when it heard first of which appointment."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.requests = 0
        self.greeted = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                body = await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
                writer.write(ANSWER)
                self.requests += 1
                self.greeted.set()
                for parameter in msgspec.json.decode(body)["entry"][0]["resource"]["parameter"]:
                    if parameter["name"] == "notification-event":
                        place = next(part["valueReference"]["reference"] for part in parameter["part"] if part["name"] == "focus")
                        self.at.setdefault(place.rpartition("/")[2], time.perf_counter())
        except asyncio.IncompleteReadError:
            writer.close()
