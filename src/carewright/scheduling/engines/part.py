"""A part of a problem: some visits are free, and whoever else has a place stays there.

What a plan of it is worth differs from what the whole one is worth by the same amount for every plan.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from carewright.scheduling.model.planning import NOT_PLACED, Bits, Ints, Plan, Problem, load_of, row_of_bits, use_of
from carewright.scheduling.model.ticks import Flags


class Part(NamedTuple):
    """The problem of the free visits alone, and which of the whole problem's visits, roles and options its own are."""

    problem: Problem
    visits: Ints
    roles: Ints
    options: Ints


def dependents(problem: Problem, visits: Iterable[int]) -> Ints:
    """The visits, and whoever can be placed only while one of them is: where the former may go, the latter have to be free, too."""
    return np.array(reached(problem, visits, problem.link_needs == -1), np.int32)


def reached(problem: Problem, visits: Iterable[int], links: Flags) -> list[int]:
    """The visits, and whoever they come to by some of the links, in turn."""
    known, waiting = set[int](), [int(visit) for visit in visits]
    while waiting:
        visit = waiting.pop()
        if visit not in known:
            known.add(visit)
            own = slice(problem.link_from[visit], problem.link_from[visit + 1])
            waiting += problem.link_other[own][links[own]].tolist()
    return sorted(known)


def part_of(problem: Problem, plan: Plan, free: Iterable[int]) -> Part:
    """The part in which these visits and their dependents are free, and all others are where a sound plan has them."""
    visits = dependents(problem, free)
    fixed = without(problem, plan, visits)
    roles = _ranges(problem.role_from, visits)
    options = _ranges(problem.option_from, roles)
    sources, option_row = _valued(problem, fixed, visits)
    rises = [problem.rise[problem.rise_from[row] : problem.rise_from[row + 1]] for row, _ in sources]
    worth = [problem.worth[row] - less for row, less in sources]
    small = problem._replace(
        capacity=(problem.capacity - use_of(problem, fixed)).astype(np.int16), allowed=_allowed(problem, fixed, visits),
        role_from=_from(problem.role_from, visits), role_since=problem.role_since[roles], role_until=problem.role_until[roles],
        option_from=_from(problem.option_from, roles), option_pool=problem.option_pool[options], option_row=option_row,
        worth=np.array(worth, np.int64).reshape(-1, problem.ticks), rise_from=_counted([len(rise) for rise in rises]),
        rise=np.concatenate([np.zeros(0, np.int32), *rises]), crowded=problem.crowded[visits], tier=problem.tier[visits],
    )  # fmt: skip
    return Part(_linked(small, problem, visits), visits, roles, options)


def without(problem: Problem, plan: Plan, visits: Iterable[int]) -> Plan:
    """The plan in which these visits have no place."""
    left = Plan(plan.start.copy(), plan.chosen.copy())
    for visit in visits:
        left.start[visit] = NOT_PLACED
        left.chosen[problem.role_from[visit] : problem.role_from[visit + 1]] = NOT_PLACED
    return left


def joined(plan: Plan, part: Part, found: Plan) -> Plan:
    """The whole plan, with the free visits where a plan of their part has them."""
    whole = Plan(plan.start.copy(), plan.chosen.copy())
    whole.start[part.visits] = found.start
    whole.chosen[part.roles] = np.where(found.chosen >= 0, part.options[found.chosen], NOT_PLACED) if len(part.options) else NOT_PLACED
    return whole


def taken(plan: Plan, part: Part) -> Plan:
    """Where a whole plan has the free visits, in their part."""
    place = {int(option): number for number, option in enumerate(part.options)}
    chosen = [place.get(int(option), NOT_PLACED) for option in plan.chosen[part.roles]]
    return Plan(plan.start[part.visits].copy(), np.array(chosen, np.int32))


def _valued(problem: Problem, fixed: Plan, visits: Ints) -> tuple[list[tuple[int, int]], Ints]:
    """Rows of worth, each a row of the whole problem and what is taken off; and by which of them each option is valued.

    Who leads for `L` ticks already pays `even * ((L + l)^2 - L^2)` for `l` more: `2 * even * L * l` of it is taken off here.
    """
    load = load_of(problem, fixed)
    sources, rows = dict[tuple[int, int], int](), list[int]()
    for visit in visits:
        first, last = problem.role_from[visit], problem.role_from[visit + 1]
        length = int(problem.role_until[first] - problem.role_since[first])
        for option in range(problem.option_from[first], problem.option_from[first + 1]):
            pool = problem.option_pool[option]
            less = 2 * int(problem.even[pool]) * int(load[pool]) * length
            rows.append(sources.setdefault((int(problem.option_row[option]), less), len(sources)))
        rows += [NOT_PLACED] * int(problem.option_from[last] - problem.option_from[first + 1])
    return list(sources), np.array(rows, np.int32)


def _allowed(problem: Problem, fixed: Plan, visits: Ints) -> Bits:
    """[visits, words] Where each may start, given where those are who stay."""
    allowed = problem.allowed[visits]
    for row, visit in enumerate(visits):
        for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
            other = problem.link_other[link]
            start = int(fixed.start[other])
            if start >= 0:
                first, last = start + int(problem.link_least[link]), start + int(problem.link_most[link])
                allowed[row] &= row_of_bits(range(max(0, first), min(problem.ticks, last + 1)), problem.ticks)
            elif problem.link_needs[link] == 1 and other not in visits:
                allowed[row] = 0
    return allowed


def _linked(small: Problem, problem: Problem, visits: Ints) -> Problem:
    """With the links between visits that are free both."""
    place = {int(visit): number for number, visit in enumerate(visits)}
    links = _ranges(problem.link_from, visits)
    kept = np.array([link for link in links if int(problem.link_other[link]) in place], np.int64)
    counts = [sum(problem.link_from[visit] <= link < problem.link_from[visit + 1] for link in kept) for visit in visits]
    return small._replace(
        link_from=_counted(counts), link_other=np.array([place[int(other)] for other in problem.link_other[kept]], np.int32),
        link_least=problem.link_least[kept], link_most=problem.link_most[kept], link_needs=problem.link_needs[kept],
    )  # fmt: skip


def _ranges(starts: Ints, which: Ints) -> Ints:
    """What belongs to each of `which`, in a row."""
    return np.array([number for one in which for number in range(starts[one], starts[one + 1])], np.int32)


def _from(starts: Ints, which: Ints) -> Ints:
    """Where what belongs to each of `which` begins in that row."""
    return _counted([int(starts[one + 1] - starts[one]) for one in which])


def _counted(lengths: list[int]) -> Ints:
    return np.array([0, *np.cumsum(lengths)], np.int32)
