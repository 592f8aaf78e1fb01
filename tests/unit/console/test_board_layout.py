"""Where things lie on a day board."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.console.http.board import parts_of
from carewright.console.http.board_layout import USUAL_HOURS, Span, hours_of, lanes_of, span_of

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 27)
spans = st.lists(st.tuples(st.integers(0, 287), st.integers(1, 60)).map(lambda each: Span(each[0] * 5, each[0] * 5 + each[1] * 5)))


def test_a_time_lies_where_the_sites_clock_says() -> None:
    start = datetime(2026, 11, 27, 9, 5, tzinfo=UTC)
    span = span_of(start, start + timedelta(minutes=85), DAY, BERLIN)
    assert span == Span(605, 690)
    assert (span.place, span.words) == ("at-h10 at-m1 for-h1 for-m5", "10:05 to 11:30")


def test_what_began_the_day_before_or_ends_the_day_after_is_cut_to_the_day() -> None:
    start = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
    assert span_of(start, start + timedelta(hours=8), DAY, BERLIN) == Span(0, 300)
    assert span_of(start + timedelta(hours=26), start + timedelta(hours=32), DAY, BERLIN) == Span(1380, 1440)


def test_on_the_day_the_clocks_go_back_the_wall_clock_counts() -> None:
    start = datetime(2026, 10, 25, 7, 0, tzinfo=UTC)
    assert span_of(start, start + timedelta(hours=1), date(2026, 10, 25), BERLIN) == Span(480, 540)


@given(spans.map(sorted))
def test_in_a_lane_nothing_overlaps_and_there_are_no_more_lanes_than_needed(given_spans: list[Span]) -> None:
    lanes = lanes_of(given_spans)
    for number, one in enumerate(given_spans):
        beside = [lanes[other] for other in range(number) if given_spans[other].end > one.start]
        assert lanes[number] not in beside
        assert lanes[number] <= len(beside)


def test_the_hours_shown_hold_everything() -> None:
    assert hours_of([Span(485, 1020), Span(430, 500)]) == (7, 17)
    assert hours_of([Span(0, 1440)]) == (0, 24)
    assert hours_of([]) == USUAL_HOURS


@pytest.mark.parametrize(
    ("rows", "words"),
    [(0, ["Rows 1 to 0"]), (1, ["Rows 1 to 1"]), (100, ["Rows 1 to 100"]), (201, ["Rows 1 to 100", "Rows 101 to 200", "Rows 201 to 201"])],
)
def test_every_row_is_on_one_page(rows: int, words: list[str]) -> None:
    parts = parts_of({"place": "a", "day": "2026-11-27", "part": "2", "more": "b"}, rows)
    assert [each.words for each in parts] == words
    assert [each.first for each in parts] == [100 * number for number in range(len(words))]
    assert parts[-1].href == f"/staff/board?place=a&day=2026-11-27&part={len(words)}"
