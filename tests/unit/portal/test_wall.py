"""Times as people say them, on days when clocks change too."""

from datetime import UTC, date, datetime

import pytest

from carewright.portal.model.wall import Locale, duration, full_date, long_date, near_date, short_date, wall_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("locale", "said"), [("en-US", "Tuesday, November 24, 2026 at 2:05 PM"), ("en-GB", "Tuesday 24 November 2026 at 14:05")]
)
def test_a_time_reads_as_the_country_writes_it(locale: Locale, said: str) -> None:
    assert wall_of("America/Chicago", locale).when(at("2026-11-24T20:05:00+00:00")) == said


@pytest.mark.parametrize(("hour", "said"), [(0, "12:00 AM"), (9, "9:00 AM"), (12, "12:00 PM"), (23, "11:00 PM")])
def test_noon_and_midnight_are_twelve(hour: int, said: str) -> None:
    assert wall_of("UTC", "en-US").time(datetime(2026, 11, 24, hour, tzinfo=UTC)) == said


def test_the_hour_that_happens_twice_says_which_it_is() -> None:
    wall = wall_of("America/Chicago", "en-US")
    assert wall.time(at("2026-11-01T06:30:00+00:00")) == "1:30 AM CDT"
    assert wall.time(at("2026-11-01T07:30:00+00:00")) == "1:30 AM CST"
    assert wall.time(at("2026-11-01T08:30:00+00:00")) == "2:30 AM"


def test_the_morning_after_a_skipped_hour_says_nothing_special() -> None:
    assert wall_of("Europe/Berlin", "en-GB").time(at("2026-03-29T01:30:00+00:00")) == "03:30"


def test_a_day_begins_at_local_midnight_on_both_sides_of_a_change() -> None:
    wall = wall_of("Europe/Berlin", "en-GB")
    assert wall.midnight(date(2026, 3, 29)) == at("2026-03-28T23:00:00+00:00")
    assert wall.midnight(date(2026, 3, 30)) == at("2026-03-29T22:00:00+00:00")


def test_a_day_whose_midnight_is_skipped_begins_an_hour_later() -> None:
    wall = wall_of("Africa/Cairo", "en-GB")
    begins = wall.midnight(date(2026, 4, 24))
    assert wall.local(begins).isoformat() == "2026-04-24T01:00:00+03:00"


def test_an_unknown_zone_is_utc_and_says_so() -> None:
    assert wall_of("Mars/Olympus", "en-GB").time(at("2026-11-24T20:05:00+00:00")) == "20:05 UTC"
    assert wall_of("../etc/passwd", "en-GB").zone.key == "UTC"


def test_near_days_are_called_by_name_and_far_ones_by_year() -> None:
    today = date(2026, 12, 30)
    assert near_date(today, today, "en-US") == "Today, Wednesday, December 30"
    assert near_date(date(2026, 12, 31), today, "en-US") == "Tomorrow, Thursday, December 31"
    assert near_date(date(2026, 12, 1), today, "en-US") == long_date(date(2026, 12, 1), "en-US") == "Tuesday, December 1"
    assert near_date(date(2027, 1, 2), today, "en-GB") == full_date(date(2027, 1, 2), "en-GB") == "Saturday 2 January 2027"


def test_short_dates_follow_the_country() -> None:
    assert short_date(date(2026, 11, 4), "en-US") == "Nov 4"
    assert short_date(date(2026, 11, 4), "en-GB") == "4 Nov"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 minutes"), (1, "1 minute"), (45, "45 minutes"), (60, "1 hour"), (61, "1 hour 1 minute"), (150, "2 hours 30 minutes")],
)
def test_lengths_are_words(minutes: int, said: str) -> None:
    assert duration(minutes) == said
