"""The index keeps free time, and the search answers from it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from carewright.kernel.invariants import InvariantBroken
from carewright.scheduling.model.availability import AvailabilityIndex, Rows
from carewright.scheduling.model.search import (
    Requirement,
    assign,
    assign_all,
    at_least,
    contests,
    crowds_of,
    find_starts,
    free_rows,
    iter_starts,
    keep_runs,
)
from carewright.scheduling.model.ticks import TICKS_PER_DAY, Horizon, packed, set_range, set_ticks

HORIZON = Horizon(origin=datetime(2026, 11, 23, tzinfo=UTC), days=3)
END = HORIZON.ticks
ANNA, BEN, CLEO, ROOM = (UUID(int=number) for number in (11, 12, 13, 14))


def index_of(**openings: list[tuple[int, int]]) -> AvailabilityIndex:
    """An index in which a schedule named `a`, `b`, … is open in these ticks; their rows count from 0."""
    index = AvailabilityIndex(HORIZON, capacity=1)
    for number, ranges in enumerate(openings.values()):
        index.load(UUID(int=number + 1), ranges, [])
    return index


def free_ticks(index: AvailabilityIndex, row: int) -> list[int]:
    return [int(tick) for tick in set_ticks(index.free[row])]


def starts(index: AvailabilityIndex, *requirements: Requirement, first: int = 0, end: int = END) -> list[int]:
    found = [int(tick) for tick in set_ticks(find_starts(index, requirements, first, end))]
    assert list(iter_starts(index, requirements, first, end)) == found
    return found


def pool(*rows: int) -> Rows:
    return np.array(rows, np.intp)


# The index


def test_a_schedule_is_free_where_it_is_open_and_neither_blocked_nor_busy() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(100, 110)], [(103, 105), (104, 106)], blocks=[(108, 200)])
    assert set_ticks(index.open_bits[row]).tolist() == [100, 101, 102, 103, 104, 105, 106, 107]
    assert free_ticks(index, row) == [100, 101, 102, 106, 107]


def test_what_lies_outside_the_horizon_is_cut_off() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(-50, 5), (END - 2, END + 50)], [(-9, 1), (END - 1, END + 9)])
    assert free_ticks(index, row) == [1, 2, 3, 4, END - 2]


def test_loading_again_forgets_what_was_known() -> None:
    index = AvailabilityIndex(HORIZON)
    index.load(ANNA, [(0, 10)], [])
    assert free_ticks(index, index.load(ANNA, [(5, 8)], [(6, 7)])) == [5, 7]
    assert len(index) == 1


def test_many_schedules_load_at_once_in_any_order() -> None:
    index = AvailabilityIndex(HORIZON)
    ids = [UUID(int=number) for number in range(200)]
    openings = np.array([(number, number, number + 4) for number in reversed(range(200))])
    index.load_many(ids, openings, np.array([(150, 151, 152)]))
    assert [free_ticks(index, row) for row in index.rows_of([ids[0], ids[150], ids[199]]).tolist()] == [
        [0, 1, 2, 3],
        [150, 152, 153],
        [199, 200, 201, 202],
    ]


def test_taking_and_giving_back_changes_only_open_time() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(60, 70)], [])
    index.set_busy(row, 62, 68)
    assert free_ticks(index, row) == [60, 61, 68, 69]
    index.set_free(row, 66, 300)
    assert free_ticks(index, row) == [60, 61, 66, 67, 68, 69]
    index.set_busy(row, -5, END + 5)
    assert free_ticks(index, row) == []


def test_giving_back_leaves_what_others_still_hold() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(60, 70)], [(60, 70)])
    index.set_free(row, 60, 70, still_busy=[(64, 66)])
    assert free_ticks(index, row) == [60, 61, 62, 63, 66, 67, 68, 69]


def test_reloading_a_stretch_leaves_the_rest_alone() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(0, 300)], [(10, 20)])
    index.reload(row, [(90, 200)], [(95, 98)], [(150, 400)], first_tick=80, end_tick=200)
    open_now = [*range(80), *range(90, 150), *range(200, 300)]
    assert set_ticks(index.open_bits[row]).tolist() == open_now
    assert free_ticks(index, row) == [tick for tick in open_now if not 10 <= tick < 20 and not 95 <= tick < 98]


def test_reloading_nothing_changes_nothing() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(0, 9)], [])
    index.reload(row, [], [], first_tick=5, end_tick=5)
    assert free_ticks(index, row) == list(range(9))


def test_a_removed_schedule_is_gone_and_its_row_serves_the_next_one() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(0, 9)], [])
    index.remove(ANNA)
    index.remove(ANNA)
    assert (index.row_of(ANNA), ANNA in index, len(index)) == (None, False, 0)
    assert free_ticks(index, row) == []
    assert index.load(BEN, [(3, 4)], []) == row


def test_rows_are_looked_up_in_order_once_each_and_only_if_held() -> None:
    index = AvailabilityIndex(HORIZON)
    rows = [index.load(each, [], []) for each in (ANNA, BEN, CLEO)]
    assert index.rows_of([CLEO, ROOM, ANNA, CLEO]).tolist() == [rows[2], rows[0]]
    assert index.rows_of([]).tolist() == []
    assert list(index.schedules) == [ANNA, BEN, CLEO]


def test_a_schedule_may_have_a_row_for_each_site() -> None:
    index = AvailabilityIndex(HORIZON)
    here, there = index.load((ANNA, ROOM), [(0, 9)], []), index.load((ANNA, CLEO), [(20, 29)], [])
    assert here != there
    assert index.row_of((ANNA, CLEO)) == there


def test_an_index_grows_and_keeps_what_it_holds() -> None:
    index = AvailabilityIndex(HORIZON, capacity=1)
    for number in range(33):
        index.load(UUID(int=number), [(number, number + 1)], [])
    assert [free_ticks(index, row) for row in range(33)] == [[number] for number in range(33)]
    assert index.size_bytes == 2 * 64 * HORIZON.words * 8


def test_rolling_drops_the_past_and_keeps_the_rest_in_place() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(0, END)], [(300, 310), (863, 864)])
    index.roll(Horizon(origin=HORIZON.origin + timedelta(days=1), days=3))
    kept = 2 * TICKS_PER_DAY
    assert set_ticks(index.open_bits[row]).tolist() == list(range(kept))
    assert free_ticks(index, row) == [tick for tick in range(kept - 1) if not 12 <= tick < 22]
    index.reload(row, [(kept, END)], [], first_tick=kept)
    assert free_ticks(index, row)[-1] == END - 1


def test_rolling_past_the_end_leaves_nothing() -> None:
    index = AvailabilityIndex(HORIZON)
    row = index.load(ANNA, [(0, END)], [])
    index.roll(Horizon(origin=HORIZON.origin + timedelta(days=30), days=3))
    assert free_ticks(index, row) == []


@pytest.mark.parametrize(("days", "length"), [(-1, 3), (1, 4)])
def test_a_horizon_only_moves_forward(days: int, length: int) -> None:
    with pytest.raises(InvariantBroken):
        AvailabilityIndex(HORIZON).roll(Horizon(origin=HORIZON.origin + timedelta(days=days), days=length))


# Bits


@pytest.mark.parametrize("ticks", [1, 2, 3, 5, 6, 63, 64, 65, 127, 128, 129, 200])
def test_runs_are_kept_from_where_they_begin(ticks: int) -> None:
    row = np.zeros((1, 16), np.uint64)
    set_range(row[0], 7, 7 + ticks - 1)
    set_range(row[0], 300, 300 + ticks + 2)
    keep_runs(row, ticks)
    assert set_ticks(row[0]).tolist() == [300, 301, 302]


@pytest.mark.parametrize("rows", range(1, 12))
@pytest.mark.parametrize("count", range(1, 7))
def test_at_least_counts_over_rows(rows: int, count: int) -> None:
    flags = np.random.default_rng(rows * 100 + count).random((rows, 256)) < 0.5
    assert np.array_equal(at_least(packed(flags), count), packed(flags.sum(axis=0) >= count))


# The search


def test_a_visit_starts_where_one_of_the_pool_is_free_for_all_of_it() -> None:
    index = index_of(a=[(10, 14)], b=[(12, 17)])
    assert starts(index, Requirement(candidates=pool(0, 1), duration_ticks=4)) == [10, 12, 13]


def test_every_pool_of_a_visit_must_be_met() -> None:
    index = index_of(a=[(10, 20)], b=[(15, 30)])
    both = [Requirement(candidates=pool(0), duration_ticks=3), Requirement(candidates=pool(1), duration_ticks=2)]
    assert starts(index, *both) == [15, 16, 17]


def test_offsets_and_buffers_say_which_ticks_are_taken() -> None:
    index = index_of(a=[(10, 20)], b=[(15, 18)])
    practitioner = Requirement(candidates=pool(0), duration_ticks=2, buffer_before_ticks=1, buffer_after_ticks=1)
    nurse = Requirement(candidates=pool(1), duration_ticks=1, offset_ticks=2)
    assert practitioner.interval(11) == (10, 14)
    assert nurse.interval(11) == (13, 14)
    assert starts(index, practitioner) == list(range(11, 18))
    assert starts(index, practitioner, nurse) == [13, 14, 15]


def test_several_of_one_pool_must_be_free_together() -> None:
    index = index_of(a=[(10, 20)], b=[(12, 16)], c=[(15, 20)])
    assert starts(index, Requirement(candidates=pool(0, 1, 2), duration_ticks=1, count=2)) == [12, 13, 14, 15, 16, 17, 18, 19]
    assert starts(index, Requirement(candidates=pool(0, 1, 2), duration_ticks=2, count=2)) == [12, 13, 14, 15, 16, 17, 18]
    assert starts(index, Requirement(candidates=pool(0, 1, 2), duration_ticks=1, count=3)) == [15]
    assert starts(index, Requirement(candidates=pool(0, 1, 2), duration_ticks=1, count=4)) == []


def test_a_pool_of_nobody_is_never_free() -> None:
    index = index_of(a=[(0, END)])
    nobody = Requirement(candidates=pool(), duration_ticks=1)
    assert starts(index, nobody) == []
    assert assign(index, [nobody], 5) is None


def test_nothing_starts_that_would_reach_out_of_the_horizon() -> None:
    index = index_of(a=[(0, END)], b=[(0, END)])
    assert starts(index, Requirement(candidates=pool(0), duration_ticks=6), first=END - 9) == [END - 9, END - 8, END - 7, END - 6]
    late = Requirement(candidates=pool(0), duration_ticks=6, offset_ticks=-3)
    assert starts(index, late, end=6) == [3, 4, 5]
    assert starts(index, Requirement(candidates=pool(0), duration_ticks=6, offset_ticks=700))[-1] == END - 706
    assert starts(index, Requirement(candidates=pool(0), duration_ticks=1, offset_ticks=-860)) == [860, 861, 862, 863]
    assert starts(index, Requirement(candidates=pool(0), duration_ticks=1, offset_ticks=2000)) == []
    assert free_rows(index, late, 2).tolist() == []


def test_free_time_of_one_actor_does_not_run_on_into_the_next_ones() -> None:
    index = index_of(a=[(60, 128)], b=[(0, 64)])
    assert starts(index, Requirement(candidates=pool(0, 1), duration_ticks=100), end=64) == []
    assert starts(index, Requirement(candidates=pool(0, 1), duration_ticks=60, offset_ticks=63), end=64) == [0, 1, 2, 3, 4, 5]


def test_a_long_interval_is_free_only_if_all_of_it_is() -> None:
    index = index_of(a=[(0, 80), (81, 300)], b=[(0, 300)])
    long = Requirement(candidates=pool(0, 1), duration_ticks=200)
    assert [free_rows(index, long, tick).tolist() for tick in (0, 80, 81, 100, 101)] == [[1], [1], [0, 1], [0, 1], []]


def test_a_horizon_of_whole_words_ends_as_any_other() -> None:
    index = AvailabilityIndex(Horizon(origin=HORIZON.origin, days=2))
    index.load(ANNA, [(0, 576)], [])
    visit = Requirement(candidates=pool(0), duration_ticks=3)
    assert starts(index, visit, first=570) == [570, 571, 572, 573]
    assert assign(index, [visit], 574) is None


def test_starts_are_cut_to_the_range_asked_and_to_every_mask() -> None:
    index = index_of(a=[(0, END)])
    anyone = [Requirement(candidates=pool(0), duration_ticks=1)]
    assert starts(index, *anyone, first=63, end=66) == [63, 64, 65]
    assert starts(index, *anyone, first=66, end=63) == []
    assert starts(index, *anyone, first=-100, end=2) == [0, 1]
    even, low = packed(np.arange(END) % 2 == 0), packed(np.arange(END) < 9)
    assert set_ticks(find_starts(index, anyone, 3, END, [even, low])).tolist() == [4, 6, 8]


def test_a_search_resumes_after_the_last_start_given() -> None:
    index = index_of(a=[(10, 14), (700, 702)])
    anyone = [Requirement(candidates=pool(0), duration_ticks=1)]
    page = [tick for tick, _ in zip(iter_starts(index, anyone, 0, END), range(3), strict=False)]
    assert page == [10, 11, 12]
    assert list(iter_starts(index, anyone, page[-1] + 1, END)) == [13, 700, 701]


def test_one_actor_cannot_fill_two_places_at_one_moment() -> None:
    index = index_of(a=[(10, 20)], b=[(14, 16)])
    two = [Requirement(candidates=pool(0, 1), duration_ticks=1), Requirement(candidates=pool(0, 1), duration_ticks=1)]
    assert contests(tuple(two)) == ((0, 1),)
    assert starts(index, *two) == [14, 15]
    assert assign(index, two, 12) is None


def test_one_actor_may_serve_before_and_after() -> None:
    index = index_of(a=[(10, 20)])
    two = [Requirement(candidates=pool(0), duration_ticks=2), Requirement(candidates=pool(0), duration_ticks=2, offset_ticks=2)]
    assert contests(tuple(two)) == ()
    assert starts(index, *two) == list(range(10, 17))
    assert [rows.tolist() for rows in assign(index, two, 10) or ()] == [[0], [0]]


def test_a_chain_of_parts_is_checked_start_by_start() -> None:
    """At 100 every moment has enough people for itself: first and last part need one each, and the middle one both of them."""
    index = index_of(a=[(10, 16), (40, 46), (100, 104)], b=[(10, 13), (40, 46), (102, 105)], c=[(13, 16)])
    chain = [
        Requirement(candidates=pool(0, 1, 2), duration_ticks=3),
        Requirement(candidates=pool(0, 1, 2), duration_ticks=2, offset_ticks=2),
        Requirement(candidates=pool(0, 1, 2), duration_ticks=2, offset_ticks=3),
    ]
    assert crowds_of(tuple(chain)) == ((0, 1), (1, 2))
    assert contests(tuple(chain)) == ((0, 1, 2),)
    assert starts(index, *chain) == [10, 11, 40, 41]
    assert assign(index, chain, 100) is None
    assert [rows.tolist() for rows in assign(index, chain, 10) or ()] == [[1], [0], [2]]


def test_earlier_requirements_yield_where_a_later_one_could_not_be_met() -> None:
    index = index_of(a=[(10, 20)], b=[(10, 20)])
    anyone, only_a = Requirement(candidates=pool(0, 1), duration_ticks=2), Requirement(candidates=pool(0), duration_ticks=2)
    assert [rows.tolist() for rows in assign(index, [anyone, only_a], 12) or ()] == [[1], [0]]


def test_more_rivals_than_are_checked_in_bits_are_checked_start_by_start() -> None:
    index = index_of(**{name: [(10, 12)] for name in "abcdef"}, g=[(11, 12)])
    seven = [Requirement(candidates=pool(*range(7)), duration_ticks=1) for _ in range(7)]
    assert starts(index, *seven) == [11]
    assert sorted(row for rows in assign(index, seven, 11) or () for row in rows.tolist()) == list(range(7))


def test_a_page_of_starts_is_assigned_as_if_one_by_one() -> None:
    index = index_of(a=[(10, 20)], b=[(14, 30)], c=[(12, 16)])
    visit = [Requirement(candidates=pool(0, 1, 2), duration_ticks=2), Requirement(candidates=pool(2, 1), duration_ticks=1)]
    page = list(range(8, 31))
    together = assign_all(index, visit, page)
    assert [_rows(each) for each in together] == [_rows(assign(index, visit, tick)) for tick in page]
    assert [tick for tick, each in zip(page, together, strict=True) if each] == starts(index, *visit)
    assert assign_all(index, visit, []) == []


def _rows(chosen: tuple[Rows, ...] | None) -> list[list[int]] | None:
    return None if chosen is None else [[int(row) for row in rows] for rows in chosen]


def test_assignment_follows_the_rule_it_is_given() -> None:
    index = index_of(a=[(10, 20)], b=[(10, 20)], c=[(10, 20)])
    wanted = [Requirement(candidates=pool(0, 1, 2), duration_ticks=2, count=2)]
    last_first = assign(index, wanted, 12, lambda features: np.argsort(-features.rows)[np.newaxis])
    assert [rows.tolist() for rows in last_first or ()] == [[2, 1]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_ticks": 0},
        {"duration_ticks": 577},
        {"duration_ticks": 1, "count": 0},
        {"duration_ticks": 1, "count": 17},
        {"duration_ticks": 1, "offset_ticks": 2017},
    ],
)
def test_a_requirement_has_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(InvariantBroken):
        Requirement(candidates=pool(0), **wrong)


def test_candidates_are_distinct() -> None:
    with pytest.raises(InvariantBroken):
        Requirement(candidates=pool(1, 1), duration_ticks=1)
    with pytest.raises(InvariantBroken):
        contests((Requirement(candidates=pool(1), duration_ticks=1),) * 17)
