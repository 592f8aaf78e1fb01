"""One visit after the other, each where it is best or earliest when its turn comes: the usual rule, and where every other engine begins."""

from collections.abc import Sequence

import numpy as np

from carewright.scheduling.engines.compiled import compiled
from carewright.scheduling.engines.kernel import State, best, put, state_of
from carewright.scheduling.model.planning import Ints, Plan, Problem, prizes
from carewright.scheduling.model.ticks import Flags


def next_available(problem: Problem, calls: Sequence[int]) -> Plan:
    """In the order in which people called, the earliest start that anybody has: what a desk does that is asked for the next free time."""
    ticks = np.arange(problem.ticks, dtype=np.int64)
    rows = len(problem.worth)
    earliest = problem._replace(
        worth=np.tile(problem.ticks - ticks, (rows, 1)), rise_from=np.arange(rows + 1, dtype=np.int32), rise=np.zeros(rows, np.int32),
        even=np.zeros_like(problem.even), split=np.zeros_like(problem.split),
    )  # fmt: skip
    return in_turn(earliest, state_of(earliest, 0), np.array(calls, np.int32))


def most_urgent_first(problem: Problem) -> Plan:
    """The most urgent tier first, within it what is worth most; each where it is best. Needs no tuning and no time."""
    return in_turn(problem, state_of(problem, 0), by_tier(problem))


def by_tier(problem: Problem) -> Ints:
    """That order; whoever depends on others after them."""
    prize, later = prizes(problem), depends(problem)
    return np.array(sorted(range(problem.visits), key=lambda i: (later[i], problem.tier[i], -prize[i], i)), np.int32)


def depends(problem: Problem) -> Flags:
    """[n] Who can be placed only while somebody else is."""
    links = zip(problem.link_from[:-1], problem.link_from[1:], strict=True)
    return np.array([(problem.link_needs[since:until] == 1).any() for since, until in links], np.bool_)


def in_turn(problem: Problem, state: State, order: Ints) -> Plan:
    """The plan once these are placed one after the other, each where it is best then."""
    fill(problem, state, order)
    return Plan(state.start, state.chosen)


@compiled
def fill(problem: Problem, state: State, order: Ints, blink: float = 0.0) -> int:
    """Place these one after the other, each where it is best then (`blink` as in `best`). Returns what that is worth."""
    won = 0
    for place in range(order.shape[0]):
        gain, option, start = best(problem, state, order[place], blink)
        if gain > 0:
            put(problem, state, order[place], option, start)
            won += gain
    return won
