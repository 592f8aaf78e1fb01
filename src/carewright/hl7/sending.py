"""Telling partners: one process leads, with a task for each partner, so that one that is away holds up nobody else.

Messages go one after the other; the next is not sent before the last was answered (MLLP release 1; HL7 over HTTP).
"""

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID

from prometheus_client import Gauge

from carewright.contracts.hl7 import NotHl7, Partner
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.framing import Deframer, framed
from carewright.hl7.model.message import parse
from carewright.hl7.model.replies import Reply, reply_in
from carewright.hl7.service.send import Line, send_next
from carewright.hl7.settings import Hl7Settings
from carewright.kernel import telemetry
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load

K = load("carewright.kernel")
READ_BYTES = 64 * 1024
LEAD = "hl7 sending"
LOOK_SECONDS = 1.0
LOOKS_APART_SECONDS = 0.1
AWAY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""How long a partner that does not answer is left alone, the first time, the second, …"""
AWAY = Gauge("carewright_hl7_partners_away", "Partners that do not answer: what they are to hear waits.")
log = telemetry.logger(__name__)


class Lines:
    """How partners are reached: the guard of outgoing requests, our certificate, and whom we trust to be them."""

    def __init__(self, settings: Hl7Settings, outgoing: Outgoing) -> None:
        """Raises `StartFailed` for files that cannot be read or do not fit."""
        self._settings = settings
        self._outgoing = outgoing
        try:
            self._tls = ssl.create_default_context(cafile=settings.partner_authority_file or None)
            if settings.partner_certificate_file:
                self._tls.load_cert_chain(settings.partner_certificate_file, settings.partner_key_file or None)
        except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
            raise StartFailed(
                "CAREWRIGHT_HL7_PARTNER_AUTHORITY_FILE, _CERTIFICATE_FILE or _KEY_FILE cannot be read, or do not fit."
            ) from fault

    def to(self, partner: Partner) -> Line:
        """The way to a partner. Nothing is connected yet."""
        parts = urlsplit(partner.address)
        if parts.scheme in ("http", "https"):
            return HttpLine(self._outgoing, partner.address)
        tls = self._tls if parts.scheme == "mllps" else None
        return MllpLine(self._outgoing, parts.hostname or "", parts.port or 0, tls, self._settings)


class HttpLine:
    """A POST for each message, answered by its acknowledgement (HL7 over HTTP, HAPI)."""

    def __init__(self, outgoing: Outgoing, address: str) -> None:
        self._outgoing = outgoing
        self._address = address

    async def ask(self, content: bytes, control_id: str, token: str | None = None) -> Reply:
        headers = {"Content-Type": "application/hl7-v2"} | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = await self._outgoing.fetch("POST", self._address, content=content, headers=headers)
        reply = _reply(answer.content, control_id)
        if reply is None:
            raise Unavailable("The partner's answer is none to our message.")
        return reply

    def close(self) -> None:
        """Nothing stays open."""


class MllpLine:
    """One connection, opened when there is something to say and kept; broken, it is opened anew."""

    def __init__(self, outgoing: Outgoing, host: str, port: int, tls: ssl.SSLContext | None, settings: Hl7Settings) -> None:
        self._outgoing, self._place, self._tls, self._settings = outgoing, (host, port), tls, settings
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, content: bytes, control_id: str, _: str | None = None) -> Reply:
        reader, writer = await self._connected()
        try:
            async with asyncio.timeout(self._settings.message_seconds):
                writer.write(framed(content))
                await writer.drain()
                return await self._heard(reader, control_id)
        except BaseException as fault:
            self.close()
            if isinstance(fault, (OSError, EOFError, NotHl7)):  # TimeoutError and ssl.SSLError are OSErrors
                raise Unavailable("The partner does not answer.") from fault
            raise

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open[1].close()
        self._open = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection; a new one where the partner hung up meanwhile."""
        if self._open is not None and (self._open[0].at_eof() or self._open[1].is_closing()):
            self.close()
        if self._open is None:
            self._open = await self._outgoing.connect(*self._place, self._tls)
        return self._open

    async def _heard(self, reader: asyncio.StreamReader, control_id: str) -> Reply:
        """The answer to that message; late answers to others are passed over."""
        deframer = Deframer(self._settings.message_bytes_max)
        while data := await reader.read(READ_BYTES):
            for answer in deframer.feed(data):
                if (reply := _reply(answer, control_id)) is not None:
                    return reply
        raise EOFError


async def run(ctx: Hl7Context, lines: Lines) -> None:
    """Lead or wait to lead, until cancelled."""
    while True:
        with suppress(Unavailable):
            async with ctx.db.reserved() as session:
                row = await session.fetch_one(K.try_lead, LEAD)
                if row and row["leads"]:
                    await _lead(ctx, lines, session)
        await asyncio.sleep(LOOK_SECONDS)


async def _lead(ctx: Hl7Context, lines: Lines, session: Session) -> None:
    """A task for each partner that there is, as long as the session and its lock live."""
    telling: dict[tuple[UUID, Partner], asyncio.Task[None]] = {}
    try:
        while True:
            partners = set(await store.every_partner(ctx.db))
            for gone in telling.keys() - partners:
                telling.pop(gone).cancel()
            for organization_id, partner in partners - telling.keys():
                telling[organization_id, partner] = asyncio.create_task(_tell(ctx.working_in(organization_id), partner, lines.to(partner)))
            await session.fetch_one(K.database_now)  # the lock goes with this connection: notice when it is gone
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        for task in telling.values():
            task.cancel()
        await asyncio.gather(*telling.values(), return_exceptions=True)


async def _tell(ctx: Hl7Context, partner: Partner, line: Line) -> None:
    """Tell one partner, until cancelled. One that is away is asked again, less and less often."""
    failures = 0
    try:
        while True:
            seen = ctx.wake.rung
            try:
                while await send_next(ctx, partner, line):
                    failures = 0
            except Refusal as refusal:
                log.info("hl7.partner_away", partner_id=str(partner.id), code=refusal.code)
                with AWAY.track_inprogress():
                    await asyncio.sleep(AWAY_SECONDS[min(failures, len(AWAY_SECONDS) - 1)])
                failures += 1
                continue
            await asyncio.sleep(LOOKS_APART_SECONDS)
            await ctx.wake.wait(LOOK_SECONDS, seen)
    finally:
        line.close()


def _reply(answer: bytes, control_id: str) -> Reply | None:
    try:
        return reply_in(parse(answer), control_id)
    except NotHl7:
        return None
