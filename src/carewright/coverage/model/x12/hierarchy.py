"""Levels of a transaction (X12 HL), each below one that came before.

Of 270 and 271: source (20), receiver (21), subscriber (22), dependent (23). Of 278: payer, requester, subscriber, dependent, the patient's
event (EV) and its services (SS).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from carewright.coverage.model.x12.interchange import Interchange, NotX12, Segment, Transaction

VERSION = "005010X279A1"
Above = Mapping[str, frozenset[str | None]]
ELIGIBILITY: Above = {"20": frozenset({None}), "21": frozenset({"20"}), "22": frozenset({"21"}), "23": frozenset({"22"})}
"""Below which levels each lies; None is at the top."""
REVIEW: Above = {**ELIGIBILITY, "EV": frozenset({"22", "23"}), "SS": frozenset({"EV"})}
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


def one_transaction(interchange: Interchange, kind: str, version: str = VERSION) -> Transaction:
    """The one transaction of this kind, and of this version or an errata of it. Raises `NotX12` for any other content."""
    if len(interchange.transactions) != 1:
        raise NotX12("kind")
    found = interchange.transactions[0]
    if found.kind != kind or not found.version.startswith(version):
        raise NotX12("kind")
    return found


def levels(transaction: Transaction, above: Above = ELIGIBILITY) -> Levels:
    """The levels of a transaction, each below one that came before. Raises `NotX12`."""
    if not transaction.segments or transaction.segments[0].id != "BHT":
        raise NotX12("loop")
    header, *rest = transaction.segments
    return Levels(header.at(2), header.at(3), _at(header), tuple(_loops(rest, above)))


def stretches(segments: Sequence[Segment], id_: str) -> list[tuple[Segment, ...]]:
    """The stretches that begin with a segment of this id. What stands before the first is in none."""
    starts = [number for number, each in enumerate(segments) if each.id == id_]
    return [tuple(segments[start:end]) for start, end in pairwise([*starts, len(segments)])]


def _loops(segments: Sequence[Segment], above: Above) -> Iterator[tuple[str, tuple[Segment, ...]]]:
    if not segments or segments[0].id != "HL":
        raise NotX12("loop")
    known: dict[str, str] = {}
    for opening, *inside in stretches(segments, "HL"):
        number, parent, level = opening.at(1), opening.at(2), opening.at(3)
        if number in known or known.get(parent) not in above.get(level, ()) or (parent and parent not in known):
            raise NotX12("loop")
        known[number] = level
        yield level, tuple(inside)


def _at(header: Segment) -> datetime:
    day, clock = header.at(4), header.at(5) or "0000"
    try:
        if not CLOCK.fullmatch(clock):
            raise NotX12("value")
        return datetime.strptime(day + clock[:4], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise NotX12("value") from None
