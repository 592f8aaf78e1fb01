"""Chains of annealing side by side, which meet now and then, as the product's do (`engines/chains.py`), over plans of a whole ward."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from bench.planner.ihtp.anneal import NOTHING, Plan, Prices, Temper, anneal, plan_of, prices_of, resumed
from bench.planner.ihtp.instance import Ward
from carewright.scheduling.engines.chains import SEEDS_APART, Effort
from carewright.scheduling.model.planning import Ints

HOT, COLD = 0.1, 0.4
"""The temperature at the beginning, as a part of what it costs to leave somebody out; at the end, in units of cost."""
MEETINGS = 20
STEPS_AT_ONCE = 20_000
"""Between two looks at the clock: about 7 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan that breaks no rule."""

    cost: int | None
    """None where no such plan was found: then nobody is admitted."""
    admissions: list[tuple[int, int, int]]
    """Day (none below 0), room and theatre of each patient."""
    nurses: Ints
    """[rooms, shifts]"""
    steps: int


@dataclass(slots=True)
class Chain:
    """One chain: its plan, what broken rules cost it, and what it has spent."""

    ward: Ward
    plan: Plan
    prices: Prices
    steps: int = field(default=0)
    seconds: float = field(default=0.0)

    @property
    def best(self) -> int:
        return int(self.plan.score[2])

    @property
    def broken(self) -> bool:
        return bool(self.plan.score[1] > 0)

    def by_steps(self, temper: Temper, until: int, of: int) -> None:
        """Until so many steps are done, of so many in all."""
        while self.steps < until:
            steps = min(STEPS_AT_ONCE, until - self.steps)
            anneal(self.ward, self.plan, self.prices, temper, steps, self.steps / of)
            self.steps += steps

    def by_time(self, temper: Temper, until: float, of: float) -> None:
        """Until so many seconds of processor time are spent, of so many in all."""
        began = time.thread_time() - self.seconds
        while self.seconds < until:
            anneal(self.ward, self.plan, self.prices, temper, STEPS_AT_ONCE, self.seconds / of)
            self.steps += STEPS_AT_ONCE
            self.seconds = time.thread_time() - began

    def follow(self, other: "Chain") -> None:
        """Go on from the best plan of another, with the same chances as before."""
        plan = resumed(self.ward, self.prices, other.plan)
        plan.random[:] = self.plan.random
        self.plan = plan

    def begin_again(self) -> None:
        """From an empty plan, with other chances."""
        self.plan = plan_of(self.ward, self.prices, int(self.plan.random[0] >> np.uint64(32)))


def search(ward: Ward, effort: Effort) -> Found:
    """The cheapest plan that is found by so many steps of each chain, or by so many seconds of its own processor time.

    With steps the same seed finds the same plan, however many threads there are.
    """
    temper = Temper(HOT * ward.weights.left, COLD)
    prices = prices_of(ward)
    running = [Chain(ward, plan_of(ward, prices, effort.seed * SEEDS_APART + number), prices) for number in range(effort.chains)]
    best = running[0]
    with ThreadPoolExecutor(effort.threads or effort.chains) as pool:
        for meeting in range(1, MEETINGS + 1):
            list(pool.map(_leg(temper, effort, meeting), running))
            best = min(running, key=lambda one: one.best)
            _meet(best, running)
    plan, found = best.plan, best.best < NOTHING
    return Found(
        cost=best.best if found else None, admissions=[(day, room, theatre) for day, room, theatre in plan.best.T.tolist()],
        nurses=plan.best_nurse, steps=sum(one.steps for one in running),
    )  # fmt: skip


def _leg(temper: Temper, effort: Effort, meeting: int) -> Callable[[Chain], None]:
    """What a chain does until a meeting."""
    steps, seconds = effort.steps or 0, effort.seconds or 0.0
    if effort.seconds is None:
        return lambda chain: chain.by_steps(temper, steps * meeting // MEETINGS, steps)
    return lambda chain: chain.by_time(temper, seconds * meeting / MEETINGS, seconds)


def _meet(best: Chain, running: list[Chain]) -> None:
    """Who is worse, or breaks a rule and may not find out of it, goes on from the best plan; while there is none, all begin again."""
    for one in running:
        if best.best == NOTHING:
            one.begin_again()
        elif one.broken or one.best > best.best:
            one.follow(best)
