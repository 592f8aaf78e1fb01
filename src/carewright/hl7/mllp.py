"""HL7 v2 over MLLP: a listener whose connections each stand for a registered client, by its certificate or because there is but one.

A connection's messages are answered in their order. A sender that does not wait for answers has those that came together done together;
the next are not read before these were stored and acknowledged.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Counter, Gauge

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.framing import Deframer, framed
from carewright.hl7.service.receive import receive_all
from carewright.hl7.settings import Hl7Settings
from carewright.kernel import audit, telemetry
from carewright.kernel.authz import SESSION_CACHE_SECONDS, Actor, Quarantined
from carewright.kernel.errors import Refusal, Unauthenticated
from carewright.kernel.http.server import listen
from carewright.kernel.http.tls import Files, ListenerTls
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import is_here

READ_BYTES = 64 * 1024
ANYBODY = "*"
SENDERS_MAX = 1_000
CONNECTIONS = Gauge("carewright_hl7_connections", "MLLP connections that are open.")
MESSAGES = Counter("carewright_hl7_received_total", "Messages taken over MLLP and answered.")
CLOSED = Counter("carewright_hl7_closed_total", "MLLP connections that we closed, by reason.", ["reason"])
log = telemetry.logger(__name__)


class Listening(NamedTuple):
    """What a listener knows before anybody connects: which client each name stands for, and its TLS."""

    senders: Mapping[str, UUID]
    tls: ListenerTls | None


def listening_of(settings: Hl7Settings) -> Listening:
    """From the settings. Raises `StartFailed` where a sender would be nobody, or patients' data would go in the clear."""
    senders = _senders(settings.senders)
    named = bool(settings.tls_certificate_file), bool(settings.tls_key_file)
    if any(named) and not all(named):
        raise StartFailed("MLLP over TLS needs both CAREWRIGHT_HL7_TLS_CERTIFICATE_FILE and CAREWRIGHT_HL7_TLS_KEY_FILE.")
    if not any(named) and not settings.plain and not is_here(settings.host):
        raise StartFailed(
            "MLLP beyond this machine needs TLS: set CAREWRIGHT_HL7_TLS_CERTIFICATE_FILE and _KEY_FILE, or CAREWRIGHT_HL7_PLAIN."
        )
    if set(senders) != {ANYBODY} and not settings.tls_client_authority_file:
        raise StartFailed(
            "Senders that are told apart by name need CAREWRIGHT_HL7_TLS_CLIENT_AUTHORITY_FILE, which signs their certificates."
        )
    files = Files(settings.tls_certificate_file, settings.tls_key_file, settings.tls_client_authority_file)
    return Listening(senders, ListenerTls(files) if all(named) else None)


async def serve(ctx: Hl7Context, listening: Listening, listener: socket.socket | None = None) -> None:
    """Listen until cancelled. Connections end with it; a message in the midst of being taken comes again, and is done once."""
    settings, tls = ctx.settings, listening.tls
    sock = listener or listen(settings.host, settings.port)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(connections) >= settings.connections_max:
            CLOSED.labels("too-many").inc()
            writer.close()
            return
        connections.add(task)
        with CONNECTIONS.track_inprogress(), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await _converse(ctx, listening, reader, writer)
            finally:
                connections.discard(task)
                writer.close()

    async with await asyncio.start_server(connected, sock=sock, ssl=tls.context if tls else None, limit=READ_BYTES) as server:
        log.info("hl7.listening", port=sock.getsockname()[1])
        try:
            await asyncio.gather(server.serve_forever(), *([tls.follow()] if tls else []))
        finally:
            for task in connections:
                task.cancel()


async def _converse(ctx: Hl7Context, listening: Listening, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection until its sender leaves, is silent for too long, or says what is no MLLP."""
    peer = writer.get_extra_info("peername")
    here, sender = ctx.at(peer[0] if peer else None), Sender(ctx, listening, _name_of(writer))
    deframer, begun_at = Deframer(ctx.settings.message_bytes_max), ctx.clock.monotonic_seconds()
    while True:
        now = ctx.clock.monotonic_seconds()
        left = ctx.settings.idle_seconds if deframer.is_between else begun_at + ctx.settings.message_seconds - now
        begun_at = now if deframer.is_between else begun_at
        try:
            async with asyncio.timeout(max(left, 0.0)):
                data = await reader.read(READ_BYTES)
            if messages := deframer.feed(data):
                await _answer(here, sender, messages, writer)
        except (TimeoutError, NotHl7, Refusal) as fault:
            CLOSED.labels("slow" if isinstance(fault, TimeoutError) else "refused").inc()
            return
        if not data:
            return


async def _answer(ctx: Hl7Context, sender: "Sender", messages: Sequence[bytes], writer: asyncio.StreamWriter) -> None:
    answers = await receive_all(ctx.acting((await sender.actor()).at(ctx.actor.address)), messages)
    MESSAGES.inc(len(messages))
    if said := b"".join(framed(each) for each in answers if each):
        writer.write(said)
        async with asyncio.timeout(ctx.settings.message_seconds):
            await writer.drain()


class Sender:
    """Whose connection it is: asked again after a moment, so that who is shut out is out at once."""

    def __init__(self, ctx: Hl7Context, listening: Listening, name: str | None) -> None:
        self._ctx = ctx
        self._client_id = listening.senders.get(name or ANYBODY) or listening.senders.get(ANYBODY)
        self._known: tuple[float, Actor] | None = None

    async def actor(self) -> Actor:
        """Raises `Unauthenticated` for whom nobody registered, and `Quarantined`; both are on record."""
        now = self._ctx.clock.monotonic_seconds()
        try:
            if self._known is None or now >= self._known[0]:
                self._known = (now + SESSION_CACHE_SECONDS, await self._asked())
            return self._ctx.tokens.not_held(self._known[1])
        except (Unauthenticated, Quarantined) as refusal:
            actor = (refusal.actor if isinstance(refusal, Quarantined) else None) or audit.NOBODY
            await audit.note_refusal(self._ctx.acting(actor.at(self._ctx.actor.address)), "hl7.message.receive", {}, refusal)
            raise

    async def _asked(self) -> Actor:
        found = await self._ctx.access.actor_of_client(self._ctx.system, self._client_id) if self._client_id else None
        if found is None:
            raise Unauthenticated
        return found


def _name_of(writer: asyncio.StreamWriter) -> str | None:
    """The common name of the certificate that the sender showed, which TLS checked."""
    ssl_object = writer.get_extra_info("ssl_object")
    certificate = ssl_object.getpeercert() if ssl_object else None
    pairs = [pair for group in (certificate or {}).get("subject", ()) for pair in group]
    return next((value for name, value in pairs if name == "commonName"), None)


def _senders(text: str) -> dict[str, UUID]:
    """`CLIENT`, or `NAME=CLIENT,NAME=CLIENT`. Raises `StartFailed` for anything else, and for nobody."""
    senders: dict[str, UUID] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, client = part.rpartition("=")
        try:
            senders[name.strip() or ANYBODY] = UUID(client.strip())
        except ValueError as fault:
            raise StartFailed(
                "CAREWRIGHT_HL7_SENDERS looks like CLIENT, or NAME=CLIENT,NAME=CLIENT, each with the id of a client."
            ) from fault
    if not 1 <= len(senders) <= SENDERS_MAX:
        raise StartFailed("MLLP needs CAREWRIGHT_HL7_SENDERS: which registered client its connections stand for.")
    return senders
