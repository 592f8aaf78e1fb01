"""A server process of its own, and a client that costs little: what is measured over HTTP is the server's time."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec

from bench.world import Ground
from carewright.roles.installation import audit_key_file, token_key_file

PORT = 18_765


@contextlib.asynccontextmanager
async def server(ground: Ground, dsn: str, **own: str) -> AsyncIterator[tuple[int, int]]:
    """A server process on `dsn`: its port and its process id. `own` are more of its environment variables."""
    environment = os.environ | {
        "CAREWRIGHT_SYSTEM_DATABASE_URL": dsn, "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": str(token_key_file(ground.data)),
        "CAREWRIGHT_AUDIT_SIGNING_KEY_FILE": str(audit_key_file(ground.data)), "CAREWRIGHT_SYSTEM_LOG_LEVEL": "ERROR",
    } | own  # fmt: skip
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "carewright", "serve", "--port", str(PORT), env=environment)
    try:
        url = f"http://127.0.0.1:{PORT}"
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{url}/ready")).is_success:
                        break
                await asyncio.sleep(0.1)
        yield PORT, process.pid
    finally:
        process.terminate()
        await process.wait()


class Client:
    """One kept connection of one caller."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, port: int, token: str) -> AsyncIterator["Client"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer, token)
        finally:
            writer.close()

    async def get(self, path: str) -> bytes:
        """The body of the answer. Raises `RuntimeError` for another answer than 200."""
        return await self._asked(f"GET {path} {self._head}\r\n".encode())

    async def post(self, path: str, body: Any, *more: str, status: int = 200, kind: str = "application/fhir+json") -> bytes:
        """The body of the answer to JSON of some kind; `more` are header lines. Raises `RuntimeError` for another answer than `status`."""
        return await self._sent("POST", path, body, more, status, kind)

    async def put(self, path: str, body: Any, *more: str) -> bytes:
        """`post` for what is put, as plain JSON."""
        return await self._sent("PUT", path, body, more, 200, "application/json")

    async def _sent(self, method: str, path: str, body: Any, more: tuple[str, ...], status: int, kind: str) -> bytes:
        content = msgspec.json.encode(body)
        lines = (f"Content-Type: {kind}", f"Content-Length: {len(content)}", *more, "", "")
        return await self._asked(f"{method} {path} {self._head}".encode() + "\r\n".join(lines).encode() + content, status)

    async def _asked(self, request: bytes, status: int = 200) -> bytes:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        content = await self._reader.readexactly(int(head.lower().partition("content-length:")[2].partition("\r\n")[0]))
        if not head.startswith(f"HTTP/1.1 {status}"):
            raise RuntimeError(f"{head}{content.decode()}")
        return content
