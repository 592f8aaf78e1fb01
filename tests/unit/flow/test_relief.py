"""When a queue begins and ends what it does because too many wait: by its limits, without flapping, and never about who is urgent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.queue import QueuePolicy
from carewright.contracts.relief import ReliefRule
from carewright.flow.model import relief as rules
from carewright.flow.model.relief import Due, Last, Load
from tests.samples import known_id

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
TICK = timedelta(seconds=30)
PAUSE = ReliefRule(what="pause-walk-ins", from_waiting=20)
BY_WAIT = ReliefRule(what="other-site", from_minutes=60, below_minutes=30)
LOADS = st.builds(Load, st.integers(0, 60), st.none() | st.integers(0, 300))


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def due(rule: ReliefRule, load: Load, last: Last | None = None, minutes: float = 0) -> list[Due]:
    return rules.due([rule], {rule.what: last} if last else {}, load, at(minutes))


def play(rule: ReliefRule, loads: Sequence[Load]) -> list[datetime]:
    """When the step changes in a time in which each load is looked at half a minute after the one before."""
    last: dict[Any, Last] = {}
    changes = []
    for tick, load in enumerate(loads):
        now = NINE + tick * TICK
        for each in rules.due([rule], last, load, now):
            last[each.what] = Last(each.is_on, now, "policy")
            changes.append(now)
    return changes


def test_a_step_begins_at_its_limit_and_ends_below_three_quarters_of_it() -> None:
    on = Last(is_on=True, since=NINE, by="policy")
    assert due(PAUSE, Load(19, 500)) == []
    assert due(PAUSE, Load(20, None)) == [Due("pause-walk-ins", True, "waiting")]
    assert due(PAUSE, Load(15, None), on, minutes=60) == []
    assert due(PAUSE, Load(14, None), on, minutes=60) == [Due("pause-walk-ins", False, "eased")]
    assert due(PAUSE, Load(14, None), on, minutes=9.9) == [], "it lasts for ten minutes"


def test_a_wait_that_is_not_known_neither_begins_nor_ends_a_step() -> None:
    on = Last(is_on=True, since=NINE, by="policy")
    assert due(BY_WAIT, Load(5, None)) == []
    assert due(BY_WAIT, Load(5, 60)) == [Due("other-site", True, "minutes")]
    assert due(BY_WAIT, Load(5, None), on, minutes=60) == []
    assert due(BY_WAIT, Load(5, 30), on, minutes=60) == []
    assert due(BY_WAIT, Load(5, 29), on, minutes=60) == [Due("other-site", False, "eased")]


def test_a_step_with_two_limits_ends_below_both() -> None:
    rule = ReliefRule(what="extra-staff", from_waiting=10, from_minutes=40)
    on = Last(is_on=True, since=NINE, by="policy")
    assert due(rule, Load(2, 40))
    assert due(rule, Load(10, 0))
    assert due(rule, Load(2, 35), on, minutes=60) == []
    assert due(rule, Load(8, 5), on, minutes=60) == []
    assert due(rule, Load(2, 5), on, minutes=60) == [Due("extra-staff", False, "eased")]


def test_what_a_person_did_goes_before_the_policy() -> None:
    begun, ended = Last(True, NINE, "person"), Last(False, NINE, "person")
    assert due(PAUSE, Load(0, 0), begun, minutes=60 * 11) == []
    assert due(PAUSE, Load(50, 90), begun, minutes=60 * 12) == [Due("pause-walk-ins", False, "lapsed")]
    assert due(PAUSE, Load(50, 90), ended, minutes=59) == []
    assert due(PAUSE, Load(50, 90), ended, minutes=60) == [Due("pause-walk-ins", True, "waiting")]


def test_what_the_policy_has_no_more_ends_at_once() -> None:
    found = rules.due([], {"extra-staff": Last(True, NINE, "policy")}, Load(99, 99), at(0))
    assert found == [Due("extra-staff", False, "unruled")]


@given(st.lists(LOADS, max_size=400))
def test_a_step_does_not_flap_whatever_comes(loads: list[Load]) -> None:
    """Between two changes lies the rest at least: at most eight an hour, however the queue jumps."""
    changes = play(ReliefRule(what="pause-walk-ins", from_waiting=20, below_waiting=20), loads)
    gaps = [after - before for before, after in pairwise(changes)]
    assert all(gap >= rules.LASTS_AT_LEAST for gap in gaps[::2])
    assert all(gap >= rules.RESTS for gap in gaps[1::2])


@given(st.lists(st.builds(Load, st.integers(15, 60), st.none()), max_size=400))
def test_between_its_limits_a_step_stays_as_it_is(loads: list[Load]) -> None:
    assert len(play(PAUSE, loads)) <= 1


@given(st.sampled_from(get_args(UrgencyTier)), st.booleans(), st.booleans())
def test_only_who_walks_in_for_nothing_urgent_is_meant(tier: UrgencyTier, is_going_on: bool, is_announced: bool) -> None:
    visit: UUID | None = known_id(1) if is_going_on else None
    is_meant = rules.is_routine_walk_in(tier, visit, NINE if is_announced else None)
    assert is_meant == (tier == "P2" and not is_going_on and not is_announced)


def test_sites_come_by_their_wait_and_those_of_which_it_is_not_known_last() -> None:
    loads = [Load(1, None), Load(9, 10), Load(3, 10), Load(2, 40)]
    assert sorted(loads, key=rules.in_order) == [Load(3, 10), Load(9, 10), Load(2, 40), Load(1, None)]
    assert rules.is_less(Load(9, 10), Load(3, 20))
    assert not rules.is_less(Load(9, 20), Load(30, 20))
    assert rules.is_less(Load(2, None), Load(3, 20))


@pytest.mark.parametrize(
    "given",
    [
        {}, {"from_waiting": 0}, {"from_waiting": 10_001}, {"from_minutes": 0}, {"from_minutes": 1441},
        {"from_waiting": 5, "below_waiting": 6}, {"from_waiting": 5, "below_minutes": 2}, {"from_minutes": 5, "below_minutes": -1},
        {"from_minutes": 10**30}, {"from_minutes": "soon"}, {"from_waiting": 5, "until": 3},
    ],
    ids=str,
)  # fmt: skip
def test_absurd_limits_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"relief": [{"what": "extra-staff"} | given]}, QueuePolicy)


def test_a_step_has_one_rule() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"relief": [{"what": "extra-staff", "from_waiting": 5}, {"what": "extra-staff", "from_waiting": 9}]}, QueuePolicy)


def test_the_lowest_limits_work() -> None:
    rule = ReliefRule(what="extra-staff", from_waiting=1)
    on = Last(is_on=True, since=NINE, by="policy")
    assert due(rule, Load(1, 0))
    assert due(rule, Load(0, 0), on, minutes=10) == [Due("extra-staff", False, "eased")]
