"""After a search: whoever could as well be where they were before, is. A search that ended early has moved some for nothing."""

from collections.abc import Iterable

import numpy as np

from carewright.scheduling.engines.chains import placed
from carewright.scheduling.engines.greedy import by_tier, in_turn
from carewright.scheduling.engines.kernel import State, plan_of, put_back, put_if_free, take
from carewright.scheduling.engines.part import reached, without
from carewright.scheduling.model.planning import NOT_PLACED, Ints, Plan, Problem, faults, total_of, value_of
from carewright.scheduling.model.ticks import Flags


def settled(problem: Problem, before: Plan, plan: Plan, *, keep: bool = False) -> Plan:
    """A sound plan with visits put back where `before` has them, as long as it stays sound and is worth no less.

    Who lost their place has it again, and whoever has it now goes elsewhere, or nowhere, as before; with `keep` whatever that costs, except
    that an emergency has a place. Each round brings somebody back for good, so that there are no more rounds than visits.
    """
    order = by_tier(problem)
    while (kept := _one_kept(problem, before, plan, order, keep=keep)) is not None:
        plan = kept
    state = placed(problem, plan)
    moved = np.flatnonzero(_moved(problem, before, plan) & (before.start >= 0)).tolist()
    while back := [visit for visit in moved if _goes_back(problem, state, before, visit)]:
        moved = [visit for visit in moved if visit not in back]
    return plan_of(state)


def _one_kept(problem: Problem, before: Plan, plan: Plan, order: Ints, *, keep: bool) -> Plan | None:
    """A plan with one more of those who lost their place where they were; None where nobody can be."""
    worth = _urgent if keep else total_of
    least = worth(problem, plan)
    for visit in np.flatnonzero((before.start >= 0) & (plan.start < 0)).tolist():
        tried = _kept(problem, before, plan, visit, order)
        if worth(problem, tried) >= least and not faults(problem, tried):
            return tried
    return None


def _urgent(problem: Problem, plan: Plan) -> int:
    return value_of(problem, plan).urgent


def _kept(problem: Problem, before: Plan, plan: Plan, visit: int, order: Ints) -> Plan:
    """The plan with a visit and whoever it is linked to where they were, and whoever has their place now where is best for them then.

    Those find it in this order.
    """
    every = np.ones(len(problem.link_other), np.bool_)
    moved = {*np.flatnonzero(_moved(problem, before, plan)).tolist()}
    back = reached(problem, [visit], every)
    while True:
        gone = _holding(problem, before, plan, back) & moved - {*back}
        bound = [one for one in gone if problem.link_from[one] < problem.link_from[one + 1]]
        if not bound:
            break
        back = reached(problem, [*back, *bound], every)
    tried = without(problem, plan, gone)
    tried.start[back] = before.start[back]
    roles = np.isin(_visit_of(problem), back)
    tried.chosen[roles] = before.chosen[roles]
    return in_turn(problem, placed(problem, tried), order[np.isin(order, [*back, *gone]) & (tried.start[order] < 0)])


def _holding(problem: Problem, before: Plan, plan: Plan, visits: Iterable[int]) -> set[int]:
    """Who has somebody in `plan` at a time at which one of these visits had them in `before`."""
    visit_of = _visit_of(problem)
    since, until = plan.start[visit_of] + problem.role_since, plan.start[visit_of] + problem.role_until
    pool = np.where(plan.chosen >= 0, problem.option_pool[plan.chosen], NOT_PLACED)
    held = np.zeros(len(visit_of), np.bool_)
    for role in np.flatnonzero(np.isin(visit_of, [*visits]) & (before.chosen >= 0)):
        start = before.start[visit_of[role]]
        same = pool == problem.option_pool[before.chosen[role]]
        held |= same & (since < start + problem.role_until[role]) & (start + problem.role_since[role] < until)
    return {*visit_of[held].tolist()}


def _goes_back(problem: Problem, state: State, before: Plan, visit: int) -> bool:
    """Whether it is where it was before now: where that breaks no rule and costs nothing."""
    now = plan_of(state)
    worth = take(problem, state, visit) if now.start[visit] >= 0 else 0
    back = before.chosen, int(before.start[visit])
    if put_if_free(problem, state, visit, *back) and take(problem, state, visit) >= worth:
        put_back(problem, state, visit, *back)
        return True
    if now.start[visit] >= 0:
        put_back(problem, state, visit, now.chosen, int(now.start[visit]))
    return False


def _moved(problem: Problem, before: Plan, plan: Plan) -> Flags:
    """[n] Who is elsewhere than before, or served by others."""
    moved: Flags = before.start != plan.start
    moved[_visit_of(problem)[before.chosen != plan.chosen]] = True
    return moved


def _visit_of(problem: Problem) -> Ints:
    """[roles] Whose role each is."""
    return np.repeat(np.arange(problem.visits, dtype=np.int32), np.diff(problem.role_from))
