"""How a delay passes on through a day: held against a walk in steps of a minute, and against what a desk would say."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.flow.model.lateness import Ripple, Said, Times, Visit, next_from, ripple, settled, telling
from tests.samples import known_id

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
DOCTOR, NURSE, ROOM, SITE, PATIENT = (known_id(number) for number in range(1, 6))


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def visit(number: int, start: float, length: float = 20, calendars: Sequence[UUID] = (DOCTOR,), **known: Any) -> Visit:
    times = tuple(Times(each, at(start), at(start + length)) for each in calendars)
    return Visit(known_id(100 + number), SITE, PATIENT, at(start), times, **known)


def late(found: Ripple, number: int) -> int:
    return found.late[known_id(100 + number)]


def test_a_delay_is_absorbed_by_gaps_and_by_nothing_else() -> None:
    day = [visit(1, 0), visit(2, 20), visit(3, 50), visit(4, 90)]
    found = ripple(day, {DOCTOR: Said(30, at(0), at(0))}, at(0))
    assert [late(found, number) for number in (1, 2, 3, 4)] == [30, 30, 20, 0]
    assert found.calendars == {DOCTOR: 30}


def test_who_is_on_time_again_begins_as_booked() -> None:
    found = ripple([visit(1, 10), visit(2, 30)], {DOCTOR: Said(0, at(5), at(10))}, at(5))
    assert [late(found, number) for number in (1, 2)] == [0, 0]


def test_an_overrun_grows_with_the_time() -> None:
    day = [visit(1, 0, progress="begun", began_at=at(0)), visit(2, 20), visit(3, 45)]
    assert [late(ripple(day, {}, at(10)), number) for number in (2, 3)] == [0, 0]
    assert [late(ripple(day, {}, at(30)), number) for number in (2, 3)] == [10, 5]
    assert ripple(day, {}, at(30)).calendars == {DOCTOR: 10}


def test_who_began_late_is_done_late() -> None:
    day = [visit(1, 0, progress="begun", began_at=at(12)), visit(2, 20), visit(3, 40)]
    assert [late(ripple(day, {}, at(15)), number) for number in (2, 3)] == [12, 12]


def why(found: Ripple) -> list[int]:
    return [number for number in range(1, 9) if known_id(100 + number) in found.by_emergency]


def test_an_emergency_is_why_all_are_late_who_wait_for_it_and_nobody_else() -> None:
    """In the room, from there by the practitioner to who needs no room, until a gap is over."""
    came = visit(8, -5, 15, (ROOM,), progress="begun", began_at=at(-5), is_emergency=True)
    day = [came, visit(1, 0, calendars=(DOCTOR, ROOM)), visit(2, 20), visit(3, 40, calendars=(NURSE,)), visit(4, 60)]
    found = ripple(day, {}, at(5))
    assert [late(found, number) for number in (1, 2, 3, 4)] == [10, 10, 0, 0]
    assert why(found) == [1, 2]
    assert why(ripple([came._replace(is_emergency=False), *day[1:]], {}, at(5))) == []


def test_what_is_later_for_another_reason_is_not_late_for_an_emergency() -> None:
    came = visit(8, -5, 15, (ROOM,), progress="begun", began_at=at(-5), is_emergency=True)
    day = [came, visit(1, 0, calendars=(DOCTOR, ROOM))]
    assert why(ripple(day, {DOCTOR: Said(9, at(-5), at(0))}, at(0))) == [1]
    assert why(ripple(day, {DOCTOR: Said(30, at(-5), at(0))}, at(0))) == []
    assert why(ripple(day[1:], {DOCTOR: Said(30, at(-5), at(0), is_emergency=True)}, at(0))) == [1]


def test_who_began_late_for_an_emergency_passes_it_on_and_who_began_on_time_does_not() -> None:
    for began, after in ((12, [2]), (3, [])):
        first = visit(1, 0, progress="begun", began_at=at(began), by_emergency=True)
        assert why(ripple([first, visit(2, 20, progress="here")], {}, at(45))) == after
    over = visit(1, 0, progress="over", began_at=at(12), over_at=at(40), by_emergency=True)
    assert why(ripple([over, visit(2, 20)], {}, at(30))) == [2]


def test_who_waits_for_us_alone_is_late_for_what_was_the_reason() -> None:
    for by_emergency in (True, False):
        waits = visit(1, 0, progress="here", late=10, by_emergency=by_emergency)
        assert why(ripple([waits], {}, at(20))) == ([1] if by_emergency else [])


def test_what_begins_after_somebody_spoke_counts_more() -> None:
    said = {DOCTOR: Said(60, at(0), at(20))}
    before = [visit(1, 0, progress="begun", began_at=at(-1)), visit(2, 20)]
    assert late(ripple(before, said, at(1)), 2) == 60
    after = [visit(1, 0, progress="begun", began_at=at(5)), visit(2, 20)]
    assert late(ripple(after, said, at(6)), 2) == 5


def test_a_delay_passes_to_whoever_is_waited_for_together() -> None:
    day = [visit(1, 0, calendars=(DOCTOR, ROOM)), visit(2, 20, calendars=(NURSE, ROOM)), visit(3, 40, calendars=(NURSE,))]
    found = ripple(day, {DOCTOR: Said(15, at(0), at(0))}, at(0))
    assert [late(found, number) for number in (1, 2, 3)] == [15, 15, 15]
    assert found.calendars == {DOCTOR: 15, ROOM: 15, NURSE: 15}


def test_who_is_here_begins_now_at_the_earliest_and_who_is_not_holds_nobody_up() -> None:
    day = [visit(1, 0), visit(2, 20, progress="here"), visit(3, 40)]
    found = ripple(day, {}, at(30))
    assert [late(found, number) for number in (1, 2, 3)] == [0, 10, 10]


def test_a_later_part_of_a_visit_is_late_with_it() -> None:
    """A nurse first, then the doctor, whose time begins ten minutes into the visit."""
    parts = (Times(NURSE, at(0), at(10)), Times(DOCTOR, at(10), at(30)))
    first = Visit(known_id(101), SITE, PATIENT, at(0), parts)
    found = ripple([first, visit(2, 30)], {DOCTOR: Said(20, at(0), at(0))}, at(0))
    assert [late(found, number) for number in (1, 2)] == [10, 10], "the gap of ten minutes before the doctor is needed absorbs ten"


def test_what_is_said_counts_from_whoever_is_next() -> None:
    day = [visit(1, -60), visit(2, -10, progress="here"), visit(3, 10), visit(4, 200, calendars=(NURSE,))]
    assert [next_from(day, each, at(0)) for each in (DOCTOR, NURSE, ROOM)] == [at(-10), at(200), at(0)]
    assert next_from(day[:1], DOCTOR, at(0)) == at(0), "who should have come an hour ago is waited for no more"


@pytest.mark.parametrize(
    ("stored", "found", "kept"),
    [(0, 4, 0), (0, 5, 5), (5, 9, 5), (5, 10, 10), (10, 6, 10), (10, 5, 5), (30, 4, 0), (30, 0, 0), (0, 0, 0)],
)  # fmt: skip
def test_small_changes_are_not_said(stored: int, found: int, kept: int) -> None:
    assert settled(stored, found) == kept


@pytest.mark.parametrize(
    ("late", "told", "heard"),
    [(14, 0, None), (15, 0, "later"), (29, 15, None), (30, 15, "later"), (10, 15, None), (0, 15, "as-booked"), (0, 0, None)],
)  # fmt: skip
def test_patients_hear_of_what_grew_by_the_threshold_and_when_it_is_over(late: int, told: int, heard: str | None) -> None:
    assert telling(late, told, 15) == heard


LENGTHS = st.integers(5, 60)
DAYS = st.lists(st.tuples(st.integers(0, 60), LENGTHS), min_size=1, max_size=12)


@given(DAYS, st.integers(0, 480))
def test_one_calendar_is_late_as_a_walk_through_the_day_says(gaps: list[tuple[int, int]], minutes: int) -> None:
    """Lindley's recursion, against the delay less the gaps so far, never below nothing."""
    day, start = [], 0
    for number, (gap, length) in enumerate(gaps):
        start += gap
        day.append(visit(number, start, length))
        start += length
    assert next_from(day, DOCTOR, at(0)) == day[0].start
    found = ripple(day, {DOCTOR: Said(minutes, at(0), day[0].start)}, at(0))
    left = minutes + gaps[0][0]
    for number, (gap, _) in enumerate(gaps):
        left = max(0, left - gap)
        assert late(found, number) == left


@given(DAYS, st.integers(0, 240), st.integers(0, 240), st.lists(st.sampled_from([DOCTOR, NURSE, ROOM]), min_size=12, max_size=12))
def test_a_longer_delay_makes_nobody_earlier_and_nobody_overlaps(
    gaps: list[tuple[int, int]], less: int, more: int, whose: list[UUID]
) -> None:
    day, start = [], 0
    for number, (gap, length) in enumerate(gaps):
        start += gap
        day.append(visit(number, start, length, calendars=tuple({DOCTOR, whose[number]})))
        start += length
    short, long = (ripple(day, {DOCTOR: Said(each, at(0), at(0))}, at(0)) for each in (less, less + more))
    assert all(long.late[each.id] >= short.late[each.id] for each in day)
    for calendar in (DOCTOR, NURSE, ROOM):
        own = [
            (each.start + timedelta(minutes=long.late[each.id]), each) for each in day if any(t.calendar_id == calendar for t in each.times)
        ]
        for (begins, each), (after, _) in pairwise(own):
            assert begins + (each.times[0].end - each.start) <= after, "each waits for the one before"
