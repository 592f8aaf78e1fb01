"""Points in time as HL7 v2 writes them: YYYYMMDD[HHMM[SS[.S…]]][+/-ZZZZ] (2.A.22, DTM)."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?(?:([+-])(\d{2})(\d{2}))?")
DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")


def instant_of(text: str, zone: tzinfo) -> datetime | None:
    """The instant in UTC; `zone` is the sender's where it names none. None for what is no time of day, or no time at all."""
    found = STAMP.fullmatch(text)
    if found is None or found[4] is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=_offset(found) or zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def span_of(text: str, zones: Iterable[tzinfo]) -> tuple[datetime, datetime] | None:
    """From when to when, in UTC, the instant may be; None for what is no time.

    The text may end with the minute or the day, fall into an hour that comes twice, or name no zone: then it is of one of `zones`.
    """
    found = STAMP.fullmatch(text)
    if found is None:
        return None
    length = timedelta(seconds=1) if found[6] else timedelta(minutes=1) if found[4] else timedelta(days=1)
    offset = _offset(found)
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        wall = [datetime(year, month, day, hour, minute, second, tzinfo=zone) for zone in ([offset] if offset else zones)]
        instants = [each.replace(fold=fold).astimezone(UTC) for each in wall for fold in (0, 1)]
        return (min(instants), max(instants) + length) if instants else None
    except (ValueError, OverflowError):
        return None


def day_of(text: str) -> date | None:
    """The calendar day, whatever follows it."""
    found = DAY.match(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def stamp_of(instant: datetime) -> str:
    """The instant to the second, in UTC with its offset."""
    return instant.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def _offset(found: re.Match[str]) -> tzinfo | None:
    if found[7] is None:
        return None
    apart = timedelta(hours=int(found[8]), minutes=int(found[9]))
    return timezone(apart if found[7] == "+" else -apart)
