"""kill -9 of a server, of PostgreSQL, of one of its processes and of Valkey, at random moments, while people book.

The promise: every acknowledged change is there exactly once, every other is absent or was returned by the retry with the same key,
no two claims overlap, no event is lost, and the system resumes by itself.

The ordinary run kills 40 times in one process and 10 times with one process per role, in about two minutes on two cores. Two hundred
times each:

    CAREWRIGHT_TEST_KILLS=200 make test ARGS="--tier faults -- -k whatever_is_killed"

Two hundred in one process took about five minutes there, beside other work, most of it starts of the server process.
`CAREWRIGHT_TEST_SEED` repeats the dice of a run, which prints its seed; the moments still depend on the machine.
"""

import asyncio
import contextlib
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import asyncpg
import httpx
import pytest

from tests.faults.ground import on_linux
from tests.faults.ledger import Ledger, keys_of
from tests.faults.load import Shift
from tests.system import TINY, System, descendants, log_of, started

WANTED = os.environ.get("CAREWRIGHT_TEST_KILLS")
KILLS = int(WANTED or "40")
KILLS_SPLIT = KILLS if WANTED else KILLS // 4
SEED = int(os.environ.get("CAREWRIGHT_TEST_SEED") or secrets.randbelow(10**6))
CHANGES = 40
PLANTED = (
    """UPDATE scheduling.appointment SET version = version + 1 WHERE id = (
        SELECT id FROM scheduling.appointment WHERE status = 'booked' ORDER BY (value->>'created_at')::timestamptz DESC LIMIT 1)""",
    """INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body)
        SELECT organization_id, '019a0000-0000-7000-8000-00000000dead', patient_id,
               jsonb_set(body::jsonb, '{entities,0,id}', '"019a0000-0000-7000-8000-00000000beef"')::text
        FROM kernel.audit_entry WHERE body::jsonb->>'event' = 'scheduling.appointment.book' LIMIT 1""",
)
"""A change that left no entry, and an entry of a change that nobody made; written by the database's owner, past the use cases."""
CLIENTS = 8
STAFF = 10
RESUME_SECONDS_MAX = 60.0
BURST = 0.25
"""How often the next kill follows while the last one is still being repaired."""
Target = Literal["server", "postmaster", "backend", "valkey"]
WEIGHTS: dict[Target, int] = {"server": 30, "postmaster": 30, "backend": 30, "valkey": 10}
LOOKS_LIKE: dict[Target, Callable[[list[str]], bool]] = {
    "server": lambda words: "serve" in words,
    "postmaster": lambda words: words[0].endswith("postgres") and "-D" in words,
    "backend": lambda words: words[0].startswith("postgres: "),
    "valkey": lambda words: "valkey-server" in words[0],
}


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """Where the embedded servers' account may enter, and where a sync reaches a disk."""
    folder = Path(tempfile.mkdtemp(prefix="carewright-kill-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Killer:
    """Kills something, waits until the system works again, or not, and goes on."""

    system: System
    shift: Shift
    rng: random.Random
    killed: Counter[Target] = field(default_factory=Counter)
    outages: list[tuple[float, Target]] = field(default_factory=list)

    async def kill(self, times: int) -> None:
        while self.killed.total() < times:
            await asyncio.sleep(self.rng.uniform(0.0, 0.8))
            began = time.monotonic()
            target = await self._kill_one()
            if self.rng.random() > BURST:
                await self._until_resumed()
                self.outages.append((time.monotonic() - began, target))
            if self.killed.total() % 20 == 0:
                print(f"  {self.killed.total()} kills, {self.shift.summary()}", flush=True)
        await self._until_resumed()

    async def _kill_one(self) -> Target:
        """Whatever the dice say, if it is running."""
        while True:
            target = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            running = [pid for pid in descendants(self.system.process.pid) if LOOKS_LIKE[target](words_of(pid))]
            if running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.rng.choice(running), signal.SIGKILL)
                    self.killed[target] += 1
                    return target
            await asyncio.sleep(0.02)

    async def _until_resumed(self) -> None:
        """Ready, and a change acknowledged that was asked for or repeated since."""
        before = self.shift.acknowledged
        async with asyncio.timeout(RESUME_SECONDS_MAX):
            while self.shift.acknowledged < before + 3 or not await self._is_ready():  # noqa: ASYNC110  (processes set no asyncio.Event)
                await asyncio.sleep(0.02)

    def told(self) -> str:
        """How long each kind of kill kept people waiting."""
        waits = {target: sorted(wait for wait, hit in self.outages if hit == target) for target in WEIGHTS}
        return "waited " + ", ".join(f"{target} {of[len(of) // 2]:.1f} s (at most {of[-1]:.1f})" for target, of in waits.items() if of)

    async def _is_ready(self) -> bool:
        try:
            answers = [await self.system.client.get(f"{address}/ready") for address in self.system.addresses.values()]
        except (httpx.HTTPError, AttributeError):  # anyio asks a connection for its peer's name, and the peer has just been killed
            return False
        return all(answer.is_success for answer in answers)


def words_of(pid: int) -> list[str]:
    """The command line of a process; one empty word when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return [""]


def doing(pid: int) -> str:
    """What a process waits for, and where in the kernel, for whoever looks at a system that did not come back."""
    facts = [str(pid), " ".join(words_of(pid)).strip()]
    for name in ("wchan", "syscall", "stack"):
        with contextlib.suppress(OSError):
            facts.append(f"{name} {Path(f'/proc/{pid}/{name}').read_text().strip()}")
    return "\n    ".join(facts)


@on_linux
@pytest.mark.parametrize(("options", "kills"), [((), KILLS), (("--split",), KILLS_SPLIT)], ids=["one-process", "process-per-role"])
async def test_whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_happens_twice(
    options: tuple[str, ...], kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with folder_on_disk() as folder, capsys.disabled():
        began = time.monotonic()
        async with started(folder / "data", *TINY, *options, environ={"CAREWRIGHT_SCHEDULING_HOLD_SECONDS": "10"}) as system:
            since, visit_types, patients = await first_look(system)
            staff = await system.request("administrator", "GET", "/api/v1/practitioners", params={"limit": 50})
            assert staff.is_success, staff.text
            shift = Shift(system, SEED, visit_types)
            killer = Killer(system, shift, random.Random(SEED))
            print(f"\nseed {SEED}: {kills} kills under load", flush=True)
            try:
                async with shift.at_work(CLIENTS, patients, [each["practitioner"] for each in staff.json()["items"][:STAFF]]):
                    await killer.kill(kills)
            except BaseException:
                print(log_of(system.data).read_text(errors="replace")[-5000:])
                print("\n".join(map(doing, descendants(system.process.pid))), flush=True)
                raise
            connection = await asyncpg.connect(system.known.database_url)
            findings = await Ledger(connection, since, await keys_of(system)).findings(shift)
            await connection.close()
            findings += await verified(system)
            print(
                f"{killer.killed.total()} kills {dict(killer.killed)} in {time.monotonic() - began:.0f} s, "
                f"{killer.told()}; "
                f"{shift.summary()}"
            )
        assert findings == []


@on_linux
async def test_a_change_without_its_entry_and_an_entry_without_its_change_are_found() -> None:
    """Nobody is killed here: faults are planted, so that the ledger's silence after a thousand kills means something."""
    with folder_on_disk() as folder:
        async with started(folder / "data", *TINY) as system:
            since, visit_types, patients = await first_look(system)
            staff = await system.request("administrator", "GET", "/api/v1/practitioners", params={"limit": 50})
            shift = Shift(system, SEED, visit_types)
            async with shift.at_work(CLIENTS, patients, [each["practitioner"] for each in staff.json()["items"][:STAFF]]):
                async with asyncio.timeout(RESUME_SECONDS_MAX):
                    while shift.acknowledged < CHANGES:  # noqa: ASYNC110  (other processes set no asyncio.Event)
                        await asyncio.sleep(0.02)
            connection = await asyncio.wait_for(asyncpg.connect(system.known.database_url), RESUME_SECONDS_MAX)
            ledger = Ledger(connection, since, await keys_of(system))
            assert await ledger.findings(shift) == []
            for statement in PLANTED:
                assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0", "INSERT 0 0"), statement
            found = {each.partition(":")[0] for each in await ledger.findings(shift)}
            await connection.close()
        assert found >= {
            "an appointment with another number of changes than of entries in the journal",
            "an entry of a change to an appointment that is not there",
        }  # fmt: skip


async def first_look(system: System) -> tuple[datetime, list[tuple[str, str]], list[str]]:
    """The database's time, what can be booked where, and for whom."""
    connection = await asyncpg.connect(system.known.database_url)
    try:
        since: datetime = await connection.fetchval("SELECT clock_timestamp()")
        kinds: list[Any] = await connection.fetch(
            "SELECT id::text, jsonb_array_elements_text(value->'rules'->'site_ids') FROM scheduling.visit_type "
            "WHERE active AND value->'rules'->'prerequisites' = '[]' AND value->'rules'->'urgency_tiers' ? 'P2'"
        )
        patients = [row["id"] for row in await connection.fetch("SELECT id::text FROM scheduling.patient WHERE active ORDER BY id")]
        return since, [(kind, site) for kind, site in kinds], patients
    finally:
        await connection.close()


async def verified(system: System) -> list[str]:
    """What `carewright verify` finds. It takes no variable of ours for one of its settings, so those of this test stay out."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAREWRIGHT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "carewright", "verify", "--data", str(system.data), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    printed, faults = await process.communicate()
    lines = printed.decode().splitlines()
    return [] if lines == ["0 findings"] else [f"verify: {line}" for line in lines or faults.decode().splitlines()[-3:]]
