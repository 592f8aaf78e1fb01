"""`carewright up` at the terminal: what stops it, in one clear line; servers that are there already; stopping and going on."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from carewright.roles.embedded import EmbeddedSettings, Place, start_postgres, start_valkey
from tests.clinic import ok, register
from tests.servers import run_sql
from tests.system import TINY, launch, log_of, own_folder, started, stop


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
async def servers(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """The URLs of a PostgreSQL and a Valkey that somebody else looks after."""
    place = await Place.open(folder / "servers", EmbeddedSettings(root_home=folder / "elsewhere", shared_buffers_mb=64), lambda _: None)
    database, cache = await start_postgres(place), await start_valkey(place)
    yield database.dsn, cache.tcp_url
    await cache.stop()
    await database.stop()
    place.close()


async def ended(data: Path, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    """Exit code and lines of a command that ends by itself."""
    process = await launch(data, *arguments, environ=environ)
    return await process.wait(), log_of(data).read_text().splitlines()


@pytest.mark.parametrize(
    ("options", "environ", "told"),
    [
        ((), {"CAREWRIGHT_SYSTEM_PROT": "1"}, "Unknown setting system.prot. Did you mean system.port?"),
        ((), {"CAREWRIGHT_SYSTM_PORT": "1"}, "Unknown setting CAREWRIGHT_SYSTM_PORT."),
        ((), {"CAREWRIGHT_SCHEDULING_HOLD_SECONDS": "soon"}, "A setting of scheduling does not fit"),
        (("--settings", "nowhere.toml"), {}, "The settings file nowhere.toml cannot be read"),
        (("--database-url", "hospital"), {}, "The database URL is not valid. It looks like"),
        (("--database-url", "postgresql://u:p@127.0.0.1:1/x"), {}, "The database cannot be reached. Check the database URL"),
        (("--valkey-url", "hospital"), {}, "The Valkey URL is not valid. It looks like"),
        (("--valkey-url", "redis://127.0.0.1:1/0"), {}, "Valkey cannot be reached. Check the Valkey URL"),
        (("--port", "65536"), {}, "Choose another with --port"),
        (("--data", "/dev/null/here"), {}, "Name another with --data"),
    ],
)
async def test_a_start_that_cannot_work_says_so_in_one_line(
    tmp_path: Path, servers: tuple[str, str], options: tuple[str, ...], environ: dict[str, str], told: str
) -> None:
    data, theirs = tmp_path / "data", ("--database-url", servers[0], "--valkey-url", servers[1])
    code, lines = await ended(data, "up", "--data", str(data), "--port", "0", *theirs, *options, **environ)
    assert (code, len(lines)) == (1, 1), lines
    assert told in lines[0]


async def test_a_server_that_does_not_let_us_in_stops_the_start_in_one_line(tmp_path: Path, servers: tuple[str, str]) -> None:
    address = urlsplit(servers[0])
    nowhere = address._replace(path="/nowhere").geturl()
    stranger = address._replace(netloc=f"{address.username}:guess@{address.netloc.rpartition('@')[2]}").geturl()
    for url in (nowhere, stranger):
        options = ("--port", "0", "--database-url", url, "--valkey-url", servers[1])
        code, lines = await ended(tmp_path / "data", "up", "--data", str(tmp_path / "data"), *options)
        assert (code, len(lines)) == (1, 1), lines
        assert "guess" not in lines[0], "a password is not repeated"
    cache = servers[1].replace("redis://:", "redis://:wrong")
    options = ("--port", "0", "--database-url", servers[0], "--valkey-url", cache)
    code, lines = await ended(tmp_path / "data", "up", "--data", str(tmp_path / "data"), *options)
    assert (code, len(lines)) == (1, 1), lines


async def test_an_occupied_port_stops_the_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for options in ((), ("--split",)):
            code, lines = await ended(tmp_path / "data", "up", "--data", str(tmp_path / "data"), "--port", str(port), *options)
            assert (code, len(lines)) == (1, 1), lines
            assert f"127.0.0.1:{port}" in lines[0]
    assert not (tmp_path / "data").exists(), "nothing was started"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serve", "--roles", "cardiology"), "There is no role called cardiology. Choose from: all,"),
        (("serve", "--roles", "portal", "--port", "0"), "The database cannot be reached"),
        (("token", "--role", "front-desk"), "Say which organization with --organization ID"),
        (("verify",), "There is no database for"),
    ],
)
async def test_other_commands_say_what_is_missing(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    code, lines = await ended(tmp_path / "data", *arguments, CAREWRIGHT_DATA=str(tmp_path / "data"))
    assert (code, len(lines)) == (1, 1), lines
    assert told in lines[0]


async def test_servers_that_are_there_are_used_and_left_as_they_are(servers: tuple[str, str]) -> None:
    theirs = ("--database-url", servers[0], "--valkey-url", servers[1])
    with own_folder() as folder:
        async with started(folder / "data", *TINY, *theirs) as system:
            assert (system.known.database_url, system.known.valkey_url) == servers
            assert not (system.data / "postgres").exists()
            patient = await register(system, "Bleibend")
        await run_sql(servers[0], "SELECT 1")
        async with started(folder / "data", *TINY, *theirs) as again:
            assert ok(await again.request("front-desk", "GET", f"/api/v1/patients/{patient}"))["family"] == "Bleibend"


async def test_a_start_that_was_interrupted_is_made_good_by_the_next_and_data_stays() -> None:
    with own_folder() as folder:
        data = folder / "data"
        process = await launch(data, "up", "--data", str(data), *TINY)
        await until_said(data, "loading")
        await stop(process, data, signal.SIGTERM)
        async with started(data, *TINY) as system:
            assert "building the demonstration hospital" in log_of(data).read_text()
            patient = await register(system, "Bleibend")
        async with started(data, *TINY) as again:
            assert "building" not in log_of(data).read_text()
            assert ok(await again.request("front-desk", "GET", f"/api/v1/patients/{patient}"))["family"] == "Bleibend"
            code, lines = await ended(folder / "second", "up", "--data", str(data), *TINY)
            assert (code, len(lines)) == (1, 1), lines
            assert "in use" in lines[0]


async def until_said(data: Path, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in log_of(data).read_text():  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.02)
