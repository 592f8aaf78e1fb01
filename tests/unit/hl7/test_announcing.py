"""The messages that we send: each holds against the structure of its version, as hl7apy has it, and says what became of the appointment."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

import msgspec
import pytest
from hl7apy import load_library
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from carewright.contracts.directory import Identifier
from carewright.contracts.hl7 import NotHl7, Partner, ProcessingId
from carewright.contracts.patients import ContactPoint, Patient
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentConfirmed,
    AppointmentFact,
    AppointmentStatus,
    ClaimedTime,
)
from carewright.hl7.model.announcing import Announcement, Booking, Resource, announced, own_entity, their_entity
from carewright.hl7.model.message import parse
from carewright.hl7.model.replies import Reply, reply_in
from carewright.hl7.model.strict import REQUIRED, ensure_whole
from carewright.hl7.model.triggers import STATUSES, event_of, filler_status, is_told

VERSIONS = ("2.3.1", "2.4", "2.5", "2.5.1")
EVENTS = ("S12", "S13", "S14", "S15", "S17", "S23", "S24", "S26")
BLOCKS = ("S23", "S24")
START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
PLACE = UUID("019a0000-0000-7000-8000-000000000001")
PATIENT = Patient(
    id=UUID("019a0000-0000-7000-8000-000000000002"), family="O|Neill^", given=("Zoë", "Ann", "B."), birth_on=date(1980, 2, 29),
    gender="other",
    telecom=(ContactPoint(system="phone", value="+1 608 555 0100"), ContactPoint(system="email", value="zoe@example.org")),
    identifiers=(
        Identifier(system="urn:id:HOSP", value="M-1"), Identifier(system="urn:oid:1.2.3", value="M-2"),
        Identifier(system="https://example.org/mrn", value="M-3"),
    ),
)  # fmt: skip
RESOURCES = (
    Resource(UUID(int=11), "practitioner", "Dr. Ann Adams", "Adams", "Ann", "1234567893"), Resource(UUID(int=12), "nurse", "Nurse Neu"),
    Resource(UUID(int=13), "room", "Examination room number three"), Resource(UUID(int=14), "device", "Ultrasound"),
)  # fmt: skip


def partner(**said: object) -> Partner:
    return msgspec.structs.replace(Partner(id=UUID(int=1), name="EHR", address="mllp://127.0.0.1:1"), **said)


def said(event: str = "S12", patient: Patient = PATIENT, **more: object) -> Announcement:
    booking = Booking(visit_type_id=UUID(int=21), visit_type_name="Check-up", based_on="ORD-7", patient=patient)
    plain = Announcement(
        control_id="0123456789abcdef0123", event=event, made_at=START, placer=own_entity(PLACE), filler=own_entity(PLACE), status="Booked",
        reason="", site_id=PLACE, start=START, end=START + timedelta(minutes=30), booking=booking, resources=RESOURCES,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **more)


def said_of_block(event: str, whose: Resource = RESOURCES[0], site_id: UUID | None = PLACE) -> Announcement:
    return said(event, booking=None, status="Blocked" if event == "S23" else "", resources=(whose,), site_id=site_id)


def fact(kind: type[AppointmentFact], status: AppointmentStatus, lane: int = 0, whose: UUID = PLACE) -> AppointmentFact:
    claims = (ClaimedTime(schedule_id=whose, lane=lane, start=START, end=START),)
    return kind(
        organization_id=PLACE, appointment_id=PLACE, version=1, status=status, visit_type_id=PLACE, site_id=PLACE, patient_id=PATIENT.id,
        start=START, end=START, urgency="P2", claims=claims,
    )  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("event", EVENTS)
def test_a_message_holds_against_the_structure_of_its_version(version: str, event: str) -> None:
    raw = announced(said_of_block(event) if event in BLOCKS else said(event), partner(version=version), {})
    assert parse_message(raw.decode(), validation_level=VALIDATION_LEVEL.STRICT).validate()


def test_hl7apy_would_say_no() -> None:
    """The check can fail: without what the standard requires a message does not hold."""
    raw = announced(said(), partner(), {}).decode()
    with pytest.raises(Exception, match="SCH_6"):
        parse_message(raw.replace("|S12|", "||"), validation_level=VALIDATION_LEVEL.STRICT).validate()


def test_what_must_be_there_is_what_any_version_requires() -> None:
    """As hl7apy has it, which leaves MSH-7 of v2.5 out."""
    required: dict[str, set[int]] = {"MSH": {7}}
    for definitions in (load_library(version).SEGMENTS for version in VERSIONS):
        for name in REQUIRED:
            fields = enumerate(definitions[name][1], 1)
            required.setdefault(name, set()).update(number for number, (_, _, (least, _), _) in fields if least)
    assert {name: {1, 2, *fields} if name == "MSH" else set(fields) for name, fields in REQUIRED.items()} == required


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("|S12|", "||"), "missing"), (("||Zed^A||", "||^||"), "missing"), (("RGS|", "RGX|"), "segment"), (("AIS|", "PID|"), "segment"),
        (("RGS|1|A\r", ""), "segment"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_not_sent(change: tuple[str, str], rule: str) -> None:
    zed = msgspec.structs.replace(PATIENT, family="Zed", given=("A",))
    whole = announced(said(patient=zed), partner(), {}).decode().replace("Zed^A^^^^^L", "Zed^A")
    ensure_whole(parse(whole.encode()))
    assert change[0] in whole
    with pytest.raises(NotHl7) as refused:
        ensure_whole(parse(whole.replace(*change).encode()))
    assert refused.value.facts["rule"] == rule


@pytest.mark.parametrize("processing", get_args(ProcessingId))
def test_a_message_says_what_it_is_for(processing: str) -> None:
    assert parse(announced(said(), partner(processing=processing), {})).text("MSH", 11) == processing


def test_a_message_says_who_when_and_with_whom() -> None:
    read = parse(announced(said("S13", status="Overbook"), partner(receiving_application="EHR", receiving_facility="H|1"), {}))
    assert (read.kind, read.control_id, read.text("MSH", 6)) == (("SIU", "S13"), "0123456789abcdef0123", "H|1")
    assert (read.text("SCH", 2), read.text("SCH", 11, 4), read.text("SCH", 25)) == (str(PLACE), "20261130090000+0000", "Overbook")
    assert (read.text("PID", 5), read.text("PID", 5, 2), read.text("PID", 5, 3)) == ("O|Neill^", "Zoë", "Ann B.")
    assert [read.value(each) for each in read.repetitions(read.first("PID").field(3))] == ["M-1", "M-2", "M-3", str(PATIENT.id)]
    assert [each.name for each in read.segments] == ["MSH", "SCH", "PID", "RGS", "AIS", "AIG", "AIL", "AIP", "AIP"]
    assert (read.text("AIP", 3), read.text("AIP", 3, 9), read.text("AIP", 2)) == ("1234567893", "NPI", "U")
    assert len(read.text("AIL", 3, 2)) <= 20


@pytest.mark.requirement("V2.blocks")
@pytest.mark.parametrize(
    ("whose", "names", "where", "name"),
    [
        (RESOURCES[0], ["AIP"], ("AIP", 3), "1234567893"), (RESOURCES[2], ["AIL"], ("AIL", 3, 2), "Examination room num"),
        (RESOURCES[3], ["AIG"], ("AIG", 3, 2), "Ultrasound"),
    ],
)  # fmt: skip
def test_of_a_block_a_message_says_whose_time_it_is_and_nothing_more(
    whose: Resource, names: list[str], where: tuple[str, int], name: str
) -> None:
    """HL7 v2.5.1, 10.4.12 and 10.4.13; actions are those of table 0206, the status is of table 0278."""
    closed, opened = (parse(announced(said_of_block(event, whose), partner(), {})) for event in BLOCKS)
    for read in (closed, opened):
        assert [each.name for each in read.segments] == ["MSH", "SCH", "RGS", *names]
        assert (read.text("SCH", 2), read.text("SCH", 8), read.text(*where)) == (str(PLACE), "", name)
        assert (read.text("SCH", 11, 4), read.text("SCH", 11, 5)) == ("20261130090000+0000", "20261130093000+0000")
    assert [(each.text("SCH", 6), each.text("SCH", 25), each.text("RGS", 2)) for each in (closed, opened)] == [
        ("S23", "Blocked", "A"), ("S24", "", "D"),
    ]  # fmt: skip


def test_where_a_room_is_of_several_sites_a_block_names_the_room_alone() -> None:
    read = parse(announced(said_of_block("S23", RESOURCES[2], site_id=None), partner(), {("calendar", str(UUID(int=13))): "R3"}))
    assert read.first("AIL").field(3) == "^R3"


def test_a_partner_hears_its_own_words() -> None:
    codes = {
        ("visit-type", str(UUID(int=21))): "FOLLOWUP", ("site", str(PLACE)): "WARD7", ("practitioner", str(UUID(int=11))): "D-1",
        ("authority", "https://example.org/mrn"): "EX", ("cancellation-reason", "pat"): "PATIENT", ("calendar", str(UUID(int=13))): "R3",
    }  # fmt: skip
    read = parse(announced(said("S15", reason="pat", filler=their_entity("F1^US^^"), placer=their_entity("P1^US^^")), partner(), codes))
    assert (read.text("SCH", 1), read.text("SCH", 2), read.text("SCH", 2, 2), read.text("SCH", 6)) == ("P1", "F1", "US", "PATIENT")
    assert (read.text("AIS", 3), read.text("AIL", 3, 4), read.text("AIL", 3, 2), read.text("AIP", 3)) == ("FOLLOWUP", "WARD7", "R3", "D-1")
    assert read.value(read.repetitions(read.first("PID").field(3))[2], 4) == "EX"


def test_a_name_that_a_character_set_does_not_have_is_not_sent() -> None:
    assert "Zoë" in announced(said(), partner(charset="8859/1"), {}).decode("latin-1")
    with pytest.raises(NotHl7):
        announced(said(), partner(charset="ASCII"), {})


def test_what_becomes_of_an_appointment_has_its_event_and_status() -> None:
    assert (event_of(fact(AppointmentAdvanced, "noshow")), filler_status(fact(AppointmentAdvanced, "noshow"))) == ("S26", "Noshow")
    assert event_of(fact(AppointmentConfirmed, "booked")) is None
    assert not is_told(fact(AppointmentAdvanced, "arrived"))
    assert not is_told(fact(AppointmentBooked, "pending"))
    assert filler_status(fact(AppointmentBooked, "booked", lane=1)) == "Overbook"
    assert filler_status(fact(AppointmentBooked, "booked", lane=1, whose=PATIENT.id)) == "Booked", "nobody else is beside them"
    assert set(STATUSES.values()) == {"Booked", "Started", "Complete", "Cancelled", "Noshow", "Deleted"}


@pytest.mark.parametrize(
    ("segments", "reply"),
    [
        ("MSA|AA|1", Reply()), ("MSA|CA|1", Reply()), ("MSA|AA|2", None), ("MSA|XX|1", None), ("ZZZ|1", None),
        ("MSA|AE|1|No such ward", Reply("AE", "No such ward")),
        ("MSA|AR|1\rERR|||103^Table value not found|E|||Unknown|Who is X?", Reply("AR-103", "Table value not found Unknown Who is X?")),
        ("MSA|CE|1\rERR|SCH^1^2^204&Unknown key", Reply("CE-204", "Unknown key")), ("MSA|AE|1||||207", Reply("AE-207")),
    ],
)  # fmt: skip
def test_a_partners_answer_is_understood(segments: str, reply: Reply | None) -> None:
    assert reply_in(parse(f"MSH|^~\\&|EHR\r{segments}\r".encode()), "1") == reply
