"""A system that sends HL7 v2 to the whole of ours, over real sockets, and a practice of its own to book in."""

import asyncio
import dataclasses
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.access.service.clients import register_client
from carewright.contracts.clients import RegisterClient
from carewright.contracts.directory import Identifier
from carewright.contracts.permissions import ROLES
from carewright.hl7 import mllp
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.framing import Deframer, framed
from carewright.hl7.model.message import Message, parse
from carewright.hl7.service import receive
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.clock import SystemClock
from carewright.kernel.sql import Query
from tests.clinic import ZONE, Clinic, open_clinic
from tests.whole_system import Inside, inside

SCOPES = tuple(sorted(ROLES["integration"]))
MESSAGES = Query(
    "test.messages", "SELECT id, status, reason, kind, content, patient_id FROM hl7.message WHERE organization_id = $1 ORDER BY id"
)
ANSWER_SECONDS_MAX = 20
numbers = count(1)


@pytest.fixture(scope="module")
async def hl7_system(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    async with inside(database_url, tmp_path_factory.mktemp("hl7"), uuid4()) as running:
        yield running


@pytest.fixture(scope="module")
async def hl7_clinic(hl7_system: Inside) -> Clinic:
    return await open_clinic(hl7_system)


@pytest.fixture(scope="module")
async def hl7_client(hl7_system: Inside) -> UUID:
    return await registered(hl7_system, SCOPES)


async def registered(whole: Inside, scopes: tuple[str, ...]) -> UUID:
    """A client with these scopes."""
    access = whole.system.context("access")
    admin = whole.system.tokens.actor("administrator", "tester", whole.known.organization_id)
    acting = access.acting(msgspec.structs.replace(admin, authenticated_at=SystemClock().now()))
    return (
        await register_client(acting, RegisterClient(name="Sender", scopes=scopes, keys_address="https://ehr.example.org/keys.json"))
    ).id


@dataclass
class Sender:
    """What a system that sends HL7 v2 has in its hands."""

    whole: Inside
    clinic: Clinic
    client_id: UUID

    @property
    def ctx(self) -> Hl7Context:
        """The module as the system has it."""
        found: Hl7Context = self.whole.system.context("hl7")
        return found

    async def acting(self) -> Hl7Context:
        actor = await self.ctx.access.actor_of_client(self.ctx.system, self.client_id)
        assert actor is not None
        return self.ctx.acting(actor)

    def as_staff(self, role: str) -> Hl7Context:
        return self.ctx.acting(self.whole.system.tokens.actor(role, "tester", self.whole.known.organization_id))

    async def says(self, raw: bytes) -> Message:
        """The acknowledgement."""
        answer = await receive.receive(await self.acting(), raw)
        assert answer is not None
        return parse(answer)

    async def stored(self) -> list[Any]:
        return list(await self.ctx.db.fetch(MESSAGES, self.whole.known.organization_id))

    async def free(self) -> str:
        """A start that nobody has, as the sender writes it: the wall time of the site."""
        starts = await self.clinic.free()
        return datetime.fromisoformat(starts[next(numbers) % 20 * 3]).astimezone(ZONE).strftime("%Y%m%d%H%M%S")

    def siu(self, event: str, own_id: str, start: str = "", **more: str) -> bytes:
        """A scheduling message about the appointment `own_id` of the patient `mrn`."""
        given = {"control": f"C{next(numbers)}", "mrn": f"M-{own_id}", "kind": self.clinic.visit_type_id, "status": "", "order": "",
                 "practitioner": "", "place": "", "processing": "P", "version": "2.5.1", "type": "SIU", "reason": ""} | more  # fmt: skip
        sch = [f"P{own_id}^US", f"F{own_id}^US", "", "", "", given["reason"], "", given["kind"], "30", "MIN", f"^^^{start}"]
        sch += [""] * 13 + [given["status"], given["order"]]
        lines = [
            f"MSH|^~\\&|EHR|HOSP|CW|CW|20261101||{given['type']}^{event}|{given['control']}|{given['processing']}|{given['version']}",
            "SCH|" + "|".join(sch), f"PID|1||{given['mrn']}^^^HOSP^MR||Beispiel^Berta^B||19700102|F|||||5550100",
            "RGS|1|A", f"AIS|1|A|{given['kind']}|{start}", *([f"AIP|1|A|{given['practitioner']}"] if given["practitioner"] else []),
            *([f"AIL|1|A|{given['place']}"] if given["place"] else []),
        ]  # fmt: skip
        return "\r".join(lines).encode() + b"\r"

    def adt(self, event: str, mrn: str, **more: str) -> bytes:
        given = {"control": f"C{next(numbers)}", "name": "Muster^Max", "phone": "", "ids": f"{mrn}^^^HOSP^MR", "visit": ""} | more
        return (
            f"MSH|^~\\&|EHR|HOSP|CW|CW|20261101||ADT^{event}|{given['control']}|P|2.4\rEVN|{event}|20261101\r"
            f"PID|1||{given['ids']}||{given['name']}||19800229|M|||||{given['phone']}\r{given['visit']}"
        ).encode()

    async def appointment(self, own_id: str) -> dict[str, Any]:
        """What is booked for the patient of `own_id`: the one appointment."""
        patient_id = await self.patient(f"M-{own_id}")
        found = await self.clinic.appointments_of(patient_id)
        assert len(found) == 1, found
        return found[0]

    async def patient(self, mrn: str) -> UUID:
        ctx = await self.acting()
        (match,) = await ctx.patients.find_patients_by_identifier(ctx.actor, (Identifier(system="urn:id:HOSP", value=mrn),))
        return match.id


@pytest.fixture
def sender(hl7_system: Inside, hl7_clinic: Clinic, hl7_client: UUID) -> Sender:
    return Sender(hl7_system, hl7_clinic, hl7_client)


def said(answer: Message) -> tuple[str, str]:
    """MSA-1, and the code of table 0357 where there is one."""
    return answer.text("MSA", 1), answer.text("ERR", 3) or answer.text("ERR", 1, 4)


@dataclass
class Line:
    """One MLLP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    deframer: Deframer

    async def hears(self) -> Message | None:
        """The next answer; None when the other side hangs up."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while data := await self.reader.read(65536):
                if answers := self.deframer.feed(data):
                    return parse(answers[0])
        return None

    async def says(self, raw: bytes) -> Message | None:
        self.writer.write(framed(raw))
        return await self.hears()


@asynccontextmanager
async def listening(sender: Sender, **settings: Any) -> AsyncIterator[Callable[..., Any]]:
    """A listener with these settings; yields how to connect."""
    given = Hl7Settings(**({"senders": str(sender.client_id)} | settings))
    context = dataclasses.replace(sender.ctx, settings=given)
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    serving = asyncio.create_task(mllp.serve(context, mllp.listening_of(given), sock))

    writers: list[asyncio.StreamWriter] = []

    async def connect(tls: ssl.SSLContext | None = None) -> Line:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None)
        writers.append(writer)
        return Line(reader, writer, Deframer(1_000_000))

    try:
        yield connect
    finally:
        for writer in writers:
            writer.close()
        serving.cancel()
        await asyncio.gather(serving, *(writer.wait_closed() for writer in writers), return_exceptions=True)
