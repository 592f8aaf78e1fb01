"""After a search nobody stays moved for nothing."""

import numpy as np
import pytest

from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.engines.settle import settled
from carewright.scheduling.model.planning import Plan, Problem, faults, total_of, value_of
from tests.unit.scheduling.days import day


def put_back(problem: Problem, before: Plan, plan: Plan, visit: int) -> Plan:
    back = Plan(plan.start.copy(), plan.chosen.copy())
    roles = slice(problem.role_from[visit], problem.role_from[visit + 1])
    back.start[visit], back.chosen[roles] = before.start[visit], before.chosen[roles]
    return back


@pytest.mark.parametrize("seed", range(20))
def test_whoever_could_be_where_they_were_is(seed: int) -> None:
    problem = day(seed)
    before, plan = next_available(problem, range(problem.visits)), most_urgent_first(problem)
    found = settled(problem, before, plan)
    assert faults(problem, found) == []
    assert total_of(problem, found) >= total_of(problem, plan)
    for visit in np.flatnonzero(before.start >= 0).tolist():
        back = put_back(problem, before, found, visit)
        is_there = found.start[visit] == before.start[visit] and back.chosen.tolist() == found.chosen.tolist()
        assert is_there or faults(problem, back) or total_of(problem, back) < total_of(problem, found)


def test_where_every_place_is_worth_the_same_many_go_back() -> None:
    went = 0
    for seed in range(20):
        problem = day(seed)
        problem = problem._replace(
            worth=np.ones_like(problem.worth) + problem.first * problem.urgent[:, None], even=problem.even * 0, split=problem.split * 0
        )
        before, plan = next_available(problem, range(problem.visits)), most_urgent_first(problem)
        went += int((settled(problem, before, plan).start != plan.start).sum())
    assert went > 50


@pytest.mark.parametrize("seed", range(20))
def test_who_has_a_place_loses_it_to_an_emergency_alone(seed: int) -> None:
    problem = day(seed)
    before, plan = next_available(problem, range(problem.visits)), most_urgent_first(problem)
    lost = (before.start >= 0) & (plan.start < 0)
    found = settled(problem, before, plan, keep=True)
    assert faults(problem, found) == []
    assert value_of(problem, found).urgent >= value_of(problem, plan).urgent
    calm = problem._replace(tier=np.ones_like(problem.tier), worth=problem.worth - problem.first * problem.urgent[:, None])
    kept = settled(calm, before, plan, keep=True)
    assert faults(calm, kept) == []
    assert not ((before.start >= 0) & (kept.start < 0)).any()
    assert lost.any() or seed not in {0, 1}


def test_where_nothing_was_different_nothing_is() -> None:
    problem = day(1)
    plan = most_urgent_first(problem)
    assert [each.tolist() for each in settled(problem, plan, plan)] == [each.tolist() for each in plan]
