"""X12 of our own: what is written reads back the same, and whatever was changed on the way is read or refused in one way."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carewright.contracts.coverage import Insured
from carewright.coverage.model.question import Answer, Benefit, Question, Reject
from carewright.coverage.model.x12 import elements
from carewright.coverage.model.x12.inquiry import read_question, write_question
from carewright.coverage.model.x12.interchange import Envelope, Interchange, NotX12, parse
from carewright.coverage.model.x12.response import read_answer, write_answer
from tests.unit.coverage.samples import ANNA, ANSWER, BEN, ENVELOPE, NOON, QUESTION

days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
numbers = st.text("ABCDEFGHJK0123456789-", min_size=2, max_size=30)
plain = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=30)
people = st.builds(
    Insured, family=plain, given=st.lists(plain, max_size=2).map(tuple), birth_on=st.none() | days,
    gender=st.sampled_from(["female", "male"]) | st.none(),
)  # fmt: skip
questions = st.builds(
    Question, trace=numbers, asked_at=st.just(NOON), provider=st.just(QUESTION.provider), payer_name=plain, payer_id=numbers,
    member_id=numbers, subscriber=people, service_type=st.sampled_from(["30", "98", "MH"]), serviced_on=days,
) | st.builds(
    lambda whole, dependent, relationship: replace(whole, dependent=dependent, relationship=relationship),
    st.just(QUESTION), people, st.sampled_from(["spouse", "child", "other"]),
)  # fmt: skip
benefits = st.builds(
    Benefit, kind=st.sampled_from("16ABCGIRV"), level=st.sampled_from(["IND", "FAM", ""]),
    service_types=st.lists(st.sampled_from(["30", "98", "UC"]), max_size=3, unique=True).map(tuple), plan=st.sampled_from(["GOLD", ""]),
    period=st.sampled_from(["27", "29", ""]), cents=st.none() | st.integers(-(10**9), 10**9),
    percent=st.none() | st.integers(0, 100).map(float), authorisation=st.sampled_from(["Y", "N", "U", ""]),
    in_network=st.sampled_from(["Y", "N", "W", ""]), message=st.sampled_from(["CALL FIRST", ""]),
)  # fmt: skip
answers = st.builds(
    Answer, traces=numbers.map(lambda one: (one,)), payer_name=plain, member_id=numbers, subscriber_birth_on=st.none() | days,
    plan_begins_on=st.none() | days, plan_ends_on=st.none() | days, benefits=st.lists(benefits, max_size=6).map(tuple),
    rejects=st.lists(st.builds(Reject, reason=st.sampled_from(["42", "72"]), follow_up=st.sampled_from("CR")), max_size=2).map(tuple),
)  # fmt: skip


@pytest.mark.requirement("X12.2")
@given(questions, st.integers(1, 999_999_999))
def test_a_question_reads_back_as_it_was_written(question: Question, control: int) -> None:
    assert read_question(parse(write_question(question, replace(ENVELOPE, control=control)))) == question


@pytest.mark.requirement("X12.3")
@given(answers)
def test_an_answer_reads_back_as_it_was_written(answer: Answer) -> None:
    assert read_answer(parse(write_answer(QUESTION, answer, ENVELOPE))) == answer


@pytest.mark.requirement("X12.8")
@given(st.text(max_size=200))
def test_whatever_a_name_is_it_becomes_one_that_x12_can_hold(text: str) -> None:
    made = elements.name(text, 35)
    assert len(made) <= 35
    assert made.isascii()
    assert not set(made) & set("*^:~")


WRITTEN = (
    write_question(QUESTION, ENVELOPE), write_question(replace(QUESTION, dependent=BEN, relationship="child"), ENVELOPE),
    write_answer(QUESTION, ANSWER, ENVELOPE),
    write_answer(replace(QUESTION, dependent=BEN, relationship="child"), replace(ANSWER, dependent_birth_on=ANNA.birth_on), ENVELOPE),
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good interchange in which some bytes, elements or segments were changed, left out or said twice."""
    raw = draw(st.sampled_from(WRITTEN))
    separator = draw(st.sampled_from([b"~", b"*", b""]))
    parts = raw.split(separator) if separator else [raw[each : each + 1] for each in range(len(raw))]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(parts) - 1))
        parts[at : at + 1] = draw(
            st.sampled_from([[], [parts[at]] * 2, [b""]]) | st.binary(max_size=6).map(lambda made: [made]) | st.just([parts[-1], parts[at]])
        )
    return separator.join(parts)


@given(spoiled() | st.binary(max_size=300), st.sampled_from([read_question, read_answer]))
def test_whatever_comes_is_read_or_refused_in_one_way(raw: bytes, read: Callable[[Interchange], object]) -> None:
    with suppress(NotX12):
        read(parse(raw))


@pytest.mark.requirement("X12.1")
@given(st.integers(0, len(WRITTEN[2]) - 2))
def test_an_interchange_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(NotX12):
        parse(WRITTEN[2][:length])


@pytest.mark.requirement("X12.1")
def test_an_envelope_names_its_parties() -> None:
    found = parse(write_question(QUESTION, Envelope(sender="HERE", receiver="THERE", control=1, at=NOON, usage="T")))
    assert (found.sender, found.receiver, found.accepted) == ("HERE", "THERE", True)
