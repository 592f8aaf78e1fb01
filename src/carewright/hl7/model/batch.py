"""Batches: files and batches of messages (2.10.3), taken apart without reading what is in them."""

import re
from collections.abc import Iterator

from carewright.contracts.hl7 import NotHl7

MESSAGES_MAX = 10_000
AROUND = b" \t\r\n\x0b\x1c\x00"
LINE = re.compile(rb"\r\n?|\n(?=(?:MSH|FHS|BHS|BTS|FTS|[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s]))")
ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")


def messages_in(raw: bytes) -> list[bytes]:
    """Each message on its own, as it was written; one message is a batch of itself.

    Raises `NotHl7` where there is none, where there are too many, where something lies between them, or where BTS-1 counts others.
    """
    found: list[list[bytes]] = []
    counted = 0
    for line in _lines(raw):
        if line[:3] == b"MSH":
            found.append([line])
        elif line[:3] == b"BTS":
            counted = _ensure_count(line, len(found), counted)
        elif line[:3] not in ENVELOPE:
            if not found:
                raise NotHl7(rule="header")
            found[-1].append(line)
    if not found:
        raise NotHl7(rule="empty")
    if len(found) > MESSAGES_MAX:
        raise NotHl7(rule="size")
    return [b"\r".join(lines) + b"\r" for lines in found]


def _lines(raw: bytes) -> Iterator[bytes]:
    text = raw.removeprefix(b"\xef\xbb\xbf").strip(AROUND)
    return (line.strip(b"\x0b\x1c") for line in LINE.split(text) if line.strip(AROUND))


def _ensure_count(line: bytes, so_far: int, before: int) -> int:
    """How many messages were counted up to here."""
    said = line[4:].split(line[3:4])[0].strip() if len(line) > 4 else b""
    if said.isdigit() and len(said) < 9 and int(said) != so_far - before:
        raise NotHl7(rule="count")
    return so_far
