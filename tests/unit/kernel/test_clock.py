"""Clocks: one corrected towards the database's, one that moves when told."""

from datetime import UTC, datetime, timedelta

import pytest

from carewright.kernel.clock import ManualClock, SystemClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_system_clock_takes_over_the_databases_time() -> None:
    clock = SystemClock()
    clock.follow(NOON + timedelta(seconds=10), NOON, NOON + timedelta(seconds=2))
    assert clock.skew == timedelta(seconds=9), "the answer lies midway between question and answer"


def test_a_system_clock_tells_aware_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta()


def test_monotonic_time_does_not_follow_the_correction() -> None:
    clock = SystemClock()
    before = clock.monotonic_seconds()
    clock.skew = timedelta(days=-1)
    assert clock.monotonic_seconds() >= before


@pytest.mark.parametrize("delta", [{"seconds": 5}, {"days": 1, "minutes": -1}])
def test_a_manual_clock_moves_only_when_told(delta: dict[str, float]) -> None:
    clock = ManualClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(**delta)
    assert clock.now() - NOON == timedelta(**delta)
    assert clock.monotonic_seconds() == clock.now().timestamp()
