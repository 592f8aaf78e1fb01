"""Small repairs, bounds, and reasons, by solvers in processes of their own."""

import itertools
import sys
from collections.abc import Iterable
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest

from bench.planner.data import OPTIM, stored
from bench.planner.seed import problem_of_day
from carewright.scheduling.engines import bound as bounds
from carewright.scheduling.engines import children, exact
from carewright.scheduling.engines.asked import Prices, Rule, RuleKind, received, sent
from carewright.scheduling.engines.bound import bound, proved
from carewright.scheduling.engines.chains import Effort, Found, search
from carewright.scheduling.engines.exact import TOO_MANY, exactly, reasons
from carewright.scheduling.engines.greedy import most_urgent_first
from carewright.scheduling.engines.part import dependents, joined, part_of, taken, without
from carewright.scheduling.model.planning import Ints, Plan, Problem, faults, row_of_bits, total_of, value_of
from tests.unit.scheduling.days import LEADS, day

SEEDS = range(12)
MISSING = SimpleNamespace(__module__="no_such_solver", __qualname__="solve")


def found(problem: Problem, steps: int = 2_000) -> Found:
    return search(problem, Effort(steps=steps), perf_counter)


# ------------------------------------------------------------------------------------------------------------------------------- parts
@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_of_a_part_is_worth_as_much_more_as_it_is_in_the_whole(seed: int) -> None:
    problem = day(seed)
    plan = found(problem).plan
    part = part_of(problem, plan, range(seed, seed + 9))
    base = without(problem, plan, part.visits)
    before = total_of(problem, base) - total_of(part.problem, taken(base, part))
    plans = [taken(plan, part), most_urgent_first(part.problem), found(part.problem).plan]
    for small in plans:
        whole = joined(plan, part, small)
        assert faults(part.problem, small) == faults(problem, whole) == []
        assert total_of(problem, whole) - total_of(part.problem, small) == before
    assert (joined(plan, part, plans[0]).start == plan.start).all()
    assert found(part.problem).value >= value_of(part.problem, plans[1])


def test_whoever_depends_on_a_free_visit_is_free_too() -> None:
    problem = day(0)
    assert dependents(problem, [7]).tolist() == [7, 8]
    assert dependents(problem, [8]).tolist() == [8]


def test_a_problem_arrives_at_a_child_as_it_was_sent() -> None:
    problem = day(1)
    arrived = received(sent(problem))
    assert all(np.array_equal(getattr(problem, name), getattr(arrived, name)) for name in Problem._fields)


# ------------------------------------------------------------------------------------------------------------------------------- exact
@pytest.mark.parametrize("seed", range(4))
async def test_a_small_day_is_planned_exactly(seed: int) -> None:
    """Held against the chains, which may find as much and never more, and against the bound, which is never less."""
    problem = day(seed, visits=12, ticks=40)
    answer = await exactly(problem, most_urgent_first(problem), Effort(seconds=2.0))
    assert answer.fell is None
    assert faults(problem, answer.plan) == []
    assert answer.value == value_of(problem, answer.plan)
    least, most = found(problem, 20_000).value, (await bound(problem)).value
    assert most is not None
    if answer.proved:
        assert answer.value >= least
    assert answer.value.urgent <= most.urgent
    assert answer.value.rest <= most.rest


async def test_a_repair_moves_nobody_but_those_who_are_free() -> None:
    problem = day(2, visits=40)
    plan = most_urgent_first(problem)
    answer = await exactly(problem, plan, Effort(seconds=2.0), range(12))
    stays = [visit for visit in range(40) if visit not in dependents(problem, range(12))]
    assert answer.value > value_of(problem, plan)
    assert (answer.plan.start[stays] == plan.start[stays]).all()
    assert faults(problem, answer.plan) == []


async def test_the_same_seed_and_work_find_the_same_exact_plan() -> None:
    problem = day(3, visits=14)
    first, second = [await exactly(problem, most_urgent_first(problem), Effort(steps=100_000, seed=4)) for _ in range(2)]
    assert np.array_equal(first.plan.start, second.plan.start)
    assert np.array_equal(first.plan.chosen, second.plan.chosen)


async def test_a_missing_solver_leaves_the_plan_that_there_is_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = day(4, visits=12)
    plan = most_urgent_first(problem)
    monkeypatch.setattr(children, "solve", MISSING)
    answer = await exactly(problem, plan, Effort(seconds=1.0))
    assert (answer.plan, answer.value, answer.fell, answer.proved) == (plan, value_of(problem, plan), "ModuleNotFoundError", False)


async def test_a_solver_that_dies_leaves_the_plan_that_there_is_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = day(4, visits=12)
    plan = most_urgent_first(problem)
    monkeypatch.setattr(exact, "MEBIBYTES", 40)
    answer = await exactly(problem, plan, Effort(seconds=1.0))
    assert answer.plan is plan
    assert answer.fell


async def test_too_many_visits_are_not_begun_with() -> None:
    problem = day(4, visits=31)
    assert (await exactly(problem, most_urgent_first(problem), Effort(seconds=1.0))).fell == TOO_MANY


# ------------------------------------------------------------------------------------------------------------------------------- bound
@pytest.mark.parametrize("seed", SEEDS)
def test_any_prices_prove_a_bound(seed: int) -> None:
    problem, rng = day(seed), np.random.default_rng(seed)
    best = found(problem).value
    shape, pools = problem.capacity.shape, len(problem.capacity)
    for scale in (0.0, 1.0, 10.0, 100.0):
        prices = Prices(rng.random(shape) * scale, rng.random(shape) * scale, rng.random(pools) * 60)
        bounded = proved(problem, prices)
        assert bounded.rest >= best.rest
        assert bounded.urgent >= best.urgent


def alone(even: int = 0, split: int = 0, units: int = 1) -> tuple[Problem, Plan]:
    """One visit, with one lead and one place, from tick 20 on, for as long as that lead is there."""
    problem = day(3, visits=1)
    length = int(problem.role_until[0] - problem.role_since[0])
    begins = 20 + int(problem.role_since[0])
    lead = int(problem.option_pool[0])
    capacity = np.concatenate([np.zeros_like(problem.capacity[:LEADS]), np.full_like(problem.capacity[LEADS:], 2)])
    capacity[lead, begins : begins + length] = units
    pools = np.arange(len(capacity)) == lead
    problem = problem._replace(
        capacity=capacity, allowed=row_of_bits([20], problem.ticks)[None], even=even * pools, split=split * pools,
    )  # fmt: skip
    return problem, most_urgent_first(problem)


@pytest.mark.parametrize(("even", "split"), [(0, 0), (1, 0), (0, 7), (1, 7)])
def test_good_prices_prove_that_a_plan_is_the_best(even: int, split: int) -> None:
    """A visit that is alone is worth what it is worth, whatever its hour costs, less its load's square, and more where no gap is left."""
    problem, plan = alone(even, split)
    length = int(problem.role_until[0] - problem.role_since[0])
    lead = int(problem.option_pool[0])
    price = np.zeros(problem.capacity.shape)
    price[lead] = 3.0
    load = np.full(len(problem.capacity), float(length))
    assert value_of(problem, plan).rest == int(problem.worth[problem.option_row[0], 20]) - even * length * length + split
    assert proved(problem, Prices(price, np.zeros_like(price), load)) == value_of(problem, plan)


@pytest.mark.skipif(not OPTIM.is_dir(), reason="the SEED days (../shared/data/optim beside the repository) are not here")
async def test_the_bound_of_a_seed_day_is_the_one_stored_with_it() -> None:
    """SEED.md: `UB` is the optimum of the time-indexed packing model; the days are stored with it."""
    seed0 = stored("seed/seed0.json")
    bounded = await bound(problem_of_day(seed0), seconds=120)
    assert bounded.value is not None
    assert bounded.value.rest == pytest.approx(seed0["upper_bound"], rel=1e-6)


async def test_a_bound_that_nobody_finds_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "price", MISSING)
    assert await bound(day(5)) == bounds.Bounded(value=None, fell="ModuleNotFoundError")


def test_no_solver_is_loaded_here() -> None:
    assert not {"ortools", "highspy"} & set(sys.modules)


# ----------------------------------------------------------------------------------------------------------------------------- reasons
def kept(problem: Problem, plan: Plan, rules: Iterable[Rule], visits: list[int]) -> bool:
    """Whether all of `rules` can be kept: every start and every option of these visits is tried."""
    by_kind: dict[RuleKind, list[Rule]] = {}
    for rule in rules:
        by_kind.setdefault(rule.kind, []).append(rule)
    must = {rule.visit for rule in by_kind.get("placed", [])}
    ways = [[*([] if visit in must else [None]), *everywhere(problem, visit, by_kind)] for visit in visits]
    return any(agree(problem, plan, by_kind, dict(zip(visits, way, strict=True))) for way in itertools.product(*ways))


Place = tuple[int, tuple[int, ...]]
PLENTY = 1_000


def everywhere(problem: Problem, visit: int, rules: dict[RuleKind, list[Rule]]) -> list[Place]:
    roles = range(problem.role_from[visit], problem.role_from[visit + 1])
    may_start = problem.allowed[visit] if any(rule.visit == visit for rule in rules.get("starts", [])) else None
    ways = list(itertools.product(*(range(problem.option_from[role], problem.option_from[role + 1]) for role in roles)))
    last = problem.ticks - max(int(problem.role_until[role]) for role in roles)
    starts = [tick for tick in range(last + 1) if may_start is None or int(may_start[tick >> 6]) >> (tick & 63) & 1]
    return list(itertools.product(starts, ways))


def agree(problem: Problem, plan: Plan, rules: dict[RuleKind, list[Rule]], placed: dict[int, Place | None]) -> bool:
    starts = {visit: place[0] for visit, place in placed.items() if place}
    starts |= {visit: int(start) for visit, start in enumerate(plan.start) if start >= 0 and visit not in placed}
    together = all(rule.visit not in starts or rule.other in starts for rule in rules.get("together", []))
    apart = all(
        rule.visit not in starts
        or rule.other not in starts
        or (rule.least or 0) <= starts[rule.visit] - starts[rule.other] <= (rule.most or 0)
        for rule in rules.get("apart", [])
    )
    return together and apart and bool((used(problem, rules, placed) <= there(problem, rules)).all())


def used(problem: Problem, rules: dict[RuleKind, list[Rule]], placed: dict[int, Place | None]) -> Ints:
    units = np.zeros(problem.capacity.shape, np.int32)
    for rule in rules.get("taken", []):
        units[rule.pool or 0, rule.since : rule.until] += 1
    for visit, place in placed.items():
        start, options = place or (0, ())
        for role, option in enumerate(options, int(problem.role_from[visit])):
            units[problem.option_pool[option], start + problem.role_since[role] : start + problem.role_until[role]] += 1
    return units


def there(problem: Problem, rules: dict[RuleKind, list[Rule]]) -> Ints:
    units = np.full(problem.capacity.shape, PLENTY, np.int32)
    for rule in rules.get("units", []):
        units[rule.pool or 0] = rule.units or 0
    for rule in rules.get("fewer", []):
        if rule.units == 0 or units[rule.pool or 0].max() < PLENTY:
            units[rule.pool or 0, rule.since : rule.until] = rule.units or 0
    return units


@pytest.mark.parametrize("seed", range(8))
async def test_reasons_cannot_hold_together_and_without_any_of_them_the_others_can(seed: int) -> None:
    """Held against every way in which the visits could be placed, tried one by one."""
    problem = day(seed, visits=24, ticks=24)
    plan = found(problem).plan
    alone = [visit for visit in np.flatnonzero(plan.start < 0).tolist() if problem.link_from[visit] == problem.link_from[visit + 1]]
    why = await reasons(problem, plan, alone[:1], 5)
    assert why.minimal
    assert why.rules
    assert not kept(problem, plan, why.rules, alone[:1])
    for rule in why.rules:
        assert kept(problem, plan, [other for other in why.rules if other is not rule], alone[:1]), rule


async def test_what_the_solver_names_beyond_need_is_given_up() -> None:
    """Six visits that cannot all be placed, where the solver's first answer names more rules than conflict."""
    problem = day(6, visits=40)
    plan = found(problem, 500).plan
    why = await reasons(problem, plan, np.flatnonzero(plan.start < 0).tolist()[:6], 5)
    named = sorted({rule.visit for rule in why.rules if rule.visit is not None})
    assert why.minimal
    assert not kept(problem, plan, why.rules, named)
    assert all(kept(problem, plan, [other for other in why.rules if other is not rule], named) for rule in why.rules)


def closed(problem: Problem, pools: slice, since: int, until: int) -> Problem:
    capacity = problem.capacity.copy()
    capacity[pools, since:until] = 0
    return problem._replace(capacity=capacity)


async def test_a_reason_names_who_is_not_there_and_when() -> None:
    problem = closed(day(6, visits=4), slice(LEADS, LEADS + 2), 0, 60)
    why = await reasons(problem, found(problem).plan, [3], 5)
    assert {(rule.kind, rule.pool, rule.units) for rule in why.rules if rule.kind == "units"} <= {
        ("units", LEADS, 0),
        ("units", LEADS + 1, 0),
    }
    assert [rule.visit for rule in why.rules if rule.kind == "placed"] == [3]


async def test_contradictory_windows_are_a_reason() -> None:
    problem = day(6, visits=4, ticks=60)
    allowed = np.array([row_of_bits([40], 60), row_of_bits([5], 60), *problem.allowed[2:]], np.uint64)
    why = await reasons(problem._replace(allowed=allowed), found(problem._replace(allowed=allowed)).plan, [0, 1], 5)
    assert [(rule.kind, rule.visit, rule.since, rule.until, rule.least) for rule in why.rules] == [
        ("placed", 0, None, None, None), ("placed", 1, None, None, None), ("starts", 0, 40, 41, None), ("starts", 1, 5, 6, None),
        ("apart", 1, None, None, 2),
    ]  # fmt: skip


async def test_where_everybody_has_a_place_there_is_no_reason() -> None:
    problem = day(7, visits=6)
    plan = found(problem).plan
    placed = np.flatnonzero(plan.start >= 0).tolist()
    assert (await reasons(problem, plan, placed[:2], 5)).rules == []


async def test_without_a_solver_no_reason_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "explain", MISSING)
    problem = day(7, visits=6)
    assert (await reasons(problem, found(problem).plan, [0], 1)).fell == "ModuleNotFoundError"
