"""Starts Valkey as a child. It is a cache: it keeps nothing on disk, and whatever it holds can be made anew."""

import asyncio
import signal
import tempfile
from asyncio.subprocess import Process
from pathlib import Path
from urllib.parse import quote

from carewright.roles.child import Child, StartFailed, spawn
from carewright.roles.embedded.binaries import find_valkey, server_environment
from carewright.roles.embedded.leftovers import end_leftovers
from carewright.roles.embedded.place import Place

PROGRAMS = ("valkey-server", "redis-server")
POLL_SECONDS = 0.01
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0


class ValkeyServer(Child):
    """A running Valkey. `url` goes through the socket; `tcp_url` through the loopback, for tools that know no sockets."""

    def __init__(self, process: Process, place: Place) -> None:
        super().__init__(process, stop_signal=signal.SIGTERM, hurry_signal=signal.SIGKILL, grace_seconds=STOP_SECONDS_MAX)
        door = place.door("valkey")
        password = quote(door.password, safe="")
        self.port = door.port
        self.socket = socket_path(place)
        self.url = f"unix://{self.socket}?db=0&password={password}"
        self.tcp_url = f"redis://:{password}@127.0.0.1:{door.port}/0"


def socket_path(place: Place) -> Path:
    """Where clients of this place find Valkey."""
    return place.sockets / "valkey.sock"


async def start_valkey(place: Place) -> ValkeyServer:
    """Start Valkey in `place` and return when it answers.

    Ends a Valkey that an earlier supervisor left there. Raises `StartFailed` with one line that says what to do.
    """
    try:
        return await _start(place)
    except OSError as fault:
        raise StartFailed("embedded.valkey_failed", f"Valkey did not start: {fault}.", transient=True) from fault


async def _start(place: Place) -> ValkeyServer:
    found = await end_leftovers(place.tag, PROGRAMS, (signal.SIGTERM, signal.SIGKILL), STOP_SECONDS_MAX)
    if found:
        place.say(f"stopped a Valkey that was left running (process {found[0]})")
    program = await find_valkey(place)
    place.ensure_password("valkey")
    place.own_directory(place.sockets)
    folder = place.own_directory(place.home / "valkey")
    socket_path(place).unlink(missing_ok=True)
    with_tcp = place.choose_port("valkey")
    # The configuration goes in by standard input: it holds the password, which others could read among the arguments.
    with place.open_log("valkey") as log, tempfile.TemporaryFile() as source:
        source.write(_configuration(place, with_tcp=with_tcp).encode())
        source.seek(0)
        process = await spawn(
            [program, "-"], env=server_environment(), cwd=folder, account=place.account, stdin=source, stdout=log, stderr=log
        )
    server = ValkeyServer(process, place)
    try:
        await _until_ready(place, server)
    except BaseException:
        await server.stop()
        raise
    place.promise("valkey")
    return server


async def _until_ready(place: Place, server: ValkeyServer) -> None:
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await _answers(server.socket, place.door("valkey").password):
                if server.exit_code is not None:
                    raise StartFailed(
                        "embedded.valkey_failed", f"Valkey did not start: {_last_line(place.log_path('valkey'))}.", transient=True
                    )
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as fault:
        raise StartFailed(
            "embedded.start_slow", f"Valkey was not ready after {START_SECONDS_MAX:.0f} s. See {place.log_path('valkey')}.", transient=True
        ) from fault


async def _answers(socket: Path, password: str) -> bool:
    """Greet it in its own protocol (https://valkey.io/topics/protocol, inline commands)."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except (FileNotFoundError, ConnectionError):
        return False
    try:
        writer.write(f"AUTH {password}\r\nPING\r\n".encode())
        return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
    except ConnectionError:
        return False
    finally:
        writer.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() or ["no reason given"]
    return lines[-1].strip()


def _configuration(place: Place, *, with_tcp: bool) -> str:
    door = place.door("valkey")
    return f"""\
bind 127.0.0.1
protected-mode yes
port {door.port if with_tcp else 0}
unixsocket {socket_path(place)}
unixsocketperm 700
requirepass {door.password}
daemonize no
databases 1
# A cache: PostgreSQL holds the truth, so nothing is written to disk.
save ""
appendonly no
maxmemory {place.settings.valkey_memory_mb}mb
# Refuse new keys when full. Evicting would drop rate limits and queue order without a word.
maxmemory-policy noeviction
# Marks the process as ours in the process list.
proc-title-template "{{title}} {place.tag} {{listen-addr}}"
loglevel notice
logfile ""
always-show-logo no
set-proc-title yes
"""
