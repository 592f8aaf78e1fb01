"""What the pages about a turn say, in every language that patients are written to: one file each."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "texts"
ENGLISH = "en"


@lru_cache(maxsize=1)
def languages() -> Mapping[str, Mapping[str, str]]:
    """All that is said, by language and key."""
    return {path.stem: tomllib.loads(path.read_text("utf-8"))["words"] for path in sorted(FOLDER.glob("*.toml"))}


def language_for(wanted: str | None) -> str:
    """The language that is written of one that is wanted: "es-MX" is served by "es", and English where it is not written."""
    tag = (wanted or "").partition("-")[0]
    return tag if tag in languages() else ENGLISH
