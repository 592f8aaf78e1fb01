"""An actor's working rules over all their sites, and the openings they make."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.hours import DayException, LeavePeriod, WeeklyHours
from carewright.kernel.errors import BadInput
from carewright.kernel.values import utc
from carewright.scheduling.model.calendar import CalendarException, Leave, WeeklyRule, openings_of


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Weekly rules, single days that differ, and leave, as they are stored."""

    weekly: tuple[WeeklyHours, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    leave: tuple[LeavePeriod, ...] = ()

    @property
    def site_ids(self) -> frozenset[UUID]:
        """Every site the rules name."""
        return frozenset(each.site_id for each in self.weekly) | frozenset(each.site_id for each in self.exceptions)


NO_HOURS = Hours()


def openings_from(hours: Hours, zones: Mapping[UUID, ZoneInfo], first: date, last: date) -> list[tuple[UUID, datetime, datetime]]:
    """(site, start, end) of every opening whose local day lies in [first, last]. Raises `BadInput` for rules that contradict themselves."""
    leave = [Leave(start=utc(each.start), end=utc(each.end)) for each in _proper(hours.leave)]
    return [
        (site_id, start, end)
        for site_id in sorted(hours.site_ids)
        for start, end in openings_of(
            _weekly(hours.weekly, site_id), _exceptions(hours.exceptions, site_id), leave, zones[site_id], first, last
        )
    ]


def _weekly(rules: Iterable[WeeklyHours], site_id: UUID) -> list[WeeklyRule]:
    try:
        return [
            WeeklyRule(
                weekday=each.weekday, start_minute=each.start_minute, end_minute=each.end_minute,
                valid_from_on=each.valid_from_on, valid_until_on=each.valid_until_on,
            )
            for each in rules if each.site_id == site_id
        ]  # fmt: skip
    except ValueError as fault:
        raise BadInput(f"The working hours are not valid: {fault}.") from fault


def _exceptions(exceptions: Iterable[DayException], site_id: UUID) -> list[CalendarException]:
    try:
        return [
            CalendarException(on=each.on, kind=each.kind, start_minute=each.start_minute, end_minute=each.end_minute)
            for each in exceptions if each.site_id == site_id
        ]  # fmt: skip
    except ValueError as fault:
        raise BadInput(f"A day with other hours is not valid: {fault}.") from fault


def _proper(periods: Iterable[LeavePeriod]) -> list[LeavePeriod]:
    periods = list(periods)
    if any(utc(each.end) <= utc(each.start) for each in periods):
        raise BadInput("Leave must end after it begins.", parameter="leave")
    return periods
