"""Starts PostgreSQL as a child: makes the cluster if there is none, writes its configuration, waits until it answers."""

import asyncio
import errno
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from urllib.parse import quote

from carewright.roles.child import Account, Child, StartFailed, run_tool, spawn
from carewright.roles.embedded.binaries import cluster_major, find_postgres, server_environment
from carewright.roles.embedded.leftovers import end_leftovers
from carewright.roles.embedded.place import Place, remove_tree

SUPERUSER = "carewright"
DATABASE = "carewright"
POLL_SECONDS = 0.01
LINES_OF_LOG_READ = 400

# What PostgreSQL says when it cannot go on (https://www.postgresql.org/docs/18/server-start.html), and what to do about it.
TROUBLES: tuple[tuple[str, str, bool, str], ...] = (
    ("No space left on device", "embedded.disk_full", False, "The disk is full: free some space in {home}, then start again."),
    ("could not create any TCP/IP sockets", "embedded.port_taken", True, "Port {port} was taken at the last moment: try again."),
    ("shared memory block", "embedded.still_running", True, "An earlier PostgreSQL of this data directory is still ending: try again."),
    (
        "could not map anonymous shared memory",
        "embedded.memory",
        False,
        "There is not enough memory for {shared_buffers} MB of shared buffers: free some memory, or set fewer.",
    ),
    ("Read-only file system", "embedded.read_only", False, "The disk of {home} is read-only: choose another data directory."),
    ("invalid locale name", "embedded.no_locale", False, "This system has no locale C.UTF-8, which the database needs: install it."),
)


class PostgresServer(Child):
    """A running PostgreSQL. `dsn` goes through the socket; `tcp_dsn` through the loopback, for tools that know no sockets."""

    def __init__(self, process: Process, place: Place) -> None:
        # SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes a checkpoint. SIGQUIT is the immediate one: it
        # recovers from the log at the next start. SIGKILL would leave its workers behind and is never sent.
        super().__init__(process, stop_signal=signal.SIGINT, hurry_signal=signal.SIGQUIT, grace_seconds=place.settings.stop_seconds_max)
        door = place.door("postgres")
        user = f"{SUPERUSER}:{quote(door.password, safe='')}"
        self.port = door.port
        self.sockets = place.sockets
        self.dsn = f"postgresql://{user}@/{DATABASE}?host={place.sockets}&port={door.port}"
        self.tcp_dsn = f"postgresql://{user}@127.0.0.1:{door.port}/{DATABASE}"


async def start_postgres(place: Place) -> PostgresServer:
    """Start PostgreSQL in `place` and return when it accepts connections.

    Ends a PostgreSQL that an earlier supervisor left there. Raises `StartFailed` with one line that says what to do.
    """
    try:
        return await _start(place)
    except OSError as fault:
        raise _trouble(place, os.strerror(fault.errno) if fault.errno == errno.ENOSPC else str(fault)) from fault


async def _start(place: Place) -> PostgresServer:
    cluster = place.home / "postgres"
    await _end_earlier(place, cluster)
    programs = await find_postgres(place, cluster_major(cluster))
    await _ensure_cluster(place, programs, cluster)
    place.own_directory(place.sockets)
    with_tcp = place.choose_port("postgres")
    configuration = _write_configuration(place, with_tcp=with_tcp)
    with place.open_log("postgres") as log:
        already = os.fstat(log.fileno()).st_size
        process = await spawn(
            [programs / "postgres", "-D", cluster, "-c", f"config_file={configuration}", "-c", f"cluster_name={place.tag}"],
            env=server_environment(), cwd=Path("/"), account=place.account, death_signal=signal.SIGINT, stdout=log, stderr=log,
        )  # fmt: skip
    server = PostgresServer(process, place)
    try:
        await _until_ready(place, server, cluster, already)
    except BaseException:
        await server.stop()
        raise
    place.promise("postgres")
    return server


async def _end_earlier(place: Place, cluster: Path) -> None:
    """We hold the data directory, so whatever still runs in it is nobody's. Fast shutdown first, then the immediate one."""
    found = await end_leftovers(place.tag, ("postgres",), (signal.SIGINT, signal.SIGQUIT), place.settings.stop_seconds_max)
    if found:
        place.say(f"stopped a PostgreSQL that was left running (process {found[0]})")
    # PostgreSQL believes its lock files as long as *any* process of its user has that id, as is common after a reboot.
    for lock in (cluster / "postmaster.pid", *place.sockets.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


async def _ensure_cluster(place: Place, programs: Path, cluster: Path) -> None:
    new_password = place.ensure_password("postgres")
    if cluster_major(cluster) is None:
        if _holds_something(cluster):
            raise StartFailed("embedded.not_a_cluster", f"{cluster} holds something else than a database. Move it away, then try again.")
        await _create_cluster(place, programs, cluster)
    elif new_password:
        await _single_user(place, programs, cluster, f"ALTER ROLE {SUPERUSER} PASSWORD '{place.door('postgres').password}'")


async def _create_cluster(place: Place, programs: Path, cluster: Path) -> None:
    """Make the cluster aside and rename it when it is whole and on disk, so that a broken-off start leaves no half of it."""
    draft, secret = cluster.with_suffix(".new"), cluster.with_suffix(".secret")
    remove_tree(draft)
    place.own_directory(draft)
    try:
        _write_secret(secret, place.door("postgres").password, place.account)
        await _run(
            place, programs / "initdb", "-D", draft, "-U", SUPERUSER, f"--pwfile={secret}", "-A", "scram-sha-256",
            "--locale=C.UTF-8", "-E", "UTF8", "--no-instructions", "--no-sync",
        )  # fmt: skip
        await _single_user(place, programs, draft, f"CREATE DATABASE {DATABASE}")
        await _run(place, programs / "initdb", "-D", draft, "--sync-only")
    finally:
        secret.unlink(missing_ok=True)
    draft.rename(cluster)


def _holds_something(directory: Path) -> bool:
    return directory.exists() and any(directory.iterdir())


def _write_secret(path: Path, secret: str, account: Account | None) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
        if account:
            os.fchown(file.fileno(), account.uid, account.gid)


async def _single_user(place: Place, programs: Path, cluster: Path, statement: str) -> None:
    """Run one statement without starting a server (https://www.postgresql.org/docs/18/app-postgres.html, Options for Single-User Mode)."""
    command = (programs / "postgres", "--single", "-D", cluster, "-c", "exit_on_error=on", "template1")
    await _run(place, *command, text=f"{statement}\n")


async def _run(place: Place, *argv: str | Path, text: str = "") -> None:
    code, printed = await run_tool(argv, env=server_environment(), account=place.account, text=text)
    if code != 0:
        raise _trouble(place, printed)


async def _until_ready(place: Place, server: PostgresServer, cluster: Path, already: int) -> None:
    """Follow the status line that the postmaster keeps in its lock file; crash recovery may take its time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + place.settings.start_seconds_max
    while not _is_ready(cluster, server.pid):
        if server.exit_code is not None:
            raise _trouble(place, _tail_of_log(place, already))
        if loop.time() > deadline:
            raise StartFailed(
                "embedded.start_slow",
                f"PostgreSQL was not ready after {place.settings.start_seconds_max:.0f} s. See {place.log_path('postgres')}.",
                transient=True,
            )
        await asyncio.sleep(POLL_SECONDS)


def _is_ready(cluster: Path, pid: int) -> bool:
    """Line 1 is the process, line 8 its status (src/include/utils/pidfile.h)."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _tail_of_log(place: Place, already: int) -> str:
    with place.log_path("postgres").open("rb") as log:
        log.seek(already)
        return "".join(line.decode(errors="replace") for line in log.readlines()[-LINES_OF_LOG_READ:])


def _trouble(place: Place, printed: str) -> StartFailed:
    """The one line that tells what is wrong and what to do next, out of what PostgreSQL printed."""
    for sign, code, transient, advice in TROUBLES:
        if sign in printed:
            facts = {"home": place.home, "port": place.door("postgres").port, "shared_buffers": place.settings.shared_buffers_mb}
            return StartFailed(code, f"PostgreSQL did not start. {advice.format(**facts)}", transient=transient)
    reasons = re.findall(r"(?:PANIC|FATAL|ERROR|error): +(.*)", printed) or printed.strip().splitlines()[-1:] or ["no reason given"]
    return StartFailed(
        "embedded.postgres_failed",
        f"PostgreSQL did not start: {reasons[0]}. See {place.log_path('postgres')}.",
        transient=True,
    )


def _write_configuration(place: Place, *, with_tcp: bool) -> Path:
    """Written anew at each start. ALTER SYSTEM is read after it and has the last word."""
    path = place.home / "postgresql.conf"
    draft = path.with_suffix(".new")
    draft.write_text(_configuration(place, with_tcp=with_tcp))
    draft.chmod(0o644)
    draft.replace(path)
    return path


def _configuration(place: Place, *, with_tcp: bool) -> str:
    settings = place.settings
    return f"""\
# Written by Carewright at each start. To change a setting, use ALTER SYSTEM: it is read after this file.

listen_addresses = '{"127.0.0.1" if with_tcp else ""}'  # this machine only
port = {place.door("postgres").port}
unix_socket_directories = '{place.sockets}'
unix_socket_permissions = 0700
max_connections = {settings.max_connections}  # each module has a small pool in each process

shared_buffers = {settings.shared_buffers_mb}MB  # holds the demonstration hospital's hot tables and leaves a laptop its memory
work_mem = 8MB  # sorts of a few thousand rows stay in memory; 200 sessions cannot eat the machine
maintenance_work_mem = 128MB  # index builds after a bulk load
effective_cache_size = {4 * settings.shared_buffers_mb}MB  # what the system's cache is likely to hold beside us
random_page_cost = 1.1  # laptops and servers have solid-state disks
jit = off  # short statements: compiling one costs more than running it

fsync = on  # a booking that was acknowledged is on disk
synchronous_commit = on
full_page_writes = on
wal_compression = on  # page images shrink to about a third, and with them the write volume after a checkpoint
wal_buffers = 16MB  # one segment: a burst of commits does not wait for room
checkpoint_timeout = 10min  # fewer page images; recovery after a crash still takes seconds
checkpoint_completion_target = 0.9  # spread the writes, so that bookings do not stall
max_wal_size = 2GB  # a bulk load is not cut short by checkpoints
min_wal_size = 256MB  # reuse segments instead of making new ones

autovacuum_naptime = 15s  # claims and outbox rows come and go quickly
autovacuum_vacuum_scale_factor = 0.05  # clean large tables before a fifth of them is dead
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_cost_limit = 1000  # keep up on a solid-state disk

max_locks_per_transaction = 256  # a statement over tables cut by month locks every part and index
idle_in_transaction_session_timeout = 60s  # a hung process must not keep its locks
{_only_on_linux()}
track_commit_timestamp = off  # events carry their own time

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
log_destination = 'stderr'
logging_collector = off  # stderr is the log file already
log_line_prefix = '%m [%p] '
log_min_messages = log  # an ERROR answers a client, who reports it; a flood of refused bookings must not fill the disk
log_min_error_statement = panic  # statements can hold persons' data
log_error_verbosity = terse  # so can the detail of a violated constraint
"""


def _only_on_linux() -> str:
    """The first needs POLLRDHUP, the second syncfs(2), which reports write faults since Linux 5.8."""
    if sys.platform != "linux":
        return ""
    return """\
client_connection_check_interval = 1s  # a killed process's statements end, and their locks with them
recovery_init_sync_method = syncfs  # after a crash, one call instead of an fsync a file: measured 0.1 s instead of 3 s
"""
