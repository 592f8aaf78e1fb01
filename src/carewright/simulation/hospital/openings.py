"""Working rules become openings, through scheduling's own rules of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from carewright.contracts.scheduling import DayException, WeeklyHours
from carewright.scheduling.model.calendar import CalendarException, Leave, WeeklyRule, openings_of
from carewright.scheduling.model.ticks import Horizon
from carewright.simulation.hospital.actors import Actor, Site, Sites
from carewright.simulation.hospital.arrays import Ints, ints
from carewright.simulation.hospital.codes import SITE_KEYS
from carewright.simulation.hospital.hours import Calendar, Period

Ticks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Openings:
    """Working time as columns, sorted by actor, site and start: numbers of actor and site, first tick and the tick after the last."""

    actor: Ints
    site: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.actor)

    @cached_property
    def ticks(self) -> Ints:
        return self.end - self.start


def build_openings(actors: Sequence[Actor], calendars: Sequence[Calendar], sites: Sites, period: Period, horizon: Horizon) -> Openings:
    """The openings of all actors over the period."""
    known: dict[tuple[Calendar, UUID], Ticks] = {}
    rows: list[tuple[int, int, int, int]] = []
    for number, (actor, calendar) in enumerate(zip(actors, calendars, strict=True)):
        for key in sorted(actor.sites, key=SITE_KEYS.index):
            site = sites[key]
            if (calendar, site.id) not in known:
                known[calendar, site.id] = _ticks(calendar, site, period, horizon)
            at = SITE_KEYS.index(key)
            rows += [(number, at, start, end) for start, end in known[calendar, site.id]]
    columns = ints([value for row in rows for value in row]).reshape(-1, 4)
    return Openings(*(columns[:, at].copy() for at in range(4)))


def _ticks(calendar: Calendar, site: Site, period: Period, horizon: Horizon) -> Ticks:
    spans = openings_of(
        [_rule(hours) for hours in calendar.weekly if hours.site_id == site.id],
        [_exception(day) for day in calendar.exceptions if day.site_id == site.id],
        [Leave(start=leave.start, end=leave.end) for leave in calendar.leave],
        site.zone,
        period.first,
        period.last,
    )
    return tuple((horizon.tick_at(start), horizon.tick_at(end)) for start, end in spans)


def _rule(hours: WeeklyHours) -> WeeklyRule:
    return WeeklyRule(
        weekday=hours.weekday,
        start_minute=hours.start_minute,
        end_minute=hours.end_minute,
        valid_from_on=hours.valid_from_on,
        valid_until_on=hours.valid_until_on,
    )


def _exception(day: DayException) -> CalendarException:
    return CalendarException(on=day.on, kind=day.kind, start_minute=day.start_minute, end_minute=day.end_minute)
