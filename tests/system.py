"""Whole systems for tests: `carewright up` with the tiny demonstration hospital, in a data directory and on ports of its own.

- `one_process`: every role in one process.
- `one_process_through_json`: the same, but calls between modules make the round trip through JSON.
- `process_per_role`: one process a role, as a cluster would run them.

Each lives for the whole run, and fails it unless it ends when asked, with exit code 0 and no process left.
`system.request("front-desk", "GET", "/api/v1/sites")` finds the process that serves the path, as an ingress would, and signs the call.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.installation import Installation, token_key_file
from tests.faults.ground import is_alive, new_folder, processes_of
from tests.journal import Journals

ROOT = Path(__file__).resolve().parent.parent
FRESH = ""
"""Stands for an Idempotency-Key that was never used before."""
TINY = ("--demo-size", "tiny", "--port", "0")
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 40
TOKEN_LIFETIME = timedelta(hours=4)
RUNNING = "Carewright is running."
BINDING = "tests-have-one-browser-between-them"
UNHURRIED = {
    "CAREWRIGHT_EDGE_ACTOR_READS_PER_MINUTE": "1000000",
    "CAREWRIGHT_EDGE_ACTOR_CHANGES_PER_MINUTE": "1000000",
    "CAREWRIGHT_EDGE_MACHINE_REQUESTS_PER_MINUTE": "1000000",
    "CAREWRIGHT_OVERSIGHT_READING_STEPS": "notify",
    "CAREWRIGHT_FHIR_PUBLISH_DAYS": "5",
    "CAREWRIGHT_FHIR_PUBLISH_SECONDS": "3",
}
"""Tests ask faster than people; those of the limits set their own."""


@dataclass
class System:
    """A running system. `prefixes` maps the beginning of a path to the address of the process that serves it."""

    data: Path
    process: Process
    known: Installation
    client: httpx.AsyncClient
    prefixes: dict[str, str] = field(default_factory=dict)
    tokens: dict[tuple[str, UUID | None], str] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        """The base URL of each process, by its name: `all`, or a role."""
        return self.known.addresses

    @property
    def patient_id(self) -> UUID:
        """The demonstration patient, for whom the role `patient` speaks unless told otherwise."""
        assert self.known.demonstration_patient_id is not None
        return self.known.demonstration_patient_id

    def address_of(self, path: str) -> str:
        """The base URL of the process that serves `path`: the longest prefix wins."""
        fits = [prefix for prefix in self.prefixes if path == prefix or path.startswith(prefix.rstrip("/") + "/")]
        return self.prefixes[max(fits, key=len)] if fits else next(iter(self.addresses.values()))

    def token(self, role: str, patient_id: UUID | None = None) -> str:
        """A bearer token for `role`."""
        patient = (patient_id or self.patient_id) if role == "patient" else None
        if (role, patient) not in self.tokens:
            assert self.known.organization_id is not None
            signer = Tokens(TokenKeys.of_file(token_key_file(self.data)), SystemClock(), ROLES)
            actor = signer.actor(role, f"test-{role}-{patient or ''}", self.known.organization_id, patient)
            self.tokens[role, patient] = signer.issue(actor, TOKEN_LIFETIME)
        return self.tokens[role, patient]

    async def session(self, patient_id: UUID | None = None) -> str:
        """A session of a patient, as their browser has it once the code was typed."""
        code_of: Any = await self.as_system(
            "access",
            "start_code",
            command={"patient_id": str(patient_id or self.patient_id), "contact_system": "phone", "binding": BINDING},
        )
        known = {"organization_id": str(self.known.organization_id), "code_id": code_of["id"], "code": code_of["code"], "binding": BINDING}
        started: Any = await self.as_system("access", "redeem_code", command=known)
        return str(started["token"])

    async def as_system(self, module: str, method: str, **command: Any) -> Any:
        """What the portal asks of a module while nobody is signed in yet."""
        assert self.known.organization_id is not None
        signer = Tokens(TokenKeys.of_file(token_key_file(self.data)), SystemClock(), ROLES)
        token = signer.issue(signer.actor("system", "system", self.known.organization_id), timedelta(minutes=1))
        base = self.addresses.get(module) or next(iter(self.addresses.values()))
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.post(f"{base}/internal/v1/{module}/{method}", json=command, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def request(
        self,
        role: str | None,
        method: str,
        path: str,
        *,
        key: str | None = FRESH,
        patient_id: UUID | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Ask as `role`, or as nobody. Changes carry a fresh Idempotency-Key unless `key` says otherwise; None sends none."""
        sent = {} if role is None else {"Authorization": f"Bearer {self.token(role, patient_id)}"}
        if key is not None and method != "GET":
            sent["Idempotency-Key"] = key or str(uuid4())
        return await self.client.request(method, self.address_of(path) + path, headers=sent | dict(headers or {}), **more)


@pytest.fixture(scope="session")
async def one_process(journals: Journals) -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY) as system:
            yield system
            await journals.read(system.known.database_url)


@pytest.fixture(scope="session")
async def one_process_through_json() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY, environ={"CAREWRIGHT_SYSTEM_JSON_EVERYWHERE": "true"}) as system:
            yield system


@pytest.fixture(scope="session")
async def process_per_role() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY, "--split") as system:
            yield system


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for one data directory, which the embedded servers' account may enter."""
    folder = new_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def started(
    data: Path, *options: str, environ: Mapping[str, str] | None = None, within_seconds: float = START_SECONDS_MAX
) -> AsyncIterator[System]:
    """`carewright up` with these options for as long as the block lasts."""
    process = await launch(data, "up", "--data", str(data), *options, environ=environ)
    try:
        async with asyncio.timeout(within_seconds), httpx.AsyncClient(trust_env=False, timeout=30) as client:
            system = System(data, process, await until_running(process, data), client)
            for address in system.addresses.values():
                roles: dict[str, list[str]] = (await client.get(f"{address}/roles")).json()
                system.prefixes |= {prefix: address for prefixes in roles.values() for prefix in prefixes}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as system.client:
            yield system
    finally:
        await stop(process, data)


async def launch(data: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Process:
    """A `carewright` command in a process of its own. What it prints goes to `log_of(data)`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CAREWRIGHT_")}
    with log_of(data).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "carewright", *arguments, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            env=inherited | UNHURRIED | {"PYTHONPATH": str(ROOT / "src")} | dict(environ or {}), start_new_session=True,
        )  # fmt: skip


def log_of(data: Path) -> Path:
    return data.with_suffix(".log")


async def until_running(process: Process, data: Path) -> Installation:
    """What the data directory says once everything runs."""
    while RUNNING not in (printed := log_of(data).read_text(errors="replace")):
        assert process.returncode is None, f"carewright ended with {process.returncode} before it ran:\n{printed}"
        await asyncio.sleep(0.05)
    return Installation.read(data)


async def stop(process: Process, data: Path, number: signal.Signals = signal.SIGINT) -> None:
    """Ask a system to end. It must do so by itself, cleanly, and take everything with it."""
    family = descendants(process.pid)
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        process.send_signal(number)
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await process.wait()
    left = sorted({pid for pid in (process.pid, *family) if is_alive(pid)} | set(processes_of(data.parent)))
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert (process.returncode, left) == (0, []), log_of(data).read_text(errors="replace")[-4000:]


def descendants(pid: int) -> list[int]:
    """The processes below `pid`; none where the kernel does not list them."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # a process may end between the listing and the reading
            fields = (entry / "stat").read_text(errors="replace").rpartition(") ")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(parents.get(pid, ()))
    for child in found:
        found += parents.get(child, ())
    return found
