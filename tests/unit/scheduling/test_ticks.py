"""Instants to ticks and back, ranges of bits, and what the clock on the wall shows."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.scheduling.model.ticks import (
    TICK,
    TICKS_PER_DAY,
    BitRow,
    Horizon,
    clear_range,
    grid_mask,
    offsets,
    packed,
    painted,
    range_is_set,
    set_range,
    set_ticks,
    wall_time,
    window_mask,
)

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
HORIZON = Horizon(origin=datetime(2026, 3, 28, tzinfo=UTC), days=3)
BITS = HORIZON.ticks
RANGES = st.tuples(st.integers(0, BITS), st.integers(0, BITS)).map(sorted)


def test_a_horizon_counts_ticks_from_its_midnight() -> None:
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert (HORIZON.ticks, HORIZON.words, HORIZON.end) == (864, 14, datetime(2026, 3, 31, tzinfo=UTC))
    assert HORIZON.tick_at(noon) == 144
    assert HORIZON.tick_at(noon + timedelta(minutes=4, seconds=59)) == 144
    assert HORIZON.tick_at(HORIZON.origin - timedelta(seconds=1)) == -1
    assert HORIZON.instant_of(144) == noon
    assert HORIZON.origin_tick + 144 == int(noon.timestamp()) // 300


@pytest.mark.parametrize("origin", [datetime(2026, 3, 28, 1, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=BERLIN)])
def test_a_horizon_begins_at_midnight_utc(origin: datetime) -> None:
    with pytest.raises(ValueError, match="midnight"):
        Horizon(origin=origin, days=3)


@pytest.mark.parametrize("days", [0, 1101])
def test_the_length_of_a_horizon_is_limited(days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        Horizon(origin=HORIZON.origin, days=days)


def test_offered_time_shrinks_to_ticks_and_taken_time_grows_to_them() -> None:
    start, end = HORIZON.instant_of(10) + timedelta(minutes=1), HORIZON.instant_of(12) + timedelta(minutes=1)
    assert HORIZON.inner(start, end) == (11, 12)
    assert HORIZON.outer(start, end) == (10, 13)
    assert HORIZON.inner(HORIZON.instant_of(10), HORIZON.instant_of(12)) == HORIZON.outer(HORIZON.instant_of(10), HORIZON.instant_of(12))


def test_ranges_are_cut_to_the_horizon() -> None:
    assert HORIZON.cut(-5, 3) == (0, 3)
    assert HORIZON.cut(860, 2000) == (860, 864)
    assert HORIZON.cut(-9, -5) == (0, 0)
    assert HORIZON.cut(900, 950) == (864, 864)
    assert HORIZON.cut(7, 3) == (7, 7)


@given(st.lists(st.tuples(st.booleans(), RANGES)))
def test_ranges_are_written_as_if_tick_by_tick(writes: list[tuple[bool, list[int]]]) -> None:
    row, ticks = np.zeros(HORIZON.words, np.uint64), set[int]()
    for busy, (start, end) in writes:
        (set_range if busy else clear_range)(row, start, end)
        ticks = ticks | set(range(start, end)) if busy else ticks - set(range(start, end))
    assert set_ticks(row).tolist() == sorted(ticks)


@given(RANGES, RANGES)
def test_a_range_is_set_when_all_of_its_ticks_are(written: list[int], asked: list[int]) -> None:
    row = np.zeros(HORIZON.words, np.uint64)
    set_range(row, *written)
    assert range_is_set(row, *asked) == (set(range(*asked)) <= set(range(*written)))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-50, BITS + 50), st.integers(-50, BITS + 50)), max_size=12))
def test_painting_all_rows_at_once_is_setting_range_by_range(ranges: list[tuple[int, int, int]]) -> None:
    expected = np.zeros((3, HORIZON.words), np.uint64)
    for row, start, end in ranges:
        set_range(expected[row], *HORIZON.cut(start, end))
    table = np.array(ranges, np.int64).reshape(-1, 3)
    assert np.array_equal(painted(3, BITS, table[:, 0], table[:, 1:]), expected)


def test_painting_counts_any_number_of_ranges() -> None:
    many = np.tile(np.array([[5, 7]]), (40_000, 1))
    assert set_ticks(painted(1, BITS, np.zeros(40_000, np.int64), many)[0]).tolist() == [5, 6]


def test_packed_flags_keep_their_tick_numbers() -> None:
    flags = np.zeros((2, BITS), np.bool_)
    flags[0, [0, 63, 64, 863]] = True
    rows = packed(flags)
    assert rows.shape == (2, 14)
    assert set_ticks(rows[0]).tolist() == [0, 63, 64, 863]
    assert set_ticks(rows[1]).tolist() == []


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC"])
@pytest.mark.parametrize(
    "origin", [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)]
)
def test_wall_time_is_what_the_zone_database_says_at_each_tick(name: str, origin: datetime) -> None:
    zone, horizon = ZoneInfo(name), Horizon(origin=origin, days=3)
    wall = wall_time(horizon, zone)
    local = [horizon.instant_of(tick).astimezone(zone) for tick in range(horizon.ticks)]
    assert wall.minute.tolist() == [each.hour * 60 + each.minute for each in local]
    assert wall.weekday.tolist() == [each.weekday() for each in local]


def test_a_grid_is_counted_on_the_wall() -> None:
    horizon = Horizon(origin=HORIZON.origin, days=1)
    assert set_ticks(grid_mask(horizon, UTC, 60))[:2].tolist() == [0, 12]
    assert set_ticks(grid_mask(horizon, KATHMANDU, 60))[:2].tolist() == [3, 15]  # 05:45 ahead of UTC: the hour strikes at :15


def shown(zone: tzinfo, row: BitRow) -> list[str]:
    return [HORIZON.instant_of(tick).astimezone(zone).strftime("%a %H:%M") for tick in set_ticks(row).tolist()]


def test_a_window_is_half_open_in_local_time_and_skips_what_the_clocks_skip() -> None:
    row = window_mask(HORIZON, BERLIN, 110, 190) & grid_mask(HORIZON, BERLIN, 10)
    whole = ["01:50", "02:00", "02:10", "02:20", "02:30", "02:40", "02:50", "03:00"]
    assert shown(BERLIN, row) == [
        *(f"Sat {hour}" for hour in whole),
        *("Sun 01:50", "Sun 03:00"),
        *(f"Mon {hour}" for hour in whole),
        "Tue 01:50",
    ]


def test_the_small_hours_of_a_window_belong_to_the_evening_before() -> None:
    row = window_mask(HORIZON, UTC, 1380, 1500, frozenset({5})) & grid_mask(HORIZON, UTC, 30)
    assert shown(UTC, row) == ["Sat 23:00", "Sat 23:30", "Sun 00:00", "Sun 00:30"]


def test_masks_are_kept_and_cannot_be_written_to() -> None:
    mask = grid_mask(HORIZON, BERLIN, 15)
    assert grid_mask(HORIZON, BERLIN, 15) is mask
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = 0


def test_every_zone_keeps_to_whole_ticks_and_changes_days_apart() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    for name in sorted(available_timezones()):
        changes = offsets(ZoneInfo(name), start, end)
        instants = [instant for instant, _ in changes[1:]]
        assert all(offset % TICK == timedelta() for _, offset in changes), name
        assert all((instant - start) % TICK == timedelta() for instant in instants), name
        assert all(later - earlier >= timedelta(days=2) for earlier, later in pairwise(instants)), name


def test_a_day_is_a_whole_number_of_bytes() -> None:
    assert TICKS_PER_DAY % 8 == 0
