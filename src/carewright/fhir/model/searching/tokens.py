"""Tokens: codes, identifiers, contact points and booleans (R4, token). Case does not matter except in ids, as R4 advises."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from carewright.fhir.model.searching.definitions import Path
from carewright.fhir.model.searching.elements import elements
from carewright.fhir.model.searching.escapes import plain, split
from carewright.fhir.model.searching.strings import folded

SPECIAL_VALUES = "http://terminology.hl7.org/CodeSystem/special-values"
PHONE_SYSTEMS = frozenset({"phone", "fax", "sms", "pager"})
_PUNCTUATION = re.compile(r"[\s().\-/]")


class Token(msgspec.Struct, frozen=True):
    """`code`, `system|code`, `|code` or `system|`. A `system` of None is any, of "" is none; a `code` of None is any."""

    system: str | None
    code: str | None


class TypedIdentifier(msgspec.Struct, frozen=True):
    """`system|code|value` of `:of-type`: the type of an identifier, and its value."""

    type: Token
    value: str


class Held(NamedTuple):
    """What one element says: a code in any of `systems` ("" where it has none)."""

    systems: tuple[str, ...]
    code: str


def parse(text: str) -> Token:
    """Raises `ValueError` for an empty token, or one of three parts."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) > 2 or not any(parts):
        raise ValueError
    return Token(None, parts[0]) if len(parts) == 1 else Token(parts[0], parts[1] or None)


def parse_typed(text: str) -> TypedIdentifier:
    """Raises `ValueError` unless all three parts are there."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise ValueError
    return TypedIdentifier(Token(parts[0], parts[1]), parts[2])


def matches(token: Token, path: Path, value: object) -> bool:
    """Whether one element is what the token means."""
    return any(_is(token, held, path) for held in held_in(path, value))


def _is(token: Token, held: Held, path: Path) -> bool:
    if token.system is not None and token.system not in held.systems:
        return False
    if token.code is None or token.code == held.code:
        return True
    if path.kind == "id":
        return False
    return _comparable(token.code, path) == _comparable(held.code, path)


def _comparable(code: str, path: Path) -> str:
    return _PUNCTUATION.sub("", code) if path.kind == "ContactPoint" and any(mark.isdigit() for mark in code) else code.casefold()


def held_in(path: Path, value: Any) -> Iterator[Held]:
    """The codes of one element, by its data type."""
    if isinstance(value, bool):
        yield Held((SPECIAL_VALUES, ""), "true" if value else "false")
    elif isinstance(value, str):
        yield Held((path.system, "") if path.system else ("",), value)
    elif isinstance(value, dict) and path.kind == "CodeableConcept":
        for coding in elements("coding", value):
            yield from _held(coding, "system", "code")
    elif isinstance(value, dict):
        yield from _held(value, *_NAMES.get(path.kind, ("system", "code")))


_NAMES = {"Identifier": ("system", "value"), "ContactPoint": ("use", "value")}
"""R4, token: the system of a contact point is its use."""


def _held(value: object, system: str, code: str) -> Iterator[Held]:
    if isinstance(value, dict) and (isinstance(value.get(code), str) or value.get(system)):
        yield Held((str(value.get(system) or ""),), str(value.get(code) or ""))


def is_typed(asked: TypedIdentifier, value: object) -> bool:
    """Whether an Identifier has the type and the value of `:of-type`."""
    if not isinstance(value, dict) or str(value.get("value", "")).casefold() != asked.value.casefold():
        return False
    return matches(asked.type, Path("type", "CodeableConcept"), value.get("type"))


def texts(path: Path, value: Any) -> Iterator[str]:
    """What `:text` looks at: CodeableConcept.text, Coding.display, Identifier.type.text."""
    at = "type" if path.kind == "Identifier" else ""
    for concept in elements(at, value):
        for part in (concept, *elements("coding", concept)):
            yield from (text for name in ("text", "display") for text in elements(name, part) if isinstance(text, str))


def has_text(text: str, path: Path, value: object) -> bool:
    return any(folded(held).startswith(folded(text)) for held in texts(path, value))
