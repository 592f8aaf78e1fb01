"""The data directory: who may use it, where its servers live, and what must stay the same from one start to the next.

```text
<data>/embedded.json        ports and passwords, 0600
<data>/log/                 what the servers print
<home>/postgres/            the database cluster, owned by the account that runs it
<home>/valkey/  run/        working directory and sockets
<home>/binaries/            a copy of the programs, where the account cannot reach the installed ones
```
`home` is the data directory itself, unless we are root and the account cannot enter it; then it lies under `root_home`.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

import msgspec

from carewright.roles.child import Account, StartFailed, run_tool, say

Server = Literal["postgres", "valkey"]

# Below the range that outgoing connections take their ports from (32768 on Linux, 49152 by RFC 6335), so that a port
# that was chosen once is rarely taken by somebody else at the next start.
PORT_MIN = 20_000
PORT_MAX = 29_999
PORT_TRIES = 50
SOCKET_PATH_MAX = 103  # sun_path is 104 bytes on macOS and 108 on Linux, with a final zero byte
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@~-]+")
SOCKET_NAME_LONGEST = "/.s.PGSQL.65535.lock"
LOG_BYTES_KEPT = 10_000_000


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """How the embedded servers run. Sizes are in MB, times in seconds."""

    postgres_bin: Path | None = None
    """Directory with `postgres` and `initdb`; None looks for the installed wheel, then for a system PostgreSQL."""
    valkey_server: Path | None = None
    """The server program; None looks for the installed wheel, then for valkey-server or redis-server on PATH."""
    account: str | None = None
    """The user that runs the servers when we are root; None takes `postgres` or `nobody`."""
    root_home: Path = Path("/var/lib/carewright")
    """Where the servers live when we are root and the account cannot enter the data directory."""
    postgres_port: int | None = None
    valkey_port: int | None = None
    shared_buffers_mb: int = 256
    max_connections: int = 300
    valkey_memory_mb: int = 256
    start_seconds_max: float = 300.0
    """Crash recovery reads the log since the last checkpoint: minutes on a slow disk."""
    stop_seconds_max: float = 30.0
    """A fast shutdown writes up to `shared_buffers_mb` to disk."""


class Door(msgspec.Struct):
    """How to reach one server. Port 0 and an empty password mean: not chosen yet."""

    port: int = 0
    password: str = ""


class State(msgspec.Struct):
    """What `embedded.json` remembers. No home means the data directory itself, so that it can be moved."""

    home: str = ""
    postgres: Door = msgspec.field(default_factory=Door)
    valkey: Door = msgspec.field(default_factory=Door)


@dataclass
class Place:
    """An opened data directory. Only one process holds it at a time; `close` lets it go."""

    data: Path
    home: Path
    settings: EmbeddedSettings
    account: Account | None
    state: State
    say: Callable[[str], None]
    _locks: list[int]
    _promised: set[Server] = field(default_factory=set)

    @classmethod
    async def open(cls, data: Path, settings: EmbeddedSettings | None = None, say: Callable[[str], None] = say) -> "Place":
        """Take the data directory, making it if needed. Raises `StartFailed` when it is in use or not usable."""
        settings = settings or EmbeddedSettings()
        locks: list[int] = []
        try:
            data = _make_data_directory(data)
            locks.append(_claim(data))
            return await cls._open(data, settings, say, locks)
        except BaseException as fault:
            _release(locks)
            if isinstance(fault, OSError):
                raise _unusable(data, fault) from fault
            raise

    @classmethod
    async def _open(cls, data: Path, settings: EmbeddedSettings, say: Callable[[str], None], locks: list[int]) -> "Place":
        known = _read_state(data)
        state = known or State()
        account = _account(Path(state.home or data) / "postgres", settings)
        if known is None:
            state.home = await _choose_home(data, settings, account)
        place = cls(data, Path(state.home or data), settings, account, state, say, locks)
        if state.home:
            locks.append(_claim_home(data, place.home))
        place._ensure_ours()
        place.save()
        return place

    def close(self) -> None:
        """Let the data directory go. The servers must have been stopped."""
        if self._locks and self.sockets.parent != self.home:
            remove_tree(self.sockets)
        _release(self._locks)

    @property
    def tag(self) -> str:
        """Marks this home's processes in the process list."""
        return tag_of(self.home)

    @property
    def sockets(self) -> Path:
        """The private directory of the sockets: its path fits into a socket address, and needs no quoting anywhere."""
        near = self.home / "run"
        if len(os.fsencode(near)) + len(SOCKET_NAME_LONGEST) <= SOCKET_PATH_MAX and PLAIN_PATH.fullmatch(str(near)):
            return near
        return Path(tempfile.gettempdir()) / self.tag

    def door(self, server: Server) -> Door:
        return self.state.postgres if server == "postgres" else self.state.valkey

    def ensure_password(self, server: Server) -> bool:
        """Make a password where none is kept; true if it was made now."""
        door = self.door(server)
        if door.password:
            return False
        door.password = secrets.token_urlsafe(24)
        self.save()
        return True

    def choose_port(self, server: Server) -> bool:
        """Settle the port of `server`; false when it must do without, because a promised port has been taken since.

        A restart keeps the port that clients were told: the sockets are named after it, and clients use the sockets.
        """
        door, wanted = self.door(server), self._wanted_port(server)
        if (wanted or door.port) and _port_is_free(wanted or door.port):
            door.port = wanted or door.port
        elif server in self._promised:
            self.say(f"port {door.port} has been taken by another program: {server} goes on through its socket alone")
            return False
        elif wanted:
            raise StartFailed("embedded.port_taken", f"Port {wanted} for {server} is taken. Free it, or choose another port.")
        else:
            door.port = _free_port()
        self.save()
        return True

    def _wanted_port(self, server: Server) -> int | None:
        return self.settings.postgres_port if server == "postgres" else self.settings.valkey_port

    def promise(self, server: Server) -> None:
        """From now on clients know the address of `server`: it must not change before `close`."""
        self._promised.add(server)

    def save(self) -> None:
        """Write `embedded.json` whole or not at all."""
        path = self.data / "embedded.json"
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.state)))
        draft.replace(path)

    def own_directory(self, path: Path) -> Path:
        """Make `path` a directory that the servers' account alone can enter."""
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        owner = self.account.uid if self.account else os.geteuid()
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {owner, os.geteuid()}:
            raise StartFailed("embedded.directory_not_ours", f"{path} belongs to somebody else. Remove it and start again.")
        path.chmod(0o700)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return path

    def log_path(self, server: Server) -> Path:
        """The log file of `server`; when it has grown too large the old one is put aside as `.1`."""
        path = self.data / "log" / f"{server}.log"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES_KEPT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def open_log(self, server: Server) -> IO[bytes]:
        return os.fdopen(os.open(self.log_path(server), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def _ensure_ours(self) -> None:
        """The cluster must belong to the account that is going to run it."""
        cluster = self.home / "postgres"
        owner = self.account.uid if self.account else os.geteuid()
        if not cluster.exists() or cluster.stat().st_uid == owner:
            return
        if self.account and cluster.stat().st_uid == 0:
            _give(cluster, self.account)
            return
        raise StartFailed(
            "embedded.not_owner",
            f"The database in {cluster} belongs to the user '{_user_name(cluster.stat().st_uid)}'. "
            "Start as that user or as root, or choose another data directory.",
        )


def _make_data_directory(data: Path) -> Path:
    """Root's must let the servers' account pass; every file of ours in it is closed to others by its own mode."""
    data = data.absolute()
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return data


def _claim(directory: Path) -> int:
    """Lock a directory. The lock goes when this process does, however it ends."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "?"
        os.close(lock)
        raise StartFailed(
            "embedded.in_use",
            f"The data directory {directory} is in use by process {holder}. Stop that one, or choose another data directory.",
        ) from fault
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _claim_home(data: Path, home: Path) -> int:
    try:
        return _claim(home)
    except FileNotFoundError as fault:
        raise StartFailed(
            "embedded.home_gone",
            f"The database of {data} lay in {home}, which is gone. Restore it from a backup, or choose another data directory.",
        ) from fault


def _release(locks: list[int]) -> None:
    while locks:
        os.close(locks.pop())


def _unusable(data: Path, fault: OSError) -> StartFailed:
    if fault.errno == errno.ENOSPC:
        return StartFailed("embedded.disk_full", f"The disk is full: free some space for {data}, then start again.")
    where = f": {fault.filename}" if fault.filename else ""
    return StartFailed(
        "embedded.data_directory",
        f"The data directory {data} cannot be used ({fault.strerror or fault}{where}). Choose another data directory.",
    )


def _read_state(data: Path) -> State | None:
    path = data / "embedded.json"
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except msgspec.DecodeError as fault:
        raise StartFailed(
            "embedded.state_broken", f"{path} cannot be read ({fault}). Restore it from a backup, or choose another data directory."
        ) from fault


def _account(cluster: Path, settings: EmbeddedSettings) -> Account | None:
    """Who runs the servers: ourselves, or, as root, the cluster's owner or else an unprivileged user."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(_user_name(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in (settings.account,) if settings.account else ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            if user.pw_uid != 0:
                return Account(name, user.pw_uid, user.pw_gid)
    wanted = f"'{settings.account}'" if settings.account else "'postgres' or 'nobody'"
    raise StartFailed(
        "embedded.no_account", f"PostgreSQL does not run as root, and there is no unprivileged user {wanted}. Start as an ordinary user."
    )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


async def _choose_home(data: Path, settings: EmbeddedSettings, account: Account | None) -> str:
    """Where the servers live; "" is the data directory. The account is asked whether it can enter: modes tell only half the truth."""
    if account is None or await can_enter(data, account):
        return ""
    base = settings.root_home
    try:
        if not base.exists():
            base.mkdir(parents=True)
            base.chmod(0o711)
        if await can_enter(base, account):
            return str(_new_home(base, data))
    except OSError:
        pass
    raise StartFailed(
        "embedded.unreachable",
        f"PostgreSQL does not run as root, and the user '{account.name}' can enter neither {data} nor {base}. "
        "Choose a data directory that every user can enter, such as /srv/carewright.",
    )


def _new_home(base: Path, data: Path) -> Path:
    """A directory of `base` that no other data directory has ever used: an earlier one of this name may have been moved away."""
    for number in range(1, 1000):
        home = base / (_digest(str(data)) if number == 1 else f"{_digest(str(data))}-{number}")
        try:
            home.mkdir()
        except FileExistsError:
            continue
        home.chmod(0o711)
        (home / "belongs-to").write_text(f"{data}\n")
        return home
    raise StartFailed("embedded.unreachable", f"{base} is full of old databases of {data}. Delete those that you no longer need.")


async def can_enter(path: Path, account: Account) -> bool:
    """Whether `account` can pass through `path`."""
    code, _ = await run_tool(["/bin/sh", "-c", 'test -x "$0"', path], account=account)
    return code == 0


def _give(tree: Path, account: Account) -> None:
    """Make `account` the owner of a tree that root put there, for instance out of a backup."""
    for folder, _, files in os.walk(tree):
        for name in (".", *files):
            os.chown(Path(folder) / name, account.uid, account.gid, follow_symlinks=False)


def tag_of(home: Path) -> str:
    """The same by whatever path `home` is reached, and another for a copy of it."""
    facts = home.stat()
    return f"carewright-{_digest(f'{facts.st_dev}:{facts.st_ino}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:10]


def _port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    for _ in range(PORT_TRIES):
        port = PORT_MIN + secrets.randbelow(PORT_MAX - PORT_MIN + 1)
        if _port_is_free(port):
            return port
    raise StartFailed("embedded.no_free_port", f"No free port was found between {PORT_MIN} and {PORT_MAX}. Set one yourself.")


def remove_tree(path: Path) -> None:
    """Remove what a broken-off attempt left behind."""
    shutil.rmtree(path, ignore_errors=True)
