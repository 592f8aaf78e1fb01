"""A message as an immutable value: its separators and its segments, each field kept as it was written until somebody asks for it."""

import re
from collections.abc import Iterator

import msgspec

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.model.charset import decoded
from carewright.hl7.model.delimiters import Delimiters

SEGMENTS_MAX = 10_000
HEADERS = ("MSH", "FHS", "BHS")
NULL = '""'
"""What says: this is empty now, where nothing says nothing (2.5.3)."""
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
BEFORE, AFTER = "\ufeff \t\r\n\x0b\x1c\x00", "\r\n\x0b\x1c\x00"
BAD_IN_FIELD = re.compile(r"[\r\x0b\x1c]")


class Segment(msgspec.Struct, frozen=True):
    """`fields` from the first after the name; of a header from MSH-2 on, since MSH-1 is the separator itself."""

    name: str
    fields: tuple[str, ...] = ()

    def field(self, number: int) -> str:
        """The field as it was written; empty where the segment ends before it."""
        at = number - (2 if self.name in HEADERS else 1)
        return self.fields[at] if 0 <= at < len(self.fields) else ""


class Message(msgspec.Struct, frozen=True):
    """At least a header. Numbers of fields, components and repetitions are HL7's own: they count from 1."""

    delimiters: Delimiters
    segments: tuple[Segment, ...]

    def all(self, name: str) -> Iterator[Segment]:
        """Every segment of that name, in order."""
        return (each for each in self.segments if each.name == name)

    def first(self, name: str) -> Segment:
        """The first segment of that name; an empty one where there is none."""
        for each in self.segments:
            if each.name == name:
                return each
        return Segment(name)

    def text(self, name: str, field: int, component: int = 1, sub: int = 1) -> str:
        """One value of the first segment of that name, without escapes; empty where it is missing, or said to be empty."""
        return self.value(self.first(name).field(field), component, sub)

    def repetitions(self, field: str) -> list[str]:
        """The field's repetitions as they were written, without empty ones."""
        return [each for each in field.split(self.delimiters.repetition) if each]

    def value(self, field: str, component: int = 1, sub: int = 1) -> str:
        """One value of a field's first repetition, without escapes and spaces around it."""
        if not field:
            return ""
        by = self.delimiters
        first = field.partition(by.repetition)[0]
        found = by.plain(_nth(_nth(first, by.component, component), by.subcomponent, sub)).strip()
        return "" if found == NULL else found

    def is_cleared(self, name: str, field: int) -> bool:
        """Whether the sender says that the value is gone."""
        return self.first(name).field(field) == NULL

    @property
    def kind(self) -> tuple[str, str]:
        """Message type and trigger event: ("SIU", "S12"). Where MSH-9 has none, EVN-1 may say it (v2.2)."""
        return self.text("MSH", 9), self.text("MSH", 9, 2) or self.text("EVN", 1)

    @property
    def control_id(self) -> str:
        return self.text("MSH", 10)


def parse(raw: bytes) -> Message:
    """Read a message of any version from 2.2 on. Raises `NotHl7`, and nothing else."""
    text = decoded(raw).lstrip(BEFORE).rstrip(AFTER)
    if not text:
        raise NotHl7(rule="empty")
    if not text.startswith("MSH") or len(text) < 5:
        raise NotHl7(rule="header")
    separator = text[3]
    delimiters = Delimiters.of(separator, re.split(rf"[{re.escape(separator)}\r\n]", text[4:], maxsplit=1)[0])
    lines = [line for line in segments_in(text, separator) if line.strip()]
    if len(lines) > SEGMENTS_MAX:
        raise NotHl7(rule="size")
    return Message(delimiters, tuple(_segment(line, separator) for line in lines))


def segments_in(text: str, separator: str) -> list[str]:
    """The lines that are segments, whatever ends them. A line end within a value, which some send, is no end of a segment."""
    return re.split(rf"\r\n?|\n(?=[A-Z][A-Z0-9]{{2}}(?:{re.escape(separator)}|\s*$|\s*\n))", text)


def written(message: Message) -> bytes:
    """The message in UTF-8, each segment ended by CR. Raises `NotHl7` for what would not read back as it is."""
    separator = message.delimiters.field
    if not message.segments or message.segments[0].name != "MSH" or message.segments[0].field(2) != message.delimiters.encoding:
        raise NotHl7(rule="header")
    for segment in message.segments:
        _ensure_writable(segment, separator)
    return "".join(separator.join((each.name, *each.fields)) + "\r" for each in message.segments).encode("utf-8")


def _ensure_writable(segment: Segment, separator: str) -> None:
    if not SEGMENT.fullmatch(segment.name):
        raise NotHl7(rule="segment")
    if any(separator in field or "\n" in field or BAD_IN_FIELD.search(field) for field in segment.fields):
        raise NotHl7(rule="value")


def _segment(line: str, separator: str) -> Segment:
    name, *fields = line.rstrip("\n").split(separator)
    if not SEGMENT.fullmatch(name.strip()):
        raise NotHl7(rule="segment")
    while fields and not fields[-1]:
        fields.pop()
    return Segment(name.strip(), tuple(fields))


def _nth(text: str, separator: str, number: int) -> str:
    if number == 1:
        return text.partition(separator)[0]
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""
