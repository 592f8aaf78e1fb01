"""How full a day is, by the formula that `model/utilisation.py` states."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from carewright.scheduling.model.utilisation import Busyness, HourMinutes, minutes_by_hour

START = datetime(2026, 11, 27, tzinfo=UTC)
ONE, OTHER, FEET, HANDS = (UUID(int=number) for number in range(1, 5))


def at(*minutes: int) -> list[tuple[datetime, datetime]]:
    """Spans from and until so many minutes after the start, in pairs."""
    instants = [START + timedelta(minutes=each) for each in minutes]
    return list(zip(instants[::2], instants[1::2], strict=True))


def test_an_hour_is_as_full_as_the_time_of_those_who_could_serve_is_taken() -> None:
    calendars = {ONE: Busyness(at(0, 120), [], at(30, 75)), OTHER: Busyness(at(60, 120), [], [])}
    found = minutes_by_hour(calendars, {FEET: [ONE], HANDS: [ONE, OTHER]}, START, 3)
    assert found[FEET] == [HourMinutes(60, 30), HourMinutes(60, 15), HourMinutes(0, 0)]
    assert found[HANDS] == [HourMinutes(60, 30), HourMinutes(120, 15), HourMinutes(0, 0)]


def test_blocks_close_and_what_is_taken_twice_or_outside_hours_counts_once_or_not_at_all() -> None:
    calendars = {ONE: Busyness(at(0, 60), at(0, 20), at(10, 40, 30, 50, 70, 90))}
    assert minutes_by_hour(calendars, {FEET: [ONE]}, START, 2)[FEET] == [HourMinutes(40, 30), HourMinutes(0, 0)]


def test_what_begins_before_or_ends_after_the_day_is_cut_to_it() -> None:
    calendars = {ONE: Busyness(at(-600, 6000), [], at(-30, 15, 110, 6000))}
    assert minutes_by_hour(calendars, {FEET: [ONE]}, START, 2)[FEET] == [HourMinutes(60, 15), HourMinutes(60, 10)]


def test_whoever_could_serve_and_does_not_work_adds_nothing() -> None:
    assert minutes_by_hour({}, {FEET: [ONE]}, START, 1) == {FEET: [HourMinutes(0, 0)]}
