"""What follows from an appointment about the answers of those who take part."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from carewright.contracts.scheduling import Appointment, Participant
from carewright.fhir.model.responses import answer_of
from tests.samples import known_id

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
END = START + timedelta(minutes=30)
PATIENT = Participant(kind="patient", actor_id=known_id(1), claimed_from=START, claimed_to=END)
NURSE = replace(PATIENT, kind="nurse", actor_id=known_id(2))
VISIT = Appointment(
    id=known_id(3), status="booked", visit_type_id=known_id(4), visit_type_name="Foot check", service_name="Podiatry", site_id=known_id(5),
    site_name="Main", time_zone="UTC", patient_id=known_id(1), start=START, end=END, participants=(PATIENT, NURSE), created_at=START,
    updated_at=START,
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reason", "patient", "nurse"),
    [
        ("booked", None, "accepted", "accepted"), ("fulfilled", None, "accepted", "accepted"), ("noshow", None, "accepted", "accepted"),
        ("pending", None, "accepted", None), ("waitlist", None, "accepted", None), ("entered-in-error", None, None, None),
        ("cancelled", "pat", "declined", None), ("cancelled", "pat-mv", "declined", None), ("cancelled", "pat-dec", "accepted", None),
        ("cancelled", "prov", "accepted", "declined"), ("cancelled", "prov-hosp", "accepted", "declined"),
        ("cancelled", "other", "accepted", None), ("cancelled", "patience", "accepted", None),
    ],
)  # fmt: skip
def test_an_answer_is_what_the_appointment_keeps_of_it(status: str, reason: str | None, patient: str | None, nurse: str | None) -> None:
    visit = replace(VISIT, status=status, cancelation_reason=reason)
    assert (answer_of(visit, PATIENT), answer_of(visit, NURSE)) == (patient, nurse)


def test_who_did_not_answer_and_who_holds_a_time_said_nothing() -> None:
    assert answer_of(VISIT, replace(PATIENT, status="needs-action")) is None
    assert answer_of(replace(VISIT, status="pending", expires_at=END), PATIENT) is None
