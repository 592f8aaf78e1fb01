"""Reading and writing HL7 v2 messages."""

from string import ascii_uppercase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.model.charset import encoded
from carewright.hl7.model.delimiters import Delimiters
from carewright.hl7.model.message import Message, Segment, parse, written
from tests.unit.hl7.samples import SIU

USUAL = Delimiters()
SEPARATORS = [Delimiters(), Delimiters(field="$", component="*"), Delimiters("#", "!", "@", "/", "%"), Delimiters(truncation="#")]
NAMES = st.builds(
    str.__add__, st.sampled_from(ascii_uppercase), st.text(alphabet=ascii_uppercase + "0123456789", min_size=2, max_size=2)
).filter(lambda name: name not in ("MSH", "FHS", "BHS"))  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message that can be written: own separators, any text in any field."""
    delimiters = draw(st.sampled_from(SEPARATORS))
    fields = st.lists(st.one_of(WORDS, st.lists(WORDS, max_size=3)).map(delimiters.composed), max_size=6)
    segments = [Segment(name, _ended(draw(fields))) for name in draw(st.lists(NAMES, max_size=6))]
    header = Segment("MSH", (delimiters.encoding, *_ended(draw(fields))))
    return Message(delimiters, (header, *segments))


def _ended(fields: list[str]) -> tuple[str, ...]:
    while fields and not fields[-1]:
        fields.pop()
    return tuple(fields)


def without_charset(message: Message) -> Message:
    header = message.segments[0]
    return Message(message.delimiters, (Segment("MSH", header.fields[:10]), *message.segments[1:]))


@given(messages())
def test_what_is_written_reads_back_as_the_same_message(message: Message) -> None:
    assert parse(written(without_charset(message))) == without_charset(message)


@given(WORDS, st.sampled_from(SEPARATORS))
@example("C:\\F\\x|y^z~&", USUAL)
@example("two\r\nlines\x0b\x1c", USUAL)
def test_any_text_survives_its_escapes(text: str, delimiters: Delimiters) -> None:
    escaped = delimiters.escaped(text)
    assert not set(escaped) & {delimiters.field, delimiters.component, delimiters.repetition, delimiters.subcomponent, "\r", "\x0b", "\x1c"}
    assert delimiters.plain(escaped) == text


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: b"MSH|^~\\&|" + tail)))
def test_whatever_the_bytes_nothing_is_raised_but_the_refusal(raw: bytes) -> None:
    try:
        found = parse(raw)
    except NotHl7:
        return
    assert found.segments[0].name == "MSH"


@given(st.integers(0, len(SIU)), st.binary(max_size=4), st.integers(0, 20))
def test_a_message_that_was_damaged_anywhere_is_read_or_refused(at: int, other: bytes, cut: int) -> None:
    try:
        found = parse(SIU[:at] + other + SIU[at + cut :])
    except NotHl7:
        return
    assert found.text("PID", 5) is not None
    assert isinstance(found.kind, tuple)


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
def test_a_segment_may_end_in_any_way(ending: bytes) -> None:
    assert parse(SIU.replace(b"\r", ending)).segments == parse(SIU).segments


def test_a_line_end_within_a_value_ends_no_segment() -> None:
    found = parse(b"MSH|^~\\&|A\rNTE|1||first\nsecond line\rPV1|1\r")
    assert [each.name for each in found.segments] == ["MSH", "NTE", "PV1"]
    assert found.text("NTE", 3) == "first\nsecond line"


def test_a_message_has_its_own_separators() -> None:
    found = parse(b"MSH$*~/%$ME$HERE$$$2026$$SIU*S12$7$P$2.3\rPID$1$$1*2%3~4\r")
    assert found.kind == ("SIU", "S12")
    assert found.text("PID", 3, 2, 2) == "3"
    assert found.repetitions(found.first("PID").field(3)) == ["1*2%3", "4"]


@pytest.mark.parametrize("header", [b"MSH", b"MSHAB", b"MSH|^^", b"MSH|a~\\&", b"MSH ^~\\&", b"PID|1", b"", b"\r\n", b"MSH|^~\\&#!|"])
def test_a_header_that_separates_nothing_is_refused(header: bytes) -> None:
    with pytest.raises(NotHl7):
        parse(header)


def test_a_header_may_leave_out_separators_that_it_does_not_use() -> None:
    assert parse(b"MSH|^~|A").delimiters == USUAL
    assert parse(b"MSH|^~\\&#|A").delimiters.truncation == "#"


def test_missing_fields_and_segments_are_empty() -> None:
    found = parse(b"MSH|^~\\&|A")
    assert (found.text("SCH", 1), found.text("MSH", 40), found.control_id, found.kind) == ("", "", "", ("", ""))


def test_the_event_may_stand_in_its_own_segment() -> None:
    assert parse(b"MSH|^~\\&|A||||||ADT|1|P|2.2\rEVN|A04|2026").kind == ("ADT", "A04")


def test_segments_that_nobody_knows_are_kept() -> None:
    raw = SIU + b"ZXY|1|what^ever\r"
    assert parse(raw).segments[-1] == Segment("ZXY", ("1", "what^ever"))
    assert parse(written(parse(raw))) == parse(raw)


def test_two_quotes_say_that_a_value_is_gone() -> None:
    found = parse(b'MSH|^~\\&|A\rPID|1||1||""|\r')
    assert found.is_cleared("PID", 5)
    assert not found.is_cleared("PID", 6)
    assert found.text("PID", 5) == ""


@pytest.mark.parametrize(
    ("charset", "name", "codec"),
    [("", "Zoë", "utf-8"), ("", "Zoë", "latin-1"), ("8859/1", "Zoë", "latin-1"), ("UNICODE UTF-8", "Żółć", "utf-8"),
     ("8859/2", "Żółć", "iso8859-2"),
     ("ASCII", "Zoë", "latin-1"), ("ISO-8859-15", "€uro", "iso8859-15"), ("KS X 1001", "김", "euc_kr"), ("UTF8", "김", "utf-8"),
     ("8859/1~UNICODE UTF-8", "Zoë", "latin-1")],
)  # fmt: skip
def test_a_name_is_read_in_the_character_set_that_the_header_names(charset: str, name: str, codec: str) -> None:
    raw = f"MSH|^~\\&|A|||||||1|P|2.5||||||{charset}\rPID|1||1||{name}".encode(codec)
    assert parse(raw).text("PID", 5) == name


@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "UTF-16", "EBCDIC", "CNS 11643-1992"])
def test_bytes_that_are_not_of_their_character_set_are_refused(charset: str) -> None:
    with pytest.raises(NotHl7) as refused:
        parse(f"MSH|^~\\&|A|||||||1|P|2.5||||||{charset}\rPID|1||1||Zoë".encode("latin-1"))
    assert refused.value.facts == {"rule": "charset"}


@pytest.mark.parametrize("charset", ["", "ASCII", "8859/1", "8859/2", "UNICODE UTF-8"])
def test_a_message_that_was_corrected_is_read_as_it_was_written(charset: str) -> None:
    text = f"MSH|^~\\&|A|||||||1|P|2.5||||||{charset}\nPID|1||1||Müller"
    assert parse(encoded(text)).text("PID", 5) == "Müller"


def test_a_correction_that_its_character_set_does_not_have_is_refused() -> None:
    for charset, name in (("8859/1", "Żółć"), ("EBCDIC", "Muller")):
        with pytest.raises(NotHl7):
            encoded(f"MSH|^~\\&|A|||||||1|P|2.5||||||{charset}\nPID|1||1||{name}")


@pytest.mark.parametrize(
    "message",
    [Message(USUAL, ()), Message(USUAL, (Segment("PID"),)), Message(USUAL, (Segment("MSH", ("^~&",)),)),
     Message(USUAL, (Segment("MSH", (USUAL.encoding,)), Segment("pid"))), Message(USUAL, (Segment("MSH", (USUAL.encoding, "a\rb")),)),
     Message(USUAL, (Segment("MSH", (USUAL.encoding, "a|b")),))],
)  # fmt: skip
def test_what_would_not_read_back_is_not_written(message: Message) -> None:
    with pytest.raises(NotHl7):
        written(message)


def test_escapes_of_others_are_understood_and_strange_ones_kept() -> None:
    plain = USUAL.plain
    assert plain("a\\T\\b\\.br\\c\\X41\\\\H\\bold\\N\\") == "a&b\ncAbold"
    assert plain("C:\\Windows") == "C:\\Windows"
    assert plain("\\Q\\x\\F\\") == "\\Q\\x|"
    assert plain("\\XZ\\") == "\\XZ\\"
