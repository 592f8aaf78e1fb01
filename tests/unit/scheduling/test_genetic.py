"""Orders bred from keys, plans that are crossed, and many plans decoded at once."""

from itertools import pairwise
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from carewright.scheduling.engines.batch import CrowdedRoles, batch_decoder
from carewright.scheduling.engines.chains import Cancelled, Effort, Progress, search
from carewright.scheduling.engines.genetic import crossed, evolve, kernel_decoder, search_crossing
from carewright.scheduling.engines.greedy import by_tier, most_urgent_first
from carewright.scheduling.engines.kernel import hold, put_if_free, state_of, take
from carewright.scheduling.model.planning import Ints, Plan, Problem, faults, total_of, value_of
from tests.unit.scheduling.days import day

SEEDS = range(12)
STEPS, CHAINS = 3_000, 3
EFFORT = Effort(steps=STEPS, chains=CHAINS)


def orders(problem: Problem, plans: int, seed: int) -> Ints:
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(problem.visits) for _ in range(plans)], np.int32)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("engine", [evolve, search_crossing])
def test_both_keep_every_rule_and_are_never_worse_than_where_they_begin(engine: Any, seed: int) -> None:
    problem = day(seed)
    found = engine(problem, EFFORT, perf_counter)
    assert faults(problem, found.plan) == []
    assert found.value == value_of(problem, found.plan) >= value_of(problem, most_urgent_first(problem))
    assert found.steps >= STEPS * CHAINS
    good = search(problem, Effort(steps=5_000), perf_counter).plan
    assert engine(problem, EFFORT, perf_counter, good).value >= value_of(problem, good)


@pytest.mark.parametrize("engine", [evolve, search_crossing])
def test_the_same_seed_and_steps_find_the_same_plan_on_any_number_of_threads(engine: Any) -> None:
    problem = day(3, visits=60)
    first, *others = [engine(problem, Effort(steps=2_000, seed=5, chains=3, threads=threads), perf_counter).plan for threads in (1, 2, 3)]
    for other in others:
        assert np.array_equal(first.start, other.start)
        assert np.array_equal(first.chosen, other.chosen)


def test_keys_find_better_plans_with_time() -> None:
    problem = day(1, visits=60)
    values = [evolve(problem, Effort(steps=steps), perf_counter).value for steps in (0, 1_000, 20_000)]
    assert values == sorted(set(values))


@pytest.mark.parametrize("engine", [evolve, search_crossing])
def test_without_time_the_first_plan_is_the_answer(engine: Any) -> None:
    problem = day(4)
    for effort in (Effort(seconds=0.0), Effort()):
        found = engine(problem, effort, perf_counter)
        assert (found.value, found.steps) == (value_of(problem, most_urgent_first(problem)), 0)


@pytest.mark.parametrize("engine", [evolve, search_crossing])
def test_nobody_goes_on_when_nobody_wants_to_know(engine: Any) -> None:
    heard: list[Progress] = []

    def told(progress: Progress) -> bool:
        heard.append(progress)
        return len(heard) < 3

    with pytest.raises(Cancelled):
        engine(day(5), Effort(steps=5_000), perf_counter, told=told)
    assert len(heard) == 3
    assert all(before.share < after.share for before, after in pairwise(heard))


# ----------------------------------------------------------------------------------------------------------------------------- crossing
@pytest.mark.parametrize("seed", SEEDS)
def test_a_child_has_the_leads_of_one_parent_as_they_were_and_of_the_other_what_fits(seed: int) -> None:
    problem, rng = day(seed), np.random.default_rng(seed)
    one, other = (search(problem, Effort(steps=500, seed=number), perf_counter).plan for number in (1, 2))
    pools = rng.integers(0, 2, len(problem.capacity), np.int32)
    state = crossed(problem, by_tier(problem), one, other, pools)
    child = Plan(state.start, state.chosen)
    assert faults(problem, child) == []
    for visit in np.flatnonzero(one.start >= 0):
        lead = problem.option_pool[one.chosen[problem.role_from[visit]]]
        if pools[lead] and problem.link_from[visit] == problem.link_from[visit + 1]:
            assert child.start[visit] == one.start[visit]


def test_a_child_of_two_equal_plans_is_that_plan() -> None:
    problem = day(2)
    plan = search(problem, Effort(steps=20_000), perf_counter).plan
    for pools in ([0] * 8, [1] * 8, [0, 1] * 4):
        child = crossed(problem, by_tier(problem), plan, plan, np.array(pools, np.int32))
        placed = plan.start >= 0
        assert (child.start[placed] == plan.start[placed]).all()


def test_what_a_parent_has_is_kept_only_where_everybody_is_free() -> None:
    problem = day(0)
    plan = search(problem, Effort(steps=500), perf_counter).plan
    visit = next(i for i in np.flatnonzero(plan.start >= 0).tolist() if problem.link_from[i] == problem.link_from[i + 1])
    start = int(plan.start[visit])
    for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
        state = state_of(problem, 0)
        assert put_if_free(problem, state, visit, plan.chosen, start)
        take(problem, state, visit)
        pool = problem.option_pool[plan.chosen[role]]
        for _ in range(problem.capacity[pool].max()):
            hold(problem, state, pool, start + problem.role_since[role], start + problem.role_until[role])
        before = state.used.copy()
        assert not put_if_free(problem, state, visit, plan.chosen, start)
        assert state.start[visit] < 0
        assert np.array_equal(state.used, before)


def test_what_a_parent_has_is_kept_only_as_near_and_as_far_as_it_may_be() -> None:
    problem, needed, visit = day(4), 7, 8
    plan = search(problem, Effort(steps=2_000), perf_counter).plan
    start, earlier = int(plan.start[visit]), int(plan.start[needed])
    apart = start - earlier
    state = state_of(problem, 0)
    assert not put_if_free(problem, state, visit, plan.chosen, start)
    assert put_if_free(problem, state, needed, plan.chosen, earlier)
    too_near = problem._replace(link_least=np.full_like(problem.link_least, apart + 1))
    too_far = problem._replace(link_most=np.full_like(problem.link_most, apart - 1))
    assert not put_if_free(too_near, state, visit, plan.chosen, start)
    assert not put_if_free(too_far, state, visit, plan.chosen, start)
    assert put_if_free(problem, state, visit, plan.chosen, start)


def test_with_one_chain_there_is_nobody_to_meet() -> None:
    problem, effort = day(2), Effort(steps=2_000, chains=1)
    assert np.array_equal(search_crossing(problem, effort, perf_counter).plan.start, search(problem, effort, perf_counter).plan.start)


# -------------------------------------------------------------------------------------------------------------------------- many at once
@pytest.mark.parametrize("seed", SEEDS)
def test_many_plans_at_once_are_those_of_the_kernel_one_by_one(seed: int) -> None:
    same_plans(np, seed)


@pytest.mark.parametrize("module", ["torch", "cupy"])
def test_they_are_on_the_arrays_of_other_libraries_too(module: str) -> None:
    xp = pytest.importorskip(module, reason=f"{module} is no dependency of ours, and not here")
    for seed in SEEDS:
        same_plans(xp, seed)


def same_plans(xp: ModuleType, seed: int) -> None:
    problem = day(seed, ticks=60 + 50 * (seed % 3), twice=0.0)  # within a word, in two, and in three
    problem.capacity[:, 64:70] = 0  # nobody is there where the second word begins
    tried = orders(problem, 12, seed)
    start, chosen, won = kernel_decoder(problem, 2)(tried)
    many = batch_decoder(problem, xp)(tried)
    assert np.array_equal(start, many[0])
    assert np.array_equal(chosen, many[1])
    assert np.array_equal(won, many[2])
    assert [total_of(problem, Plan(*plan)) for plan in zip(start, chosen, strict=True)] == won.tolist()


def test_keys_find_the_same_plan_by_either_decoder() -> None:
    problem = day(7, visits=20, twice=0.0)
    by_kernel, by_arrays = (evolve(problem, Effort(steps=400), perf_counter, decoder=decoder) for decoder in (None, batch_decoder(problem)))
    assert np.array_equal(by_kernel.plan.start, by_arrays.plan.start)
    assert by_kernel.value == by_arrays.value


def test_roles_that_compete_are_no_work_for_arrays() -> None:
    with pytest.raises(CrowdedRoles):
        batch_decoder(day(0, twice=1.0))
