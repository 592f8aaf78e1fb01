"""Batches, and MLLP's blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.model.batch import messages_in
from carewright.hl7.model.framing import GARBAGE_BYTES_MAX, Deframer, framed
from carewright.hl7.model.message import parse
from tests.unit.hl7.samples import SIU

OTHER = SIU.replace(b"MSG00001", b"MSG00002")
BODY = st.binary(max_size=40).map(lambda raw: raw.replace(b"\x0b", b"").replace(b"\x1c", b""))


def test_a_message_alone_is_a_batch_of_itself() -> None:
    assert [parse(each) for each in messages_in(SIU)] == [parse(SIU)]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n"])
def test_a_file_of_batches_is_taken_apart(ending: bytes) -> None:
    whole = (
        b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + SIU + OTHER + b"BTS|2\rBHS|^~\\&|B\r" + SIU + b"BTS|1\rFTS|2\r"
    ).replace(b"\r", ending)  # fmt: skip
    assert [parse(each).control_id for each in messages_in(whole)] == ["MSG00001", "MSG00002", "MSG00001"]


@pytest.mark.parametrize("raw", [b"", b"FHS|^~\\&|A\rFTS|0", b"PID|1\r" + SIU, b"BHS|^~\\&|A\r" + SIU + b"BTS|2\r"])
def test_a_batch_that_does_not_hold_what_it_says_is_refused(raw: bytes) -> None:
    with pytest.raises(NotHl7):
        messages_in(raw)


@given(st.binary(max_size=300))
def test_a_batch_of_anything_is_taken_apart_or_refused(raw: bytes) -> None:
    try:
        found = messages_in(raw)
    except NotHl7:
        return
    assert all(each.startswith(b"MSH") for each in found)


@given(st.lists(BODY, max_size=6), st.data())
def test_messages_come_out_whole_however_the_bytes_are_cut(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"\r\n".join(framed(each) for each in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    deframer, found = Deframer(100), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += deframer.feed(stream[start:end])
    assert found == bodies
    assert deframer.dropped == 0
    assert deframer.is_between


@given(st.binary(max_size=200))
def test_bytes_that_are_no_blocks_end_in_nothing_or_the_refusal(raw: bytes) -> None:
    deframer = Deframer(50)
    try:
        found = deframer.feed(raw)
    except NotHl7:
        return
    assert len(found) <= raw.count(b"\x1c")


def test_a_half_block_is_dropped_when_the_next_begins() -> None:
    deframer = Deframer(100)
    assert deframer.feed(b"\x0bhalf") == []
    assert not deframer.is_between
    assert deframer.feed(framed(b"whole")) == [b"whole"]
    assert deframer.dropped == 1


def test_what_lies_between_blocks_is_passed_over() -> None:
    deframer = Deframer(100)
    assert deframer.feed(b"garbage" + framed(b"one") + b"more\r\n" + framed(b"two")) == [b"one", b"two"]
    assert deframer.dropped == 2


def test_a_block_beyond_the_limit_is_refused_before_it_ends() -> None:
    deframer = Deframer(10)
    with pytest.raises(NotHl7):
        deframer.feed(b"\x0b" + b"x" * 11)


def test_a_sender_of_garbage_alone_is_refused() -> None:
    deframer = Deframer(10)
    with pytest.raises(NotHl7):
        deframer.feed(b"x" * (GARBAGE_BYTES_MAX + 1))
