"""278 of 005010X217: what is written keeps to the guide, and what decides something is read, whatever else a payer adds."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import Authorisation, Coverage, Payer
from carewright.coverage.model import authorising
from carewright.coverage.model.question import Decision, Reject, Request, Review
from carewright.coverage.model.x12.interchange import NotX12, Segment, Transaction, parse, write
from carewright.coverage.model.x12.review import read_review, write_request
from tests.samples import known_id
from tests.unit.coverage.samples import ANNA, BEN, ENVELOPE, NOON, QUESTION, TODAY

REQUEST = Request(
    trace="0123456789ABCDEF0123456789ABCDEF", asked_at=NOON, provider=QUESTION.provider, payer_name="NUMBAT MUTUAL",
    payer_id="60054", member_id="W123456789", subscriber=ANNA, service_type="62", serviced_on=TODAY, procedure="70551", place="22",
)  # fmt: skip
HEAD = (
    "BHT*0007*11*TRACE1*20261102*1201*18", "HL*1**20*1", "NM1*X3*2*NUMBAT MUTUAL*****PI*60054", "HL*2*1*21*1",
    "NM1*1P*2*LAKESIDE HOSPITAL*****XX*1234567893", "HL*3*2*22*1", "NM1*IL*1*QUOKKALINE*ANNA****MI*W123456789", "DMG*D8*19800229*F",
    "HL*4*3*EV*1", "TRN*2*TRACE1*9123456789", "UM*HS*I*62*22:B",
)  # fmt: skip
WORD = Authorisation(
    id=known_id(1), patient_id=known_id(2), appointment_id=known_id(3), coverage_id=known_id(4), payer=Payer(name="Numbat", id="60054"),
    visit_type_id=known_id(5), serviced_on=TODAY, state="pended", number="PEND-1", asked_at=NOON,
)  # fmt: skip


def lines(raw: bytes) -> list[str]:
    """What stands between ST and SE."""
    return raw.decode().split("~")[3:-4]


def read(*body: str) -> Review:
    """The review that a body holds, within its envelopes."""
    segments = tuple(Segment(id_, tuple(rest)) for id_, *rest in (each.split("*") for each in (*HEAD, *body)))
    return read_review(parse(write(ENVELOPE, "HI", Transaction(kind="278", version="005010X217", segments=segments))))


@pytest.mark.requirement("X217")
def test_a_request_names_payer_provider_member_event_and_service() -> None:
    raw = write_request(REQUEST, ENVELOPE)
    assert b"~GS*HI*" in raw
    assert b"ST*278*0007*005010X217~" in raw
    assert lines(raw) == [
        "BHT*0007*13*0123456789ABCDEF0123456789ABCDEF*20261102*1200", "HL*1**20*1", "NM1*X3*2*NUMBAT MUTUAL*****PI*60054", "HL*2*1*21*1",
        "NM1*1P*2*LAKESIDE HOSPITAL*****XX*1234567893", "HL*3*2*22*1", "NM1*IL*1*QUOKKALINE*ANNA****MI*W123456789", "DMG*D8*19800229*F",
        "HL*4*3*EV*1", "TRN*1*0123456789ABCDEF0123456789ABCDEF*9123456789", "UM*HS*I*62*22:B", "DTP*AAH*D8*20261102", "HL*5*4*SS*0",
        "UM*HS*I*62*22:B", "DTP*472*D8*20261102", "SV1*HC:70551**UN*1",
    ]  # fmt: skip


@pytest.mark.requirement("X217")
def test_a_dependent_has_a_level_of_their_own_and_what_is_urgent_says_so() -> None:
    child = replace(REQUEST, dependent=BEN, relationship="child", urgency="P1", procedure="")
    found = lines(write_request(child, ENVELOPE))
    assert found[8:13] == ["HL*4*3*23*1", "NM1*QC*1*QUOKKALINE*BEN*BO", "DMG*D8*20160301*M", "INS*N*19", "HL*5*4*EV*0"]
    assert "UM*HS*I*62*22:B**U" in found
    assert not any(each.startswith(("SV1", "HL*6")) for each in found), "of no procedure nothing is said"


def test_a_name_that_x12_cannot_hold_is_not_sent() -> None:
    with pytest.raises(NotX12):
        write_request(replace(REQUEST, member_id="W*1"), ENVELOPE)


@pytest.mark.requirement("X217")
def test_a_decision_about_the_service_counts_before_the_one_about_the_event() -> None:
    found = read(
        "HCR*A6*EVENT1", "HL*5*4*SS*0", "TRN*2*ITEM1*9123456789", "HCR*A1*AUTH1", "DTP*AAH*RD8*20261102-20261231", "HSD*VS*1",
        "NM1*P3*1*WATSON*SUSAN****XX*1234567893", "MSG*THANK YOU",
    )  # fmt: skip
    assert found.traces == ("TRACE1", "ITEM1")
    assert (found.member_id, found.subscriber_birth_on, found.number) == ("W123456789", ANNA.birth_on, "EVENT1")
    assert found.decisions == (
        Decision(action="A1", number="AUTH1", valid_from=date(2026, 11, 2), valid_until=date(2026, 12, 31)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("segments", "number", "valid_from", "valid_until"),
    [
        (("HCR*A1*N1", "DTP*007*D8*20261102", "DTP*036*D8*20270102"), "N1", date(2026, 11, 2), date(2027, 1, 2)),
        (("HCR*A1*N1", "DTP*007*RD8*20261102-20261130"), "N1", date(2026, 11, 2), date(2026, 11, 30)),
        (("HCR*A1", "REF*BB*N2"), "N2", None, None),
        (("HCR*A1*N1", "DTP*AAH*D8*20261102"), "N1", None, None),
        (("HCR*A1*N1", "DTP*472*RD8*20261102-20261103"), "N1", date(2026, 11, 2), date(2026, 11, 3)),
    ],
)  # fmt: skip
def test_numbers_and_days_are_read_wherever_a_payer_puts_them(
    segments: tuple[str, ...], number: str, valid_from: date | None, valid_until: date | None
) -> None:
    (found,) = read(*segments).decisions
    assert (found.number, found.valid_from, found.valid_until) == (number, valid_from, valid_until)


def test_why_and_what_is_wrong_are_read() -> None:
    assert read("HCR*A3**0M^0V").decisions == (Decision(action="A3", reasons=("0M", "0V")),)
    assert read("AAA*N**75*C").rejects == (Reject(reason="75", follow_up="C"),)


@pytest.mark.parametrize(
    "body", [("HL*5*9*SS*0",), ("HL*5*3*SS*0",), ("HL*4*3*EV*0",), ("HCR*A1*N", "DTP*AAH*D8*2026"), ("HL*5*4*XX*0",)]
)  # fmt: skip
def test_what_is_out_of_form_is_refused(body: tuple[str, ...]) -> None:
    with pytest.raises(NotX12):
        read(*body)


def test_another_kind_and_a_request_are_no_decision() -> None:
    with pytest.raises(NotX12):
        read_review(parse(write_request(REQUEST, ENVELOPE)))


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        (("A1",), "certified"), (("A1", "A1"), "certified"), (("A2",), "partial"), (("A6",), "partial"), (("A3",), "denied"),
        (("A1", "A3"), "partial"), (("A1", "A4"), "pended"), (("NA",), "certified"), (("CT",), "unknown"), (("C",), "unknown"),
        ((), "unknown"), (("ZZ",), "unknown"),
    ],
)  # fmt: skip
def test_several_decisions_come_to_one_word(actions: tuple[str, ...], state: str) -> None:
    review = Review(traces=(), decisions=tuple(Decision(action=each) for each in actions))
    found = authorising.as_decided(WORD, review, NOON)
    assert found.state == state
    assert found.missing == (("cannot-process",) if state == "unknown" else ())
    assert found.answered_at == (None if state == "pended" else NOON)
    assert found.number == "PEND-1", "the number that there was stays until there is another"


@pytest.mark.parametrize(("reason", "missing"), [("75", "subscriber"), ("42", "payer-away"), ("999", "data")])
def test_why_a_payer_decides_nothing_is_told_in_our_words(reason: str, missing: str) -> None:
    found = authorising.as_decided(WORD, Review(traces=(), rejects=(Reject(reason=reason, follow_up="C"),)), NOON)
    assert (found.state, found.missing) == ("unknown", (missing,))


def test_it_is_asked_about_less_and_less_often() -> None:
    apart = [authorising.next_inquiry(asked, NOON) - NOON for asked in (0, 1, 2, 9, 99)]
    assert apart == [timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=12), timedelta(hours=12)]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True), ({"state": "denied", "valid_until": TODAY - timedelta(days=1)}, True), ({"coverage_id": known_id(9)}, False),
        ({"visit_type_id": known_id(9)}, False), ({"payer": Payer(name="Other", id="1")}, False),
        ({"state": "certified", "valid_until": TODAY - timedelta(days=1)}, False),
        ({"state": "partial", "valid_from": TODAY + timedelta(days=1)}, False),
    ],
)  # fmt: skip
def test_a_word_counts_for_its_coverage_kind_and_days(changes: dict[str, Any], counts: bool) -> None:
    coverage = Coverage(
        id=WORD.coverage_id, patient_id=WORD.patient_id, version=1, updated_at=NOON, payer=WORD.payer, member_id="W1", beneficiary=ANNA
    )  # fmt: skip
    assert authorising.counts_for(replace(WORD, **changes), coverage, known_id(5), TODAY) is counts
