"""When everybody and everything works: weekly hours, days that differ, leave."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from carewright.contracts.hours import DayException, LeavePeriod, WeeklyHours
from carewright.scheduling.model.hours import Hours
from carewright.simulation.hospital.actors import Actor, Sites
from carewright.simulation.hospital.codes import SiteKey
from carewright.simulation.hospital.draw import Draw

Session = tuple[int, int]
Shift = tuple[Session, ...]

_DAY = 1440
WORKDAYS = range(5)
EVERY_DAY = range(7)
SATURDAY = 5

# Practitioners' days, with their lunch: minutes of the local day.
_CLINIC_DAYS: tuple[Shift, ...] = (
    ((480, 720), (780, 960)),
    ((420, 660), (690, 840)),
    ((600, 810), (855, 1080)),
    ((540, 720), (840, 1050)),
    ((780, 960), (990, 1170)),
)
_SATURDAY_SESSION: Session = (510, 780)
# Nurses' and technicians' shifts: day, early, late. Small teams cover the middle of the day first.
_SHIFTS: tuple[Shift, ...] = (((480, 720), (750, 990)), ((390, 660), (690, 900)), ((690, 930), (960, 1200)))
# Round the clock, eight hours with a break. The last one passes midnight, and works on after a break that lies in the next day.
_EMERGENCY: tuple[Shift, ...] = (
    ((420, 660), (690, 900)),
    ((900, 1140), (1170, 1380)),
    ((1380, 1620), (1650, 1860)),
)
_NIGHT: Shift = ((1200, 1950),)
# Which days a member of a team of seven-day services works, in turn.
_WEEKS = (range(5), range(5), range(1, 6), (6, 0, 1, 2, 3))

_LEAVE_CHANCE = 0.28
_COURSE_CHANCE = 0.15
_MEETING_CHANCE = 0.10
_EXTRA_SESSION_CHANCE = 0.12
_MAINTENANCE_CHANCE = 0.10


@dataclass(frozen=True, slots=True)
class Period:
    """The dates for which calendars are made, and the holidays among them."""

    first: date
    days: int
    holidays: tuple[date, ...]

    @property
    def last(self) -> date:
        return self.day(self.days - 1)

    def day(self, number: int) -> date:
        """The date so many days after the first."""
        return self.first + timedelta(days=number)


def build_calendars(draw: Draw, actors: Sequence[Actor], sites: Sites, period: Period) -> list[Hours]:
    """A calendar for every actor, in their order. Members of one team take turns in shifts and days off."""
    teams: Counter[tuple[object, ...]] = Counter()
    calendars = []
    for actor in actors:
        team = (actor.kind, actor.home, min(actor.codes, default=""))
        calendars.append(_calendar(draw, actor, teams[team], sites, period))
        teams[team] += 1
    return calendars


def _calendar(draw: Draw, actor: Actor, turn: int, sites: Sites, period: Period) -> Hours:
    if actor.kind == "practitioner" and actor.hours == "clinic":
        return _practitioner(draw, actor, turn, sites, period)
    if actor.kind in {"practitioner", "nurse", "technician"}:
        weekly = tuple(_weekly(sites, actor.home, _team_days(actor, turn)))
        return Hours(weekly=weekly, exceptions=_closed(actor, sites, period), leave=_leave(draw, sites[actor.home].zone, period))
    weekly = tuple(_weekly(sites, actor.home, _place_days(actor)))
    return Hours(weekly=weekly, exceptions=(*_closed(actor, sites, period), *_maintenance(draw, actor, sites, period)))


def _weekly(sites: Sites, key: SiteKey, days: Iterator[tuple[int, Session]]) -> Iterator[WeeklyHours]:
    for weekday, (start, end) in days:
        later, start_minute = divmod(start, _DAY)
        yield WeeklyHours(weekday=(weekday + later) % 7, start_minute=start_minute, end_minute=end - later * _DAY, site_id=sites[key].id)


def _place_days(actor: Actor) -> Iterator[tuple[int, Session]]:
    """Rooms, benches and devices: long hours, so that people are what is scarce."""
    if actor.hours == "always":
        yield from ((weekday, (0, 1440)) for weekday in EVERY_DAY)
    elif actor.hours == "night":
        yield from ((weekday, _NIGHT[0]) for weekday in EVERY_DAY)
    elif actor.hours == "diagnostics":
        yield from ((weekday, (390, 1200) if weekday in WORKDAYS else (480, 960)) for weekday in EVERY_DAY)
    else:
        yield from ((weekday, (420, 1200)) for weekday in WORKDAYS)
        if actor.weekend:
            yield SATURDAY, (480, 900)


def _team_days(actor: Actor, turn: int) -> Iterator[tuple[int, Session]]:
    """Nurses, technicians and emergency staff: shifts in turn, five days a week."""
    if actor.hours in {"always", "emergency"}:
        shift, days = _EMERGENCY[turn % 3], [(turn + day) % 7 for day in range(4)]
    elif actor.hours == "night":
        shift, days = _NIGHT, [(turn * 2 + day) % 7 for day in WORKDAYS]
    else:
        shift, days = _SHIFTS[turn % 3], list(_WEEKS[turn % 4] if actor.weekend else WORKDAYS)
    return ((weekday, session) for weekday in days for session in shift)


def _practitioner(draw: Draw, actor: Actor, turn: int, sites: Sites, period: Period) -> Hours:
    days = _working_days(draw, turn)[: actor.days_most]
    away = set(days[1 : 1 + draw.between(1, 2)]) if actor.visits else set()
    weekly: list[WeeklyHours] = []
    for weekday in sorted(days):
        key = actor.visits if actor.visits and weekday in away else actor.home
        shift = draw.pick(_CLINIC_DAYS) if turn > 1 else _CLINIC_DAYS[0]
        sessions = shift[:1] if weekday == days[0] and draw.chance(0.5) else shift
        weekly += _weekly(sites, key, ((weekday, session) for session in sessions))
    if actor.weekend and turn % 3 == 0:
        weekly += _weekly(sites, actor.home, iter([(SATURDAY, _SATURDAY_SESSION)]))
    exceptions = (*_closed(actor, sites, period), *_days_that_differ(draw, actor, sites, period))
    return Hours(weekly=tuple(weekly), exceptions=exceptions, leave=_leave(draw, sites[actor.home].zone, period))


def _working_days(draw: Draw, turn: int) -> list[int]:
    """Four or five weekdays in random order; nobody's only colleague takes a day off each week."""
    order: list[int] = draw.order(5).tolist()
    return order if turn == 0 or draw.chance(0.35) else order[:4]


def _closed(actor: Actor, sites: Sites, period: Period) -> tuple[DayException, ...]:
    if actor.hours in {"always", "emergency"}:
        return ()
    return tuple(DayException(on=on, kind="closed", site_id=sites[key].id) for on in period.holidays for key in actor.sites)


def _days_that_differ(draw: Draw, actor: Actor, sites: Sites, period: Period) -> Iterator[DayException]:
    """A course, a meeting, and in primary care an extra Saturday."""
    if draw.chance(_COURSE_CHANCE):
        on = _some_date(draw, period)
        yield from (DayException(on=on, kind="closed", site_id=sites[key].id) for key in actor.sites)
    if draw.chance(_MEETING_CHANCE):
        on = _some_date(draw, period)
        yield DayException(on=on, kind="closed", site_id=sites[actor.home].id, start_minute=540, end_minute=660)
    if actor.weekend and draw.chance(_EXTRA_SESSION_CHANCE):
        on = _some_date(draw, period)
        on += timedelta(days=(SATURDAY - on.weekday()) % 7)
        yield DayException(on=on, kind="open", site_id=sites[actor.home].id, start_minute=540, end_minute=720)


def _maintenance(draw: Draw, actor: Actor, sites: Sites, period: Period) -> Iterator[DayException]:
    if actor.kind == "device" and draw.chance(_MAINTENANCE_CHANCE):
        yield DayException(on=_some_date(draw, period), kind="closed", site_id=sites[actor.home].id)


def _leave(draw: Draw, zone: ZoneInfo, period: Period) -> tuple[LeavePeriod, ...]:
    if not draw.chance(_LEAVE_CHANCE):
        return ()
    first = _some_date(draw, period)
    last = first + timedelta(days=draw.between(4, 13))
    return (LeavePeriod(start=_midnight(first, zone), end=_midnight(last, zone)),)


def _some_date(draw: Draw, period: Period) -> date:
    """A date of the period, but not of its first days, when everybody is there."""
    return period.first + timedelta(days=draw.between(min(3, period.days - 1), period.days - 1))


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)
