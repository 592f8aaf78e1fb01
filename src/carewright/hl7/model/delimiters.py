"""The separators of a message, as its own header states them, and the escapes that keep them out of values (HL7 v2.8.2, 2.5.4 and 2.7)."""

import re
from collections.abc import Sequence

import msgspec

from carewright.contracts.hl7 import NotHl7

DEFAULT = "^~\\&"
BREAK = "\n"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
IGNORED = re.compile(r"[HN]|\.[a-z]{2}[-+]?[0-9]*|[CM][0-9A-Fa-f]+")
"""Highlighting, formatting, and switches of character sets: they change how text looks, or come from sets that we do not switch to."""

Whole = str | Sequence["str | Sequence[str]"]


class Delimiters(msgspec.Struct, frozen=True):
    """MSH-1 and MSH-2. `truncation` is new in v2.7 and separates nothing."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @classmethod
    def of(cls, field: str, encoding: str) -> "Delimiters":
        """Those of a header. What `encoding` leaves out is as usual.

        Raises `NotHl7` for letters, digits, spaces, or one that serves twice.
        """
        given = encoding[:5]
        made = cls(field, *(given + DEFAULT[len(given) :]))
        used = [made.field, made.component, made.repetition, made.escape, made.subcomponent, *made.truncation]
        if len(set(used)) < len(used) or any(one.isalnum() or one.isspace() or not one.isprintable() for one in used) or len(encoding) > 5:
            raise NotHl7(rule="delimiters")
        return made

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation

    def escaped(self, text: str) -> str:
        """`text` so that it separates nothing."""
        return "".join(self._escaped(letter) for letter in text) if self._separates(text) else text

    def plain(self, text: str) -> str:
        """What was escaped, as it was meant. What is no escape that we know stays as it is."""
        if self.escape not in text:
            return text
        parts = text.split(self.escape)
        made, at = [parts[0]], 1
        while at < len(parts):
            meant = self._meant(parts[at]) if at + 1 < len(parts) else None
            made += [self.escape, parts[at]] if meant is None else [meant, parts[at + 1]]
            at += 1 if meant is None else 2
        return "".join(made)

    def composed(self, value: Whole) -> str:
        """A field's text: one value, or its components, each one value or its subcomponents. Trailing empty ones are left out."""
        if isinstance(value, str):
            return self.escaped(value)
        components = [
            self.escaped(each) if isinstance(each, str) else _joined(self.subcomponent, [self.escaped(one) for one in each])
            for each in value
        ]
        return _joined(self.component, components)

    def _separates(self, text: str) -> bool:
        return bool(CONTROL.search(text)) or any(one in text for one in (self.field, *self.encoding))

    def _escaped(self, letter: str) -> str:
        name = {self.field: "F", self.component: "S", self.subcomponent: "T", self.repetition: "R", self.escape: "E"}.get(letter)
        if self.truncation and letter == self.truncation:
            name = "P"
        if name is None and CONTROL.match(letter):
            name = ".br" if letter == BREAK else f"X{ord(letter):02X}"
        return letter if name is None else f"{self.escape}{name}{self.escape}"

    def _meant(self, name: str) -> str | None:
        """What an escape stands for; None where there is no such escape."""
        known = {"F": self.field, "S": self.component, "T": self.subcomponent, "R": self.repetition, "E": self.escape, ".br": BREAK}
        if name in known:
            return known[name]
        if name == "P":
            return self.truncation or None
        if name[:1] == "X" and HEX.fullmatch(name[1:]):
            return _of_bytes(bytes.fromhex(name[1:]))
        return "" if IGNORED.fullmatch(name) else None


def _of_bytes(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _joined(separator: str, parts: Sequence[str]) -> str:
    return separator.join(parts).rstrip(separator)
