"""The border to Numba: functions of arrays are compiled once, and the machine code is kept on disk.

Compiled without Numba's counting of references (`_nrt`): it is atomic, and was nine tenths of the time. Nothing here makes an array or
keeps one, so there is nothing to count; what would do so does not compile. Numba keeps machine code by the file of a function alone and
not by what that function calls, so the place where it is kept is named after the source of all of them.
"""

import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pwd import getpwuid
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])
HERE = Path(__file__).parent


def _place(parents: Iterable[Path]) -> Path | None:
    """In the first of these folders that we can write to, one for us alone: machine code that is read is run. None where there is none."""
    texts = [path.read_bytes() for path in [*sorted(HERE.glob("*.py")), HERE.parent / "model" / "planning.py"]]
    sources = b"".join(text for text in texts if b"import compiled" in text or b"class Problem" in text)
    name = sha256(sources + version("numba").encode()).hexdigest()[:16]
    for parent in parents:
        place = parent / name
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    return None


def _home() -> list[Path]:
    """In our home as the system knows it: a child is told no other, and is to find what its parent keeps."""
    try:
        return [Path(getpwuid(os.getuid()).pw_dir) / ".cache" / "carewright"]
    except KeyError:
        return []


def _options() -> dict[str, Any]:
    if PLACE is not None:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(PLACE))
    return {"cache": PLACE is not None, "nogil": True, "_nrt": False}


PLACE = _place([HERE / "__pycache__", *_home()])
_OPTIONS = _options()
_njit = import_module("numba").njit


def compiled(function: F) -> F:
    """The function as machine code that holds no lock, for arrays, numbers and tuples of them. Its first call compiles it, or reads it."""
    return cast("F", _njit(**_OPTIONS)(function))


def inlined(function: F) -> F:
    """The same, written out where it is called."""
    return cast("F", _njit(**_OPTIONS, forceinline=True)(function))
