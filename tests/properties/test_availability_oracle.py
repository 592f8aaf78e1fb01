"""Availability against an oracle that goes minute by minute.

The oracle knows no bits, no offsets and no arithmetic on zones. It writes down what the clock on the wall shows in each minute, reads off
who works, takes away what is taken, and tries out every way to staff a visit.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from carewright.scheduling.model.availability import AvailabilityIndex
from carewright.scheduling.model.calendar import CalendarException, Leave, Span, WeeklyRule, openings_of
from carewright.scheduling.model.search import Requirement, assign_all, find_starts, iter_starts
from carewright.scheduling.model.ticks import TICKS_PER_DAY, Horizon, grid_mask, set_ticks, window_mask

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "UTC",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Havana",
)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAYS = 3
HORIZON_MINUTES = DAYS * 1440


# What the calendar says: the oracle


@lru_cache(maxsize=64)
def wall_clock(zone: str, around: date) -> tuple[datetime, list[datetime]]:
    """A first instant, two days before `around`, and what the wall shows in each minute from then on, for nine days."""
    first = datetime.combine(around - 2 * DAY, time(), UTC)
    return first, [(first + number * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for number in range(9 * 1440)]


def first_minute(wall: list[datetime], local: datetime) -> int:
    """The first minute that shows `local`, or, where none does, the first that is later."""
    return wall.index(local) if local in wall else next(number for number, shown in enumerate(wall) if shown > local)


def last_minute(wall: list[datetime], local: datetime) -> int:
    """As `first_minute`, but the last of several."""
    return len(wall) - 1 - wall[::-1].index(local) if local in wall else first_minute(wall, local)


class Rules(msgspec.Struct, frozen=True):
    weekly: list[WeeklyRule]
    exceptions: list[CalendarException]
    leave: list[Leave]


def worked_minutes(rules: Rules, zone: str, first: date, last: date) -> set[datetime]:
    """Each minute of work on the local dates `first` to `last`, by its instant."""
    origin, wall = wall_clock(zone, first)

    def minutes(on: date, start: int, end: int) -> set[int]:
        midnight = datetime.combine(on, time())
        return set(range(first_minute(wall, midnight + start * MINUTE), last_minute(wall, midnight + end * MINUTE)))

    worked, closed, opened = set[int](), set[int](), set[int]()
    for on in (first + number * DAY for number in range(-1, (last - first).days + 1)):
        for weekly in rules.weekly:
            begun, over = weekly.valid_from_on or on, weekly.valid_until_on or on
            if weekly.weekday == on.weekday() and begun <= on <= over:
                worked |= minutes(on, weekly.start_minute, weekly.end_minute)
        for each in rules.exceptions:
            if each.on == on:
                target = closed if each.kind == "closed" else opened
                target |= minutes(on, each.start_minute or 0, 1440 if each.end_minute is None else each.end_minute)
    worked = (worked - closed) | opened
    worked &= set(range(first_minute(wall, datetime.combine(first, time())), first_minute(wall, datetime.combine(last + DAY, time()))))
    instants = {origin + minute * MINUTE for minute in worked}
    return {each for each in instants if not any(leave.start <= each < leave.end for leave in rules.leave)}


def whole_ticks(minutes: set[datetime]) -> set[datetime]:
    """The minutes that belong to a 5-minute tick of which all five are there."""

    def tick_of(minute: datetime) -> list[datetime]:
        begin = minute.replace(minute=minute.minute // 5 * 5)
        return [begin + number * MINUTE for number in range(5)]

    return {minute for minute in minutes if all(each in minutes for each in tick_of(minute))}


# What calendars are tried


def change_days(zone: str) -> list[date]:
    """The local dates of 2026 on which the clocks change."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + number * timedelta(hours=1) for number in range(365 * 24)]
    local = [hour.astimezone(ZoneInfo(zone)) for hour in hours]
    return [after.date() for before, after in pairwise(local) if before.utcoffset() != after.utcoffset()]


CHANGES = {zone: change_days(zone) for zone in ZONES}
KINDS: st.SearchStrategy[Literal["closed", "open"]] = st.sampled_from(("closed", "open"))
MINUTES = st.one_of(st.integers(0, 288).map(lambda number: number * 5), st.integers(0, 1440), st.integers(0, 12).map(lambda n: n * 15))


@st.composite
def places(draw: st.DrawFn) -> tuple[str, date]:
    """A zone and a date: mostly around a change of its clocks, where it has any."""
    zone = draw(st.sampled_from(ZONES))
    near_change = [day + number * DAY for day in CHANGES[zone] for number in (-2, -1, 0)]
    anyday = st.dates(date(2026, 1, 5), date(2026, 12, 20))
    return zone, draw(st.one_of(st.sampled_from(near_change), anyday) if near_change else anyday)


@st.composite
def hours(draw: st.DrawFn) -> tuple[int, int]:
    """Start and end minute of a shift; it may run past midnight, and even past the next."""
    start = draw(MINUTES)
    end = (
        draw(st.one_of(MINUTES, MINUTES.map(lambda minute: minute + 1440)).filter(lambda minute: minute > start)) if start < 1440 else 1500
    )
    return start, min(end, 2880)


@st.composite
def weekly_rules(draw: st.DrawFn, first: date) -> WeeklyRule:
    start, end = draw(hours())
    weekday = draw(st.one_of(st.integers(0, 6), st.integers(-1, DAYS).map(lambda number: (first + number * DAY).weekday())))
    limits = st.one_of(st.none(), st.integers(-1, DAYS).map(lambda number: first + number * DAY))
    return WeeklyRule(weekday=weekday, start_minute=start, end_minute=end, valid_from_on=draw(limits), valid_until_on=draw(limits))


@st.composite
def exceptions(draw: st.DrawFn, first: date) -> CalendarException:
    on, kind = first + draw(st.integers(-1, DAYS)) * DAY, draw(KINDS)
    start, end = draw(st.one_of(st.just((None, None)), hours()))
    return CalendarException(on=on, kind=kind, start_minute=start, end_minute=end)


@st.composite
def leaves(draw: st.DrawFn, first: date) -> Leave:
    start = datetime.combine(first, time(), UTC) + draw(st.integers(-1440, HORIZON_MINUTES)) * MINUTE
    return Leave(start=start, end=start + draw(st.integers(1, 2000)) * MINUTE)


@st.composite
def calendars(draw: st.DrawFn, first: date) -> Rules:
    return Rules(
        weekly=draw(st.lists(weekly_rules(first), max_size=6)),
        exceptions=draw(st.lists(exceptions(first), max_size=3)),
        leave=draw(st.lists(leaves(first), max_size=2)),
    )


def spans(first: date, longest: int = 300) -> st.SearchStrategy[Span]:
    """Stretches of time, to the minute, in and around the horizon."""
    origin = datetime.combine(first, time(), UTC)
    starts = st.integers(-100, HORIZON_MINUTES + 100).map(lambda minute: origin + minute * MINUTE)
    return st.tuples(starts, st.integers(1, longest)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1] * MINUTE))


@settings(max_examples=100)
@given(st.data(), places(), st.integers(0, DAYS - 1))
def test_openings_are_the_minutes_that_the_wall_clock_says(data: st.DataObject, place: tuple[str, date], more_days: int) -> None:
    zone, first = place
    rules = data.draw(calendars(first))
    last = first + more_days * DAY
    opened = openings_of(rules.weekly, rules.exceptions, rules.leave, ZoneInfo(zone), first, last)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(opened))
    found = {start + number * MINUTE for start, end in opened for number in range((end - start) // MINUTE)}
    assert found == whole_ticks(worked_minutes(rules, zone, first, last))


# What can be booked: the oracle


class Part(msgspec.Struct, frozen=True):
    """A requirement in the oracle's terms: minutes from the start, buffers included, and who may serve."""

    begin: int
    end: int
    candidates: tuple[int, ...]
    count: int

    def meets(self, other: "Part") -> bool:
        return self.begin < other.end and other.begin < self.end


def staffings(parts: Sequence[Part], able: Sequence[Sequence[int]]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every way to choose able candidates for all parts so that nobody is in two places at once."""
    if not parts:
        yield ()
        return
    for rest in staffings(parts[:-1], able[:-1]):
        engaged = {actor for part, chosen in zip(parts, rest, strict=False) if part.meets(parts[-1]) for actor in chosen}
        for chosen in combinations([actor for actor in able[-1] if actor not in engaged], parts[-1].count):
            yield (*rest, chosen)


class Hospital(msgspec.Struct, frozen=True):
    """Who is free in which minutes (counted from the origin of the horizon), in one zone."""

    zone: str
    origin: datetime
    free: list[set[int]]

    def can_serve(self, part: Part, start: int) -> list[int]:
        needed = range(start + part.begin, start + part.end)
        return [actor for actor in part.candidates if all(minute in self.free[actor] for minute in needed)]

    def can_start(self, parts: Sequence[Part], start: int) -> bool:
        able = [self.can_serve(part, start) for part in parts]
        return next(staffings(parts, able), None) is not None

    def wall(self, start: int) -> datetime:
        return (self.origin + start * MINUTE).astimezone(ZoneInfo(self.zone))


@st.composite
def parts_of_visits(draw: st.DrawFn, actors: int) -> list[tuple[Requirement, Part]]:
    """One to four requirements with pools that overlap as chance has it, in people and in time."""
    drawn = []
    for _ in range(draw(st.integers(1, 4))):
        candidates = draw(st.lists(st.integers(0, actors - 1), unique=True, min_size=1, max_size=actors))
        duration, before, after = (
            draw(st.one_of(st.integers(1, 14), st.integers(1, 140))),
            draw(st.sampled_from((0, 0, 1, 3))),
            draw(st.sampled_from((0, 0, 2))),
        )
        offset, count = draw(st.sampled_from((0, 0, 0, 1, 4, 9, 70))), draw(st.sampled_from((1, 1, 1, 2, 3)))
        requirement = Requirement(
            candidates=np.array(candidates, np.intp),
            duration_ticks=duration,
            offset_ticks=offset,
            count=count,
            buffer_before_ticks=before,
            buffer_after_ticks=after,
        )
        part = Part((offset - before) * 5, (offset + duration + after) * 5, tuple(candidates), count)
        drawn.append((requirement, part))
    return drawn


@st.composite
def hospitals(draw: st.DrawFn) -> tuple[Hospital, AvailabilityIndex]:
    """The same people twice: as minutes for the oracle and as an index."""
    zone, first = draw(places())
    horizon = Horizon(origin=datetime.combine(first, time(), UTC), days=DAYS)
    index, free = AvailabilityIndex(horizon, capacity=1), []
    rosters = draw(st.lists(calendars(first), min_size=1, max_size=2))
    for actor in range(draw(st.integers(2, 5))):
        rules = draw(st.sampled_from(rosters))
        claims, blocks = draw(st.lists(spans(first), max_size=5)), draw(st.lists(spans(first), max_size=1))
        opened = openings_of(rules.weekly, rules.exceptions, rules.leave, ZoneInfo(zone), first - DAY, first + DAYS * DAY)
        index.load(
            UUID(int=actor),
            [horizon.inner(*each) for each in opened],
            [horizon.outer(*each) for each in claims],
            [horizon.outer(*each) for each in blocks],
        )
        worked = worked_minutes(rules, zone, first - DAY, first + DAYS * DAY)
        left = {minute for minute in worked if not any(start <= minute < end for start, end in (*claims, *blocks))}
        inside = (minute for minute in whole_ticks(left) if horizon.origin <= minute < horizon.end)
        free.append({(minute - horizon.origin) // MINUTE for minute in inside})
    return Hospital(zone, horizon.origin, free), index


def disjoint_where_they_meet(parts: Sequence[Part], chosen: Sequence[Sequence[int]]) -> bool:
    pairs = combinations(range(len(parts)), 2)
    return all(not parts[one].meets(parts[other]) or set(chosen[one]).isdisjoint(chosen[other]) for one, other in pairs)


@settings(max_examples=100)
@given(st.data(), hospitals())
def test_a_visit_can_start_exactly_when_the_oracle_can_staff_it(data: st.DataObject, both: tuple[Hospital, AvailabilityIndex]) -> None:
    hospital, index = both
    drawn = data.draw(parts_of_visits(len(hospital.free)))
    requirements, parts = [each for each, _ in drawn], [part for _, part in drawn]
    first, end = sorted(data.draw(st.tuples(st.integers(0, index.horizon.ticks), st.integers(0, index.horizon.ticks))))
    expected = [tick for tick in range(first, end) if hospital.can_start(parts, tick * 5)]
    assert set_ticks(find_starts(index, requirements, first, end)).tolist() == expected
    assert list(iter_starts(index, requirements, first, end)) == expected
    some = data.draw(st.lists(st.sampled_from(range(first, end)), max_size=5)) if first < end else []
    ticks = [*some, *expected[:3], *expected[-3:]]
    for tick, chosen in zip(ticks, assign_all(index, requirements, ticks, zone=ZoneInfo(hospital.zone)), strict=True):
        assert (chosen is not None) == (tick in expected)
        if chosen is not None:
            rows = [each.tolist() for each in chosen]
            assert all(len(set(row)) == part.count for row, part in zip(rows, parts, strict=True))
            assert all(set(row) <= set(hospital.can_serve(part, tick * 5)) for row, part in zip(rows, parts, strict=True))
            assert disjoint_where_they_meet(parts, rows)


@settings(max_examples=50)
@given(
    hospitals(),
    st.sampled_from((5, 10, 15, 20, 30, 60)),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_grid_and_window_are_read_off_the_wall_clock(
    both: tuple[Hospital, AvailabilityIndex], grid: int, from_minute: int, length: int, weekdays: frozenset[int]
) -> None:
    hospital, index = both
    zone = ZoneInfo(hospital.zone)
    masks = [grid_mask(index.horizon, zone, grid), window_mask(index.horizon, zone, from_minute, from_minute + length, weekdays)]
    visit = [Requirement(candidates=np.arange(len(hospital.free)), duration_ticks=2)]
    part = Part(0, 10, tuple(range(len(hospital.free))), 1)

    def allowed(tick: int) -> bool:
        wall = hospital.wall(tick * 5)
        minute = wall.hour * 60 + wall.minute
        same_day = wall.weekday() in weekdays and from_minute <= minute < from_minute + length
        from_day_before = (wall - DAY).weekday() in weekdays and minute + 1440 < from_minute + length
        return minute % grid == 0 and (same_day or from_day_before)

    expected = [tick for tick in range(index.horizon.ticks) if allowed(tick) and hospital.can_start([part], tick * 5)]
    assert set_ticks(find_starts(index, visit, 0, index.horizon.ticks, masks)).tolist() == expected


# What changes: any order of updates leaves what loading anew would give


TICKS = st.integers(-20, DAYS * TICKS_PER_DAY + 20)
TICK_RANGES = st.tuples(TICKS, TICKS).map(lambda drawn: (min(drawn), max(drawn)))
SCHEDULES = st.integers(0, 3).map(lambda number: UUID(int=number))


class Known(msgspec.Struct):
    """One schedule in the model: the ticks in which it is open, and those in which it is free."""

    open_ticks: set[int]
    free_ticks: set[int]


def ticks_of(ranges: Sequence[tuple[int, int]]) -> set[int]:
    return {tick for start, end in ranges for tick in range(max(start, 0), min(end, DAYS * TICKS_PER_DAY))}


def ranges_of(ticks: set[int]) -> list[tuple[int, int]]:
    return [(tick, tick + 1) for tick in ticks]


class Updates(RuleBasedStateMachine):
    """An index that is changed step by step, beside sets of ticks that say what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[UUID, Known] = {}

    @initialize()
    def start(self) -> None:
        self.index = AvailabilityIndex(Horizon(origin=datetime(2026, 3, 28, tzinfo=UTC), days=DAYS), capacity=1)

    def row(self, schedule_id: UUID) -> int:
        row = self.index.row_of(schedule_id)
        assert row is not None
        return row

    @rule(
        schedule_id=SCHEDULES,
        openings=st.lists(TICK_RANGES, max_size=4),
        busy=st.lists(TICK_RANGES, max_size=4),
        blocks=st.lists(TICK_RANGES, max_size=2),
    )
    def load(self, schedule_id: UUID, openings: list[tuple[int, int]], busy: list[tuple[int, int]], blocks: list[tuple[int, int]]) -> None:
        self.index.load(schedule_id, openings, busy, blocks)
        opened = ticks_of(openings) - ticks_of(blocks)
        self.known[schedule_id] = Known(opened, opened - ticks_of(busy))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), taken=TICK_RANGES)
    def set_busy(self, data: st.DataObject, taken: tuple[int, int]) -> None:
        schedule_id = data.draw(st.sampled_from(sorted(self.known)))
        self.index.set_busy(self.row(schedule_id), *taken)
        self.known[schedule_id].free_ticks -= ticks_of([taken])

    @precondition(lambda self: self.known)
    @rule(data=st.data(), given_back=TICK_RANGES, still_busy=st.lists(TICK_RANGES, max_size=2))
    def set_free(self, data: st.DataObject, given_back: tuple[int, int], still_busy: list[tuple[int, int]]) -> None:
        schedule_id = data.draw(st.sampled_from(sorted(self.known)))
        self.index.set_free(self.row(schedule_id), *given_back, still_busy)
        known = self.known[schedule_id]
        known.free_ticks = (known.free_ticks | (ticks_of([given_back]) & known.open_ticks)) - ticks_of(still_busy)

    @precondition(lambda self: self.known)
    @rule(
        data=st.data(),
        window=TICK_RANGES,
        openings=st.lists(TICK_RANGES, max_size=3),
        busy=st.lists(TICK_RANGES, max_size=3),
        blocks=st.lists(TICK_RANGES, max_size=1),
    )
    def reload(
        self,
        data: st.DataObject,
        window: tuple[int, int],
        openings: list[tuple[int, int]],
        busy: list[tuple[int, int]],
        blocks: list[tuple[int, int]],
    ) -> None:
        schedule_id = data.draw(st.sampled_from(sorted(self.known)))
        self.index.reload(self.row(schedule_id), openings, busy, blocks, first_tick=window[0], end_tick=window[1])
        known, again = self.known[schedule_id], ticks_of([window])
        opened = (ticks_of(openings) - ticks_of(blocks)) & again
        known.open_ticks = (known.open_ticks - again) | opened
        known.free_ticks = (known.free_ticks - again) | (opened - ticks_of(busy))

    @rule(days=st.integers(0, DAYS + 1))
    def roll(self, days: int) -> None:
        self.index.roll(Horizon(origin=self.index.horizon.origin + days * DAY, days=DAYS))
        dropped = days * TICKS_PER_DAY
        for known in self.known.values():
            known.open_ticks = {tick - dropped for tick in known.open_ticks if tick >= dropped}
            known.free_ticks = {tick - dropped for tick in known.free_ticks if tick >= dropped}

    @rule(schedule_id=SCHEDULES)
    def remove(self, schedule_id: UUID) -> None:
        self.index.remove(schedule_id)
        self.known.pop(schedule_id, None)

    @invariant()
    def it_holds_what_loading_anew_would_give(self) -> None:
        fresh = AvailabilityIndex(self.index.horizon)
        assert set(self.index.schedules) == set(self.known)
        for schedule_id, known in self.known.items():
            row = fresh.load(schedule_id, ranges_of(known.open_ticks), ranges_of(known.open_ticks - known.free_ticks))
            assert np.array_equal(self.index.open_bits[self.row(schedule_id)], fresh.open_bits[row])
            assert np.array_equal(self.index.free[self.row(schedule_id)], fresh.free[row])


TestUpdates = Updates.TestCase
TestUpdates.settings = settings(max_examples=50, stateful_step_count=20)
