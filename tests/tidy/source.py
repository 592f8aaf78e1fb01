"""The tree under examination: Python and SQL files, read and parsed once."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "carewright"
ROWS = ("cli", "contracts", "kernel", "mock", "roles", "simulation")
"""The packages that are not modules of the hospital."""


@dataclass(frozen=True)
class Source:
    """One file. `place` is its path below the package (`scheduling/service.py`), or below the root for other folders."""

    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.place)

    @property
    def row(self) -> str:
        """The module or package the file belongs to."""
        return self.place.partition("/")[0]

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]


@dataclass(frozen=True)
class Finding:
    """A broken rule, where, and what was seen there."""

    place: str
    line: int
    seen: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.seen}"


@lru_cache
def python_of_package() -> tuple[Source, ...]:
    return _read(PACKAGE, "*.py")


@lru_cache
def python_everywhere() -> tuple[Source, ...]:
    return tuple(source for folder in ("src", "tests", "tools", "bench") for source in _read(ROOT / folder, "*.py", ROOT))


@lru_cache
def sql_of_package() -> tuple[Source, ...]:
    return _read(PACKAGE, "*.sql")


@lru_cache
def tracked_text() -> tuple[Source, ...]:
    """Every text file that git knows, lock files left out. Outside a checkout: nothing."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in listing.stdout.split("\0") if name and not name.endswith(".lock") and (ROOT / name).is_file()]
    return tuple(Source(name, (ROOT / name).read_text("utf-8", errors="replace")) for name in names)


def modules() -> list[str]:
    """The hospital's modules that exist."""
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.parent.name not in ROWS)


def _read(folder: Path, pattern: str, base: Path | None = None) -> tuple[Source, ...]:
    paths = sorted(path for path in folder.rglob(pattern) if "__pycache__" not in path.parts)
    return tuple(Source(path.relative_to(base or folder).as_posix(), path.read_text("utf-8")) for path in paths)
