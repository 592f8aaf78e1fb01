"""FHIR over HTTP, a server apart: $book on disjoint resources by N clients, and reads beside the same reads by our own API.

Client n is another system with an account of its own, since requests are limited by account, and books its own practitioner, with any nurse
and room, of which there are as many. Medplum 5.1 did 15 bookings a second on such a machine, and refused 9 to 13 % of bookings on disjoint
resources with 16 clients.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import msgspec

from bench.serving import Client, server
from bench.world import (
    MINUTES,
    ORGANIZATION,
    SERVICE_ENTRY,
    SITE,
    SITE_ENTRY,
    VISIT_TYPE,
    VISIT_TYPE_ENTRY,
    Ground,
    actor_id,
    clinic,
    context_of,
    patient_id,
    system,
)
from carewright.contracts.directory import PutResources
from carewright.contracts.patients import Patient, PutPatients
from carewright.directory.service import put_resources
from carewright.fhir.model.ids import ProposalId, digest_of, write_proposal
from carewright.patients.service.records import put_patients
from carewright.roles.lifecycle import System

CLIENTS = (1, 16, 64)
PEOPLE = 64
SECONDS = 8.0
READS = 2_000
MEDPLUM = 15.0
FHIR = "/fhir/R4"


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each number of clients that book, then one for each kind of read."""
    dsn = await ground.database("fhir")
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE, PEOPLE)
        await published(started)
        calendars = await context_of(started).calendars()
        first = calendars.index.horizon.origin + timedelta(days=2)
        systems = [started.tokens.actor("integration", f"bench {number}", ORGANIZATION) for number in range(PEOPLE)]
        tokens = [started.tokens.issue(each, timedelta(hours=1)) for each in systems]
    async with server(ground, dsn) as (port, _):
        booking = Booking(first)
        await booking.rate(port, tokens[:1], 1.0)
        rows = []
        for count in CLIENTS:
            told(f"FHIR $book by {count} clients")
            rate, refused = await booking.rate(port, tokens[:count], SECONDS)
            rows.append({"what": f"$book, {count} clients", "per_second": rate, "to_medplum": rate / MEDPLUM, "refused": refused})
        told("FHIR reads")
        async with clients_of(port, tokens) as clients:
            return rows + [await _read(clients, kind, *paths) for kind, paths in booking.readable().items()]


@asynccontextmanager
async def clients_of(port: int, tokens: list[str]) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Client.of(port, token)) for token in tokens]


async def published(started: System) -> None:
    """What the directory and the patients' module know of the clinic."""
    admin, integration = (started.tokens.actor(role, "bench", ORGANIZATION) for role in ("administrator", "integration"))
    admin = msgspec.structs.replace(admin, authenticated_at=started.context("access").clock.now())
    await put_resources(
        started.context("directory").acting(admin),
        PutResources(locations=(SITE_ENTRY,), healthcare_services=(SERVICE_ENTRY,), visit_types=(VISIT_TYPE_ENTRY,)),
    )
    people = tuple(Patient(id=patient_id(number), family=f"Bench{number}") for number in range(PEOPLE))
    await put_patients(started.context("patients").acting(integration), PutPatients(patients=people))


class Booking:
    """Clients that book, each with its own practitioner, five minutes after five minutes; when which was `asked_at` and `booked_at`."""

    def __init__(self, first: datetime) -> None:
        self._next = [first] * PEOPLE
        self.asked_at: dict[str, float] = {}
        self.booked_at: dict[str, float] = {}

    async def rate(self, port: int, tokens: list[str], seconds: float, pause: float = 0.0) -> tuple[float, int]:
        """Bookings a second of a client for each token, and how many were refused. Each rests for `pause` seconds after a booking."""
        async with clients_of(port, tokens) as clients:
            began = time.perf_counter()
            done = await asyncio.gather(*(self._client(number, each, began + seconds, pause) for number, each in enumerate(clients)))
        booked, refused = map(sum, zip(*done, strict=True))
        return booked / (time.perf_counter() - began), refused

    async def _client(self, number: int, client: Client, until: float, pause: float) -> tuple[int, int]:
        booked = refused = 0
        while time.perf_counter() < until:
            body, asked = self._wanted(number), time.perf_counter()
            try:
                answer = await client.post(f"{FHIR}/Appointment/$book", body, f"Idempotency-Key: {uuid4()}")
            except RuntimeError:
                refused += 1
                continue
            booked += 1
            made = msgspec.json.decode(answer)["entry"][0]["resource"]["id"]
            self.asked_at[made], self.booked_at[made] = asked, time.perf_counter()
            await asyncio.sleep(pause)
        return booked, refused

    def _wanted(self, number: int) -> dict[str, Any]:
        start = self._next[number]
        self._next[number] = start + timedelta(minutes=MINUTES)
        proposal = write_proposal(ProposalId(VISIT_TYPE, digest_of(SITE), actor_id("practitioner", number), start))
        references = {"appointment-reference": f"Appointment/{proposal}", "patient-reference": f"Patient/{patient_id(number)}"}
        return {
            "resourceType": "Parameters",
            "parameter": [{"name": name, "valueReference": {"reference": where}} for name, where in references.items()],
        }

    def readable(self) -> dict[str, tuple[str, str]]:
        """By what is read, its address in FHIR and in our own API."""
        patient, booked = patient_id(0), next(reversed(self.booked_at))
        return {
            "Appointment, read": (f"{FHIR}/Appointment/{booked}", f"/api/v1/appointments/{booked}"),
            "Patient, read": (f"{FHIR}/Patient/{patient}", f"/api/v1/patients/{patient}"),
        }


async def _read(clients: list[Client], what: str, by_fhir: str, by_api: str) -> dict[str, Any]:
    """The two in turns, so that whatever slows one slows the other; one client after the other, none of which may ask without end."""
    taken: dict[str, list[float]] = {by_fhir: [], by_api: []}
    for client in islice(cycle(clients), READS):
        for path, seconds in taken.items():
            began = time.perf_counter()
            await client.get(path)
            seconds.append(time.perf_counter() - began)
    fhir, api = (1e3 * statistics.median(each) for each in taken.values())
    return {"what": what, "fhir_p50_ms": fhir, "api_p50_ms": api, "fhir_to_api": fhir / api}
