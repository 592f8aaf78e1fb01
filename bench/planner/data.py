"""The stored instances, their best known values and scorers. They lie beside the repository (`../shared`) and are no part of it."""

import csv
import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

OPTIM = Path(__file__).parents[3] / "shared" / "data" / "optim"
KEPT = Path("~/.cache/carewright/bench").expanduser()
"""What is dear to make and the same each time: bounds of fresh days."""


class Missing(Exception):
    """The instances are not on this machine."""

    def __init__(self) -> None:
        super().__init__(f"The planner's instances and scorers belong into {OPTIM}, beside the repository, and are not there.")


def ensure_there() -> None:
    if not (OPTIM / "README.md").is_file():
        raise Missing


def stored(name: str) -> Any:
    """A JSON file."""
    return json.loads((OPTIM / name).read_text("utf-8"))


def best_known(folder: str) -> list[dict[str, str]]:
    with (OPTIM / folder / "best_known.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@cache
def program(name: str) -> Any:
    """One of the scorers, or the generator, as a module."""
    sys.path.insert(0, str(OPTIM))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(OPTIM))
