import itertools
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from carewright.scheduling.engines.chains import Cancelled, Effort, Found, Progress, _chain, search, temper_of
from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.engines.kernel import best, put, state_of, take
from carewright.scheduling.model.planning import Plan, Problem, faults, prizes, total_of, value_of
from tests.unit.scheduling.days import day

SEEDS = range(12)
STEPS = 2_000


def found(problem: Problem, start: Plan | None = None, **how: Any) -> Found:
    return search(problem, Effort(steps=STEPS, **how), perf_counter, start)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_engine_keeps_every_hard_rule(seed: int) -> None:
    problem = day(seed)
    for plan in (next_available(problem, range(problem.visits)), most_urgent_first(problem), found(problem).plan):
        assert faults(problem, plan) == []
        assert (plan.start >= 0).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_added_up_step_by_step_is_what_a_plan_is_worth(seed: int) -> None:
    problem = day(seed)
    state, total, rng = state_of(problem, seed), 0, np.random.default_rng(seed)
    plan = Plan(state.start, state.chosen)
    for _ in range(400):
        visit = int(rng.integers(problem.visits))
        if state.start[visit] >= 0:
            dependent = [
                problem.link_other[link]
                for link in range(problem.link_from[visit], problem.link_from[visit + 1])
                if problem.link_needs[link] == -1 and state.start[problem.link_other[link]] >= 0
            ]
            total -= sum(take(problem, state, each) for each in [*dependent, visit])
        else:
            gain, option, start = best(problem, state, visit, 0.0)
            if option >= 0:
                put(problem, state, visit, option, start)
                total += gain
        assert total == total_of(problem, plan)
    assert faults(problem, plan) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_place_is_the_best_of_all_that_are_free(seed: int) -> None:
    """Held against every option and every start, tried one by one."""
    problem = day(seed, visits=12)
    problem = problem._replace(split=np.zeros_like(problem.split))  # where free time is left over may make a later start the better one
    state = state_of(problem, seed)
    for visit in range(problem.visits):
        gain, option, _ = best(problem, state, visit, 0.0)
        tried = everywhere(problem, Plan(state.start, state.chosen), visit)
        assert (option >= 0) == bool(tried)
        if not problem.crowded[visit]:  # roles that compete are filled in turn, which is not every way
            assert not tried or gain == max(tried)
        if option >= 0:
            put(problem, state, visit, *best(problem, state, visit, 0.0)[1:])


def everywhere(problem: Problem, plan: Plan, visit: int) -> list[int]:
    """What each sound placement of one more visit adds."""
    before, roles = total_of(problem, plan), range(problem.role_from[visit], problem.role_from[visit + 1])
    ways = itertools.product(*(range(problem.option_from[role], problem.option_from[role + 1]) for role in roles))
    found = []
    for chosen, start in itertools.product(list(ways), range(problem.ticks)):
        there = Plan(plan.start.copy(), plan.chosen.copy())
        there.start[visit], there.chosen[roles.start : roles.stop] = start, chosen
        if start + max(problem.role_until[roles.start : roles.stop]) <= problem.ticks and not faults(problem, there):
            found.append(total_of(problem, there) - before)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_is_never_worse_than_where_it_began(seed: int) -> None:
    problem = day(seed)
    first = most_urgent_first(problem)
    assert found(problem).value >= value_of(problem, first)
    assert found(problem, start=found(problem, seed=7).plan).value >= found(problem, seed=7).value


def test_the_same_seed_and_steps_find_the_same_plan_on_any_number_of_threads() -> None:
    problem = day(3, visits=60)
    plans = [found(problem, seed=5, chains=3, threads=threads) for threads in (1, 2, 3)]
    assert all((one.plan.start == plans[0].plan.start).all() and (one.plan.chosen == plans[0].plan.chosen).all() for one in plans)
    assert any((found(problem, seed=other, chains=3).plan.start != plans[0].plan.start).any() for other in range(6, 9))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_written_down_whole(seed: int) -> None:
    """Only what changed is written, at each step that finds a better one."""
    problem = day(seed)
    prize = prizes(problem)
    chain = _chain(problem, most_urgent_first(problem), seed, prize)
    for leg in range(4):
        chain.run(temper_of(problem, prize), STEPS // 4, leg / 4, (leg + 1) / 4)
        assert chain.best == total_of(problem, chain.plan)
        assert faults(problem, chain.plan) == []


def test_without_time_the_first_plan_is_the_answer() -> None:
    problem = day(4)
    at_once = search(problem, Effort(seconds=0.0), perf_counter)
    assert at_once.value == value_of(problem, most_urgent_first(problem))
    assert at_once.steps == 0


def test_nobody_goes_on_when_nobody_wants_to_know() -> None:
    heard: list[Progress] = []

    def told(progress: Progress) -> bool:
        heard.append(progress)
        return len(heard) < 3

    with pytest.raises(Cancelled):
        search(day(5), Effort(steps=STEPS), perf_counter, told=told)
    assert [round(each.share, 1) for each in heard] == [0.1, 0.2, 0.3]


def test_emergencies_come_before_all_else_together() -> None:
    for seed in SEEDS:
        problem = day(seed)
        alone = problem._replace(worth=np.where(problem.urgent[:, None], problem.worth, 0))
        assert found(problem).value.urgent >= found(alone).value.urgent
