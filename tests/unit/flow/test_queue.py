"""Rules of turns: which step goes where, since when a turn counts, and what a visit is by its turns."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carewright.contracts.flow import StepNotAllowed
from carewright.contracts.queue import QueueAction, QueueEntry, QueuePolicy
from carewright.flow.model import order
from carewright.flow.model import queue as rules
from tests.samples import known_id

NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ENTRY = QueueEntry(
    id=known_id(1), queue_id=known_id(2), site_id=known_id(3), service_id=known_id(4), encounter_id=known_id(5), patient_id=known_id(6),
    ticket="A001", status="waiting", level=4, ranked_from=NINE, arrived_at=NINE, updated_at=NINE,
)  # fmt: skip
Rule = Literal["head-start", "accumulating"]
WAITING = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 86_400), st.integers(0, 2**64)), max_size=40, unique_by=lambda each: each[2])


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def turns(drawn: list[tuple[int, int, int]]) -> list[tuple[int, datetime, UUID]]:
    return [(level, NINE + timedelta(seconds=seconds), UUID(int=number)) for level, seconds, number in drawn]


@pytest.mark.parametrize("action", list(rules.STEPS))
def test_a_step_goes_from_where_the_table_says_and_from_nowhere_else(action: QueueAction) -> None:
    sources, to = rules.STEPS[action]
    for status in rules.OPEN | rules.ENDED:
        entry = replace(ENTRY, status=status)
        if status not in sources:
            with pytest.raises(StepNotAllowed):
                rules.stepped(entry, action, NINE)
            continue
        after = rules.stepped(entry, action, NINE + minutes(1))
        assert (after.status, after.version) == (to or status, 2)
        assert (after.ended_at is None) == (after.status in rules.OPEN)


def test_what_is_over_stays_so_and_every_open_turn_can_be_ended() -> None:
    for sources, _ in rules.STEPS.values():
        assert not sources & rules.ENDED
    assert rules.STEPS["cancel"][0] == rules.OPEN
    assert set(rules.DEEDS) == {*rules.STEPS, "announce", "undo"}


@pytest.mark.parametrize(
    ("arrived", "counts_from"),
    [(-60, -15), (-5, -15), (0, -15), (10, -5), (15, 0), (15.1, 15.1), (90, 90)],
)  # fmt: skip
def test_who_is_booked_counts_from_the_start_and_who_is_late_from_when_they_came(arrived: float, counts_from: float) -> None:
    assert rules.ranked_from(NINE + minutes(arrived), NINE, QueuePolicy()) == NINE + minutes(counts_from)
    assert rules.ranked_from(NINE + minutes(arrived), None, QueuePolicy()) == NINE + minutes(arrived)


def test_who_comes_early_does_not_lose_by_it() -> None:
    kept = [rules.ranked_from(NINE + minutes(arrived), NINE, QueuePolicy()) for arrived in range(-120, 16)]
    assert all(earlier <= later for earlier, later in pairwise(kept))


def test_a_visit_follows_from_its_turns() -> None:
    def visit(*turns: QueueEntry) -> str:
        return rules.encounter_status(turns)

    begun, told = replace(ENTRY, status="in-service", started_at=NINE), replace(ENTRY, status="expected")
    done, gone, wrong = (replace(ENTRY, status=status, ended_at=NINE) for status in ("completed", "left", "cancelled"))
    assert visit(told) == "planned"
    assert visit(ENTRY) == "arrived"
    assert visit(replace(ENTRY, triaged_at=NINE)) == "triaged"
    assert visit(begun) == "in-progress"
    assert visit(replace(done, started_at=NINE), ENTRY) == "in-progress"
    assert visit(done) == visit(done, gone) == visit(replace(gone, started_at=NINE)) == "finished"
    assert visit(gone) == visit(wrong) == visit(gone, wrong) == "cancelled"
    assert visit(wrong, ENTRY) == "arrived"


@given(WAITING, st.integers(0, 90_000), st.sampled_from(["head-start", "accumulating"]))
def test_order_is_as_documented(drawn: list[tuple[int, int, int]], now: int, rule: Rule) -> None:
    policy = QueuePolicy(order=rule, head_start_minutes=(120, 45, 15, 0), rates=(81.0, 29.0, 3.3, 1.0))
    waiting, at = turns(drawn), NINE + timedelta(seconds=now)
    by_id = {entry_id: (level, since) for level, since, entry_id in waiting}
    found = [by_id[each] for each in order.in_order(policy, waiting, at)]
    assert len(found) == len(waiting)
    for (level, since), (next_level, next_since) in pairwise(found):
        if level == next_level:
            assert since <= next_since
        elif 1 in (level, next_level):
            assert level == 1
        elif rule == "head-start":
            assert since - minutes((120, 45, 15, 0)[level - 2]) <= next_since - minutes((120, 45, 15, 0)[next_level - 2])
        else:
            first, second = (max(0.0, (at - each).total_seconds()) for each in (since, next_since))
            assert policy.rates[level - 2] * first >= policy.rates[next_level - 2] * second - 1e-6


@given(WAITING, st.integers(0, 10_000), st.integers(0, 80_000))
def test_under_a_head_start_who_is_before_whom_never_changes(drawn: list[tuple[int, int, int]], now: int, later: int) -> None:
    waiting = turns(drawn)
    orders = [order.in_order(QueuePolicy(), waiting, NINE + timedelta(seconds=seconds)) for seconds in (now, now + later)]
    assert orders[0] == orders[1]


@given(st.integers(0, 2**32), st.sampled_from(["head-start", "accumulating"]))
def test_nobody_of_a_level_that_ages_waits_for_ever(seed: int, rule: Rule) -> None:
    """The stated bound: under a head start nobody is overtaken by who came later than the greatest head start after them; with accumulating
    priority, by nobody who came after their own waiting time multiplied by one less the ratio of the rates. Level 1 aside."""
    chance = random.Random(seed)
    policy = QueuePolicy(order=rule, rates=(8.0, 4.0, 2.0, 1.0))
    last = (5, NINE, UUID(int=0))
    wait = timedelta(seconds=chance.randrange(1, 200_000))
    others = [(chance.randrange(2, 6), NINE + timedelta(seconds=chance.randrange(1, 200_000)), UUID(int=n)) for n in range(1, 60)]
    here = [each for each in others if each[1] <= NINE + wait]
    found = order.in_order(policy, [last, *here], NINE + wait)
    bound = minutes(max(policy.head_start_minutes)) if rule == "head-start" else wait * (1 - 1 / max(policy.rates))
    since = {entry_id: at for _, at, entry_id in here}
    assert all(since[each] <= NINE + bound for each in found[: found.index(last[2])])
