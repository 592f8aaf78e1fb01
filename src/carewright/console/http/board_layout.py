"""Where things lie on a day board: minutes of the site's wall clock, and lanes for what overlaps. Pure.

Places are classes of `static/console/board.css`, since a page carries no inline style: an hour, and a tick of five minutes in it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_MINUTES = 1440
TICK_MINUTES = 5
USUAL_HOURS = (8, 17)
"""What is shown of a day on which nobody works."""


class Span(NamedTuple):
    """Minutes of the day, from 0 to 1440."""

    start: int
    end: int

    @property
    def place(self) -> str:
        """The classes that put it there, a tick long at least."""
        length = max(self.end - self.start, TICK_MINUTES)
        return f"at-h{self.start // 60} at-m{_ticks(self.start)} for-h{length // 60} for-m{_ticks(length)}"

    @property
    def words(self) -> str:
        return f"{clock(self.start)} to {clock(self.end)}"


def span_of(start: datetime, end: datetime, day: date, zone: ZoneInfo) -> Span:
    """What of a time lies on a day, by the wall clock of the site."""
    return Span(_minute_of(start, day, zone), _minute_of(end, day, zone))


def lanes_of(spans: Sequence[Span]) -> list[int]:
    """A lane for each, in the order given: the first in which nothing before it overlaps."""
    ends: list[int] = []
    lanes = []
    for span in spans:
        lane = next((number for number, end in enumerate(ends) if end <= span.start), len(ends))
        ends[lane : lane + 1] = [span.end]
        lanes.append(lane)
    return lanes


def hours_of(spans: Iterable[Span]) -> tuple[int, int]:
    """The first hour to show and the one to end before, so that all of it is there."""
    known = list(spans)
    if not known:
        return USUAL_HOURS
    return min(each.start for each in known) // 60, -(-max(each.end for each in known) // 60)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute_of(instant: datetime, day: date, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    if local.date() != day:
        return 0 if local.date() < day else DAY_MINUTES
    return local.hour * 60 + local.minute


def _ticks(minute: int) -> int:
    return minute % 60 // TICK_MINUTES
