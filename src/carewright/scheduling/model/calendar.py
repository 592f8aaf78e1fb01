"""From working rules to working time: weekly rules, exceptions and leave become openings, in the wall time of one zone.

People agree on wall time ("Mondays from 8"), so rules are kept in it; everything after this file is in UTC. Decisions:

- A local time that a clock change skips counts as the first instant after the gap: the shift begins when its hour would have come,
  and a rule that lies wholly in the gap gives nothing.
- A local time that happens twice means the earlier instant as a start and the later as an end: the widest reading, so that the person who
  works "to 02:30" is there until 02:30 has come for good. Closures are read as widely, so that none leaves a stray open half hour.
- Minutes past 1440 are the small hours of the next day, so a night shift is one rule and belongs to the weekday on which it begins.
- A closed exception closes the wall time of its date and nothing else: of a night shift it takes only the hours before or after midnight.
- An open exception outranks a closed one of the same date ("closed, but open 9 to 12"), and leave outranks both: who is away is away.
- Openings are cut to the local days asked for, so that neighbouring ranges of dates join without gap or overlap.
- Edges off the 5-minute tick are moved inward: no time is offered that is not worked.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

import msgspec

from carewright.kernel.invariants import invariant
from carewright.scheduling.model.ticks import DAYS_PER_WEEK, EPOCH, MINUTES_PER_DAY, TICK, offset_change

END_MINUTE_MAX = 2 * MINUTES_PER_DAY
DATES_MAX = 1100
ONE_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]
"""A stretch of time: its first instant, and the first after it."""


class WeeklyRule(msgspec.Struct, frozen=True, kw_only=True):
    """Work on one weekday (Monday is 0) from `start_minute` to `end_minute` of its local day, within the dates given (both inclusive)."""

    weekday: int
    start_minute: int
    end_minute: int
    valid_from_on: date | None = None
    valid_until_on: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < DAYS_PER_WEEK:
            raise ValueError("weekday is 0 (Monday) to 6 (Sunday)")
        _check_minutes(self.start_minute, self.end_minute)

    def applies_on(self, on: date) -> bool:
        """Whether a shift of this rule begins on `on`."""
        begun = self.valid_from_on is None or self.valid_from_on <= on
        return begun and self.weekday == on.weekday() and (self.valid_until_on is None or on <= self.valid_until_on)


class CalendarException(msgspec.Struct, frozen=True, kw_only=True):
    """A date on which other hours hold: closed or open from `start_minute` to `end_minute`, the whole date where these are missing."""

    on: date
    kind: Literal["closed", "open"]
    start_minute: int | None = None
    end_minute: int | None = None

    def __post_init__(self) -> None:
        _check_minutes(*self.minutes)

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end as minutes of the local day."""
        start = 0 if self.start_minute is None else self.start_minute
        return start, MINUTES_PER_DAY if self.end_minute is None else self.end_minute


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """Absence from one instant to another, whatever the rules say."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("leave ends after it starts")


def openings_of(
    rules: Sequence[WeeklyRule],
    exceptions: Sequence[CalendarException],
    leave: Sequence[Leave],
    zone: tzinfo,
    first: date,
    last: date,
) -> list[Span]:
    """Working time on the local dates `first` to `last` (inclusive): sorted, apart from each other, on 5-minute ticks, in UTC."""
    invariant(timedelta() <= last - first < DATES_MAX * ONE_DAY, f"openings are asked for 1 to {DATES_MAX} dates")
    # The small hours of `first` may belong to a shift that began the day before.
    dates = [first + number * ONE_DAY for number in range(-1, (last - first).days + 1)]
    worked = [_wall_span(zone, on, rule.start_minute, rule.end_minute) for on in dates for rule in rules if rule.applies_on(on)]
    closed, opened = (
        [_wall_span(zone, each.on, *each.minutes) for each in exceptions if each.kind == kind and dates[0] <= each.on <= last]
        for kind in ("closed", "open")
    )
    beyond = [(datetime.min.replace(tzinfo=UTC), start_of(zone, first)), (start_of(zone, last + ONE_DAY), datetime.max.replace(tzinfo=UTC))]
    absent = [(each.start, each.end) for each in leave]
    return on_ticks(without([*without(worked, closed), *opened], [*absent, *beyond]))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as few spans: sorted, non-empty, none touching another."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        elif start < end:
            result.append((start, end))
    return result


def without(spans: Iterable[Span], cuts: Iterable[Span]) -> list[Span]:
    """The time in `spans` that is not in `cuts`, merged."""
    result: list[Span] = []
    remaining = merged(cuts)[::-1]
    for start, end in merged(spans):
        while remaining and remaining[-1][1] <= start:
            remaining.pop()
        begin = start
        for cut_start, cut_end in reversed(remaining):
            if cut_start >= end:
                break
            if begin < cut_start:
                result.append((begin, cut_start))
            begin = cut_end
        if begin < end:
            result.append((begin, end))
    return result


def on_ticks(spans: Iterable[Span]) -> list[Span]:
    """Each span with its edges moved inward to 5-minute ticks; what has no whole tick is dropped."""
    inward = ((EPOCH - (EPOCH - start) // TICK * TICK, EPOCH + (end - EPOCH) // TICK * TICK) for start, end in spans)
    return [(start, end) for start, end in inward if start < end]


def start_of(zone: tzinfo, on: date) -> datetime:
    """The instant at which the local date begins: its first midnight, or the end of the gap that swallows it."""
    return instant_of(zone, on, 0)


def local_day(zone: tzinfo, instant: datetime) -> Span:
    """The local date around `instant`, from its beginning to the next one's: 23 to 25 hours in most zones."""
    on = instant.astimezone(zone).date()
    return start_of(zone, on), start_of(zone, on + ONE_DAY)


@lru_cache(maxsize=1 << 16)
def instant_of(zone: tzinfo, on: date, minute: int, *, late: bool = False) -> datetime:
    """The UTC instant of a minute of a local date; `late` takes the second of two, and a skipped time is the end of its gap.

    Read by PEP 495: of a time that happens twice `fold=0` has the larger offset, of a skipped one the smaller.
    """
    wall = datetime.combine(on, time()) + timedelta(minutes=minute)
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    if before < after:
        return offset_change(zone, (wall - after).replace(tzinfo=UTC), (wall - before).replace(tzinfo=UTC))
    return (wall - (after if late else before)).replace(tzinfo=UTC)


def _wall_span(zone: tzinfo, on: date, start_minute: int, end_minute: int) -> Span:
    return instant_of(zone, on, start_minute), instant_of(zone, on, end_minute, late=True)


def _check_minutes(start: int, end: int) -> None:
    if not (0 <= start <= MINUTES_PER_DAY and start < end <= END_MINUTE_MAX):
        raise ValueError(f"start_minute is 0 to {MINUTES_PER_DAY}, and end_minute later, up to {END_MINUTE_MAX}")
