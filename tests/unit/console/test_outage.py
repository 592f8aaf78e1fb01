"""Whom an outage hits."""

from datetime import UTC, datetime, timedelta

import pytest

from carewright.console.http.outage import is_hit
from carewright.contracts.hours import Busy
from carewright.contracts.scheduling import Appointment, Participant
from tests.samples import known_id

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
ROOM = known_id(1)


def at(minutes: int) -> datetime:
    return NINE + timedelta(minutes=minutes)


def visit() -> Appointment:
    """From nine, for forty minutes; the room is kept for five more."""
    room = Participant(kind="room", actor_id=ROOM, claimed_from=at(0), claimed_to=at(45))
    return Appointment(
        id=known_id(2), status="booked", visit_type_id=known_id(3), visit_type_name="Check", service_name="Cardiology", site_id=known_id(4),
        site_name="Clinic", time_zone="UTC", patient_id=known_id(5), start=at(0), end=at(40), participants=(room,), created_at=NINE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "now", "hit"),
    [(42, 60, 30, True), (45, 60, 30, False), (-60, 0, -70, False), (-60, 1, -70, True), (39, 60, 39, True), (39, 60, 40, False)],
)
def test_a_visit_is_hit_while_somebody_it_takes_is_not_there_and_it_is_not_over(since: int, until: int, now: int, hit: bool) -> None:
    closed = [Busy(status="busy-unavailable", start=at(since), end=at(until))]
    assert is_hit(visit(), ROOM, closed, at(now)) is hit
    assert not is_hit(visit(), known_id(9), closed, at(now))
