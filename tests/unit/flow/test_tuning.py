"""What a tuning is asked and answers: days as they were or as entered, what is refused, and what is said of each level."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from carewright.contracts.flow import TooLittleHistory, TuningNotSound
from carewright.contracts.queue import QueueOrder, QueuePolicy
from carewright.contracts.tuning import CTAS_TARGETS, EnteredDemand, Found, LevelOutlook, LevelTarget, StartTuning
from carewright.flow.model import tuning as rules
from carewright.flow.model.tuning import Question, Seen
from tests.samples import known_id

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001  # by the clock on the site's wall
CLINIC = tuple(6.0 if 8 <= hour < 18 else 0.0 for hour in range(24))
SHARES = (0.02, 0.13, 0.35, 0.38, 0.12)
DAY = tuple(3 if 8 <= hour < 20 else 0 for hour in range(24))
"""Hours of a clinic in which three serve."""


WEEKDAY = Question(
    arrivals=tuple(tuple(share * hour for hour in CLINIC) for share in SHARES), services=(), service_minutes=20.0, service_variation=0.6,
    staff=DAY, targets=CTAS_TARGETS, order="accumulating", policy=QueuePolicy(), seed=11,
)  # fmt: skip


def question(**more: Any) -> Question:
    return msgspec.structs.replace(WEEKDAY, **more)


def found(**more: Any) -> Found:
    return rules.reckon(question(**more), lambda _: None)


def level(found: Found, number: int) -> LevelOutlook:
    return found.levels[number - 1]


def seen(people: int = 400, served: int = 200, days: int = 10) -> Seen:
    return Seen("workdays", days, {(3, 9): people // 2, (4, 10): people - people // 2}, [], [12.0] * served, 15.0)


def test_what_is_missed_today_is_met_by_the_order_that_is_found() -> None:
    policy = QueuePolicy(order="head-start", head_start_minutes=(0, 0, 0, 0))
    answer = found(policy=policy)
    assert answer.extra_staff == 0
    assert all(each.is_met and each.is_reachable for each in answer.levels[1:])
    now = level(answer, 2).now
    assert now.share is not None
    assert now.share < 0.95, "first come, first served"
    assert (level(answer, 1).is_met, level(answer, 1).then.share) == (None, None), "level 1 has no target here"
    assert rules.ordered(policy, answer).order == "accumulating"
    assert rules.ordered(policy, answer).rates == answer.values
    assert answer.values[0] > answer.values[-1] == 1


@pytest.mark.parametrize("order", ["accumulating", "head-start"])
def test_with_too_few_it_says_which_are_missed_and_how_many_more_would_do(order: QueueOrder) -> None:
    few = tuple(2 if each else 0 for each in DAY)
    answer = found(staff=few, order=order)
    assert any(each.is_met is False for each in answer.levels)
    assert answer.extra_staff == 1
    enough = found(staff=tuple(each + 1 if each else 0 for each in few), order=order)
    assert all(each.is_met is not False for each in enough.levels)


def test_a_target_that_no_order_meets_is_said_to_be_out_of_reach() -> None:
    answer = found(targets=(LevelTarget(level=3, minutes=1, share=0.999),), staff=tuple(min(each, 2) for each in DAY))
    assert (level(answer, 3).is_met, level(answer, 3).is_reachable) == (False, False)
    assert level(answer, 4).is_met is None


def test_a_head_start_becomes_whole_minutes_of_the_policy() -> None:
    answer = found(order="head-start")
    policy = rules.ordered(QueuePolicy(order="accumulating"), answer)
    assert policy.order == "head-start"
    assert policy.head_start_minutes == answer.values
    former = rules.ordering_of(QueuePolicy(order="accumulating", rates=(9.0, 4.0, 2.0, 1.0)))
    back = rules.restored(policy, former)
    assert (back.order, back.rates, back.head_start_minutes) == ("accumulating", (9.0, 4.0, 2.0, 1.0), QueuePolicy().head_start_minutes)


def test_who_comes_when_nobody_serves_waits_until_the_morning() -> None:
    nights = tuple(tuple(share * 1.0 if hour == 22 else 0.0 for hour in range(24)) for share in SHARES)
    answer = found(arrivals=nights)
    median = level(answer, 4).then.median_minutes
    assert median is not None
    assert 9 * 60 < median <= 10 * 60
    assert level(answer, 4).is_met is False
    assert answer.extra_staff is None, "nobody more is there at night by being more by day"
    assert answer.extra_tried == 20


def test_a_level_of_which_nobody_comes_has_no_outlook() -> None:
    nobody = (0.0,) * 24
    answer = found(arrivals=(nobody, nobody, *question().arrivals[2:]))
    assert (level(answer, 2).people_a_day, level(answer, 2).now.share, level(answer, 2).is_met) == (0, None, None)


def test_who_comes_is_about_as_many_as_was_said() -> None:
    answer = found()
    assert sum(each.people_a_day for each in answer.levels) == pytest.approx(60, rel=0.03)


def test_it_says_how_far_it_is_and_the_same_seed_finds_the_same() -> None:
    said: list[int] = []
    few = question(staff=tuple(min(each, 2) for each in DAY))
    first = rules.reckon(few, said.append)
    assert first == rules.reckon(few, lambda _: None)
    assert said == sorted(said)
    assert said[0] < 10
    assert 55 < said[-1] < 100


def test_days_as_they_were_are_averages_by_level_and_hour() -> None:
    arrivals, services, minutes, _ = rules.question_of_seen(seen())
    assert (arrivals[2][9], arrivals[3][10], arrivals[0][9]) == (20.0, 20.0, 0.0)
    assert (len(services), minutes) == (200, 15.0)
    told = rules.demand_of(seen())
    assert (told.is_enough, told.people, told.served, told.service_minutes) == (True, 400, 200, 12.0)
    assert (told.arrivals[9], told.level_shares) == (20.0, (0, 0, 0.5, 0.5, 0))


@pytest.mark.parametrize("known", [seen(people=199), seen(served=99), seen(days=4), Seen("weekend", 0, {}, [], [], None)])
def test_less_than_the_minimum_is_refused_with_what_is_needed(known: Seen) -> None:
    assert not rules.demand_of(known).is_enough
    with pytest.raises(TooLittleHistory) as refusal:
        rules.question_of_seen(known)
    facts = refusal.value.facts
    assert (facts["day_least"], facts["people_least"], facts["served_least"]) == (5, 200, 100)
    assert facts["people"] == sum(known.came.values())


def test_what_is_entered_falls_into_levels_in_proportion() -> None:
    entered = EnteredDemand(arrivals=CLINIC, level_shares=(0.0, 0.1, 0.2, 0.1, 0.0), service_minutes=15)
    arrivals, services, minutes, variation = rules.question_of_entered(entered)
    assert (arrivals[1][8], arrivals[2][8], arrivals[4][8]) == pytest.approx((1.5, 3.0, 0.0))
    assert (services, minutes, variation) == ((), 15, 0.6)
    with pytest.raises(TuningNotSound, match="all shares are 0"):
        rules.question_of_entered(EnteredDemand(arrivals=CLINIC, level_shares=(0.0,) * 5, service_minutes=15))


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ({"staff": (0,) * 24}, "Nobody is on duty"),
        ({"arrivals": ((0.0,) * 24,) * 5}, "Nobody comes"),
        ({"arrivals": ((30.0,) * 24,) * 5}, "More than 3000 people"),
    ],
)
def test_a_day_that_is_none_is_refused_in_plain_words(day: dict[str, Any], why: str) -> None:
    with pytest.raises(TuningNotSound, match=why):
        rules.ensure_sound(question(**day))
    rules.ensure_sound(question())


def test_a_level_has_one_target() -> None:
    with pytest.raises(ValueError, match="one target"):
        StartTuning(queue_id=known_id(1), targets=(CTAS_TARGETS[0], CTAS_TARGETS[0]))


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def test_staff_is_how_many_were_seen_at_once() -> None:
    morning = [(at(9, 0), at(9, 40)), (at(9, 10), at(9, 30)), (at(9, 40), at(10, 20)), (at(10, 20), at(10, 22))]
    tuesday = [(at(9, 2, day=1), at(9, 58, day=1)), (at(9, 12, day=1), at(9, 20, day=1))]
    staff = rules.staff_seen([*morning, *tuesday], 2)
    assert (staff[8], staff[9], staff[10], staff[11]) == (0, 2, 1, 0)
    assert rules.staff_seen([(at(9), at(9, 40))], 3)[9] == 0, "on one day of three"
    assert rules.staff_seen([], 0) == (0,) * 24
    forgotten = rules.staff_seen([(at(9), at(9, day=30))], 1)
    assert max(forgotten) == 1, "a service that nobody ended counts for a day"
