"""UUIDv7: laid out as RFC 9562 section 5.7 has it, and always rising."""

import random
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel.clock import ManualClock
from carewright.kernel.ids import Ids

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_an_id_is_a_version_7_of_its_millisecond() -> None:
    clock = ManualClock(NOON + timedelta(milliseconds=123))
    made = Ids(clock).new()
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == int(clock.now().timestamp() * 1000)


@given(st.lists(st.integers(min_value=-5000, max_value=5000), max_size=60))
def test_ids_rise_even_when_the_clock_steps_back(steps_ms: list[int]) -> None:
    clock = ManualClock(NOON)
    ids = Ids(clock, random.Random(1))
    made = [ids.new()]
    for step in steps_ms:
        clock.advance(milliseconds=step)
        made.append(ids.new())
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_more_ids_than_a_millisecond_holds_borrow_from_the_next() -> None:
    ids = Ids(ManualClock(NOON), random.Random(1))
    made = [ids.new() for _ in range(0x1000 * 2 + 5)]
    assert made == sorted(set(made))
    assert (made[-1].int >> 80) - (made[0].int >> 80) == 2


def test_the_same_clock_and_seed_make_the_same_ids() -> None:
    one, other = (Ids(ManualClock(NOON), random.Random(7)) for _ in range(2))
    assert [one.new() for _ in range(5)] == [other.new() for _ in range(5)]


def test_without_a_seed_two_makers_never_meet() -> None:
    one, other = Ids(ManualClock(NOON)), Ids(ManualClock(NOON))
    assert not {one.new() for _ in range(100)} & {other.new() for _ in range(100)}
