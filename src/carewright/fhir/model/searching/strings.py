"""Strings (R4, string): the beginning of a text, whatever its case and accents; `:exact` and `:contains`; and sounds."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from jellyfish import metaphone

from carewright.fhir.model.searching.definitions import Path

PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}
"""R4: a name or an address is searched by any of its texts."""
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]+")


def folded(text: str) -> str:
    """The text without case, accents and repeated space: what two strings are compared by."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _SPACE.sub(" ", "".join(mark for mark in decomposed if not unicodedata.combining(mark))).strip()


def texts(path: Path, value: Any) -> Iterator[str]:
    """Every text of one element."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name in PARTS.get(path.kind, ()):
            inner = value.get(name)
            yield from (text for text in (inner if isinstance(inner, list) else [inner]) if isinstance(text, str))


def in_full(path: Path, value: Any) -> str:
    """One element as it is sorted: a name by family and given names, an address from the street on, else by its text."""
    parts = {name: part for name, part in value.items() if name != "text"} if isinstance(value, dict) else value
    return folded(" ".join(texts(path, parts)) or next(texts(path, value), ""))


def matches(asked: str, modifier: str, path: Path, value: object) -> bool:
    """Whether one element begins with `asked` (or is, contains or sounds like it)."""
    return any(_is(asked, modifier, text) for text in texts(path, value))


def _is(asked: str, modifier: str, text: str) -> bool:
    match modifier:
        case "exact":
            return unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", asked)
        case "contains":
            return folded(asked) in folded(text)
        case "phonetic":
            return not sounds(asked).isdisjoint(sounds(text))
        case _:
            return folded(text).startswith(folded(asked))


def sounds(text: str) -> frozenset[str]:
    """How the words of a text sound; a word without a sound of its own is left out."""
    return frozenset(filter(None, (metaphone(word) for word in _WORD.findall(folded(text)))))
