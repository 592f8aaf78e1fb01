"""An interchange: separators, segments, and the envelopes that count them (ASC X12.5 and X12.6, version 005010)."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

ISA_BYTES = 106
"""The first segment is as long as this always, so that its separators are found by their place."""
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
SEGMENTS_MAX = 10_000
SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
PRINTED = re.compile(r"[\x20-\x7e]*")
Usage = Literal["T", "P"]
"""ISA15: a test, or the real thing."""


class NotX12(ValueError):
    """`rule` says what is wrong, in a word: `header`, `separators`, `charset`, `segment`, `size`, `envelope`, `kind`, `loop`, `value`."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Separators(NamedTuple):
    element: str = "*"
    repetition: str = "^"
    component: str = ":"
    segment: str = "~"


USUAL = Separators()


class Segment(NamedTuple):
    """A segment's id and its elements; `at` counts from 1 as the standard does."""

    id: str
    elements: tuple[str, ...] = ()

    def at(self, number: int) -> str:
        """An element, or nothing where the segment ends before it."""
        return self.elements[number - 1] if number <= len(self.elements) else ""


def segment(id_: str, *elements: str) -> Segment:
    """A segment without the empty elements at its end, which X12 forbids."""
    kept = len(elements)
    while kept and not elements[kept - 1]:
        kept -= 1
    return Segment(id_, elements[:kept])


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends to whom, and under which numbers. `control` is that of interchange, group and transaction alike: one of each is sent."""

    sender: str
    receiver: str
    control: int
    at: datetime
    usage: Usage = "P"


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between ST and SE: `kind` is 270, 271 or 278, `version` that of its group (005010X279A1)."""

    kind: str
    version: str
    segments: tuple[Segment, ...]


class Interchange(msgspec.Struct, frozen=True, kw_only=True):
    """The transactions of an interchange. `accepted` is False where it is a note (TA1) that ours was not taken."""

    separators: Separators
    sender: str
    receiver: str
    transactions: tuple[Transaction, ...]
    accepted: bool = True


def parse(raw: bytes) -> Interchange:
    """Read an interchange and hold its envelopes against what they count. Raises `NotX12`."""
    text = _text_of(raw)
    separators = _separators(text)
    header, *rest = _segments(text, separators)
    return _opened(separators, header, rest)


def write(envelope: Envelope, group: str, transaction: Transaction) -> bytes:
    """An interchange of one transaction; `group` is GS01: HS for 270, HB for 271, HI for 278. Raises `NotX12` for what none can hold."""
    control, at = f"{envelope.control:09}", envelope.at
    number = str(envelope.control)
    inside = (segment("ST", transaction.kind, number.zfill(4), transaction.version), *transaction.segments)
    everything = (
        segment(
            "ISA", "00", " " * 10, "00", " " * 10, "ZZ", envelope.sender.ljust(15), "ZZ", envelope.receiver.ljust(15),
            f"{at:%y%m%d}", f"{at:%H%M}", USUAL.repetition, "00501", control, "0", envelope.usage, USUAL.component,
        ),
        segment("GS", group, envelope.sender, envelope.receiver, f"{at:%Y%m%d}", f"{at:%H%M}", number, "X", transaction.version),
        *inside,
        segment("SE", str(len(inside) + 1), number.zfill(4)),
        segment("GE", "1", number),
        segment("IEA", "1", control),
    )  # fmt: skip
    return "".join(_written(each) for each in everything).encode("ascii")


def _written(one: Segment) -> str:
    loose = one.elements if one.id != "ISA" else one.elements[:10]
    if any(not PRINTED.fullmatch(each) or {USUAL.element, USUAL.segment} & set(each) for each in loose):
        raise NotX12("value")
    if one.id == "ISA" and tuple(map(len, one.elements)) != ISA_WIDTHS:
        raise NotX12("header")
    return USUAL.element.join((one.id, *one.elements)) + USUAL.segment


def _text_of(raw: bytes) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise NotX12("charset") from None


def _separators(text: str) -> Separators:
    if len(text) < ISA_BYTES or not text.startswith("ISA"):
        raise NotX12("header")
    found = Separators(element=text[3], repetition=text[82], component=text[104], segment=text[105])
    if len(set(found)) < len(found) or any(each.isalnum() or each == " " for each in found):
        raise NotX12("separators")
    return found


def _segments(text: str, separators: Separators) -> Iterator[Segment]:
    *parts, rest = text.split(separators.segment)
    if rest.strip("\r\n ") or len(parts) > SEGMENTS_MAX:
        raise NotX12("size")
    for part in parts:
        id_, *elements = part.strip("\r\n").split(separators.element)
        if not SEGMENT_ID.fullmatch(id_) or not all(PRINTED.fullmatch(each) for each in elements):
            raise NotX12("segment")
        yield Segment(id_, tuple(elements))


def _opened(separators: Separators, header: Segment, rest: Sequence[Segment]) -> Interchange:
    if tuple(map(len, header.elements)) != ISA_WIDTHS or not rest:
        raise NotX12("header")
    *inner, trailer = rest
    notes = [each for each in inner if each.id == "TA1"]
    groups = list(_groups([each for each in inner if each.id != "TA1"]))
    if trailer.id != "IEA" or trailer.at(1) != str(len(groups)) or trailer.at(2) != header.at(13):
        raise NotX12("envelope")
    return Interchange(
        separators=separators, sender=header.at(6).strip(), receiver=header.at(8).strip(),
        transactions=tuple(each for group in groups for each in group), accepted=all(note.at(4) != "R" for note in notes),
    )  # fmt: skip


def _groups(segments: Sequence[Segment]) -> Iterator[list[Transaction]]:
    for opening, inside, closing in _enclosed(segments, "GS", "GE"):
        transactions = list(_transactions(inside, opening.at(8)))
        if closing.at(1) != str(len(transactions)) or closing.at(2) != opening.at(6):
            raise NotX12("envelope")
        yield transactions


def _transactions(segments: Sequence[Segment], version: str) -> Iterator[Transaction]:
    for opening, inside, closing in _enclosed(segments, "ST", "SE"):
        if closing.at(1) != str(len(inside) + 2) or closing.at(2) != opening.at(2):
            raise NotX12("envelope")
        yield Transaction(kind=opening.at(1), version=opening.at(3) or version, segments=tuple(inside))


def _enclosed(segments: Sequence[Segment], opens: str, closes: str) -> Iterator[tuple[Segment, Sequence[Segment], Segment]]:
    """Each stretch from one that opens to the next that closes; nothing lies between two of them."""
    at = 0
    while at < len(segments):
        end = next((number for number in range(at, len(segments)) if segments[number].id == closes), None)
        if segments[at].id != opens or end is None:
            raise NotX12("envelope")
        yield segments[at], segments[at + 1 : end], segments[end]
        at = end + 1
