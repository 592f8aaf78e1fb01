"""What is left without the persons: ages, intervals, years and shifted dates."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from carewright.contracts.patients import Traits
from carewright.contracts.scheduling import Appointment, AppointmentStatus
from carewright.records.model.deidentified import DatedRow, Row, rows_of
from tests.samples import known_id

MADE_ON = date(2026, 11, 25)
FIRST = datetime(2024, 3, 5, 15, 30, tzinfo=UTC)


def visit(start: datetime, status: AppointmentStatus = "fulfilled", *, lead: int = 10) -> Appointment:
    return Appointment(
        id=known_id(1), status=status, visit_type_id=known_id(2), visit_type_name="Check-up", service_name="Cardiology",
        site_id=known_id(3), site_name="Lakeside", time_zone="America/Chicago", patient_id=known_id(4),
        start=start, end=start + timedelta(minutes=30),
        participants=(), created_at=start - timedelta(days=lead),
    )  # fmt: skip


def rows(*history: Appointment, traits: Traits | None = None, shift_weeks: int | None = None) -> list[Row]:
    return list(rows_of(history, traits or Traits(), "p", lambda site: f"s{site.int % 7}", MADE_ON, shift_weeks))


def age(birth_on: date, day: datetime = FIRST) -> int | None:
    return rows(visit(day), traits=Traits(birth_on=birth_on))[0].age


@pytest.mark.parametrize(
    ("birth_on", "years"),
    [(date(1937, 11, 20), 89), (date(1936, 11, 26), 89), (date(1936, 11, 25), 90), (date(1936, 11, 20), 90), (date(1935, 11, 20), 90)],
)
def test_ages_over_89_are_one_category(birth_on: date, years: int) -> None:
    assert age(birth_on, datetime(2026, 11, 24, 18, tzinfo=UTC)) == years


def test_who_is_over_89_now_was_so_in_every_row() -> None:
    told = rows(visit(FIRST - timedelta(days=3650)), visit(FIRST), traits=Traits(birth_on=date(1935, 6, 1)))
    assert [row.age for row in told] == [90, 90]


def test_an_age_is_that_of_the_day_of_the_visit() -> None:
    assert (age(date(1984, 3, 5)), age(date(1984, 3, 6)), age(date(2024, 6, 1))) == (40, 39, 0)


def test_intervals_are_kept() -> None:
    told = rows(visit(FIRST, "noshow", lead=3), visit(FIRST + timedelta(days=20)), visit(FIRST + timedelta(days=100), "cancelled", lead=40))
    assert [(row.days_since_first, row.lead_days) for row in told] == [(0, 3), (20, 10), (100, 40)]
    assert [(row.no_show, row.earlier_visits, row.earlier_no_shows) for row in told] == [(True, 0, 0), (False, 0, 1), (False, 1, 1)]


def test_a_year_is_told_unless_the_intervals_would_tell_when_in_it() -> None:
    assert rows(visit(FIRST), visit(FIRST + timedelta(days=300)))[1].first_year == 2024
    this_year = datetime(2026, 1, 8, 15, tzinfo=UTC)
    assert rows(visit(this_year))[0].first_year is None
    late = datetime(2025, 1, 8, 15, tzinfo=UTC)
    assert rows(visit(late), visit(late + timedelta(days=329)))[0].first_year == 2025
    assert rows(visit(late), visit(late + timedelta(days=330)))[0].first_year is None


def test_rows_have_no_other_element_of_a_date() -> None:
    assert set(Row.__struct_fields__) == {
        "patient", "site", "visit_type", "minutes", "urgency", "status", "no_show", "first_year", "days_since_first", "lead_days",
        "earlier_visits", "earlier_no_shows", "age", "gender", "language",
    }  # fmt: skip


def test_shifted_dates_keep_weekday_hour_and_intervals() -> None:
    dated = rows(visit(FIRST), visit(FIRST + timedelta(days=20)), shift_weeks=5)
    assert [(row.shifted_start, row.weekday, row.hour) for row in dated if isinstance(row, DatedRow)] == [
        ("2024-01-30T09:30", 1, 9), ("2024-02-19T10:30", 0, 10)
    ]  # fmt: skip
    assert [row.first_year for row in dated] == [None, None]


@pytest.mark.parametrize(("tag", "told"), [("es-MX", "es"), ("en-x-quokka", "en"), ("HAW", "haw"), (None, None)])
def test_a_language_leaves_without_region_and_private_parts(tag: str | None, told: str | None) -> None:
    assert rows(visit(FIRST), traits=Traits(language=tag))[0].language == told


def test_a_site_is_a_code() -> None:
    (row,) = rows(visit(FIRST))
    assert row.site == f"s{UUID(int=known_id(3).int).int % 7}"
