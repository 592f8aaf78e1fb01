"""Archives: messages one after the other in a file, in MLLP's blocks, in batches (2.10.3) or bare, with lines of any end.

A file is read once from its begin to its end, and never held: what is found is told by where it stands. What is broken is told too, and the
rest goes on. CR, LF and CRLF each end a line, and so they are counted.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from carewright.hl7.model.batch import ENVELOPE

BEGIN, END = b"\x0b", b"\x1c"
STOP = re.compile(rb"\r\n|\r|\n|\x0b|\x1c")
HEAD = re.compile(rb"(MSH|FHS|BHS|BTS|FTS)[^A-Za-z0-9\s]")
BOM = b"\xef\xbb\xbf"
BETWEEN, CUT, SIZE, COUNT = "hl7.archive.between", "hl7.archive.cut", "hl7.archive.size", "hl7.archive.count"


class Found(NamedTuple):
    """Something at `offset` (bytes), in `line` (from 1): a message of `length` bytes, or why there is none."""

    line: int
    offset: int
    length: int
    fault: str = ""


class _Piece(NamedTuple):
    line: int
    offset: int
    text: bytes
    stop: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def found_in(chunks: Iterable[bytes], limit: int) -> Iterator[Found]:
    """Everything that the bytes hold, in its order; `limit` is the most that one message may have. Raises nothing, whatever the bytes."""
    scan = _Scan(limit)
    for piece in _pieces(chunks, limit):
        yield from scan.take(piece)
    yield from scan.close(is_cut=scan.is_amid)


class _Scan:
    """Where the reading stands: amid a message or not, amid a block or not, and how many messages the batch has so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begun: _Piece | None = None
        self._end = 0
        self._in_block = self._in_batch = self._in_between = False
        self._counted = 0
        self._stop = b"\n"

    @property
    def is_amid(self) -> bool:
        """Whether a file that ends here was cut off: amid a block, or amid the last line of a batch that has not ended."""
        return self._in_block or (self._in_batch and not self._stop)

    def take(self, piece: _Piece) -> Iterator[Found]:
        text = piece.text.removeprefix(BOM) if piece.offset == 0 else piece.text
        head = HEAD.match(text) if self._stop else None
        if head and head[1] == b"MSH":
            yield from self.close()
            self._begun, self._in_between = piece, False
            self._counted += 1
        elif head and head[1] in ENVELOPE:
            yield from self.close()
            yield from self._envelope(head[1], text, piece)
        elif text.strip(b" \t\x00\x1a") and self._begun is None and not self._in_between:
            self._in_between = True
            yield Found(piece.line, piece.offset, 0, BETWEEN)
        self._end, self._stop = piece.end, piece.stop
        if piece.stop in (BEGIN, END):
            yield from self.close(is_cut=piece.stop == BEGIN and self._in_block)
            self._in_block = piece.stop == BEGIN

    def close(self, *, is_cut: bool = False) -> Iterator[Found]:
        """The message that ends here, if one does."""
        if begun := self._begun:
            self._begun, length = None, self._end - begun.offset
            yield Found(begun.line, begun.offset, length, CUT if is_cut else SIZE if length > self._limit else "")

    def _envelope(self, name: bytes, text: bytes, piece: _Piece) -> Iterator[Found]:
        self._in_batch, self._in_between = name in (b"FHS", b"BHS"), False
        if name == b"BTS":
            said = text[4:].split(text[3:4])[0].strip()
            if said.isdigit() and len(said) < 9 and int(said) != self._counted:
                yield Found(piece.line, piece.offset, 0, COUNT)
            self._counted = 0
        elif name == b"BHS":
            self._counted = 0


def _pieces(chunks: Iterable[bytes], limit: int) -> Iterator[_Piece]:
    """What lies between two stops. A line that has more than `limit` bytes comes in several pieces, and only the last has a stop."""
    held, offset, line = b"", 0, 1
    for chunk in chunks:
        held += chunk
        at = 0
        for stop in STOP.finditer(held):
            if stop[0] == b"\r" and stop.end() == len(held):
                break  # the next chunk may begin with its LF
            yield _Piece(line, offset + at, held[at : stop.start()], stop[0])
            line += stop[0] not in (BEGIN, END)
            at = stop.end()
        held, offset = held[at:], offset + at
        if len(held) > limit:
            text = held.removesuffix(b"\r")
            yield _Piece(line, offset, text, b"")
            held, offset = held[len(text) :], offset + len(text)
    text = held.removesuffix(b"\r")
    if held:
        yield _Piece(line, offset, text, held[len(text) :])
