"""After a search: whoever could as well be where they were before, is. A search that ended early has moved some for nothing."""

from collections.abc import Iterable

import numpy as np

from carewright.scheduling.engines.chains import placed
from carewright.scheduling.engines.greedy import by_tier, fill
from carewright.scheduling.model.planning import (
    NOT_PLACED,
    Plan,
    Problem,
    faults,
    links_broken,
    load_of,
    stretches,
    total_of,
    use_of,
    value_of,
)


def settled(problem: Problem, before: Plan, plan: Plan, *, keep: bool = False) -> Plan:
    """A sound plan with visits put back where `before` has them, as long as it stays sound and is worth no less.

    Who lost their place has it again, and whoever has it now goes elsewhere, or nowhere, as before; with `keep` whatever that costs, except
    that an emergency has a place. Each round brings somebody back for good, so that there are no more rounds than visits.
    """
    found = Plan(plan.start.copy(), plan.chosen.copy())
    while (kept := _one_kept(problem, before, found, keep=keep)) is not None:
        found = kept
    state = _State(problem, found)
    moved = [visit for visit in np.flatnonzero(before.start >= 0).tolist() if not _same(problem, before, found, visit)]
    while back := [visit for visit in moved if state.put_back(visit, before)]:
        moved = [visit for visit in moved if visit not in back]
    return found


def _one_kept(problem: Problem, before: Plan, plan: Plan, *, keep: bool) -> Plan | None:
    """A plan with one more of those who lost their place where they were; None where nobody can be."""
    urgent, worth = value_of(problem, plan).urgent, total_of(problem, plan)
    for visit in np.flatnonzero((before.start >= 0) & (plan.start < 0)).tolist():
        tried = _kept(problem, before, plan, visit)
        if tried and (value_of(problem, tried).urgent >= urgent if keep else total_of(problem, tried) >= worth):
            return tried
    return None


def _kept(problem: Problem, before: Plan, plan: Plan, visit: int) -> Plan | None:
    """The plan with a visit and whoever it is linked to where they were, and whoever has their place now where is best for them then.

    None where that breaks a rule.
    """
    back = _linked(problem, visit)
    while True:
        moved = [one for one in range(problem.visits) if one not in back and not _same(problem, before, plan, one)]
        gone = sorted({other for one in back if before.start[one] >= 0 for other in _holding(problem, before, plan, one)} & {*moved})
        bound = {other for one in gone if len(found := _linked(problem, one)) > 1 for other in found}
        if not bound:
            break
        back |= bound
    tried = Plan(plan.start.copy(), plan.chosen.copy())
    for one in back:
        tried.start[one], tried.chosen[_roles(problem, one)] = before.start[one], before.chosen[_roles(problem, one)]
    for other in gone:
        tried.start[other], tried.chosen[_roles(problem, other)] = NOT_PLACED, NOT_PLACED
    if faults(problem, tried):
        return None
    state = placed(problem, tried)
    order = by_tier(problem)
    fill(problem, state, order[np.isin(order, [*back, *gone]) & (tried.start[order] < 0)])
    return Plan(state.start, state.chosen)


def _linked(problem: Problem, visit: int) -> set[int]:
    """The visit, and all whom links bind to it, however far."""
    found, left = {visit}, [visit]
    while left:
        one = left.pop()
        others = {*problem.link_other[problem.link_from[one] : problem.link_from[one + 1]].tolist()} - found
        found |= others
        left += others
    return found


def _holding(problem: Problem, before: Plan, plan: Plan, visit: int) -> set[int]:
    """Who has somebody in `plan` at the time at which the visit had them in `before`."""
    role_of = np.repeat(np.arange(problem.visits), np.diff(problem.role_from))
    since, until = plan.start[role_of] + problem.role_since, plan.start[role_of] + problem.role_until
    held = np.zeros(len(role_of), bool)
    for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
        first, last = before.start[visit] + problem.role_since[role], before.start[visit] + problem.role_until[role]
        same = (plan.chosen >= 0) & (problem.option_pool[plan.chosen] == problem.option_pool[before.chosen[role]])
        held |= same & (since < last) & (first < until)
    return {*role_of[held].tolist()}


class _State:
    """A plan with what it takes of each pool, changed visit by visit."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._problem, self._plan = problem, plan
        self._used, self._load = use_of(problem, plan), load_of(problem, plan)

    def put_back(self, visit: int, before: Plan) -> bool:
        """Whether it is where it was before now: where that breaks no rule and costs nothing."""
        roles = _roles(self._problem, visit)
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
    roles = _roles(problem, visit)
    return one.start[visit] == other.start[visit] and bool((one.chosen[roles] == other.chosen[roles]).all())


def _roles(problem: Problem, visit: int) -> slice:
    return slice(problem.role_from[visit], problem.role_from[visit + 1])
