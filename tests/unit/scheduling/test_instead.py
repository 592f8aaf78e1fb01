"""Who of several that must move is proposed which free time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.scheduling import Appointment, Participant, Slot
from carewright.scheduling.model.instead import chosen
from tests.samples import known_id

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
KIND, SITE = known_id(1), known_id(2)


def at(minutes: int) -> datetime:
    return NINE + timedelta(minutes=minutes)


def visit(number: int, **said: Any) -> Appointment:
    start = at(number)
    return Appointment(
        id=known_id(100 + number), status="booked", visit_type_id=KIND, visit_type_name="Check", service_name="Cardiology", site_id=SITE,
        site_name="Clinic", time_zone="UTC", patient_id=known_id(200 + number), start=start, end=start + timedelta(minutes=20),
        participants=(), created_at=NINE, **said,
    )  # fmt: skip


def slot(start: int, actor: int) -> Slot:
    begins, ends = at(start), at(start + 20)
    who = Participant(kind="practitioner", actor_id=known_id(actor), claimed_from=begins, claimed_to=ends)
    return Slot(visit_type_id=KIND, site_id=SITE, start=begins, end=ends, participants=(who,))


def test_the_more_urgent_is_proposed_the_first_time_and_nobody_the_same() -> None:
    first, second, urgent = visit(0), visit(20), visit(40, urgency="P1")
    free = [slot(60, 7), slot(70, 7), slot(80, 7), slot(60, 8)]
    found = chosen([first, second, urgent], {each.id: free for each in (first, second, urgent)})
    assert [found[each.id] for each in (urgent, first, second)] == [free[0], free[2], free[3]]


def test_who_finds_nothing_is_proposed_nothing() -> None:
    first, second = visit(0), visit(20)
    assert chosen([first, second], {first.id: [slot(60, 7)], second.id: [slot(70, 7)]}).keys() == {first.id}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(7, 9)), max_size=12), st.integers(1, 6))
def test_no_two_are_proposed_one_actor_at_one_time(places: list[tuple[int, int]], count: int) -> None:
    moving = [visit(number) for number in range(count)]
    free = [slot(start * 5, actor) for start, actor in places]
    claims = [one for each in chosen(moving, {each.id: free for each in moving}).values() for one in each.participants]
    for number, one in enumerate(claims):
        for other in claims[number + 1 :]:
            assert one.actor_id != other.actor_id or one.claimed_to <= other.claimed_from or other.claimed_to <= one.claimed_from
