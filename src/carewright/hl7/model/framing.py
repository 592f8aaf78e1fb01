"""MLLP's blocks (release 1): VT, the message, FS, CR. Bytes go in as they come, whole messages come out.

What lies between blocks is passed over; a block that is begun anew before it ended was half, and is dropped: its sender got no answer and
sends it again.
"""

from carewright.contracts.hl7 import NotHl7

BEGIN, END, AFTER = b"\x0b", b"\x1c", b"\r"
GARBAGE_BYTES_MAX = 64 * 1024
"""Between blocks. A sender that sends more speaks something else."""


def framed(message: bytes) -> bytes:
    """A block."""
    return BEGIN + message + END + AFTER


class Deframer:
    """Takes one connection's bytes apart. `limit` is the most that one message may have."""

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        """Halves and garbage so far."""
        self._limit = limit
        self._block: bytearray | None = None
        self._garbage = 0

    @property
    def is_between(self) -> bool:
        """Whether no block has begun that has not ended."""
        return self._block is None

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that end within `data`. Raises `NotHl7` once a block, or what lies between two, is too large."""
        whole: list[bytes] = []
        rest = data
        while rest:
            rest = self._outside(rest) if self._block is None else self._inside(self._block, rest, whole)
        return whole

    def _outside(self, data: bytes) -> bytes:
        between, begun, rest = data.partition(BEGIN)
        if between.strip(b"\r\n"):
            self.dropped += 1
            self._garbage += len(between)
            if self._garbage > GARBAGE_BYTES_MAX:
                raise NotHl7(rule="size")
        if begun:
            self._block = bytearray()
        return rest

    def _inside(self, block: bytearray, data: bytes, whole: list[bytes]) -> bytes:
        part, ended, rest = data.partition(END)
        _, begun, anew = part.rpartition(BEGIN)
        if begun:
            self.dropped += 1
            block.clear()
            part = anew
        block += part
        if len(block) > self._limit:
            raise NotHl7(rule="size")
        if ended:
            whole.append(bytes(block))
            self._block, self._garbage = None, 0
        return rest
