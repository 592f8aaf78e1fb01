"""The search itself: chains of annealing side by side, which meet now and then, until the steps or the time are used up.

A chain is a thread's own (compiled code holds no lock). What happens depends on the seed, the number of chains and the steps alone, and not
on how many threads run them: chains meet after the same number of steps each, and only then look at each other. With a deadline instead of
steps the time decides how many there are, and the same seed may find another plan.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from carewright.scheduling.engines.anneal import Temper, Work, anneal, work_of
from carewright.scheduling.engines.greedy import by_tier, in_turn
from carewright.scheduling.engines.kernel import State, put_back, state_of
from carewright.scheduling.model.planning import Longs, Plan, Problem, Value, prizes, total_of, value_of

HOT, COLD = 0.13, 0.005
"""Temperatures at the beginning and at the end, as parts of what a visit is worth on average at its best."""
MEETINGS = 10
"""How often chains meet in the whole time; who is worse then goes on from where the best one is."""
SEEDS_APART = 1_000
STEPS_AT_ONCE = 1_000
"""Between two looks at the clock: about 3 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """`steps` of each chain, or `seconds` by the wall; with neither, or none of either, the first plan is the answer."""

    steps: int | None = None
    seconds: float | None = None
    seed: int = 1
    chains: int = 2
    threads: int | None = None
    """As many as there are chains, where nothing is said."""


class Cancelled(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is, as a part of the whole, and what the best plan so far is worth."""

    share: float
    value: Value


Told = Callable[[Progress], bool]
"""Told at each meeting; answers whether to go on."""
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan, and after how many steps of all chains."""

    plan: Plan
    value: Value
    steps: int


@dataclass(slots=True)
class Chain:
    """One chain: its plan under work and its best."""

    problem: Problem
    state: State
    work: Work
    steps: int = field(default=0)

    @property
    def best(self) -> int:
        return int(self.work.score[1])

    @property
    def plan(self) -> Plan:
        """The best one."""
        return Plan(self.work.best_start, self.work.best_chosen)

    def run(self, temper: Temper, steps: int, since: float, until: float) -> None:
        anneal(self.problem, self.state, self.work, temper, steps, since, until)
        self.steps += steps

    def follow(self, other: "Chain") -> None:
        """Go on from the best plan of another."""
        self.go_on(placed(self.problem, other.plan), other.best)

    def go_on(self, state: State, score: int) -> None:
        """Go on from a plan that is worth so much, with the same chances as before."""
        state.random[:] = self.state.random
        self.state, self.work = state, work_of(state, score, self.work.prize)


Meet = Callable[[Chain, list[Chain]], None]
"""What chains do when they meet, of which one is the best. That one stays as it is."""


def follow_the_best(best: Chain, running: list[Chain]) -> None:
    """Who is worse goes on from the best plan."""
    for one in running:
        if one.best < best.best:
            one.follow(best)


def search(
    problem: Problem, effort: Effort, clock: Clock, start: Plan | None = None, told: Told | None = None, meet: Meet = follow_the_best
) -> Found:
    """The best plan that is found: never worth less than `start`, nor than the most urgent first.

    `clock` counts seconds. Raises `Cancelled` where `told` says so.
    """
    began = clock()
    first, prize = first_plan(problem, start), prizes(problem)
    temper = temper_of(problem, prize)
    running = [_chain(problem, first, effort.seed * SEEDS_APART + number, prize) for number in range(effort.chains)]
    best = running[0]
    with ThreadPoolExecutor(effort.threads or effort.chains) as pool:
        for meeting in range(MEETINGS):
            since, until = meeting / MEETINGS, (meeting + 1) / MEETINGS
            list(pool.map(_leg(temper, effort, since, until, clock, began), running))
            best = max(running, key=lambda one: one.best)
            meet(best, running)
            if told and not told(Progress(until, value_of(problem, best.plan))):
                raise Cancelled
    return Found(plan=best.plan, value=value_of(problem, best.plan), steps=sum(one.steps for one in running))


def _leg(temper: Temper, effort: Effort, since: float, until: float, clock: Clock, began: float) -> Callable[[Chain], None]:
    """What a chain does until the next meeting."""

    def by_steps(chain: Chain) -> None:
        steps = round((effort.steps or 0) * until) - round((effort.steps or 0) * since)
        chain.run(temper, steps, since, until)

    def by_time(chain: Chain) -> None:
        seconds = effort.seconds or 0.0
        while seconds and (share := (clock() - began) / seconds) < until:
            chain.run(temper, STEPS_AT_ONCE, share, share)

    return by_steps if effort.seconds is None else by_time


def temper_of(problem: Problem, prize: Longs) -> Temper:
    """Temperatures by what visits are worth at their best."""
    usual = prize[~problem.urgent]
    scale = max(float(usual.mean()), 1.0) if len(usual) else 1.0
    return Temper(HOT * scale, COLD * scale)


def first_plan(problem: Problem, start: Plan | None) -> Plan:
    """The better of the plan that there is and the most urgent first; what has no place in the former is placed where it can be."""
    order = by_tier(problem)
    plans = [in_turn(problem, state_of(problem, 0), order)]
    if start is not None:
        kept = placed(problem, start)
        plans.append(in_turn(problem, kept, order[kept.start[order] < 0]))
    return max(plans, key=lambda plan: value_of(problem, plan))


def placed(problem: Problem, plan: Plan, seed: int = 0) -> State:
    """The state in which everybody is where the plan says, which must be sound."""
    state = state_of(problem, seed)
    for visit in np.flatnonzero(plan.start >= 0):
        put_back(problem, state, int(visit), plan.chosen, int(plan.start[visit]))
    return state


def _chain(problem: Problem, plan: Plan, seed: int, prize: Longs) -> Chain:
    state = placed(problem, plan, seed)
    return Chain(problem, state, work_of(state, total_of(problem, plan), prize))
