"""`carewright mock ehr` as a process of its own, as a user starts it."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

START_SECONDS_MAX = 30


def made_up_ehr(*switches: str, port: int = 0) -> AbstractAsyncContextManager[str]:
    """Where its FHIR is."""
    return made_up("ehr", *switches, port=port)


@asynccontextmanager
async def made_up(what: str, *switches: str, port: int = 0) -> AsyncIterator[str]:
    """Where a made-up system is, started by its name. It ends when asked, with exit code 0."""
    command = (sys.executable, "-m", "carewright", "mock", what, "--port", str(port), *switches)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            place = (await process.stdout.readline()).decode().strip()
        assert place.startswith("http://127.0.0.1:"), (await process.communicate())[1].decode()
        yield place
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
