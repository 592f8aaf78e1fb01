"""Reading times off a site's wall clock, and writing them the way people say them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Locale = Literal["en-US", "en-GB"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clock:
    """How a language writes a time of day by twelve hours: `form` has `{hour12}`, `{minute}` and `{half}`, `halves` name these."""

    form: str
    halves: tuple[str, str]


ENGLISH = Clock("{hour12}:{minute} {half}", ("AM", "PM"))


@dataclass(frozen=True, slots=True)
class Wall:
    """A site's wall clock. With `named`, times carry the zone's name, because other sites keep another time."""

    zone: ZoneInfo
    locale: Locale = "en-US"
    named: bool = False

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def day(self, instant: datetime) -> date:
        """The calendar date on this wall."""
        return self.local(instant).date()

    def midnight(self, on: date) -> datetime:
        """The instant at which the day begins here; where clocks skip midnight, the first moment after it."""
        return datetime.combine(on, time(), self.zone).astimezone(UTC)

    def time(self, instant: datetime, clock: Clock = ENGLISH) -> str:
        """The time of day; with the zone's abbreviation where times of other zones may stand beside it.

        By twelve hours it is written as `clock` says. Where the locale counts 24, every language does.
        """
        return self._written(instant, clock, named=self.named)

    def bare_time(self, instant: datetime) -> str:
        """The time of day where the zone is plain from what stands around it."""
        return self._written(instant, ENGLISH, named=False)

    def _written(self, instant: datetime, clock: Clock, *, named: bool) -> str:
        """On the night when an hour happens twice, the abbreviation tells the two apart."""
        local = self.local(instant)
        text = clock_time(local, self.locale, clock)
        return f"{text} {local.tzname()}" if named or _happens_twice(local) else text

    @property
    def city(self) -> str:
        """The place that the zone is called after: "New York"."""
        return self.zone.key.rpartition("/")[2].replace("_", " ")

    def when(self, instant: datetime) -> str:
        """Day and time in one breath: "Tuesday, November 24, 2026 at 2:30 PM"."""
        return f"{full_date(self.day(instant), self.locale)} at {self.time(instant)}"


def clock_of(words: Mapping[str, str]) -> Clock:
    """How the language of these words writes a time of day."""
    morning, _, afternoon = words["halves"].partition(" | ")
    return Clock(words["clock"], (morning, afternoon))


def wall_of(zone_name: str | None, locale: Locale, *, named: bool = False) -> Wall:
    """The wall clock of an IANA zone; an unknown name reads as UTC and is always named, so that nobody is misled."""
    try:
        return Wall(ZoneInfo(zone_name or "UTC"), locale, named)
    except (ZoneInfoNotFoundError, ValueError):
        return Wall(ZoneInfo("UTC"), locale, named=True)


def clock_time(local: datetime, locale: Locale, clock: Clock = ENGLISH) -> str:
    if locale == "en-GB":
        return f"{local:%H:%M}"
    return clock.form.format(hour12=local.hour % 12 or 12, minute=f"{local.minute:02}", half=clock.halves[local.hour // 12])


def long_date(on: date, locale: Locale) -> str:
    """Weekday, day and month: "Tuesday, November 24"."""
    weekday, month = WEEKDAYS[on.weekday()], MONTHS[on.month - 1]
    return f"{weekday}, {month} {on.day}" if locale == "en-US" else f"{weekday} {on.day} {month}"


def short_date(on: date, locale: Locale) -> str:
    """Month and day, short: "Nov 24"."""
    month = MONTHS[on.month - 1][:3]
    return f"{month} {on.day}" if locale == "en-US" else f"{on.day} {month}"


def full_date(on: date, locale: Locale) -> str:
    """The long date with its year."""
    return f"{long_date(on, locale)}{',' if locale == 'en-US' else ''} {on.year}"


def near_date(on: date, today: date, locale: Locale) -> str:
    """The long date, led by "Today" or "Tomorrow" where it is; with the year where it is not this one."""
    if on == today:
        return f"Today, {long_date(on, locale)}"
    if on == today + timedelta(days=1):
        return f"Tomorrow, {long_date(on, locale)}"
    return long_date(on, locale) if on.year == today.year else full_date(on, locale)


def duration(minutes: int) -> str:
    """A length in words: "20 minutes", "1 hour 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [counted(hours, "hour")] if hours else []
    return " ".join([*parts, counted(rest, "minute")] if rest or not hours else parts)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _happens_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset() and _exists(local)


def _exists(local: datetime) -> bool:
    """A time that clocks skip comes back changed from UTC."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(fold=0) == local.replace(fold=0)
