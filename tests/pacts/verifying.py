"""A contract held against a real provider: every request is replayed, every answer compared."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pact import Verifier

REQUEST_MILLISECONDS_MAX = 20_000
State = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Brings the provider into a state, by its name and parameters; what it answers fills the `${…}` of the requests."""


async def verified(provider: str, address: str, file: Path, state: State) -> None:
    """Raises `AssertionError` with Pact's own words where the provider at `address` does not keep to the contract in `file`."""
    broken: list[str] = []
    async with _states_served(state, broken) as states:
        verifier = Verifier(provider, host=urlsplit(address).hostname).add_transport(url=address).add_source(file)
        verifier.set_request_timeout(REQUEST_MILLISECONDS_MAX).set_error_on_empty_pact().set_coloured_output(enabled=False)
        verifier.state_handler(states, teardown=False, body=True)
        with suppress(RuntimeError):  # says that it failed, and not why
            await asyncio.to_thread(verifier.verify)
    said = verifier.output(strip_ansi=True)
    told = "\n".join([said.partition("Failures:")[2] or said, *broken])
    held = verifier.results["result"] and not broken
    assert held, f"{provider} does not keep to {file.name}:\n{told}"


@asynccontextmanager
async def _states_served(state: State, broken: list[str]) -> AsyncIterator[str]:
    """Where the verifier asks for states, over HTTP. What could not be brought about is kept in `broken`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        try:
            said = await state(asked["state"], asked.get("params", {}))
        except Exception as fault:  # noqa: BLE001  # told with the rest
            broken.append(f"{asked['state']}: {type(fault).__name__}: {fault}")
            said = {}  # the verifier would ask for a refused state again and again, for two minutes
        content = json.dumps(said).encode()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n".encode())
        writer.write(b"Connection: close\r\n\r\n" + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
