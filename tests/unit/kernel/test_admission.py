"""The limit on what is in flight, and who has how much of it: in simulated time, against a processor that everybody inside shares."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel.admission import (
    LIMIT_FIRST,
    LIMIT_LEAST,
    LIMIT_MOST,
    SAMPLES_LEAST,
    SHARES,
    STANDING_SECONDS,
    WAITING_FEW,
    WAITING_MOST,
    WINDOW_SECONDS,
    Gradient,
    Room,
)
from carewright.kernel.priority import Priority
from tests.overloaded import Simulated

COST = {
    Priority.EMERGENCY: 0.003, Priority.PRESENCE: 0.003, Priority.CHANGE: 0.004, Priority.LOOK: 0.003, Priority.REPORT: 0.02,
}  # fmt: skip
MIX = {Priority.EMERGENCY: 0.05, Priority.PRESENCE: 0.15, Priority.CHANGE: 0.25, Priority.LOOK: 0.5, Priority.REPORT: 0.05}
PEAK = 1 / sum(part * COST[priority] for priority, part in MIX.items())
"""Requests of the mix that the processor can do in a second."""
HALF = {priority: part * PEAK / 2 for priority, part in MIX.items()}
FLOOD = {priority: part * PEAK * 10 for priority, part in MIX.items()} | {
    Priority.EMERGENCY: MIX[Priority.EMERGENCY] * PEAK, Priority.PRESENCE: MIX[Priority.PRESENCE] * PEAK,
}  # fmt: skip
"""Ten times of everything but what is urgent: more people do not fall ill because more look for a time."""


def window(gradient: Gradient, now: float, seconds: float, *, in_flight: int = 30, pressed: bool = True, address: str = "a") -> float:
    """A window of answers that all took so long; the moment after it."""
    if pressed:
        gradient.pressed()
    for _ in range(SAMPLES_LEAST - 1):
        gradient.ended(address, seconds, now, in_flight=in_flight, well=True)
    now += WINDOW_SECONDS
    gradient.ended(address, seconds, now, in_flight=in_flight, well=True)
    return now


@pytest.fixture
def gradient() -> Gradient:
    return Gradient(Random(5), 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_in_a_flood_what_is_urgent_is_answered_and_the_processor_is_never_idle(seed: int) -> None:
    process = Simulated(seed, COST)
    process.run(5, HALF)
    day = process.run(20, FLOOD)
    assert day.refused[Priority.EMERGENCY] == day.refused[Priority.PRESENCE] == 0
    assert day.slowest_of_hundred(Priority.EMERGENCY) < 0.5
    assert day.worked > 0.99 * 20
    shares = [round(day.share_refused(priority), 1) for priority in Priority]
    assert all(less <= more for less, more in pairwise(shares)), "the lower the class, the more of it is refused"


@pytest.mark.parametrize("seed", range(3))
def test_after_a_flood_everybody_is_answered_as_before(seed: int) -> None:
    process = Simulated(seed, COST)
    before = process.run(10, HALF)
    process.run(20, FLOOD)
    process.run(10, HALF)
    after = process.run(10, HALF)
    assert before.refused == after.refused == {}
    for priority in Priority:
        assert after.slowest_of_hundred(priority) < 2 * before.slowest_of_hundred(priority) + 0.02


def test_a_burst_waits_and_is_not_refused() -> None:
    process = Simulated(1, COST)
    process.run(5, HALF)
    day = process.run(0.1, {Priority.LOOK: 1000})
    day_after = process.run(1, {})
    assert day.refused == day_after.refused == {}


def test_a_slow_dependency_lowers_the_limit_and_it_comes_back() -> None:
    process = Simulated(2, COST)
    process.run(5, HALF)
    process.run(10, HALF, slowness=lambda _: 10)
    low = process.gradient.limit
    process.run(20, HALF)
    assert (low < LIMIT_FIRST / 2, process.gradient.limit > 0.8 * LIMIT_FIRST) == (True, True)


def test_a_process_that_starts_in_a_flood_learns_what_is_usual_by_letting_little_in() -> None:
    process = Simulated(3, COST)
    process.run(5, FLOOD)
    day = process.run(60, FLOOD)
    assert process.gradient.limit < LIMIT_FIRST
    assert day.refused[Priority.EMERGENCY] == 0
    assert day.worked > 0.99 * 60, "looking costs no work"


def test_quick_answers_let_the_limit_grow_and_calm_lets_it_return(gradient: Gradient) -> None:
    now = 0.0
    for _ in range(1000):
        now = window(gradient, now, 0.001, in_flight=int(gradient.limit))
    assert gradient.limit > 300
    for _ in range(200):
        now = window(gradient, now, 0.001, in_flight=2, pressed=False)
    assert gradient.limit == pytest.approx(LIMIT_FIRST, abs=1)


def test_each_answer_is_held_against_what_is_usual_for_its_address(gradient: Gradient) -> None:
    now = 0.0
    for address, seconds in (("quick", 0.03), ("slow", 3.0)):
        now = window(gradient, now, seconds, in_flight=1, pressed=False, address=address)
    before = gradient.limit
    now = window(gradient, now, 3.0, address="slow")
    assert gradient.limit > before, "it is always slow"
    before = gradient.limit
    window(gradient, now, 3.0, address="quick")
    assert gradient.limit < before, "that one is not"


def test_what_nobody_notices_is_no_sign_of_overload(gradient: Gradient) -> None:
    now = window(gradient, 0.0, 0.0005, in_flight=1, pressed=False)
    before = gradient.limit
    window(gradient, now, 0.015)
    assert gradient.limit > before, "thirty times slower, and still nothing"


def test_refusals_that_come_quickly_say_nothing(gradient: Gradient) -> None:
    now = window(gradient, 0.0, 0.1, in_flight=1, pressed=False)
    for _ in range(100):
        now += WINDOW_SECONDS
        gradient.ended("a", 0.001, now, in_flight=30, well=False)
    before = gradient.limit
    window(gradient, now, 1.0)
    assert gradient.limit < before, "nobody learned from them that a is quick, or that all is well"


def test_faults_that_come_slowly_lower_the_limit(gradient: Gradient) -> None:
    now = window(gradient, 0.0, 0.1, in_flight=1, pressed=False)
    before = gradient.limit
    gradient.pressed()
    for _ in range(SAMPLES_LEAST):
        now += WINDOW_SECONDS
        gradient.ended("a", 15.0, now, in_flight=30, well=False)
    assert gradient.limit < before


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(1, 600), st.booleans(), st.booleans()), max_size=400), st.integers())
def test_the_limit_stays_within_its_bounds_whatever_happens(answers: list[tuple[float, int, bool, bool]], seed: int) -> None:
    gradient, now = Gradient(Random(seed), 0.0), 0.0
    for seconds, in_flight, well, pressed in answers:
        now += 0.05
        if pressed:
            gradient.pressed()
        gradient.ended("a", seconds, now, in_flight=in_flight, well=well)
        assert LIMIT_LEAST <= gradient.limit <= LIMIT_MOST


@given(st.lists(st.tuples(st.sampled_from(Priority), st.booleans()), max_size=300))
def test_nobody_has_more_than_their_share_and_an_emergency_always_has_room(steps: list[tuple[Priority, bool]]) -> None:
    room = Room(Gradient(Random(1), 0.0))
    for priority, comes in steps:
        before = sum(room.inside.values())
        if comes and room.is_open(priority):
            room.enter(priority)
            share = SHARES[priority]
            assert before < share.until * LIMIT_FIRST
            assert room.inside[priority] <= max(1, share.at_most * LIMIT_FIRST)
        elif not comes and room.inside[priority]:
            room.leave(priority)
        assert all(count >= 0 for count in room.inside.values())
    if room.inside[Priority.EMERGENCY] < LIMIT_FIRST:
        assert room.is_open(Priority.EMERGENCY)
    below = [each for each in Priority if room.is_open(each) and each is not Priority.REPORT]
    assert below == [each for each in Priority if each <= max(below, default=-1)], "whoever may enter, those above may"


def test_one_of_each_may_enter_however_low_the_limit(gradient: Gradient) -> None:
    room = Room(gradient)
    assert all(room.has_place(priority) for priority in Priority)


def test_a_queue_that_stands_is_kept_short_until_nobody_is_refused_any_more(gradient: Gradient) -> None:
    room, look = Room(gradient), Priority.LOOK
    for _ in range(WAITING_MOST):
        assert room.may_wait(look, 10.0)
        room.wait(look, 10.0)
    assert not room.may_wait(look, 10.0)
    for _ in range(WAITING_MOST - WAITING_FEW):
        room.wait_no_longer(look)
    assert room.may_wait(look, 10.0 + STANDING_SECONDS), "a burst"
    assert not room.may_wait(look, 10.1 + STANDING_SECONDS), "a flood"
    for _ in range(WAITING_FEW):
        room.wait_no_longer(look)
    for _ in range(WAITING_FEW):
        assert room.may_wait(look, 10.2 + STANDING_SECONDS)
        room.wait(look, 10.2 + STANDING_SECONDS)
    assert not room.may_wait(look, 10.3 + STANDING_SECONDS), "it was empty for a moment, and is the same flood"
    assert room.may_wait(look, 13.0) is False
    for _ in range(WAITING_FEW):
        room.wait_no_longer(look)
    assert room.may_wait(look, 20.0)
