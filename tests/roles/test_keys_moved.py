"""`carewright keys rewrap` and `keys destroy` as commands: from the file to a service, to another, and back, while everybody works."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from carewright.kernel.clock import SystemClock
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.roles.keys import FIELD_KEY_FILE
from tests.at_work import FAST, Work, command, kill, said
from tests.clinic import ok, open_clinic, refused, register
from tests.key_services import AWS_KEY, Aws, serving
from tests.openbao import openbao
from tests.system import TINY, System, own_folder, started

KEYS = "SELECT kek_id, wrapped FROM kernel.keyset WHERE organization_id = $1 ORDER BY purpose, version"
MOVED = "SELECT count(*) FROM kernel.audit_entry WHERE organization_id = $1 AND body LIKE '%kernel.keys.rewrap%'"
LOCK = "SELECT FROM kernel.keyset WHERE organization_id = $1 FOR UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%kernel.keyset%'"
WAIT_SECONDS_MAX = 240
AWS = {"AWS_ACCESS_KEY_ID": "AKIDFIXED", "AWS_SECRET_ACCESS_KEY": "fixed-secret"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with own_folder() as folder:
        yield folder


@pytest.fixture
async def transit(tmp_path: Path) -> AsyncIterator[PrivacySettings]:
    async with openbao(tmp_path) as server:
        yield server.settings


@pytest.fixture
def aws() -> Iterator[tuple[Aws, PrivacySettings]]:
    service = Aws(SystemClock().now)
    with serving(service) as url:
        yield service, PrivacySettings(key_service="aws-kms", kms_key=AWS_KEY, kms_url=url)


def written(folder: Path, name: str, **fields: str) -> Path:
    """A settings file that says where the key above all is."""
    path = folder / f"{name}.toml"
    path.write_text("\n".join(["[privacy]", "keys_fresh_seconds = 1.0", *(f'{field} = "{value}"' for field, value in fields.items())]))
    return path


async def keys_of(system: System) -> list[tuple[str, bytes | None]]:
    """Which key wraps each of the hospital's, and what it made of it."""
    connection = await asyncpg.connect(system.known.database_url)
    try:
        return [(row["kek_id"], row["wrapped"]) for row in await connection.fetch(KEYS, system.known.organization_id)]
    finally:
        await connection.close()


async def halted_and_killed(system: System, cloud: Aws, *to: str) -> None:
    """Kill a move to AWS once one key is wrapped anew and the other is not yet. Nothing has happened."""
    before = await keys_of(system)
    reached, go_on = threading.Event(), threading.Event()

    def halt(asked: int) -> None:
        if asked == 3:
            reached.set()
            go_on.wait(WAIT_SECONDS_MAX)

    cloud.faults.before = halt
    moving = await command(system, "keys", "rewrap", *to, environ=AWS)
    assert await asyncio.to_thread(reached.wait, WAIT_SECONDS_MAX)
    await kill(moving)
    go_on.set()
    assert await keys_of(system) == before


async def test_the_key_above_all_moves_while_everybody_works_and_a_killed_move_has_not_happened(
    folder: Path, transit: PrivacySettings, aws: tuple[Aws, PrivacySettings]
) -> None:
    cloud, in_aws = aws
    to_transit = written(
        folder, "transit", key_service="transit", transit_url=transit.transit_url, transit_token_file=transit.transit_token_file
    )
    to_aws = written(folder, "aws", key_service="aws-kms", kms_key=AWS_KEY, kms_url=in_aws.kms_url)
    to_file = written(folder, "file", key_file=str(folder / "another.key"))
    async with started(folder / "data", *TINY, environ=FAST) as system:
        clinic, stays = await open_clinic(system), await register(system, "Quokkaline")
        await register(system)
        old_file = system.data / FIELD_KEY_FILE
        work = Work(clinic, stays)
        assert "keys are wrapped by transit:transit/carewright" in await said(system, "keys", "rewrap", "--to", str(to_transit))
        assert {kek for kek, _ in await keys_of(system)} == {"transit:transit/carewright"}
        assert "There is encrypted data under the key transit" in await said(system, "verify", code=1), "the file opens nothing any more"

        await halted_and_killed(system, cloud, "--to", str(to_aws), "--settings", str(to_transit))
        assert await work.stop() > 3, "and everybody works on"

    environ = FAST | {
        "CAREWRIGHT_PRIVACY_KEY_SERVICE": "transit", "CAREWRIGHT_PRIVACY_TRANSIT_URL": transit.transit_url,
        "CAREWRIGHT_PRIVACY_TRANSIT_TOKEN_FILE": transit.transit_token_file,
    }  # fmt: skip
    async with started(folder / "data", "--port", "0", environ=environ) as system:
        work = Work(await open_clinic(system), stays)
        assert f"keys are wrapped by aws-kms:{AWS_KEY}" in await said(system, "keys", "rewrap", "--to", str(to_aws), environ=environ | AWS)
        assert "0 findings" in await said(system, "audit", "verify", "--settings", str(to_aws), environ=AWS)
        assert await work.stop() > 0

    environ = FAST | AWS | {
        "CAREWRIGHT_PRIVACY_KEY_SERVICE": "aws-kms", "CAREWRIGHT_PRIVACY_KMS_KEY": AWS_KEY, "CAREWRIGHT_PRIVACY_KMS_URL": in_aws.kms_url,
    }  # fmt: skip
    async with started(folder / "data", "--port", "0", environ=environ) as system:
        assert ok(await system.request("front-desk", "GET", f"/api/v1/patients/{stays}"))["family"] == "Quokkaline"
        assert "another.key is new" in await said(system, "keys", "rewrap", "--to", str(to_file), environ=environ)
        old_file.unlink(missing_ok=True)

    environ = FAST | {"CAREWRIGHT_PRIVACY_KEY_FILE": str(folder / "another.key")}
    async with started(folder / "data", "--port", "0", environ=environ) as system:
        assert ok(await system.request("front-desk", "GET", f"/api/v1/patients/{stays}"))["family"] == "Quokkaline"
        await register(system)
        connection = await asyncpg.connect(system.known.database_url)
        assert await connection.fetchval(MOVED, system.known.organization_id) == 3, "each move is on record, the killed one is not"
        await connection.close()
        assert "0 findings" in await said(system, "verify", environ=environ)


async def test_destroyed_keys_end_all_reading_at_once_and_a_killed_command_does_all_or_nothing(folder: Path) -> None:
    async with started(folder / "data", *TINY, environ=FAST) as system:
        patient, organization_id = await register(system, "Quokkaline"), system.known.organization_id
        assert organization_id is not None
        connection, watching = [await asyncpg.connect(system.known.database_url) for _ in range(2)]
        reading = asyncio.create_task(until_gone(system, patient))
        assert "Say --yes" in await said(system, "keys", "destroy", code=1)
        async with connection.transaction():
            await connection.fetch(LOCK, organization_id)
            destroying = await command(system, "keys", "destroy", "--yes")
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                while not await watching.fetchval(WAITING):  # noqa: ASYNC110  (another process sets no asyncio.Event)
                    await asyncio.sleep(0.05)
            await kill(destroying)
        assert {wrapped is None for _, wrapped in await keys_of(system)} == {False}
        ok(await system.request("front-desk", "GET", f"/api/v1/patients/{patient}"))
        assert f"destroyed 2 keys of {organization_id}" in await said(system, "keys", "destroy", "--yes")
        assert await reading > 0
        assert {wrapped is None for _, wrapped in await keys_of(system)} == {True}
        refused(await system.request("front-desk", "GET", f"/api/v1/patients/{patient}"), 410, "kernel.keys_destroyed")
        assert "destroyed 0 keys" in await said(system, "keys", "destroy", "--yes"), "there is no second time"
        assert "0 findings" in await said(system, "audit", "verify")
        await connection.close()
        await watching.close()
    async with started(folder / "data", "--port", "0", environ=FAST) as system:
        refused(await system.request("front-desk", "GET", f"/api/v1/patients/{patient}"), 410, "kernel.keys_destroyed")
        assert len(await keys_of(system)) == 2, "no new key is made in silence"


async def until_gone(system: System, patient: UUID) -> int:
    """Read a record until its keys are gone: each answer is the record or that refusal; how often it was the record."""
    read = 0
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            answer = await system.request("front-desk", "GET", f"/api/v1/patients/{patient}")
            if answer.status_code != 200:
                refused(answer, 410, "kernel.keys_destroyed")
                return read
            assert answer.json()["family"] == "Quokkaline"
            read += 1
            await asyncio.sleep(0.02)
