"""The only place that reads a clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the current instant (UTC, aware) and a monotonic count of seconds."""

    def now(self) -> datetime: ...

    def monotonic_seconds(self) -> float: ...


class SystemClock:
    """The machine's clock, corrected by `skew` towards the database's, so that every process tells one time."""

    def __init__(self) -> None:
        self.skew = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def monotonic_seconds(self) -> float:
        return time.monotonic()

    def follow(self, database_now: datetime, asked_at: datetime, answered_at: datetime) -> None:
        """Take over the database's time; the answer is assumed to lie midway between question and answer (Cristian, 1989)."""
        self.skew = database_now - (asked_at + (answered_at - asked_at) / 2)


class ManualClock:
    """A clock that moves only when told, for tests and simulation."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def now(self) -> datetime:
        return self.instant

    def monotonic_seconds(self) -> float:
        return self.instant.timestamp()

    def advance(self, **delta: float) -> None:
        """Move forward by `timedelta(**delta)`."""
        self.instant += timedelta(**delta)
