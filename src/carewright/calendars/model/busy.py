"""When a calendar is busy: its events, each as often as it recurs, as stretches of time that do not touch each other.

An event is busy unless it is cancelled or says that it is transparent. A change of one occurrence (RECURRENCE-ID) takes that one's place.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carewright.calendars.model.icalendar import Component, Property, events_in
from carewright.calendars.model.recurring import Budget, rule_in, starts_of
from carewright.calendars.model.zones import zone_named
from carewright.contracts.calendars import CalendarNotUnderstood

GRID = timedelta(minutes=5)
STRETCHES_MAX = 2_000
OCCURRENCES_MAX = 20_000
DURATION = re.compile(r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?")
INSTANT = re.compile(r"\d{8}T\d{6}Z?")
DAY = re.compile(r"\d{8}")


class Stretch(NamedTuple):
    start: datetime
    end: datetime


class Wall(NamedTuple):
    """A time on a wall, and whose; `is_day` where it is a whole day."""

    at: datetime
    zone: ZoneInfo
    is_day: bool

    @property
    def instant(self) -> datetime:
        return self.at.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT. `instead_of` is the occurrence whose place it takes."""

    uid: str
    start: Wall
    lasts: timedelta
    is_busy: bool
    instead_of: datetime | None
    component: Component


def busy_in(content: bytes, zone: ZoneInfo, window: Stretch) -> list[Stretch]:
    """When the calendar is busy within `window`, on the grid, in order. `zone` is that of times which name none, and of whole days.

    Raises `CalendarNotUnderstood`.
    """
    try:
        found = _found([_event(each, zone) for each in events_in(content)], window)
    except OverflowError as fault:  # before the year 1, or after 9999
        raise CalendarNotUnderstood(reason="time") from fault
    stretches = list(_joined(found))
    if len(stretches) > STRETCHES_MAX:
        raise CalendarNotUnderstood(reason="too-many-events")
    return stretches


def _found(events: Sequence[Event], window: Stretch) -> list[Stretch]:
    """Every occurrence of every event in the window."""
    replaced: defaultdict[str, set[datetime]] = defaultdict(set)
    for event in events:
        if event.instead_of:
            replaced[event.uid].add(event.instead_of)
    budget, found = Budget(), list[Stretch]()
    for event in events:
        found += _occurrences(event, replaced[event.uid], window, budget)
        if len(found) > OCCURRENCES_MAX:
            raise CalendarNotUnderstood(reason="too-many-events", line=event.component.line)
    return found


def _event(component: Component, zone: ZoneInfo) -> Event:
    begins, uid = component.first("DTSTART"), component.first("UID")
    if begins is None or uid is None:
        raise CalendarNotUnderstood(reason="event", line=component.line)
    start, instead = _wall(begins, zone), component.first("RECURRENCE-ID")
    if instead and "RANGE" in instead.parameters:
        raise CalendarNotUnderstood(reason="unsupported-rule", line=instead.line)
    free = (
        component.word("STATUS") == "CANCELLED" or component.word("TRANSP") == "TRANSPARENT"
        or component.word("X-MICROSOFT-CDO-BUSYSTATUS") == "FREE"
    )  # fmt: skip
    return Event(uid.value, start, _length(component, start, zone), not free, _wall(instead, zone).instant if instead else None, component)


def _occurrences(event: Event, replaced: set[datetime], window: Stretch, budget: Budget) -> Iterator[Stretch]:
    """What of the event lies in the window, clipped to it."""
    if not event.is_busy or event.lasts <= timedelta(0):
        return
    left_out = {wall.instant for each in event.component.properties.get("EXDATE", ()) for wall in _walls(each, event.start.zone)}
    if event.instead_of is None:
        left_out |= replaced
    for start in _starts(event, window, budget):
        if start.instant in left_out:
            continue
        end = start._replace(at=start.at + event.lasts).instant if start.is_day else start.instant + event.lasts
        clipped = Stretch(max(_floor(start.instant), window.start), min(_ceiling(end), window.end))
        if clipped.start < clipped.end:
            yield clipped


def _starts(event: Event, window: Stretch, budget: Budget) -> Iterator[Wall]:
    """Every start that could reach into the window: of the event itself, of its rules, and of its further dates."""
    first, component = event.start, event.component
    since = (window.start - event.lasts).astimezone(first.zone).replace(tzinfo=None) - timedelta(days=1)
    before = window.end.astimezone(first.zone).replace(tzinfo=None) + timedelta(days=1)
    rules = component.properties.get("RRULE", ()) if event.instead_of is None else ()
    found = {first.at} if not rules else set[datetime]()
    for each in rules:
        rule = rule_in(each.value, _until(each, first))
        found.update(starts_of(rule, first.at, since, before, budget))
    for each in component.properties.get("RDATE", ()):
        found.update(wall.at for wall in _walls(each, first.zone))
    return (first._replace(at=at) for at in sorted(found) if since <= at < before)


def _until(rule: Property, first: Wall) -> datetime | None:
    """The UNTIL of a rule as a wall time of its event: a day ends with its last second."""
    text = dict(part.upper().partition("=")[::2] for part in rule.value.split(";")).get("UNTIL")
    if text is None:
        return None
    until = _wall(Property(text, {}, rule.line), first.zone)
    if until.is_day:
        return until.at + timedelta(days=1, seconds=-1)
    return until.instant.astimezone(first.zone).replace(tzinfo=None) if text.endswith("Z") else until.at


def _length(component: Component, start: Wall, zone: ZoneInfo) -> timedelta:
    """How long it lasts: a whole day where a day says nothing else, and no time at all where a time does (RFC 5545 section 3.6.1)."""
    ends, lasts = component.first("DTEND"), component.first("DURATION")
    if ends:
        end = _wall(ends, zone)
        return end.at - start.at if start.is_day else end.instant - start.instant
    if lasts is None:
        return timedelta(days=1 if start.is_day else 0)
    found = DURATION.fullmatch(lasts.value.strip().upper())
    if found is None:
        raise CalendarNotUnderstood(reason="time", line=lasts.line)
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _walls(found: Property, zone: ZoneInfo) -> list[Wall]:
    """The times of a list, on the wall of their event."""
    single = [_wall(Property(text, found.parameters, found.line), zone) for text in found.value.split(",")]
    return [Wall(each.instant.astimezone(zone).replace(tzinfo=None), zone, each.is_day) for each in single]


def _wall(found: Property, zone: ZoneInfo) -> Wall:
    """A date, a time in UTC, in its TZID, or on whatever wall it is read."""
    text = found.value.strip()
    named = zone_named(found.parameters["TZID"], found.line) if "TZID" in found.parameters else zone
    try:
        if DAY.fullmatch(text):
            return Wall(datetime.strptime(text, "%Y%m%d"), zone, is_day=True)  # noqa: DTZ007  # a day of the calendar's own wall
        if INSTANT.fullmatch(text) is None:
            raise CalendarNotUnderstood(reason="time", line=found.line)
        at = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  # its zone stands beside it
    except ValueError as fault:
        raise CalendarNotUnderstood(reason="time", line=found.line) from fault
    return Wall(at, ZoneInfo("Etc/UTC") if text.endswith("Z") else named, is_day=False)


def _joined(found: Iterable[Stretch]) -> Iterator[Stretch]:
    """The stretches with those that overlap or touch made one."""
    current: Stretch | None = None
    for each in sorted(found):
        if current and each.start <= current.end:
            current = Stretch(current.start, max(current.end, each.end))
            continue
        if current:
            yield current
        current = each
    if current:
        yield current


def _floor(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _ceiling(at: datetime) -> datetime:
    down = _floor(at)
    return down if down == at else down + GRID


def changed(before: Iterable[Stretch], wanted: Iterable[Stretch]) -> tuple[list[Stretch], list[Stretch]]:
    """What has to be blocked, and what no longer, each in order."""
    old, new = set(before), set(wanted)
    return sorted(new - old), sorted(old - new)
