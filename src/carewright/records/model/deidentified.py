"""What is left of past appointments without the persons: flat rows, as HIPAA's Safe Harbor wants them (45 CFR 164.514(b)(2)).

A row is made of named values and of nothing else, so that a field which somebody adds to a patient or an appointment does not leave.
There is no postal code in it: none is kept of patients, and a site's is smaller than a state.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.patients import Gender, Traits
from carewright.contracts.scheduling import Appointment, AppointmentStatus

AGE_MAX = 90
"""Stands for 90 years and older: 164.514(b)(2)(i)(C) has one category for all ages over 89."""
SHIFT_WEEKS_MAX = 52


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One past appointment. Ages in whole years, intervals in days at the site, `minutes` as planned.

    `patient` and `site` are random for one extract; `visit_type` is the catalogue's id, so that what was learned can be used again.
    `first_year` is the year of the patient's first row, or None where the intervals would tell when in that year.
    """

    patient: str
    site: str
    visit_type: UUID
    minutes: int
    urgency: UrgencyTier
    status: AppointmentStatus
    no_show: bool
    first_year: int | None
    days_since_first: int
    lead_days: int
    earlier_visits: int
    earlier_no_shows: int
    age: int | None
    gender: Gender | None
    language: str | None


class DatedRow(Row, frozen=True, kw_only=True):
    """A row for expert determination (164.514(b)(1)), not for Safe Harbor. `first_year` is None, `weekday` 0 is Monday.

    The start is that of the site's clock, moved back by whole weeks, which are the same for all rows of a patient.
    """

    shifted_start: str
    weekday: int
    hour: int


def rows_of(
    history: Sequence[Appointment], traits: Traits, patient: str, site_code: Callable[[UUID], str], on: date, shift_weeks: int | None = None
) -> Iterator[Row]:
    """The rows of one patient, in an extract made on that day. `history` is in order of starts. With `shift_weeks` they are dated ones."""
    days = [_at_site(one, one.start).date() for one in history]
    first_year = None if shift_weeks is not None else _year_told(days, on)
    visits = no_shows = 0
    for one, day in zip(history, days, strict=True):
        row = Row(
            patient=patient, site=site_code(one.site_id), visit_type=one.visit_type_id, urgency=one.urgency, status=one.status,
            minutes=(one.end - one.start) // timedelta(minutes=1), no_show=one.status == "noshow", first_year=first_year,
            days_since_first=(day - days[0]).days, lead_days=max(0, (day - _at_site(one, one.created_at).date()).days),
            earlier_visits=visits, earlier_no_shows=no_shows, age=_age(traits.birth_on, day, on), gender=traits.gender,
            language=_primary(traits.language),
        )  # fmt: skip
        yield row if shift_weeks is None else _dated(row, _at_site(one, one.start) - timedelta(weeks=shift_weeks))
        visits += one.status == "fulfilled"
        no_shows += row.no_show


def _dated(row: Row, shifted: datetime) -> DatedRow:
    moment = shifted.replace(tzinfo=None).isoformat(timespec="minutes")
    return DatedRow(**msgspec.structs.asdict(row), shifted_start=moment, weekday=shifted.weekday(), hour=shifted.hour)


def _at_site(one: Appointment, instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo(one.time_zone))


def _year_told(days: Sequence[date], on: date) -> int | None:
    """Everything lies before `on`: unless a first day at the year's very end would do as well, the intervals tell when it was not."""
    year = days[0].year
    return year if date(year, 12, 31) + (days[-1] - days[0]) <= on else None


def _age(birth_on: date | None, day: date, on: date) -> int | None:
    """Who is over 89 when the extract is made is so in every row: an earlier age and a year would tell (`indicative of such age`)."""
    if birth_on is None:
        return None
    return AGE_MAX if _years(birth_on, on) >= AGE_MAX else max(0, _years(birth_on, day))


def _years(birth_on: date, day: date) -> int:
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def _primary(language: str | None) -> str | None:
    """The language without region or private parts (RFC 5646 section 2.1); those could be anything."""
    return language.partition("-")[0].lower() if language else None
