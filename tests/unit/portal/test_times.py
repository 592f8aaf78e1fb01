"""The times page: its question, its days, its values."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from carewright.contracts.directory import Location
from carewright.contracts.scheduling import Participant, Slot
from carewright.portal.model import times
from carewright.portal.model.times import Part, TimesQuery, Walls, walls_of
from tests.unit.portal.double_records import numbered

VISIT = numbered(3, 1)
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def site(number: int, zone: str, name: str = "") -> Location:
    return Location(id=numbered(1, number), kind="site", name=name or f"Site {number}", site_id=numbered(1, number), time_zone=zone)


def slot(start: datetime, site_number: int = 1, doctor: str = "") -> Slot:
    end = start + timedelta(minutes=30)
    who = (Participant(kind="practitioner", actor_id=numbered(4, 1), display=doctor, claimed_from=start, claimed_to=end),) if doctor else ()
    return Slot(visit_type_id=VISIT, site_id=numbered(1, site_number), start=start, end=end, participants=who)


@pytest.fixture
def walls() -> Walls:
    return walls_of([site(1, "America/Chicago"), site(2, "America/Chicago")], "en-US")


def test_a_part_of_the_day_bounds_the_start_of_the_visit(walls: Walls) -> None:
    asked = times.question(TimesQuery(VISIT, part="morning"), walls.home, NOW, 40, TODAY, None, 200)
    assert (asked.earliest_minute, asked.latest_minute) == (0, 715 + 40)
    evening = times.question(TimesQuery(VISIT, part="evening"), walls.home, NOW, 40, TODAY, None, 200)
    assert (evening.earliest_minute, evening.latest_minute) == (1020, 1440)


def test_the_question_never_reaches_into_the_past(walls: Walls) -> None:
    assert times.question(TimesQuery(VISIT), walls.home, NOW, 30, TODAY, None, 1).from_at == NOW


def test_one_day_is_asked_from_midnight_to_midnight_though_it_has_25_hours(walls: Walls) -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    asked = times.question(TimesQuery(VISIT), walls.home, now, 30, date(2026, 11, 1), 1, 200)
    assert asked.from_at is not None
    assert asked.until_at is not None
    assert asked.until_at - asked.from_at == timedelta(hours=25)


@pytest.mark.parametrize(
    ("hour", "minute", "part"),
    [(0, 0, "morning"), (11, 55, "morning"), (12, 0, "afternoon"), (16, 55, "afternoon"), (17, 0, "evening"), (23, 55, "evening")],
)
def test_each_minute_lies_in_one_part_of_the_day(hour: int, minute: int, part: Part) -> None:
    assert times.part_of(datetime(2026, 11, 24, hour, minute, tzinfo=UTC)) == part


def test_a_slot_survives_the_form() -> None:
    start = datetime(2026, 11, 24, 14, 35, tzinfo=UTC)
    assert times.parse_slot(times.slot_value(numbered(1, 1), start)) == (numbered(1, 1), start)


@pytest.mark.parametrize("text", ["", "~", "2026-11-24T14:35Z", "2026-13-24T14:35Z~" + str(UUID(int=1)), "x" * 5000, "٢٠٢٦-11-24T14:35Z~1"])
def test_a_value_that_is_no_slot_is_none(text: str) -> None:
    assert times.parse_slot(text) is None


def test_a_day_is_laid_out_by_site_and_part(walls: Walls) -> None:
    start = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    found = [slot(start, 2), slot(start + timedelta(hours=4)), slot(start), slot(start + timedelta(minutes=30))]
    day = times.day_times(date(2026, 11, 24), found, walls, NOW)
    assert (day.heading, day.summary) == ("Tomorrow, Tuesday, November 24", "4 free times")
    assert [one.name for one in day.sites] == ["Site 1", "Site 2"]
    assert [(part.name, [time.label for time in part.times]) for part in day.sites[0].parts] == [
        ("Morning", ["9:00 AM", "9:30 AM"]), ("Afternoon", ["1:00 PM"]),
    ]  # fmt: skip
    assert all(part.open for one in day.sites for part in one.parts)


def test_of_many_times_only_the_first_part_is_in_sight(walls: Walls) -> None:
    start = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    found = [slot(start + timedelta(minutes=10 * number), which) for number in range(50) for which in (1, 2)]
    day = times.day_times(date(2026, 11, 24), found, walls, NOW)
    assert [part.open for one in day.sites for part in one.parts] == [True, False, False, False]


def test_sites_in_different_zones_name_theirs() -> None:
    walls = walls_of([site(1, "America/Chicago"), site(2, "America/New_York")], "en-US")
    start = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    assert times.offer(slot(start), walls, NOW).time == "9:00 AM CST"
    assert times.offer(slot(start, 2), walls, NOW).time == "10:00 AM EST"


def test_where_zones_differ_the_site_says_it_once_and_the_times_stay_short() -> None:
    walls = walls_of([site(1, "America/Chicago"), site(2, "America/New_York")], "en-US")
    day = times.day_times(date(2026, 11, 24), [slot(datetime(2026, 11, 24, 15, 0, tzinfo=UTC), 2)], walls, NOW)
    assert (day.sites[0].zone, day.sites[0].parts[0].times[0].label) == ("New York time", "10:00 AM")


def test_an_offer_names_who_leads(walls: Walls) -> None:
    assert times.offer(slot(NOW, doctor="Dr. Ewa Brennan"), walls, NOW).practitioner == "Dr. Ewa Brennan"
    assert times.offer(slot(NOW), walls, NOW).practitioner == ""


def test_a_hospital_without_sites_still_has_a_wall() -> None:
    assert walls_of([], "en-GB").of(numbered(1, 9)).zone.key == "UTC"


@pytest.mark.parametrize(("ahead", "first"), [(0, 0), (6, 0), (7, 7), (20, 14)])
def test_the_strip_counts_in_sevens_from_today(ahead: int, first: int) -> None:
    days = times.strip_days(TODAY + timedelta(days=ahead), TODAY)
    assert days[0] == TODAY + timedelta(days=first)
    assert len(days) == 7


def test_stepping_on_and_back_meets_the_same_days() -> None:
    strip = times.strip_days(TODAY, TODAY)
    earlier, later = times.steps(strip, TODAY, TODAY + timedelta(days=90))
    assert earlier is None
    assert later is not None
    assert times.steps(times.strip_days(later, TODAY), TODAY, TODAY + timedelta(days=90))[0] == TODAY


def test_nothing_lies_past_the_horizon() -> None:
    assert times.steps(times.strip_days(TODAY, TODAY), TODAY, TODAY + timedelta(days=6)) == (None, None)


def test_the_strip_tells_days_with_and_without_times(walls: Walls) -> None:
    shown = TODAY + timedelta(days=1)
    free = slot(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    links = times.strip({TODAY: None, shown: free}, shown, walls, NOW)
    assert [(one.weekday, one.day, one.first, one.chosen) for one in links] == [
        ("Today", "Nov 23", "", False), ("Tue", "Nov 24", "9:00 AM", True),
    ]  # fmt: skip


def test_wishes_stand_in_the_address_and_empty_ones_do_not() -> None:
    query = TimesQuery(VISIT, site=numbered(1, 1), part="evening", day=TODAY)
    assert query.pairs() == [("site", str(numbered(1, 1))), ("part", "evening"), ("day", "2026-11-23")]
    assert query.but(day=None, site=None, part=None).pairs() == []
    assert not TimesQuery(VISIT, day=TODAY).narrowed
