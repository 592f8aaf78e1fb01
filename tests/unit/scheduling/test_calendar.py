"""Working hours become openings, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from carewright.kernel.invariants import InvariantBroken
from carewright.scheduling.model.calendar import (
    CalendarException,
    Leave,
    Span,
    WeeklyRule,
    instant_of,
    local_day,
    merged,
    on_ticks,
    openings_of,
    start_of,
    without,
)

BERLIN = ZoneInfo("Europe/Berlin")  # 2026: forward on 29 March at 02:00, back on 25 October at 03:00
SYDNEY = ZoneInfo("Australia/Sydney")  # 2026: back on 5 April at 03:00, forward on 4 October at 02:00
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour: back on 5 April at 02:00, forward on 4 October at 02:00
CAIRO = ZoneInfo("Africa/Cairo")  # 2026: forward on 24 April at 00:00, back on 29 October at 24:00
MONDAY = date(2026, 11, 23)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(*spans: tuple[str, str]) -> list[Span]:
    return [(utc(start), utc(end)) for start, end in spans]


def every_day(start_minute: int, end_minute: int) -> list[WeeklyRule]:
    return [WeeklyRule(weekday=day, start_minute=start_minute, end_minute=end_minute) for day in range(7)]


def on(day: date, start_minute: int, end_minute: int, zone: ZoneInfo) -> list[Span]:
    """What a rule for this one date opens, however far it reaches."""
    rule = WeeklyRule(weekday=day.weekday(), start_minute=start_minute, end_minute=end_minute, valid_from_on=day, valid_until_on=day)
    return openings_of([rule], [], [], zone, day, day + timedelta(days=2))


def test_a_rule_opens_its_weekday_in_local_time() -> None:
    rule = WeeklyRule(weekday=0, start_minute=480, end_minute=720)
    assert openings_of([rule], [], [], BERLIN, MONDAY, MONDAY + timedelta(days=7)) == hours(
        ("2026-11-23T07:00", "2026-11-23T11:00"), ("2026-11-30T07:00", "2026-11-30T11:00")
    )


def test_the_same_local_hour_is_another_instant_after_the_clocks_change() -> None:
    days = openings_of(every_day(480, 540), [], [], BERLIN, date(2026, 3, 28), date(2026, 3, 29))
    assert days == hours(("2026-03-28T07:00", "2026-03-28T08:00"), ("2026-03-29T06:00", "2026-03-29T07:00"))


def test_a_rule_holds_within_its_dates_both_included() -> None:
    rule = WeeklyRule(weekday=0, start_minute=480, end_minute=540, valid_from_on=MONDAY, valid_until_on=MONDAY + timedelta(days=7))
    opened = openings_of([rule], [], [], BERLIN, MONDAY - timedelta(days=14), MONDAY + timedelta(days=21))
    assert [start.date() for start, _ in opened] == [MONDAY, MONDAY + timedelta(days=7)]


def test_a_night_shift_is_one_opening_of_the_day_it_begins_on() -> None:
    assert on(MONDAY, 1320, 1800, BERLIN) == hours(("2026-11-23T21:00", "2026-11-24T05:00"))


def test_the_small_hours_of_the_first_day_come_from_the_shift_before() -> None:
    assert openings_of(every_day(1320, 1800), [], [], BERLIN, MONDAY, MONDAY) == hours(
        ("2026-11-22T23:00", "2026-11-23T05:00"), ("2026-11-23T21:00", "2026-11-23T23:00")
    )


def test_neighbouring_ranges_of_dates_join_without_gap_or_overlap() -> None:
    first = openings_of(every_day(1320, 1800), [], [], BERLIN, date(2026, 10, 20), date(2026, 10, 24))
    second = openings_of(every_day(1320, 1800), [], [], BERLIN, date(2026, 10, 25), date(2026, 10, 28))
    assert first[-1][1] == second[0][0]
    assert merged([*first, *second]) == openings_of(every_day(1320, 1800), [], [], BERLIN, date(2026, 10, 20), date(2026, 10, 28))


def test_a_night_shift_is_an_hour_shorter_when_clocks_go_forward_and_longer_when_they_go_back() -> None:
    assert on(date(2026, 3, 28), 1320, 1800, BERLIN) == hours(("2026-03-28T21:00", "2026-03-29T04:00"))
    assert on(date(2026, 10, 24), 1320, 1800, BERLIN) == hours(("2026-10-24T20:00", "2026-10-25T05:00"))


def test_the_southern_hemisphere_changes_the_other_way_round() -> None:
    assert on(date(2026, 4, 4), 1320, 1800, SYDNEY) == hours(("2026-04-04T11:00", "2026-04-04T20:00"))
    assert on(date(2026, 10, 3), 1320, 1800, SYDNEY) == hours(("2026-10-03T12:00", "2026-10-03T19:00"))


def test_a_start_that_the_clocks_skip_moves_to_the_end_of_the_gap() -> None:
    assert on(date(2026, 3, 29), 150, 240, BERLIN) == hours(("2026-03-29T01:00", "2026-03-29T02:00"))


def test_an_end_that_the_clocks_skip_moves_to_the_end_of_the_gap() -> None:
    assert on(date(2026, 3, 29), 60, 150, BERLIN) == hours(("2026-03-29T00:00", "2026-03-29T01:00"))


def test_a_rule_wholly_in_the_gap_opens_nothing() -> None:
    assert on(date(2026, 3, 29), 130, 170, BERLIN) == []


def test_of_a_time_that_comes_twice_a_start_is_the_first_and_an_end_the_second() -> None:
    assert on(date(2026, 10, 25), 150, 240, BERLIN) == hours(("2026-10-25T00:30", "2026-10-25T03:00"))
    assert on(date(2026, 10, 25), 60, 150, BERLIN) == hours(("2026-10-24T23:00", "2026-10-25T01:30"))


def test_lord_howe_shifts_by_half_an_hour() -> None:
    assert on(date(2026, 10, 4), 135, 180, LORD_HOWE) == hours(("2026-10-03T15:30", "2026-10-03T16:00"))
    assert on(date(2026, 4, 5), 60, 105, LORD_HOWE) == hours(("2026-04-04T14:00", "2026-04-04T15:15"))


def test_a_midnight_that_is_skipped_begins_the_day_late() -> None:
    assert start_of(CAIRO, date(2026, 4, 24)) == utc("2026-04-23T22:00")
    assert on(date(2026, 4, 24), 0, 120, CAIRO) == hours(("2026-04-23T22:00", "2026-04-23T23:00"))


def test_local_days_have_23_24_or_25_hours() -> None:
    lengths = [local_day(BERLIN, utc(f"{day}T12:00")) for day in ("2026-03-29", "2026-03-30", "2026-10-25")]
    assert [(end - start) // timedelta(hours=1) for start, end in lengths] == [23, 24, 25]


def test_a_date_that_a_country_left_out_has_no_time() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert start_of(apia, date(2011, 12, 30)) == start_of(apia, date(2011, 12, 31)) == utc("2011-12-30T10:00")
    assert openings_of(every_day(480, 960), [], [], apia, date(2011, 12, 30), date(2011, 12, 30)) == []


def test_a_closed_date_closes_the_wall_time_of_that_date_only() -> None:
    closed = CalendarException(on=MONDAY, kind="closed")
    assert openings_of(every_day(1320, 1800), [closed], [], BERLIN, MONDAY, MONDAY + timedelta(days=1)) == hours(
        ("2026-11-23T23:00", "2026-11-24T05:00"), ("2026-11-24T21:00", "2026-11-24T23:00")
    )


def test_a_closed_stretch_cuts_an_opening_in_two() -> None:
    lunch = CalendarException(on=MONDAY, kind="closed", start_minute=720, end_minute=780)
    assert openings_of(every_day(480, 1020), [lunch], [], BERLIN, MONDAY, MONDAY) == hours(
        ("2026-11-23T07:00", "2026-11-23T11:00"), ("2026-11-23T12:00", "2026-11-23T16:00")
    )


def test_a_closed_stretch_takes_both_turns_of_an_hour_that_comes_twice() -> None:
    closed = CalendarException(on=date(2026, 10, 25), kind="closed", start_minute=120, end_minute=150)
    opened = openings_of(every_day(60, 240), [closed], [], BERLIN, date(2026, 10, 25), date(2026, 10, 25))
    assert opened == hours(("2026-10-24T23:00", "2026-10-25T00:00"), ("2026-10-25T01:30", "2026-10-25T03:00"))


def test_an_open_exception_outranks_a_closed_one_of_the_same_date() -> None:
    exceptions = [
        CalendarException(on=MONDAY, kind="open", start_minute=540, end_minute=720),
        CalendarException(on=MONDAY, kind="closed"),
    ]
    assert openings_of(every_day(480, 1020), exceptions, [], BERLIN, MONDAY, MONDAY) == hours(("2026-11-23T08:00", "2026-11-23T11:00"))


def test_an_open_exception_without_minutes_opens_the_whole_date() -> None:
    opened = openings_of([], [CalendarException(on=MONDAY, kind="open")], [], BERLIN, MONDAY, MONDAY)
    assert opened == [local_day(BERLIN, utc("2026-11-23T12:00"))]


def test_leave_outranks_everything() -> None:
    away = Leave(start=utc("2026-11-23T09:00"), end=utc("2026-11-23T10:00"))
    extra = CalendarException(on=MONDAY, kind="open", start_minute=600, end_minute=660)
    assert openings_of(every_day(480, 720), [extra], [away], BERLIN, MONDAY, MONDAY) == hours(
        ("2026-11-23T07:00", "2026-11-23T09:00"), ("2026-11-23T10:00", "2026-11-23T11:00")
    )


def test_rules_that_meet_or_overlap_make_one_opening() -> None:
    rules = [WeeklyRule(weekday=0, start_minute=start, end_minute=end) for start, end in ((720, 780), (480, 720), (700, 760))]
    assert openings_of(rules, [], [], BERLIN, MONDAY, MONDAY) == hours(("2026-11-23T07:00", "2026-11-23T12:00"))


def test_edges_move_inward_to_ticks_after_openings_are_joined() -> None:
    rules = [WeeklyRule(weekday=0, start_minute=start, end_minute=end) for start, end in ((481, 543), (543, 599), (700, 704))]
    assert openings_of(rules, [], [], BERLIN, MONDAY, MONDAY) == hours(("2026-11-23T07:05", "2026-11-23T08:55"))
    assert on_ticks(hours(("2026-11-23T07:01", "2026-11-23T07:09"))) == []


def test_time_without_other_time() -> None:
    day = hours(("2026-11-23T08:00", "2026-11-23T12:00"), ("2026-11-23T13:00", "2026-11-23T17:00"))
    cuts = hours(
        ("2026-11-23T07:00", "2026-11-23T08:30"), ("2026-11-23T11:00", "2026-11-23T14:00"), ("2026-11-23T15:00", "2026-11-23T15:00")
    )
    assert without(day, cuts) == hours(("2026-11-23T08:30", "2026-11-23T11:00"), ("2026-11-23T14:00", "2026-11-23T17:00"))
    assert without(day, []) == day
    assert without(day, day) == []


def test_every_zone_of_the_world_gets_its_hours() -> None:
    """23:00 to 25:00 exists everywhere, apart from what clock changes add or take."""
    for name in ("Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Pacific/Chatham", "America/Havana", "Etc/UTC"):
        start = instant_of(ZoneInfo(name), MONDAY, 1380)
        assert on(MONDAY, 1380, 1500, ZoneInfo(name)) == [(start, start + timedelta(hours=2))]


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekday": 7, "start_minute": 0, "end_minute": 60},
        {"weekday": 0, "start_minute": -1, "end_minute": 60},
        {"weekday": 0, "start_minute": 1441, "end_minute": 1500},
        {"weekday": 0, "start_minute": 60, "end_minute": 60},
        {"weekday": 0, "start_minute": 60, "end_minute": 2881},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, WeeklyRule)


def test_exceptions_and_leave_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="end_minute"):
        CalendarException(on=MONDAY, kind="open", start_minute=600, end_minute=500)
    with pytest.raises(ValueError, match="leave"):
        Leave(start=utc("2026-11-23T09:00"), end=utc("2026-11-23T09:00"))


def test_dates_asked_for_are_limited() -> None:
    with pytest.raises(InvariantBroken):
        openings_of([], [], [], BERLIN, MONDAY, MONDAY - timedelta(days=1))
    with pytest.raises(InvariantBroken):
        openings_of([], [], [], BERLIN, MONDAY, MONDAY + timedelta(days=1100))
