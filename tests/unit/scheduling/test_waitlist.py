"""Who of those waiting is asked first: for any list, in any order, the same and by the written rule."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as with_

from carewright.contracts.scheduling import AppointmentCancelled, AppointmentRescheduled, ClaimedTime, Participant, Slot
from carewright.contracts.waitlist import PolicyTerms, WaitWindow, Wishes
from carewright.scheduling.model import freed
from carewright.scheduling.model.waitlist import (
    ACCEPT_BASE,
    NO_SHOW_BASE,
    TIERS,
    BaseRate,
    GivenUp,
    Match,
    Person,
    accepts,
    matches,
    suits,
    worth,
)
from tests.samples import known_id

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
SITE, KIND, WHO = known_id(1), known_id(2), known_id(3)
RISKS = BaseRate()


def slot(start: datetime = NOW + 5 * HOUR, minutes: int = 30) -> Slot:
    end = start + timedelta(minutes=minutes)
    serves = Participant(kind="practitioner", actor_id=WHO, claimed_from=start, claimed_to=end)
    return Slot(visit_type_id=KIND, site_id=SITE, start=start, end=end, participants=(serves,))


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    def one(number: int) -> Person:
        asked = draw(st.integers(0, 6))
        return Person(
            entry_id=known_id(100 + number), patient_id=known_id(200 + number), visit_type_id=KIND,
            wishes=Wishes(site_ids=(SITE,), urgency=draw(st.sampled_from(TIERS)), notice_minutes=draw(st.sampled_from((0, 60, 600)))),
            since=NOW - timedelta(days=draw(st.integers(0, 500))), asked=asked, accepted=draw(st.integers(0, asked)),
            passed_over=draw(st.integers(0, 80)),
        )  # fmt: skip

    return [one(number) for number in range(draw(st.integers(0, 8)))]


def ranked(waiting: list[Person]) -> list[Match]:
    return matches(waiting, {KIND: [slot()]}, BERLIN, NOW, notice_minutes=0, risks=RISKS)


@given(people(), st.randoms(use_true_random=False))
def test_the_order_is_the_same_however_the_list_is_read(waiting: list[Person], chance: random.Random) -> None:
    mixed = list(waiting)
    chance.shuffle(mixed)
    assert ranked(mixed) == ranked(waiting)


@given(people())
def test_nobody_is_before_a_more_urgent_or_within_a_tier_before_somebody_worth_more(waiting: list[Person]) -> None:
    for one, two in pairwise(ranked(waiting)):
        tiers = [TIERS.index(each.person.wishes.urgency or "P2") for each in (one, two)]
        assert tiers == sorted(tiers)
        assert tiers[0] < tiers[1] or one.worth > two.worth or (one.worth == two.worth and one.person.since <= two.person.since)


@given(people())
def test_all_whom_it_suits_are_ranked_and_nobody_else(waiting: list[Person]) -> None:
    told = [each for each in waiting if each.wishes.notice_minutes <= 300]
    assert {each.person.entry_id for each in ranked(waiting)} == {each.entry_id for each in told}
    assert all(0 < each.worth < 730 for each in ranked(waiting))


@given(people())
def test_waiting_longer_being_passed_over_and_saying_yes_never_put_anybody_back(waiting: list[Person]) -> None:
    for person in waiting:
        before = worth(person, slot(), NOW, RISKS)
        assert worth(replaced(person, since=person.since - timedelta(days=1)), slot(), NOW, RISKS) >= before
        assert worth(replaced(person, passed_over=person.passed_over + 1), slot(), NOW, RISKS) >= before
        assert worth(replaced(person, asked=person.asked + 1, accepted=person.accepted + 1), slot(), NOW, RISKS) > before
        assert worth(replaced(person, asked=person.asked + 1), slot(), NOW, RISKS) < before


def replaced(person: Person, **changes: object) -> Person:
    fields = {name: getattr(person, name) for name in Person.__slots__}
    return Person(**(fields | changes))


def somebody(**more: object) -> Person:
    person = Person(entry_id=known_id(9), patient_id=known_id(8), visit_type_id=KIND, wishes=Wishes(site_ids=(SITE,)), since=NOW)
    return replaced(person, **more)


def test_of_whom_nothing_is_known_the_base_rates_are_told() -> None:
    assert accepts(somebody(), 1000 * HOUR) == pytest.approx(ACCEPT_BASE, rel=0.01)
    assert accepts(somebody(), 2 * HOUR) == pytest.approx(ACCEPT_BASE / 2)
    assert worth(somebody(), slot(), NOW, RISKS) == pytest.approx(ACCEPT_BASE * 5 / 7 * (1 - NO_SHOW_BASE))


@pytest.mark.parametrize(
    ("window", "fits"),
    [(WaitWindow(), True), (WaitWindow(weekdays=(1,)), True), (WaitWindow(weekdays=(0, 2)), False),
     (WaitWindow(from_minute=840), True), (WaitWindow(from_minute=841), False), (WaitWindow(until_minute=870), True),
     (WaitWindow(until_minute=869), False)],
)  # fmt: skip
def test_a_window_is_read_off_the_sites_clock(window: WaitWindow, fits: bool) -> None:
    assert suits(somebody(wishes=Wishes(site_ids=(SITE,), windows=(window,))), slot(), BERLIN) == fits


def test_a_visit_over_midnight_lies_in_no_window_but_one_that_ends_then_does() -> None:
    late = Wishes(site_ids=(SITE,), windows=(WaitWindow(from_minute=1380),))
    begins = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    assert suits(somebody(wishes=late), slot(begins, 30), BERLIN)
    assert not suits(somebody(wishes=late), slot(begins, 35), BERLIN)


def test_days_are_the_sites_and_the_last_one_counts() -> None:
    late = slot(datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    assert suits(somebody(wishes=Wishes(site_ids=(SITE,), earliest_on=date(2026, 11, 25), latest_on=date(2026, 11, 25))), late, BERLIN)
    assert not suits(somebody(wishes=Wishes(site_ids=(SITE,), latest_on=date(2026, 11, 24))), late, BERLIN)


def test_only_an_earlier_time_at_the_same_site_is_for_who_has_one() -> None:
    for site, start, fits in ((SITE, 6, True), (SITE, 5, False), (known_id(77), 6, False)):
        given_up = GivenUp(known_id(5), 1, site, NOW + start * HOUR, (WHO,))
        assert suits(somebody(given_up=given_up), slot(), BERLIN) == fits


def claim(schedule_id: UUID, start: int, end: int) -> ClaimedTime:
    return ClaimedTime(schedule_id=schedule_id, lane=0, start=NOW + start * HOUR, end=NOW + end * HOUR)


def test_what_is_freed_is_what_is_not_kept_and_not_over_and_not_the_patients() -> None:
    patient = known_id(8)
    fact = AppointmentCancelled(
        organization_id=known_id(7), appointment_id=known_id(6), version=2, status="cancelled", visit_type_id=KIND, site_id=SITE,
        patient_id=patient, start=NOW + HOUR, end=NOW + 2 * HOUR, urgency="P2",
        released=(claim(WHO, 1, 2), claim(known_id(4), 1, 3), claim(patient, 1, 2)),
    )  # fmt: skip
    found = freed.freed_by(fact, known_id(1), NOW)
    assert found is not None
    assert (found.start, found.end, found.actor_ids) == (NOW + HOUR, NOW + 3 * HOUR, (WHO, known_id(4)))
    assert freed.freed_by(fact, known_id(1), NOW + 3 * HOUR) is None
    assert freed.freed_by(with_(fact, released=()), known_id(1), NOW) is None
    fields = {name: getattr(fact, name) for name in fact.__struct_fields__}
    moved = AppointmentRescheduled(**(fields | {"claims": (claim(WHO, 1, 3), claim(known_id(4), 1, 2)), "earlier_site_id": known_id(5)}))
    left = freed.freed_by(moved, known_id(1), NOW)
    assert left is not None
    assert (left.start, left.end, left.actor_ids, left.site_id) == (NOW + 2 * HOUR, NOW + 3 * HOUR, (known_id(4),), known_id(5))


def test_what_is_kept_for_several_is_each_calendars_time_once() -> None:
    kept = freed.kept_for([slot(), slot(NOW + 5 * HOUR, 45), slot(NOW + 7 * HOUR)])
    assert [(each.schedule_id, each.start, each.end) for each in kept] == [
        (WHO, NOW + 5 * HOUR, NOW + 5.75 * HOUR), (WHO, NOW + 7 * HOUR, NOW + 7.5 * HOUR),
    ]  # fmt: skip


def test_an_answer_is_waited_for_while_there_is_notice_and_never_less_than_five_minutes() -> None:
    match = Match(somebody(), slot(NOW + 2 * HOUR), 1.0)
    terms = PolicyTerms(way="cascade", answer_minutes=90, notice_minutes=0)
    assert freed.answer_until(match, terms, NOW) == NOW + HOUR, "they asked for an hour's notice"
    assert freed.may_be_asked(match, terms, NOW + 55 * HOUR / 60)
    assert not freed.may_be_asked(match, terms, NOW + 56 * HOUR / 60)
