"""The languages that screens and kiosks speak: one file each."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from carewright.lobby.model.words import Language

FOLDER = Path(__file__).resolve().parents[1] / "texts"


@lru_cache(maxsize=1)
def languages() -> Mapping[str, Language]:
    """Every language that is written, by its tag."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.toml"))}


def _read(path: Path) -> Language:
    document = tomllib.loads(path.read_text("utf-8"))
    return Language(path.stem, document["name"], document["words"], document["kiosk"])
