"""Archives as they lie on disks: whatever stands around messages, each is found where it is, and what is broken stops nothing."""

import random

import pytest

from carewright.hl7.model.archive import BETWEEN, COUNT, CUT, SIZE, Found, found_in
from carewright.hl7.model.framing import framed
from carewright.hl7.model.last_words import as_new
from carewright.hl7.model.message import parse
from tests.unit.hl7.samples import SIU

LIMIT = 10_000
ONE = b"MSH|^~\\&|A|B|||20261101||ADT^A31|1|P|2.4\rPID|1||7\r"
TWO = ONE.replace(b"A31|1|", b"A31|2|")


def found(raw: bytes, size: int = 7) -> list[Found]:
    return list(found_in((raw[at : at + size] for at in range(0, len(raw), size)), LIMIT))


def whole(raw: bytes) -> list[str]:
    """The control ids of the messages that are found."""
    return [parse(raw[each.offset : each.offset + each.length]).control_id for each in found(raw) if not each.fault]


def faults(raw: bytes) -> list[tuple[int, str]]:
    return [(each.line, each.fault) for each in found(raw) if each.fault]


@pytest.mark.requirement("V2.archive")
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize(
    "raw",
    [ONE + TWO, (ONE + TWO)[:-1], b"\xef\xbb\xbf" + ONE + b"\r\r" + TWO, framed(ONE) + framed(TWO),
     b"\r" + framed(ONE) + b"\r" + framed(TWO), b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r",
     framed(b"BHS|^~\\&\r" + ONE + TWO + b"BTS|2\r")],
)  # fmt: skip
def test_messages_are_found_however_they_lie(raw: bytes, end: bytes) -> None:
    raw = raw.replace(b"\r", end)
    assert whole(raw) == ["1", "2"]
    assert faults(raw) == []


def test_how_a_file_is_read_makes_no_difference() -> None:
    raw = b"".join((b"junk\r\n", ONE.replace(b"\r", b"\r\n"), framed(TWO), b"\x0b", ONE, b"BTS|9\r\n", TWO[:-1]))
    assert {tuple(found(raw, size)) for size in (1, 2, 3, 8, 64, 100_000)} == {tuple(found(raw))}
    assert len(found(raw)) == 6


@pytest.mark.parametrize(
    ("raw", "told", "taken"),
    [
        (b"\x0b" + ONE + framed(TWO), [(1, CUT)], ["2"]),
        (framed(ONE) + b"\x0b" + TWO, [(4, CUT)], ["1"]),
        (b"BHS|^~\\&\r" + ONE + TWO[:-3], [(4, CUT)], ["1"]),
        (b"BHS|^~\\&\r" + ONE + TWO + b"BTS|3\r", [(6, COUNT)], ["1", "2"]),
        (b"BTS|0\r" + ONE + b"BTS|1\rBHS|^~\\&\r" + TWO + b"BTS|1\r", [], ["1", "2"]),
        (b"a log of\rsomebody's\r" + ONE + TWO, [(1, BETWEEN)], ["1", "2"]),
        (ONE + b"OBX|" + b"x" * LIMIT + b"MSH|\r" + TWO, [(1, SIZE)], ["2"]),
        (b"\x00\xff" * LIMIT + b"\r" + ONE, [(1, BETWEEN)], ["1"]),
        (ONE.decode().encode("utf-16"), [(1, BETWEEN)], []),
        (b"", [], []),
    ],
)
def test_what_is_broken_is_told_by_its_line_and_the_rest_goes_on(raw: bytes, told: list[tuple[int, str]], taken: list[str]) -> None:
    assert faults(raw) == told
    assert whole(raw) == taken


def test_any_bytes_are_read_to_their_end() -> None:
    chance = random.Random(3)
    parts = [ONE, b"\x0b", b"\x1c", b"\r", b"\n", b"BHS|^~\\&\r", b"BTS|1\r", b"MSH", b"MSH|", b"\xff", b"text"]
    for _ in range(300):
        raw = b"".join(chance.choices(parts, k=12))
        spots = [each.offset for each in found(raw, chance.randrange(1, 40))]
        assert all(0 <= spot <= len(raw) for spot in spots)


def test_a_change_becomes_the_booking_that_it_amounts_to_and_nothing_else_is_another() -> None:
    change = SIU.replace(b"SIU^S12^SIU_S12", b"SIU^S14^SIU_S12")
    assert as_new(b"\xef\xbb\xbf" + change, parse(change)) == b"\xef\xbb\xbf" + SIU
