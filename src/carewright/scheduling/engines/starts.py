"""Where a visit could go if nobody else had a place: what solvers and bounds begin with. Arrays of flags by ticks, without the kernel."""

from itertools import pairwise

import numpy as np

from carewright.scheduling.model.planning import Problem, open_at
from carewright.scheduling.model.ticks import Flags


def staffed(problem: Problem, role: int, option: int) -> Flags:
    """[ticks] From which starts on an option's pool has a unit for as long as a role lasts."""
    since, until = int(problem.role_since[role]), int(problem.role_until[role])
    none = np.concatenate([[0], np.cumsum(problem.capacity[problem.option_pool[option]] <= 0)])
    starts = np.arange(max(0, problem.ticks - until + 1))
    found = np.zeros(problem.ticks, bool)
    found[starts] = none[starts + until] == none[starts + since]
    return found


def filled(problem: Problem, role: int) -> Flags:
    """[ticks] From which starts on one of its options or another could fill a role."""
    found = np.zeros(problem.ticks, bool)
    for option in range(problem.option_from[role], problem.option_from[role + 1]):
        found |= staffed(problem, role, option)
    return found


def startable(problem: Problem, visit: int) -> Flags:
    """[ticks] Where a visit may start, and each role but the lead could be filled by itself."""
    others = range(problem.role_from[visit] + 1, problem.role_from[visit + 1])
    found: Flags = np.logical_and.reduce([open_at(problem, visit), *(filled(problem, role) for role in others)])
    return found


def stretches_of(flags: Flags) -> list[tuple[int, int]]:
    """`[since, until)` of each stretch of flags that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(since), int(until)) for since, until in zip(edges[::2], edges[1::2], strict=True)]


def levels_of(problem: Problem, pool: int) -> list[tuple[int, int, int]]:
    """`[since, until)` and the units of each stretch in which a pool has the same number of them."""
    row = problem.capacity[pool]
    edges = [0, *(int(edge) + 1 for edge in np.flatnonzero(np.diff(row))), problem.ticks]
    return [(since, until, int(row[since])) for since, until in pairwise(edges)]
