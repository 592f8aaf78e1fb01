"""What the tests of the embedded servers stand on: a folder of their own, supervisors to kill, and questions to ask."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from carewright.roles.embedded import EmbeddedSettings, Place, PostgresServer, start_postgres
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
        return EmbeddedSettings(root_home=self.folder / "elsewhere", shared_buffers_mb=32, max_connections=120)

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
    folder = Path(tempfile.mkdtemp(prefix="cw-", dir=memory if roomy else "/tmp"))  # noqa: S108  (the folder is private, its name random)
    folder.chmod(0o711)
    return folder


def processes_of(folder: Path) -> list[int]:
    """What runs in homes below `folder`."""
    homes = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_dir()]
    marks = {str(folder), *(tag_of(home) for home in homes)}
    return sorted({pid for mark in marks for pid in running(mark, PROGRAMS)})


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
        while any(is_alive(pid) for pid in pids):  # noqa: ASYNC110  (other processes set no asyncio.Event)
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
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


def address_of(ground: Ground) -> str:
    door = json.loads((ground.data / "embedded.json").read_text())["postgres"]
    return f"postgresql://carewright:{door['password']}@/carewright?host={ground.data / 'run'}&port={door['port']}"


async def ask_until_answered(dsn: str, statement: str) -> object:
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            return await ask(dsn, statement)
        await asyncio.sleep(0.05)


@contextlib.contextmanager
def taken(port: int) -> Iterator[int]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield listener.getsockname()[1]


def python_of_nobody() -> tuple[str, int]:
    """A Python that the user nobody can run with our source and packages, and nobody's id."""
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
