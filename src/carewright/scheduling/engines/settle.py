"""After a search: whoever could as well be where they were before, is. A search that ended early has moved some for nothing."""

from collections.abc import Iterable

import numpy as np

from carewright.scheduling.model.planning import Plan, Problem, links_broken, load_of, stretches, use_of


def settled(problem: Problem, before: Plan, plan: Plan) -> Plan:
    """A sound plan with visits put back where `before` has them, one by one, as long as it stays sound and is worth no less.

    A visit that another holds up is tried again once that one has gone back. What `plan` places and `before` does not stays as it is.
    """
    found = Plan(plan.start.copy(), plan.chosen.copy())
    state = _State(problem, found)
    moved = [visit for visit in np.flatnonzero(before.start >= 0).tolist() if not _same(problem, before, found, visit)]
    while back := [visit for visit in moved if state.put_back(visit, before)]:
        moved = [visit for visit in moved if visit not in back]
    return found


class _State:
    """A plan with what it takes of each pool, changed visit by visit."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._problem, self._plan = problem, plan
        self._used, self._load = use_of(problem, plan), load_of(problem, plan)

    def put_back(self, visit: int, before: Plan) -> bool:
        """Whether it is where it was before now: where that breaks no rule and costs nothing."""
        roles = slice(self._problem.role_from[visit], self._problem.role_from[visit + 1])
        start, chosen = int(self._plan.start[visit]), self._plan.chosen[roles].copy()
        pools = {
            int(pool) for plan in (self._plan, before) if plan.start[visit] >= 0 for pool in self._problem.option_pool[plan.chosen[roles]]
        }
        cost = self._cost(visit, pools)
        self._hold(visit, -1)
        self._plan.start[visit], self._plan.chosen[roles] = before.start[visit], before.chosen[roles]
        self._hold(visit, 1)
        fits = all((self._used[pool] <= self._problem.capacity[pool]).all() for pool in pools)
        if fits and self._cost(visit, pools) <= cost and not links_broken(self._problem, self._plan, visit):
            return True
        self._hold(visit, -1)
        self._plan.start[visit], self._plan.chosen[roles] = start, chosen
        self._hold(visit, 1)
        return False

    def _hold(self, visit: int, units: int) -> None:
        problem, start = self._problem, int(self._plan.start[visit])
        if start < 0:
            return
        lead = int(problem.role_from[visit])
        for role in range(lead, problem.role_from[visit + 1]):
            since, until = start + int(problem.role_since[role]), start + int(problem.role_until[role])
            self._used[problem.option_pool[self._plan.chosen[role]], since:until] += units
            if role == lead:
                self._load[problem.option_pool[self._plan.chosen[role]]] += units * (until - since)

    def _cost(self, visit: int, pools: Iterable[int]) -> int:
        """What of the plan's value hangs on the visit and these pools, as a cost: each term as `value_of` has it."""
        problem, start = self._problem, int(self._plan.start[visit])
        lead = self._plan.chosen[problem.role_from[visit]]
        cost = -int(problem.worth[problem.option_row[lead], start]) if start >= 0 else 0
        for pool in pools:
            cost += int(problem.even[pool]) * int(self._load[pool]) ** 2
            if problem.split[pool]:
                cost += int(problem.split[pool]) * stretches(self._used[pool] < problem.capacity[pool])
        return cost


def _same(problem: Problem, one: Plan, other: Plan, visit: int) -> bool:
    roles = slice(problem.role_from[visit], problem.role_from[visit + 1])
    return one.start[visit] == other.start[visit] and bool((one.chosen[roles] == other.chosen[roles]).all())
