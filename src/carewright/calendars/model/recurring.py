"""Recurrence rules (RFC 5545 section 3.3.10) on wall times: by day, week, month and year. Whatever else there is, is refused, not guessed.

Dates are chosen in the wall's time; the caller gives each its zone. Days looked at are counted, so that no rule is endless.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from carewright.contracts.calendars import CalendarNotUnderstood

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LENGTHS = {"DAILY": (1, 1), "WEEKLY": (7, 7), "MONTHLY": (28, 31), "YEARLY": (365, 366)}
"""Days of the shortest and the longest period."""
KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})
MONTHS = frozenset(range(1, 13))
DAYS_MAX = 400_000


class Weekday(NamedTuple):
    """`nth` counts within the month or year, from its end where it is negative; 0 is every one."""

    nth: int
    day: int


@dataclass(frozen=True, slots=True)
class Rule:
    """`until` is a wall time of the event's zone."""

    frequency: str
    interval: int
    count: int | None
    until: datetime | None
    weekdays: frozenset[Weekday]
    month_days: frozenset[int]
    months: frozenset[int]
    positions: tuple[int, ...]
    week_start: int


@dataclass(slots=True)
class Budget:
    """How many days may still be looked at, for all events of a calendar together."""

    days: int = DAYS_MAX

    def spend(self, days: int) -> None:
        self.days -= days
        if self.days < 0:
            raise CalendarNotUnderstood(reason="rules-too-long")


def rule_in(text: str, until: datetime | None) -> Rule:
    """The rule of an RRULE, whose UNTIL the caller has read. Raises `CalendarNotUnderstood`."""
    parts = dict(part.upper().partition("=")[::2] for part in text.strip().split(";") if part)
    if not set(parts) <= KNOWN or parts.get("FREQ") not in LENGTHS:
        raise CalendarNotUnderstood(reason="unsupported-rule")
    try:
        rule = Rule(
            frequency=parts["FREQ"], interval=int(parts.get("INTERVAL", "1")), until=until,
            count=int(parts["COUNT"]) if "COUNT" in parts else None, weekdays=frozenset(map(_weekday, _listed(parts, "BYDAY"))),
            month_days=frozenset(map(int, _listed(parts, "BYMONTHDAY"))), months=frozenset(map(int, _listed(parts, "BYMONTH"))),
            positions=tuple(map(int, _listed(parts, "BYSETPOS"))), week_start=DAYS.index(parts.get("WKST", "MO")),
        )  # fmt: skip
    except ValueError as fault:
        raise CalendarNotUnderstood(reason="rule") from fault
    if rule.interval < 1 or 0 in rule.month_days or 0 in rule.positions or not rule.months <= MONTHS or _misplaced(rule):
        raise CalendarNotUnderstood(reason="rule")
    return rule


def _misplaced(rule: Rule) -> bool:
    """Days are counted within months and years alone, and months have days where no week asks for others (RFC 5545 section 3.3.10)."""
    counted = any(each.nth for each in rule.weekdays) and rule.frequency in ("DAILY", "WEEKLY")
    return counted or (rule.frequency == "WEEKLY" and bool(rule.month_days))


def starts_of(rule: Rule, first: datetime, since: datetime, before: datetime, budget: Budget) -> Iterator[datetime]:
    """The wall times of the rule from `since` on and before `before`, of an event that begins at `first`."""
    left = rule.count
    for dates in _periods(rule, first.date(), None if rule.count is not None else since.date(), before.date(), budget):
        for on in dates:
            at = datetime.combine(on, first.time())
            if at < first:
                continue
            if at >= before or (rule.until and at > rule.until) or left == 0:
                return
            left = left - 1 if left is not None else None
            if at >= since:
                yield at


def _periods(rule: Rule, first: date, since: date | None, before: date, budget: Budget) -> Iterator[list[date]]:
    """The dates of each period that begins before `before`. Where nothing is counted, those that end before `since` are not looked at."""
    shortest, longest = LENGTHS[rule.frequency]
    number = max(0, (since - first).days // (longest * rule.interval) - 1) if since else 0
    while number * rule.interval * shortest <= (before - first).days + longest:
        budget.spend(longest)
        yield _chosen(_dates(rule, first, number * rule.interval), rule.positions)
        number += 1


def _dates(rule: Rule, first: date, away: int) -> list[date]:
    """The dates of the period that is `away` periods from that of `first`."""
    if rule.frequency == "DAILY":
        return _fitting(rule, [first + timedelta(days=away)])
    if rule.frequency == "WEEKLY":
        begins = first - timedelta(days=(first.weekday() - rule.week_start) % 7) + timedelta(weeks=away)
        wanted = {each.day for each in rule.weekdays} or {first.weekday()}
        week = [begins + timedelta(days=number) for number in range(7)]
        return [on for on in week if on.weekday() in wanted and on.month in (rule.months or (on.month,))]
    if rule.frequency == "MONTHLY":
        months = first.year * 12 + first.month - 1 + away
        return _in_month(rule, months // 12, months % 12 + 1, first)
    return _in_year(rule, first.year + away, first)


def _in_month(rule: Rule, year: int, month: int, first: date) -> list[date]:
    if month not in (rule.months or (month,)):
        return []
    days = [date(year, month, number) for number in range(1, calendar.monthrange(year, month)[1] + 1)]
    if not rule.month_days and not rule.weekdays:
        return [on for on in days if on.day == first.day]
    return _fitting(rule, days)


def _in_year(rule: Rule, year: int, first: date) -> list[date]:
    if rule.weekdays and not rule.months and not rule.month_days:
        return _fitting(rule, [date(year, 1, 1) + timedelta(days=number) for number in range(366 if calendar.isleap(year) else 365)])
    months = rule.months or (range(1, 13) if rule.month_days else (first.month,))
    return [on for month in sorted(months) for on in _in_month(rule, year, month, first)]


def _fitting(rule: Rule, days: list[date]) -> list[date]:
    """The days of a period that BYMONTH, BYMONTHDAY and BYDAY leave."""
    return [
        on
        for number, on in enumerate(days)
        if on.month in (rule.months or (on.month,))
        and (not rule.month_days or not rule.month_days.isdisjoint((on.day, on.day - calendar.monthrange(on.year, on.month)[1] - 1)))
        and (not rule.weekdays or not rule.weekdays.isdisjoint(_names_of(on.weekday(), number, len(days))))
    ]


def _names_of(weekday: int, number: int, of: int) -> tuple[Weekday, Weekday, Weekday]:
    """How BYDAY may call the day at `number` of the `of` days of a period: every one, the nth, or the nth from the end."""
    return Weekday(0, weekday), Weekday(number // 7 + 1, weekday), Weekday(-((of - 1 - number) // 7) - 1, weekday)


def _chosen(dates: list[date], positions: tuple[int, ...]) -> list[date]:
    if not positions:
        return dates
    numbers = {each - 1 if each > 0 else len(dates) + each for each in positions}
    return [on for number, on in enumerate(dates) if number in numbers]


def _listed(parts: dict[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _weekday(text: str) -> Weekday:
    return Weekday(int(text[:-2] or "0"), DAYS.index(text[-2:]))
