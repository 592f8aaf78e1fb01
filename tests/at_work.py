"""A running system's keys changed by commands, while people work: commands run, or killed in the middle, and work that goes on."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from uuid import UUID

from tests.clinic import Clinic, ok, register
from tests.system import ROOT, System

FAST = {"CAREWRIGHT_PRIVACY_KEYS_FRESH_SECONDS": "1.0"}
"""So that a new version seals after two seconds, not half a minute. The same for the server and the commands."""
KILL_SECONDS_MAX = 240
COMMAND_SECONDS_MAX = 300


async def command(system: System, *arguments: str, environ: Mapping[str, str] | None = None) -> Process:
    """A `carewright` command on the system's data directory, just begun."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAREWRIGHT_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "carewright", *arguments, "--data", str(system.data), cwd=ROOT, stdout=PIPE, stderr=PIPE,
        env=environment | FAST | {"PYTHONPATH": str(ROOT / "src")} | dict(environ or {}),
    )  # fmt: skip


async def said(system: System, *arguments: str, environ: Mapping[str, str] | None = None, code: int = 0) -> str:
    """What a command printed. It must end with this code."""
    process = await command(system, *arguments, environ=environ)
    async with asyncio.timeout(COMMAND_SECONDS_MAX):
        out, err = await process.communicate()
    assert process.returncode == code, err.decode()
    return out.decode() + err.decode()


async def killed(system: System, *arguments: str, after: str) -> None:
    """Kill a command once it has said `after`."""
    process = await command(system, *arguments)
    assert process.stderr is not None
    async with asyncio.timeout(KILL_SECONDS_MAX):
        async for line in process.stderr:
            if after in line.decode():
                break
    await kill(process)


async def kill(process: Process) -> None:
    """End a command that is not done yet."""
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was not done yet"


class Work:
    """People at work all the time: records read, found and registered. Each answer must be a good one."""

    def __init__(self, clinic: Clinic, patient: UUID) -> None:
        self._system, self._patient = clinic.system, patient
        self.done = 0
        self._task = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        while True:
            ok(await self._system.request("front-desk", "GET", f"/api/v1/patients/{self._patient}"))
            found = await self._system.request("front-desk", "POST", "/api/v1/patients/find", json={"family": "Beispiel"})
            assert ok(found)["items"]
            await register(self._system)
            self.done += 1

    async def stop(self) -> int:
        """How many rounds there were; raises what went wrong in one."""
        if self._task.done():
            self._task.result()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.done
