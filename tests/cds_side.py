"""The other side of CDS Hooks: a client that signs its requests, and a service that answers them, a real HTTP server as a test says.

Written from the specification (https://cds-hooks.hl7.org/2.0/), and from nothing of ours.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from carewright.kernel.clock import SystemClock

Json = dict[str, Any]
ALGORITHMS = ["RS256", "RS384", "ES256", "ES384"]


@dataclass
class Signer:
    """A client's key, and how it names itself."""

    issuer: str
    key: ECKey | RSAKey = field(default_factory=lambda: ECKey.generate_key("P-384", {"kid": "c-1"}, private=True))

    def token(self, audience: str, *, head: Json | None = None, key: ECKey | RSAKey | None = None, **changes: Any) -> str:
        """A JWT as the specification has it. `head` and `changes` are laid over; None leaves one out."""
        signing, now = key or self.key, int(SystemClock().now().timestamp())
        header = {"alg": "RS384" if isinstance(signing, RSAKey) else "ES384", "kid": "c-1", "typ": "JWT"} | (head or {})
        claims = {"iss": self.issuer, "aud": audience, "exp": now + 240, "iat": now, "jti": str(uuid4())} | changes
        return jws.serialize_compact(said(header), json.dumps(said(claims)), signing, algorithms=ALGORITHMS)

    def public(self) -> Json:
        """Its public key, as a JWK."""
        return dict(self.key.as_dict(private=False))


def said(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class Heard:
    """One request that a service got."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class CdsService:
    """A service at `address`. `answers` maps paths to a status and a body; a body of None hangs, bytes are sent as they are."""

    address: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    content_type: str = "application/json"
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, path: str) -> list[Heard]:
        return [each for each in self.heard if each.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines[1:] if line)}
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            self.heard.append(Heard(method, path, headers, json.loads(raw) if raw else None))
            status, body = self.answers.get(path, (404, {}))
            if body is None:
                await self.closing.wait()
            else:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                length = f"Content-Length: {len(content)}\r\nConnection: close"
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {self.content_type}\r\n{length}\r\n\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def cds_service() -> AsyncIterator[CdsService]:
    """A server at a port of its own on this machine."""
    made = CdsService()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        made.closing.set()
        server.close()
