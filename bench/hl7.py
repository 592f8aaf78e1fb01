"""SIU messages over MLLP: how many a second are acknowledged and stored, durably, each booking an appointment of its own or waiting.

Sender and listener share this process. A booked message finds its patient by identifier, books one practitioner, nurse and room, and is
stored sealed with its link and its entry in the journal; one that waits is stored alone. `…_cpu_ms` is the processor time of this process
for each message, sender included: where other work has the machine, it tells more than the rate.
"""

import asyncio
import dataclasses
import socket
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from bench.world import MINUTES, ORGANIZATION, SITE_ENTRY, VISIT_TYPE, Ground, clinic, context_of, patient_id, system
from carewright.access.service.clients import register_client
from carewright.contracts.clients import RegisterClient
from carewright.contracts.directory import Identifier, PutResources
from carewright.contracts.patients import Patient, PutPatients
from carewright.contracts.permissions import ROLES
from carewright.directory.service import put_resources
from carewright.hl7 import mllp
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.framing import Deframer, framed
from carewright.hl7.model.when import stamp_of
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.authz import Actor
from carewright.kernel.memory import set_aside
from carewright.patients.service.records import put_patients
from carewright.roles.lifecycle import System

PEOPLE = 32
CONNECTIONS = (1, 8, 32)
SECONDS = 8.0
BYTES_MAX = 1_000_000


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each number of connections: messages that were booked a second, and messages that wait."""
    dsn = await ground.database("hl7")
    rows = []
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE, PEOPLE)
        settings = Hl7Settings(senders=str(await _hospital(started)), connections_max=PEOPLE)
        context: Hl7Context = dataclasses.replace(started.context("hl7"), settings=settings)
        calendars = await context_of(started).calendars()
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(mllp.serve(context, mllp.listening_of(settings), listener))
        senders = [_Sender(number, calendars.index.horizon.origin + timedelta(days=2)) for number in range(PEOPLE)]
        set_aside()
        try:
            for count in CONNECTIONS:
                told(f"HL7 v2 over {count} connections")
                rows.append({"connections": count} | await _rates(senders[:count], listener.getsockname()[1]))
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    return rows


async def _hospital(started: System) -> UUID:
    """The site, patients who can be found, and a client that may send."""
    admin = _now(started, "administrator")
    await put_resources(
        started.context("directory").acting(admin),
        PutResources(locations=(SITE_ENTRY,)),
    )
    people = tuple(
        Patient(id=patient_id(number), family=f"Bench{number}", identifiers=(Identifier(system="urn:id:B", value=str(number)),))
        for number in range(PEOPLE)
    )
    await put_patients(
        started.context("patients").acting(started.tokens.actor("integration", "bench", ORGANIZATION)), PutPatients(patients=people)
    )
    command = RegisterClient(name="Bench", scopes=tuple(ROLES["integration"]), keys_address="https://bench.example.org/keys.json")
    return (await register_client(started.context("access").acting(admin), command)).id


def _now(started: System, role: str) -> Actor:
    actor = started.tokens.actor(role, "bench", ORGANIZATION)
    return msgspec.structs.replace(actor, authenticated_at=started.context("access").clock.now())


async def _rates(senders: list["_Sender"], port: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for what, code in (("booked", b"|AA|"), ("waiting", b"|AE|")):
        for sender in senders:
            sender.took, sender.others = [], 0
        began, worked = time.perf_counter(), time.process_time()
        await asyncio.gather(*(sender.run(port, what, code, began + SECONDS) for sender in senders))
        took = sorted(each for sender in senders for each in sender.took)
        found[f"{what}_cpu_ms"] = 1e3 * (time.process_time() - worked) / len(took)
        found[f"{what}_per_second"] = len(took) / (time.perf_counter() - began)
        found[f"{what}_p99_ms"] = 1e3 * took[len(took) * 99 // 100]
        found[f"{what}_not"] = sum(sender.others for sender in senders)
    return found


class _Sender:
    """One connection and one patient, whose visits follow each other; the next message goes out when the last was answered."""

    def __init__(self, number: int, first: datetime) -> None:
        self._number = number
        self._start = first
        self._sent = 0
        self.took: list[float] = []
        self.others = 0

    async def run(self, port: int, what: str, code: bytes, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        deframer = Deframer(BYTES_MAX)
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(framed(self._message("S12" if what == "booked" else "S15")))
            answers: list[bytes] = []
            while not answers:
                answers = deframer.feed(await reader.read(65536))
            if code in answers[0]:
                self.took.append(time.perf_counter() - began)
            else:
                self.others += 1
        writer.close()
        await writer.wait_closed()

    def _message(self, event: str) -> bytes:
        self._sent += 1
        self._start += timedelta(minutes=MINUTES)
        own_id, start = f"{self._number}-{self._sent}", stamp_of(self._start)
        return (
            f"MSH|^~\\&|EHR|B|CW|CW|{start}||SIU^{event}|{own_id}|P|2.5.1\rSCH|{own_id}|{own_id}|||||||{MINUTES}|MIN|^^^{start}\r"
            f"PID|1||{self._number}^^^B^MR||Bench{self._number}^A\rRGS|1|A\rAIS|1|A|{VISIT_TYPE}|{start}\r"
        ).encode()
