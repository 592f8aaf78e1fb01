"""How often a failing receiver is tried, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from carewright.subscriptions.model.trying import failed
from carewright.subscriptions.settings import SubscriptionsSettings

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SETTINGS = SubscriptionsSettings(retry_seconds=2.0, retry_seconds_max=900.0, give_up_hours=72.0)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 2), (1, 4), (2, 8), (8, 512), (9, 900), (10_000, 900)])
def test_it_waits_twice_as_long_each_time_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    turn = failed("status-500", failures, NOW, NOW, SETTINGS)
    assert (turn.status, turn.failures, turn.due_at) == ("error", failures + 1, NOW + timedelta(seconds=seconds))


def test_a_receiver_that_is_away_for_a_day_is_still_tried_and_one_for_three_days_is_off() -> None:
    day, end = failed("x", 90, NOW, NOW + timedelta(hours=24), SETTINGS), failed("x", 300, NOW, NOW + timedelta(hours=72), SETTINGS)
    assert (day.status, day.failing_since) == ("error", NOW)
    assert (end.status, end.error, end.due_at) == ("off", "x", None)


def test_the_first_failure_begins_the_time() -> None:
    assert failed("x", 0, None, NOW, SETTINGS).failing_since == NOW
