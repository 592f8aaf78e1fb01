"""`carewright incident` acts in every running process, and without any."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.clinic import ok
from tests.system import TINY, System, launch, log_of, own_folder, started

NOTICED_SECONDS_MAX = 30
PATHS = ("/api/v1/access/me", "/api/v1/services", "/api/v1/communications")
STEPS = "SELECT steps::text AS steps FROM oversight.incident WHERE organization_id = $1"


@pytest.fixture(scope="module")
async def split() -> AsyncIterator[System]:
    """A process per role: what one writes down, all must know."""
    with own_folder() as folder:
        async with started(folder / "data", *TINY, "--split") as system:
            yield system


async def carewright(said: Path, *arguments: str) -> str:
    """Run a command; what it said."""
    command = await launch(said, *arguments)
    assert await command.wait() == 0, log_of(said).read_text()
    return log_of(said).read_text()


async def until(system: System, path: str, role: str, status: int) -> None:
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while (await system.request(role, "GET", path)).status_code != status:
            pass


async def test_tokens_of_one_user_are_refused_in_every_process_and_nobody_elses(split: System) -> None:
    ok(await split.request("nurse", "GET", PATHS[0]))
    told = await carewright(
        split.data.parent / "ended", "incident", "respond", "--reason", "A telephone was lost", "--end-sessions", "test-nurse-",
        "--data", str(split.data),
    )  # fmt: skip
    assert "done   end_sessions test-nurse-" in told
    assert "done   notify" in told
    for path in PATHS:
        await until(split, path, "nurse", httpx.codes.UNAUTHORIZED)
        ok(await split.request("front-desk", "GET", path))


async def test_a_quarantined_client_is_shut_out_of_every_process_until_it_is_released(split: System) -> None:
    ok(await split.request("integration", "GET", PATHS[0]))
    data = ("--data", str(split.data))
    command = ("incident", "respond", "--reason", "Strange requests", "--quarantine-client", "test-integration-", "--no-notify")
    await carewright(split.data.parent / "quarantined", *command, *data)
    for path in PATHS:
        await until(split, path, "integration", httpx.codes.FORBIDDEN)
    assert "client test-integration-" in await carewright(split.data.parent / "listed", "incident", "list", *data)
    await carewright(split.data.parent / "released", "incident", "release", "test-integration-", *data)
    for path in PATHS:
        await until(split, path, "integration", httpx.codes.OK)


@pytest.mark.parametrize("timer", ["oversight.watch", "oversight.look_for_unusual"])
async def test_the_log_is_watched_across_processes(split: System, timer: str) -> None:
    """It asks Access, Patients, Scheduling and the audit log, each in a process of its own."""
    ok(await split.request("front-desk", "GET", f"/api/v1/patients/{split.patient_id}"))

    async def runs(outcome: str) -> float:
        text = (await split.client.get(f"{split.addresses['oversight']}/metrics")).text
        found = re.search(rf'^carewright_job_runs_total{{name="{timer}",outcome="{outcome}"}} ([0-9.]+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while not await runs("done"):
            assert not await runs("failed"), log_of(split.data).read_text()
            await asyncio.sleep(0.5)


async def test_it_works_while_no_server_runs(database_url: str, tmp_path: Path) -> None:
    organization = uuid4()
    place = ("--data", str(tmp_path), "--database-url", database_url)
    await carewright(tmp_path / "migrated", "migrate", *place)
    told = await carewright(
        tmp_path / "alone", "incident", "respond", "--reason", "The server is down", "--quarantine-peer", "lab.example.org",
        "--rotate-token-key", "--organization", str(organization), *place,
    )  # fmt: skip
    assert [line.split()[0] for line in told.splitlines() if line.startswith("  ")] == ["done", "done", "done"]
    connection = await asyncpg.connect(database_url)
    (row,) = await connection.fetch(STEPS, organization)
    await connection.close()
    assert "lab.example.org" in row["steps"]
    assert b'"keys"' in (tmp_path / "token.key").read_bytes()
