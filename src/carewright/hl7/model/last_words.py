"""Of an archive, what was said last of each appointment, block and patient: only that is worth hearing.

What was said before the last message that says when (of a patient, who) is superseded: it holds all that those before it said. What follows
it is heard too. Order is by when a message was written (MSH-7), then by where it stands.
"""

import struct
from typing import Literal

from carewright.hl7.model.message import Message

Left = Literal["past", "cancelled", "superseded"]
ENDS = frozenset({"cancel", "delete", "no-show", "unblock"})
PLACE = struct.Struct(">qIQ")
"""When it was written (microseconds), which file, and where in it: as bytes, which sort as they should."""
NEVER = 1 << 62


class Thing:
    """What was said of one thing so far: `base` is the place of the last full message, `last` that of the last of all."""

    __slots__ = ("base", "last", "left", "until")

    def __init__(self) -> None:
        self.base = self.last = b""
        self.until = NEVER
        self.left: Left | None = None

    def hear(self, place: bytes, *, is_full: bool, until: int = NEVER, left: Left | None = None) -> None:
        """A message at `place`: until when it may be to come (microseconds), and why, after it, the thing need not be brought."""
        if place >= self.last:
            self.last, self.left = place, left
        if is_full and place >= self.base:
            self.base, self.until = place, until

    def left_out(self, now: int) -> Left | None:
        """Why nothing of it need be brought, unless it is here already."""
        return self.left or ("past" if self.until <= now else None)


def place_of(written: int, file: int, offset: int) -> bytes:
    return PLACE.pack(max(written, 0), file, offset)


def as_new(raw: bytes, message: Message) -> bytes:
    """A change (S13, S14, S18, S19) as the booking (S12) that it amounts to where nobody heard what was before. Only MSH-9 is another."""
    at, component = raw.index(b"MSH"), message.delimiters.component.encode()
    separator = raw[at + 3 : at + 4]
    fields = raw[at:].split(separator, 9)
    kind = fields[8].split(component)
    fields[8] = component.join((kind[0], b"S12", *kind[2:]))
    return raw[:at] + separator.join(fields)
