"""The page of free times: what was asked for, a strip of days to choose from, and the times of one day by site and part of the day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal, Self
from uuid import UUID

from carewright.contracts.directory import Location
from carewright.contracts.scheduling import Slot
from carewright.contracts.starts import FindTimes
from carewright.portal.model.wall import WEEKDAYS, Locale, Wall, counted, near_date, short_date, wall_of

Part = Literal["morning", "afternoon", "evening"]
PARTS: Mapping[Part, tuple[int, int]] = {"morning": (0, 720), "afternoon": (720, 1020), "evening": (1020, 1440)}
"""Minutes of the local day between which a visit starts."""
TICK_MINUTES = 5
STRIP_DAYS = 7
TIMES_OPEN_MAX = 24
"""Up to so many times of a day are all in sight; of more, the first part of the day is, and the rest unfolds."""


@dataclass(frozen=True, slots=True)
class TimesQuery:
    """What the patient asked to see. `day` is the first day to show; `moving` is the appointment that is to get another time."""

    visit_type_id: UUID
    site: UUID | None = None
    practitioner: UUID | None = None
    language: str | None = None
    part: Part | None = None
    day: date | None = None
    moving: UUID | None = None

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def pairs(self) -> list[tuple[str, str]]:
        """The query as it stands in the page's address."""
        fields = ("site", "practitioner", "language", "part", "day", "moving")
        return [(name, str(value)) for name in fields if (value := getattr(self, name)) is not None]

    @property
    def narrowed(self) -> bool:
        """Whether any wish but the day narrows the answer."""
        return any((self.site, self.practitioner, self.language, self.part))


def question(query: TimesQuery, wall: Wall, now: datetime, visit_minutes: int, first: date, days: int | None, limit: int) -> FindTimes:
    """The question to scheduling: times from the day `first` on, for `days` days or as far as may be booked.

    A part of the day bounds the start, while scheduling bounds the whole visit: hence the visit's length.
    """
    earliest, latest = PARTS[query.part] if query.part else (None, None)
    return FindTimes(
        visit_type_id=query.visit_type_id,
        site_id=query.site,
        practitioner_id=query.practitioner,
        language=query.language,
        from_at=max(now, wall.midnight(first)),
        until_at=wall.midnight(first + timedelta(days=days)) if days else None,
        earliest_minute=earliest,
        latest_minute=None if latest is None else min(1440, latest - TICK_MINUTES + visit_minutes),
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class Time:
    """One free time. `value` is what the form sends back."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class PartTimes:
    """`open` says whether the times are in sight at once."""

    name: str
    summary: str
    times: tuple[Time, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class SiteTimes:
    """`zone` says whose time it is, where sites keep different times."""

    id: UUID
    name: str
    zone: str
    parts: tuple[PartTimes, ...]


@dataclass(frozen=True, slots=True)
class DayTimes:
    """One day: its heading, how much there is, and the times by site."""

    on: date
    heading: str
    summary: str
    sites: tuple[SiteTimes, ...]


@dataclass(frozen=True, slots=True)
class DayLink:
    """A day in the strip; `first` is its first free time, empty where there is none."""

    on: date
    weekday: str
    day: str
    spoken: str
    first: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """One time shown by itself, with where and with whom."""

    value: str
    day: str
    time: str
    site: str
    practitioner: str


@dataclass(frozen=True, slots=True)
class Walls:
    """The wall clock of every site, by id. Where sites keep different times, each says which."""

    by_site: Mapping[UUID, Wall]
    names: Mapping[UUID, str]
    home: Wall

    def of(self, site_id: UUID | None) -> Wall:
        return self.by_site.get(site_id, self.home) if site_id else self.home


def walls_of(sites: Sequence[Location], locale: Locale) -> Walls:
    """The walls of a hospital; the first site's is the one that days are counted on while no site is chosen."""
    named = len({site.time_zone for site in sites}) > 1
    walls = {site.id: wall_of(site.time_zone, locale, named=named) for site in sites}
    home = walls[sites[0].id] if sites else wall_of(None, locale)
    return Walls(walls, {site.id: site.name for site in sites}, home)


def slot_value(site_id: UUID, start: datetime) -> str:
    return f"{start.astimezone(UTC):%Y-%m-%dT%H:%MZ}~{site_id}"


def parse_slot(value: str) -> tuple[UUID, datetime] | None:
    """Site and start of a value made by `slot_value`; None for anything else."""
    instant, _, site = value[:80].partition("~")
    try:
        return UUID(site), datetime.strptime(instant, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def offer(slot: Slot, walls: Walls, now: datetime) -> Offer:
    """A found slot, with the practitioner proposed for it."""
    lead = next((person.display for person in slot.participants if person.kind == "practitioner"), "")
    return offer_of(slot.site_id, slot.start, walls, now, lead)


def offer_of(site_id: UUID, start: datetime, walls: Walls, now: datetime, practitioner: str = "") -> Offer:
    wall = walls.of(site_id)
    return Offer(
        value=slot_value(site_id, start),
        day=near_date(wall.day(start), wall.day(now), wall.locale),
        time=wall.time(start),
        site=walls.names.get(site_id, ""),
        practitioner=practitioner,
    )


def day_times(on: date, slots: Iterable[Slot], walls: Walls, now: datetime) -> DayTimes:
    """One day's slots, by site in the hospital's order, then by part of the day."""
    order = {site_id: place for place, site_id in enumerate(walls.names)}
    found = sorted(slots, key=lambda slot: (order.get(slot.site_id, len(order)), slot.start))
    few = len(found) <= TIMES_OPEN_MAX
    by_site = [list(group) for _, group in groupby(found, key=lambda slot: slot.site_id)]
    sites = tuple(_site(group, walls, few=few, leading=place == 0) for place, group in enumerate(by_site))
    return DayTimes(on, near_date(on, walls.home.day(now), walls.home.locale), counted(len(found), "free time"), sites)


def _site(slots: list[Slot], walls: Walls, *, few: bool, leading: bool) -> SiteTimes:
    site_id = slots[0].site_id
    wall = walls.of(site_id)
    by_part = [(part, list(group)) for part, group in groupby(slots, key=lambda slot: part_of(wall.local(slot.start)))]
    parts = tuple(
        PartTimes(
            part.capitalize(),
            counted(len(group), "free time"),
            tuple(_time(slot, wall) for slot in group),
            few or (leading and place == 0),
        )
        for place, (part, group) in enumerate(by_part)
    )
    return SiteTimes(site_id, walls.names.get(site_id, ""), f"{wall.city} time" if wall.named else "", parts)


def _time(slot: Slot, wall: Wall) -> Time:
    return Time(slot_value(slot.site_id, slot.start), wall.bare_time(slot.start))


def part_of(local: datetime) -> Part:
    minute = local.hour * 60 + local.minute
    return next(part for part, (first, end) in PARTS.items() if first <= minute < end)


def strip_days(shown: date, today: date) -> tuple[date, ...]:
    """The seven days among which `shown` lies, counted in sevens from today, so that stepping there and back meets the same days."""
    first = today + timedelta(days=(shown - today).days // STRIP_DAYS * STRIP_DAYS)
    return tuple(first + timedelta(days=number) for number in range(STRIP_DAYS))


def strip(firsts: Mapping[date, Slot | None], shown: date, walls: Walls, now: datetime) -> tuple[DayLink, ...]:
    """The days to choose from, each with its first free time."""
    today = walls.home.day(now)
    return tuple(
        DayLink(
            on,
            weekday="Today" if on == today else WEEKDAYS[on.weekday()][:3],
            day=short_date(on, walls.home.locale),
            spoken=near_date(on, today, walls.home.locale),
            first=walls.of(slot.site_id).bare_time(slot.start) if slot else "",
            chosen=on == shown,
        )
        for on, slot in firsts.items()
    )


def steps(days: Sequence[date], today: date, last: date) -> tuple[date | None, date | None]:
    """The days with which the strips before and after this one begin, where there are such."""
    before, after = days[0] - timedelta(days=STRIP_DAYS), days[-1] + timedelta(days=1)
    return before if before >= today else None, after if after <= last else None
