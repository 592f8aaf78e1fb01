"""What an appointment may become, and which time a move has to win."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.scheduling import ClaimedTime
from carewright.scheduling.model.appointment import HOLDS_TIME, STEPS, beyond
from tests.samples import known_id
from tests.servers import MORNING

SCHEDULES = (known_id(1), known_id(2))


def claim(start: int, end: int, schedule_id: UUID = SCHEDULES[0], lane: int = 0) -> ClaimedTime:
    return ClaimedTime(schedule_id=schedule_id, lane=lane, start=at(start), end=at(end))


def at(minute: int) -> datetime:
    return MORNING + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("new", "held", "parts"),
    [
        pytest.param((0, 30), [], [(0, 30)], id="nothing held"),
        pytest.param((0, 30), [(0, 30)], [], id="the same time"),
        pytest.param((15, 45), [(0, 30)], [(30, 45)], id="a little later"),
        pytest.param((0, 30), [(15, 45)], [(0, 15)], id="a little earlier"),
        pytest.param((0, 60), [(15, 45)], [(0, 15), (45, 60)], id="longer on both sides"),
        pytest.param((15, 30), [(0, 60)], [], id="within"),
        pytest.param((30, 60), [(0, 30)], [(30, 60)], id="just after"),
        pytest.param((0, 60), [(50, 70), (10, 20)], [(0, 10), (20, 50)], id="two stretches, in any order"),
    ],
)
def test_only_what_is_not_held_already_is_to_be_won(
    new: tuple[int, int], held: list[tuple[int, int]], parts: list[tuple[int, int]]
) -> None:
    assert beyond([claim(*new)], [claim(*each) for each in held]) == [claim(*each) for each in parts]


def test_time_of_another_calendar_or_lane_does_not_count_as_held() -> None:
    held = [claim(0, 30, SCHEDULES[1]), claim(0, 30, lane=1)]
    assert beyond([claim(0, 30)], held) == [claim(0, 30)]


minutes = st.integers(0, 40)
claims = st.lists(st.tuples(minutes, st.integers(1, 10), st.integers(0, 1)), max_size=5)


@given(claims, claims)
def test_the_parts_are_the_minutes_claimed_but_not_held(new: list[tuple[int, int, int]], held: list[tuple[int, int, int]]) -> None:
    def covered(times: list[ClaimedTime]) -> set[tuple[UUID, datetime]]:
        return {
            (each.schedule_id, at(minute)) for each in times for minute in range(60) if each.start <= at(minute) < each.end
        }  # fmt: skip

    wanted, own = ([claim(start, start + length, SCHEDULES[which]) for start, length, which in times] for times in (new, held))
    parts = beyond(wanted, own)
    assert all(part.start < part.end for part in parts)
    assert covered(parts) == covered(wanted) - covered(own)


def test_every_step_leads_to_a_status_that_has_steps_of_its_own() -> None:
    assert {after for steps in STEPS.values() for after in steps} <= set(STEPS)
    assert set(STEPS) >= HOLDS_TIME


def test_what_was_entered_in_error_stays_so() -> None:
    assert STEPS["entered-in-error"] == frozenset()
    assert all("entered-in-error" in steps for status, steps in STEPS.items() if status != "entered-in-error")
