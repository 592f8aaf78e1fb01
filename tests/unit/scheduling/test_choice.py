"""Who serves when several could: each criterion decides only where the ones before it do not."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.scheduling.model.availability import AvailabilityIndex
from carewright.scheduling.model.choice import REACH_TICKS, ChoiceRule, Features, LeastFragmentation, features_of
from carewright.scheduling.model.ticks import TICKS_PER_DAY, Horizon, set_ticks

HORIZON = Horizon(origin=datetime(2026, 11, 23, tzinfo=UTC), days=3)
BERLIN = ZoneInfo("Europe/Berlin")
RULE = LeastFragmentation()


def features(
    before: list[int], after: list[int], busy: list[int] | None = None, opened: list[int] | None = None, coins: list[int] | None = None
) -> Features:
    size = len(before)
    return Features(
        rows=np.arange(size, dtype=np.intp),
        free_before_ticks=np.array([before], np.intp),
        free_after_ticks=np.array([after], np.intp),
        busy_ticks=np.array([busy or [0] * size], np.intp),
        open_ticks=np.array([opened or [96] * size], np.intp),
        coins=np.array([coins or [0] * size], np.uint64),
    )


def order(rule: ChoiceRule, given_features: Features) -> list[int]:
    return [int(position) for position in rule(given_features)[0]]


def test_useless_remainders_are_avoided_first() -> None:
    assert order(RULE, features(before=[2, 5], after=[0, 40], busy=[0, 90])) == [1, 0]


def test_less_waste_is_better_than_more() -> None:
    assert order(RULE, features(before=[2, 1, 2], after=[2, 0, 0])) == [1, 2, 0]


def test_filling_a_gap_beats_an_edge_and_an_edge_beats_cutting_in_two() -> None:
    assert order(RULE, features(before=[12, 0, 0], after=[12, 0, 24], busy=[0, 90, 50])) == [1, 2, 0]


def test_among_equals_the_least_busy_share_of_the_day_comes_first() -> None:
    assert order(RULE, features(before=[0] * 3, after=[9] * 3, busy=[12, 12, 30], opened=[24, 48, 96])) == [1, 2, 0]


def test_preference_decides_among_equal_loads_but_not_against_them() -> None:
    equal, loaded = features(before=[0] * 3, after=[9] * 3), features(before=[0] * 3, after=[9] * 3, busy=[0, 0, 1])
    assert order(LeastFragmentation(preferred=frozenset({2})), equal)[0] == 2
    assert order(LeastFragmentation(preferred=frozenset({2})), loaded)[-1] == 2


def test_the_coin_decides_what_is_left() -> None:
    assert order(RULE, features(before=[0] * 3, after=[9] * 3, coins=[7, 3, 5])) == [1, 2, 0]


def test_what_is_useful_can_be_said() -> None:
    hourly = LeastFragmentation(useful_ticks=12)
    assert order(hourly, features(before=[0, 12], after=[6, 12])) == [1, 0]
    assert order(RULE, features(before=[0, 12], after=[6, 12])) == [0, 1]


def test_a_day_without_open_time_divides_nothing() -> None:
    assert order(RULE, features(before=[0], after=[0], opened=[0])) == [0]


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 5), min_size=1, max_size=12))
def test_the_order_is_the_documented_one(candidates: list[tuple[int, int, int, int, int]]) -> None:
    before, after, busy, preferred, coins = zip(*candidates, strict=True)
    rule = LeastFragmentation(preferred=frozenset(number for number, liked in enumerate(preferred) if liked > 3))

    def rank(number: int) -> tuple[int, int, float, bool, int]:
        sides = (before[number], after[number])
        waste = sum(side for side in sides if side < 3)
        return waste, sum(side > 0 for side in sides), busy[number] / 96, number not in rule.preferred, coins[number]

    given_features = features(list(before), list(after), list(busy), None, list(coins))
    assert order(rule, given_features) == sorted(range(len(candidates)), key=rank)


# Features


def index_of(openings: list[tuple[int, int]], busy: list[tuple[int, int]]) -> AvailabilityIndex:
    index = AvailabilityIndex(HORIZON)
    index.load(UUID(int=1), openings, busy)
    return index


def one(index: AvailabilityIndex, start: int, end: int, zone: ZoneInfo = BERLIN) -> list[int]:
    """Free before and after, busy and open, of the only candidate."""
    found = features_of(index, np.array([0]), np.array([start]), end - start, zone)
    return [int(each[0, 0]) for each in (found.free_before_ticks, found.free_after_ticks, found.busy_ticks, found.open_ticks)]


def test_free_time_is_measured_on_both_sides() -> None:
    index = index_of([(84, 204)], [(84, 90), (110, 120)])
    assert one(index, 95, 101) == [5, 9, 16, 120]
    assert one(index, 90, 110) == [0, 0, 16, 120]


@given(st.data())
def test_features_are_what_counting_tick_by_tick_gives(data: st.DataObject) -> None:
    """Around the day on which Berlin's clocks go forward: the 29th is tick 276 to 552, and beyond the horizon nothing is free."""
    horizon = Horizon(origin=datetime(2026, 3, 28, tzinfo=UTC), days=3)
    ranges = st.lists(st.tuples(st.integers(0, 864), st.integers(0, 864)).map(lambda drawn: (min(drawn), max(drawn))), max_size=5)
    index = AvailabilityIndex(horizon)
    for number in range(3):
        index.load(UUID(int=number), data.draw(ranges), data.draw(ranges))
    starts, ticks = data.draw(st.lists(st.integers(-80, 950), min_size=1, max_size=6)), data.draw(st.integers(1, 100))
    found = features_of(index, np.arange(3), np.array(starts), ticks, BERLIN)
    edges = (-12, 276, 552, 840, 1128)
    for place, start in enumerate(starts):
        day = next(range(first, end) for first, end in pairwise(edges) if start < end)
        for row in range(3):
            free, opened = (set(set_ticks(bitmap[row]).tolist()) for bitmap in (index.free, index.open_bits))
            before = next(number for number in range(REACH_TICKS + 1) if number == REACH_TICKS or start - 1 - number not in free)
            after = next(number for number in range(REACH_TICKS + 1) if number == REACH_TICKS or start + ticks + number not in free)
            assert (found.free_before_ticks[place, row], found.free_after_ticks[place, row]) == (before, after)
            assert found.open_ticks[place, row] == len(opened & set(day))
            assert found.busy_ticks[place, row] == len((opened - free) & set(day))


def test_free_time_is_followed_no_further_than_the_reach() -> None:
    index = index_of([(0, HORIZON.ticks)], [])
    assert one(index, 400, 406)[:2] == [REACH_TICKS, REACH_TICKS]


@pytest.mark.parametrize(("start", "expected"), [(0, [0, 64]), (2, [2, 64]), (858, [64, 0]), (856, [64, 2])])
def test_the_horizon_ends_free_time(start: int, expected: list[int]) -> None:
    assert one(index_of([(0, HORIZON.ticks)], []), start, start + 6)[:2] == expected


def test_the_load_is_that_of_the_local_day() -> None:
    """In Berlin the 24th begins at 23:00 UTC of the 23rd, which is tick 276."""
    index = index_of([(0, HORIZON.ticks)], [(270, 280)])
    assert one(index, 240, 246)[2:] == [6, 276]
    assert one(index, 275, 281)[2:] == [6, 276]
    assert one(index, 276, 282)[2:] == [4, TICKS_PER_DAY]
    assert one(index, 240, 246, ZoneInfo("UTC"))[2:] == [10, TICKS_PER_DAY]


def test_a_coin_is_the_same_in_every_process_and_after_the_horizon_moved() -> None:
    later = AvailabilityIndex(Horizon(origin=HORIZON.origin + timedelta(days=1), days=3))
    later.load(UUID(int=77), [], [])
    later.load(UUID(int=1), [(0, 99)], [])
    here = features_of(index_of([(0, HORIZON.ticks)], []), np.array([0]), np.array([300]), 6, BERLIN)
    there = features_of(later, np.array([1]), np.array([12]), 6, BERLIN)
    assert here.coins.tolist() == there.coins.tolist()


def test_coins_do_not_always_fall_to_the_same_schedule() -> None:
    index = AvailabilityIndex(HORIZON)
    for number in range(4):
        index.load(UUID(int=0x0198_0000_0000_7000_8000_0000_0000_0000 + number * 7919), [(0, HORIZON.ticks)], [])
    coins = features_of(index, np.arange(4), np.arange(100, 700, 3), 3, BERLIN).coins
    winners = coins.argmin(axis=1).tolist()
    assert min(winners.count(row) for row in range(4)) > 20
