"""A system that is told of appointments over MLLP: it holds each message against its version's structure, and answers as it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from carewright.contracts.hl7 import Partner as Told
from carewright.hl7.model.framing import Deframer, framed
from carewright.hl7.model.message import Message, parse
from carewright.hl7.service import partners
from carewright.kernel.sql import Query
from tests.hl7_sender import Sender

OUTGOING = Query(
    "test.outgoing", "SELECT id, event, status, content, patient_id, refusals FROM hl7.outgoing WHERE partner_id = $1 ORDER BY id"
)
HEARD_SECONDS_MAX = 30
TAKEN = "MSA|AA|{}"


@dataclass
class Partner:
    """`answers` are MSA and what follows, each used once, with `{}` for the control id; then everything is taken. "" hangs up."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The common names of the certificates that connections showed."""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def hears(self, count: int) -> list[Message]:
        """The messages, once there are so many."""
        async with asyncio.timeout(HEARD_SECONDS_MAX):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()
        return self.heard

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deframer, known = Deframer(1_000_000), writer.get_extra_info("peercert")
        self.names.append(dict(pair for group in known["subject"] for pair in group)["commonName"] if known else None)
        while data := await reader.read(65536):
            for raw in deframer.feed(data):
                assert parse_message(raw.decode(), validation_level=VALIDATION_LEVEL.STRICT).validate()
                message = parse(raw)
                self.heard.append(message)
                self._more.set()
                answer = self.answers.pop(0) if self.answers else TAKEN
                if not answer:
                    writer.close()
                    return
                writer.write(framed(f"MSH|^~\\&|EHR|H|||1||ACK|A|P|2.5.1\r{answer.format(message.control_id)}\r".encode()))
        writer.close()


@asynccontextmanager
async def partner(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Partner]:
    """One that listens on this machine."""
    made = Partner()
    server = await asyncio.start_server(made.serve, "127.0.0.1", port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def fields(messages: list[Message], *places: tuple[str, int]) -> list[tuple[str, ...]]:
    """Of each message its event, and what stands in those places."""
    return [(each.kind[1], *(each.text(*place) for place in places)) for each in messages]


@asynccontextmanager
async def telling(sender: Sender, listening: Partner, **more: Any) -> AsyncIterator[Told]:
    """Tell a listener of appointments, until the block ends."""
    admin = sender.as_staff("administrator")
    told = msgspec.structs.replace(Told(id=uuid4(), name="Told", address=f"mllp://127.0.0.1:{listening.port}"), **more)
    await partners.add_partner(admin, told)
    try:
        yield told
    finally:
        await partners.stop_partner(admin, told.id)


async def outgoing(sender: Sender, told: Told) -> list[Any]:
    """What the partner is to be told, and was."""
    return list(await sender.ctx.db.fetch(OUTGOING, told.id))


async def decided(sender: Sender, told: Told, count: int, status: str) -> list[Any]:
    """The rows, once so many have this status."""
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        while True:
            seen = sender.ctx.wake.rung
            rows = [row for row in await outgoing(sender, told) if row["status"] == status]
            if len(rows) >= count:
                return rows
            await sender.ctx.wake.wait(0.2, seen)
