"""The genetic layer: orders bred from random keys, and chains whose plans are crossed when they meet.

Keys are bred as Gonçalves and Resende do (Biased random-key genetic algorithms for combinatorial optimization, 2011): a plan is a number
for each visit, the lowest is placed first, and a child has most of its numbers from the better parent. Plans themselves are crossed by
leads: what one parent has some leads do is kept, the other gives what still fits, and everybody else is placed where it is best.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.engines.batch import Decoder
from carewright.scheduling.engines.chains import Cancelled, Chain, Clock, Effort, Found, Meet, Progress, Told, first_plan, search
from carewright.scheduling.engines.compiled import compiled
from carewright.scheduling.engines.greedy import by_tier, depends, fill
from carewright.scheduling.engines.kernel import State, put_if_free, state_of, take
from carewright.scheduling.model.planning import Ints, Longs, Plan, Problem, total_of, value_of

POPULATION = 64
ELITE, MUTANTS = 13, 10
"""How many of them live on, and how many are new: a fifth and a seventh, within what the authors recommend."""
INHERITED = 0.7
"""How probable it is that a number is that of the better parent."""
PLACED_A_STEP = 12
"""Visits that a step of a chain places, so that steps are the same effort for keys."""

Keys = npt.NDArray[np.float64]


@compiled
def inherit(problem: Problem, state: State, order: Ints, parent: Plan, pools: Ints) -> None:
    """Place whom a parent has led by one of these pools (1), in this order, where that is still possible."""
    for place in range(order.shape[0]):
        visit = order[place]
        start = parent.start[visit]
        if start >= 0 and state.start[visit] < 0 and pools[problem.option_pool[parent.chosen[problem.role_from[visit]]]]:
            put_if_free(problem, state, visit, parent.chosen, start)


@compiled
def decode(problem: Problem, state: State, orders: Ints, start: Ints, chosen: Ints, won: Longs) -> None:
    """Place everybody in each of the orders in turn."""
    for plan in range(orders.shape[0]):
        for visit in range(start.shape[1]):
            if state.start[visit] >= 0:
                take(problem, state, visit)
        won[plan] = fill(problem, state, orders[plan])
        for visit in range(start.shape[1]):
            start[plan, visit] = state.start[visit]
        for role in range(chosen.shape[1]):
            chosen[plan, role] = state.chosen[role]


def crossed(problem: Problem, order: Ints, one: Plan, other: Plan, pools: Ints) -> State:
    """The child of two sound plans: what the pools (1) lead in one, what the rest leads in the other, and whoever else finds room."""
    state = state_of(problem, 0)
    inherit(problem, state, order, one, pools)
    inherit(problem, state, order, other, 1 - pools)
    fill(problem, state, order[state.start[order] < 0])
    return state


def crossing(problem: Problem, seed: int) -> Meet:
    """When chains meet, each but the best goes on from a child of its own plan and the best one."""
    rng, order = np.random.default_rng(seed), by_tier(problem)

    def meet(best: Chain, running: list[Chain]) -> None:
        for one in running:
            if one is not best and one.steps:
                pools = rng.integers(0, 2, len(problem.capacity), np.int32)
                child = crossed(problem, order, best.plan, one.plan, pools)
                one.go_on(child, total_of(problem, Plan(child.start, child.chosen)))

    return meet


def search_crossing(problem: Problem, effort: Effort, clock: Clock, start: Plan | None = None, told: Told | None = None) -> Found:
    """As `search` of the chains, with plans crossed where chains meet. One chain has nobody to meet."""
    return search(problem, effort, clock, start, told, crossing(problem, effort.seed))


class Population(NamedTuple):
    """Keys, the plans that they mean, and what those are worth; the best first."""

    keys: Keys
    start: Ints
    chosen: Ints
    won: Longs

    def best(self, count: int) -> "Population":
        which = np.argsort(-self.won, kind="stable")[:count]
        return Population(self.keys[which], self.start[which], self.chosen[which], self.won[which])

    def with_others(self, others: "Population") -> "Population":
        return Population(
            np.concatenate([self.keys, others.keys]), np.concatenate([self.start, others.start]),
            np.concatenate([self.chosen, others.chosen]), np.concatenate([self.won, others.won]),
        )  # fmt: skip


def kernel_decoder(problem: Problem, threads: int) -> Decoder:
    """Decode by the kernel, in so many threads."""
    states = [state_of(problem, 0) for _ in range(threads)]

    def decode_all(orders: Ints) -> tuple[Ints, Ints, Longs]:
        plans = len(orders)
        start = np.zeros((plans, problem.visits), np.int32)
        chosen, won = np.zeros((plans, len(problem.role_since)), np.int32), np.zeros(plans, np.int64)
        parts = [slice(plans * number // threads, plans * (number + 1) // threads) for number in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda state, part: decode(problem, state, orders[part], start[part], chosen[part], won[part]), states, parts))
        return start, chosen, won

    return decode_all


def evolve(
    problem: Problem, effort: Effort, clock: Clock, start: Plan | None = None, told: Told | None = None, decoder: Decoder | None = None
) -> Found:
    """The best plan that is bred from keys: never worth less than `start`, nor than the most urgent first.

    `decoder` is the kernel's by default; `batch_decoder` of a module with a graphics card finds the same. A deadline is looked at once a
    generation. Raises `Cancelled` where `told` says so.
    """
    began, first = clock(), first_plan(problem, start)
    best = Found(plan=first, value=value_of(problem, first), steps=0)
    rng, breed = np.random.default_rng(effort.seed), _breeder(problem, decoder or kernel_decoder(problem, effort.threads or effort.chains))
    living: Population | None = None
    placed, won = 0, 0
    while (share := _share(effort, placed, clock() - began)) < 1:
        keys = _first_keys(problem, rng) if living is None else _next_keys(living, rng)
        young = breed(keys)
        placed += keys.size
        living = young.best(POPULATION) if living is None else living.best(ELITE).with_others(young).best(POPULATION)
        if living.won[0] > won:
            won, plan = int(living.won[0]), Plan(living.start[0], living.chosen[0])
            best = max(best, Found(plan=plan, value=value_of(problem, plan), steps=0), key=lambda found: found.value)
        if told and not told(Progress(share, best.value)):
            raise Cancelled
    return Found(plan=best.plan, value=best.value, steps=placed // PLACED_A_STEP)


def _share(effort: Effort, placed: int, seconds: float) -> float:
    """How much of what may be spent is spent."""
    if effort.seconds is not None:
        return seconds / effort.seconds if effort.seconds else 1.0
    most = (effort.steps or 0) * effort.chains * PLACED_A_STEP
    return placed / most if most else 1.0


def _breeder(problem: Problem, decoder: Decoder) -> Callable[[Keys], Population]:
    """From keys to plans: the lowest first, and whoever depends on others after them."""
    later = depends(problem).astype(np.float64)

    def breed(keys: Keys) -> Population:
        orders = np.argsort(keys + later, axis=1, kind="stable").astype(np.int32)
        return Population(keys, *decoder(orders))

    return breed


def _first_keys(problem: Problem, rng: np.random.Generator) -> Keys:
    """By chance; but one of them is the order of the most urgent first."""
    keys = rng.random((POPULATION, problem.visits))
    keys[0, by_tier(problem)] = np.arange(problem.visits) / max(1, problem.visits)
    return keys


def _next_keys(living: Population, rng: np.random.Generator) -> Keys:
    """Children of one of the best and one of the rest, and some by chance."""
    children, visits = POPULATION - ELITE - MUTANTS, living.keys.shape[1]
    better = living.keys[rng.integers(0, ELITE, children)]
    other = living.keys[rng.integers(ELITE, POPULATION, children)]
    bred = np.where(rng.random((children, visits)) < INHERITED, better, other)
    return np.concatenate([bred, rng.random((MUTANTS, visits))])
