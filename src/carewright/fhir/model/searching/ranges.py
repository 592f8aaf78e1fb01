"""Dates, numbers and quantities as ranges, and what the prefixes say of two of them.

Source: http://hl7.org/fhir/R4/search.html, Prefixes, date, number and quantity.
"""

import re
from collections.abc import Callable
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

from carewright.fhir.model.searching.elements import elements

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
APPROXIMATELY = Decimal("0.1")
"""R4 recommends a tenth of the number, and of the time between a date and now."""
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
EXPONENT_MAX = 100
DIGITS_MAX = 40

_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE](?P<exponent>[+-]?\d{1,3}))?")


class Span(NamedTuple):
    """Time from `start` on and before `end`, in UTC."""

    start: datetime
    end: datetime

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end


ALWAYS = Span(FIRST, LAST)


def span_of(text: str, zone: tzinfo) -> Span:
    """The range that a date of any precision means; one without an offset is of `zone`. Raises `ValueError` for another text."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError
    whole = match.groupdict()
    try:
        return _clock_span(whole, zone) if whole["hour"] else _calendar_span(whole, zone)
    except OverflowError:
        raise ValueError from None


def _clock_span(whole: dict[str, str | None], zone: tzinfo) -> Span:
    micros = (whole["fraction"] or "")[:6]
    local = datetime(
        int(whole["year"] or 0), int(whole["month"] or 1), int(whole["day"] or 1), int(whole["hour"] or 0), int(whole["minute"] or 0),
        int(whole["second"] or 0), int(micros.ljust(6, "0")), tzinfo=_offset(whole["zone"], zone),
    )  # fmt: skip
    start = local.astimezone(UTC)
    if micros:
        return Span(start, start + timedelta(microseconds=10 ** (6 - len(micros))))
    return Span(start, start + timedelta(seconds=1 if whole["second"] else 60))


def _offset(text: str | None, zone: tzinfo) -> tzinfo:
    return zone if text is None else datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo or UTC


def _calendar_span(whole: dict[str, str | None], zone: tzinfo) -> Span:
    first = date(int(whole["year"] or 0), int(whole["month"] or 1), int(whole["day"] or 1))
    return Span(_midnight(first, zone), _midnight(_following(first, whole), zone))


def _following(first: date, whole: dict[str, str | None]) -> date | None:
    if first.year == MAXYEAR and (whole["month"] in (None, "12")) and whole["day"] in (None, "31"):
        return None
    if whole["day"]:
        return first + timedelta(days=1)
    if whole["month"] and first.month < 12:
        return first.replace(month=first.month + 1)
    return date(first.year + 1, 1, 1)


def _midnight(day: date | None, zone: tzinfo) -> datetime:
    """The first moment of a day; the edges of the calendar stay on it."""
    if day is None:
        return LAST
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year == 1 else LAST


def span_in(value: object, zone: tzinfo) -> Span | None:
    """The range of what a resource holds: a date, dateTime or instant, a Period, or a Timing by its outer limits. None for nothing."""
    try:
        if isinstance(value, str):
            return span_of(value, zone)
        if isinstance(value, dict):
            return _timing_span(value, zone) if "event" in value or "repeat" in value else _period_span(value, zone)
    except ValueError:
        return None
    return None


def _period_span(value: dict[str, Any], zone: tzinfo) -> Span | None:
    """A Period without a start began at any time, without an end it lasts."""
    start, end = (span_in(value.get(name), zone) for name in ("start", "end"))
    return Span(start.start if start else FIRST, end.end if end else LAST) if start or end else None


def _timing_span(value: dict[str, Any], zone: tzinfo) -> Span | None:
    """R4, date: of a Timing only the outer limits matter."""
    limits = [*elements("event", value), *elements("repeat.boundsPeriod", value)]
    spans = [span for span in (span_in(limit, zone) for limit in limits) if span]
    return Span(min(span.start for span in spans), max(span.end for span in spans)) if spans else None


def date_matches(prefix: Prefix, asked: Span, target: Span, now: datetime) -> bool:
    """Whether a date in a resource is what was asked for."""
    return _DATE_SAYS[prefix](_widened(asked, now) if prefix == "ap" else asked, target)


_DATE_SAYS: dict[Prefix, Callable[[Span, Span], bool]] = {
    "eq": lambda asked, target: asked.contains(target),
    "ne": lambda asked, target: not asked.contains(target),
    "gt": lambda asked, target: target.end > asked.end,
    "lt": lambda asked, target: target.start < asked.start,
    "ge": lambda asked, target: target.end > asked.end or asked.contains(target),
    "le": lambda asked, target: target.start < asked.start or asked.contains(target),
    "sa": lambda asked, target: target.start >= asked.end,
    "eb": lambda asked, target: target.end <= asked.start,
    "ap": lambda asked, target: target.start < asked.end and asked.start < target.end,
}


def _widened(asked: Span, now: datetime) -> Span:
    slack = abs(now - asked.start) / 10
    start = asked.start - min(slack, asked.start - FIRST)
    return Span(start, asked.end + min(slack, LAST - asked.end))


class Number(NamedTuple):
    """A number as it was written: `value`, and the implied range around it, from `low` on and below `high`."""

    value: Decimal
    low: Decimal
    high: Decimal


def number_of(text: str) -> Number:
    """A number with the range that its precision implies: 100 is 99.5 to 100.5, 1e2 is 95 to 105. Raises `ValueError`."""
    match = _NUMBER.fullmatch(text)
    if not match or len(text) > DIGITS_MAX or abs(int(match["exponent"] or 0)) > EXPONENT_MAX:
        raise ValueError
    value = Decimal(text)
    half = Decimal(5).scaleb(_last_place(value, has_exponent=match["exponent"] is not None) - 1)
    return Number(value, value - half, value + half)


def _last_place(value: Decimal, *, has_exponent: bool) -> int:
    """The power of ten of the last significant digit. R4's example takes 1e2 to two digits, as if it were 1.0e2."""
    _, digits, exponent = value.as_tuple()
    return int(exponent) - (1 if has_exponent and len(digits) == 1 else 0)


def decimal_of(value: object) -> Decimal | None:
    """A JSON number exactly as it is written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def number_matches(prefix: Prefix, asked: Number, low: Decimal, high: Decimal) -> bool:
    """Whether a number in a resource, or its range from `low` to `high`, is what was asked for. Comparisons leave precision out."""
    return _NUMBER_SAYS[prefix](asked, low, high)


def _is_near(asked: Number, low: Decimal, high: Decimal) -> bool:
    slack = max(abs(asked.value) * APPROXIMATELY, asked.high - asked.value)
    return low <= asked.value + slack and high >= asked.value - slack


_NUMBER_SAYS: dict[Prefix, Callable[[Number, Decimal, Decimal], bool]] = {
    "eq": lambda asked, low, high: asked.low <= low and high < asked.high,
    "ne": lambda asked, low, high: not (asked.low <= low and high < asked.high),
    "gt": lambda asked, _, high: high > asked.value,
    "lt": lambda asked, low, _: low < asked.value,
    "ge": lambda asked, _, high: high >= asked.value,
    "le": lambda asked, low, _: low <= asked.value,
    "sa": lambda asked, low, _: low > asked.value,
    "eb": lambda asked, _, high: high < asked.value,
    "ap": _is_near,
}
