"""Levels of 270 and 271: source (20), receiver (21), subscriber (22), dependent (23), each below the one before (X12 HL)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from carewright.coverage.model.x12.interchange import Interchange, NotX12, Segment, Transaction

VERSION = "005010X279A1"
ORDER = ("20", "21", "22", "23")
CLOCK = re.compile(r"\d{4}(\d{2}(\d{2})?)?")


class Levels(NamedTuple):
    """The header and the loops of one transaction. `reference` is BHT03, `at` when it was made, as far as it says."""

    purpose: str
    reference: str
    at: datetime
    loops: tuple[tuple[str, tuple[Segment, ...]], ...]

    def has(self, level: str) -> bool:
        return any(name == level for name, _ in self.loops)

    def first(self, level: str) -> tuple[Segment, ...]:
        """The loop of a level. Raises `NotX12` where there is none, or another: one question is asked at a time."""
        found = [loop for name, loop in self.loops if name == level]
        if len(found) != 1:
            raise NotX12("loop")
        return found[0]


def one_transaction(interchange: Interchange, kind: str) -> Transaction:
    """The one transaction of this kind and our version. Raises `NotX12` for any other content."""
    if len(interchange.transactions) != 1:
        raise NotX12("kind")
    found = interchange.transactions[0]
    if (found.kind, found.version) != (kind, VERSION):
        raise NotX12("kind")
    return found


def levels(transaction: Transaction) -> Levels:
    """The levels of a transaction, each below one that came before. Raises `NotX12`."""
    if not transaction.segments or transaction.segments[0].id != "BHT":
        raise NotX12("loop")
    header, *rest = transaction.segments
    return Levels(header.at(2), header.at(3), _at(header), tuple(_loops(rest)))


def stretches(segments: Sequence[Segment], id_: str) -> list[tuple[Segment, ...]]:
    """The stretches that begin with a segment of this id. What stands before the first is in none."""
    starts = [number for number, each in enumerate(segments) if each.id == id_]
    return [tuple(segments[start:end]) for start, end in pairwise([*starts, len(segments)])]


def _loops(segments: Sequence[Segment]) -> Iterator[tuple[str, tuple[Segment, ...]]]:
    if not segments or segments[0].id != "HL":
        raise NotX12("loop")
    known: dict[str, str] = {}
    for opening, *inside in stretches(segments, "HL"):
        number, parent, level = opening.at(1), opening.at(2), opening.at(3)
        if level not in ORDER or number in known or _above(known.get(parent)) != level:
            raise NotX12("loop")
        known[number] = level
        yield level, tuple(inside)


def _above(level: str | None) -> str | None:
    """Which level may lie below this one; below nothing, the first."""
    if level is None:
        return ORDER[0]
    return ORDER[ORDER.index(level) + 1] if level != ORDER[-1] else None


def _at(header: Segment) -> datetime:
    day, clock = header.at(4), header.at(5) or "0000"
    try:
        if not CLOCK.fullmatch(clock):
            raise NotX12("value")
        return datetime.strptime(day + clock[:4], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise NotX12("value") from None
