"""From lists of visits to the arrays of a `Problem`, for days that come from a file or a generator."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.engines.kernel import plan_of, put_if_free, state_of
from carewright.scheduling.model.planning import Ints, Longs, Plan, Problem, open_at, rises_of, row_of_bits

NO_ROW = -1


class Role(NamedTuple):
    """`length` ticks from the start of the visit, by one of `options`: pool, and for a lead the row that values it."""

    length: int
    options: Sequence[tuple[int, int]]


class Visit(NamedTuple):
    """One visit: ticks at which it may start, tier (0 are emergencies), and roles, the lead first."""

    starts: Iterable[int]
    tier: int
    roles: Sequence[Role]


def problem_of(capacity: npt.NDArray[np.int16], visits: Sequence[Visit], worth: Sequence[Sequence[int]] | Longs) -> Problem:
    """The arrays, without links, and with `worth` as it is: emergencies get `first` on top here."""
    rows, ticks = np.array(worth, np.int64), capacity.shape[1]
    roles = [role for visit in visits for role in visit.roles]
    options = [option for role in roles for option in role.options]
    first = int(rows.max(axis=1).sum()) + 1
    urgent = {row for visit in visits if visit.tier == 0 for _, row in visit.roles[0].options}
    rows[sorted(urgent)] += first
    rise_from, rise = rises_of(rows)
    pools, nothing = len(capacity), ints([])
    return Problem(
        capacity=capacity, allowed=np.array([row_of_bits(visit.starts, ticks) for visit in visits], np.uint64),
        role_from=after(len(visit.roles) for visit in visits), role_since=ints([0] * len(roles)),
        role_until=ints([role.length for role in roles]), option_from=after(len(role.options) for role in roles),
        option_pool=ints([pool for pool, _ in options]), option_row=ints([row for _, row in options]),
        worth=rows, rise_from=rise_from, rise=rise,
        link_from=ints([0] * (len(visits) + 1)), link_other=nothing, link_least=nothing, link_most=nothing,
        link_needs=np.zeros(0, np.int8), crowded=np.zeros(len(visits), np.bool_),
        tier=np.array([visit.tier for visit in visits], np.int8), first=first,
        even=np.zeros(pools, np.int64), split=np.zeros(pools, np.int64),
    )  # fmt: skip


def led_by(problem: Problem, plan: Plan) -> list[tuple[int, int, int]]:
    """Who is placed: visit, the pool that leads, start."""
    placed = np.flatnonzero(plan.start >= 0)
    pools = problem.option_pool[plan.chosen[problem.role_from[placed]]]
    return list(zip(placed.tolist(), pools.tolist(), plan.start[placed].tolist(), strict=True))


def kept(problem: Problem, told: Sequence[tuple[int, int] | None]) -> Plan:
    """The plan that there was (for each visit the pool that led and the start) without what no longer fits: the earlier visit stays."""
    state, chosen = state_of(problem, 0), problem.option_from[:-1].copy()
    for start, visit, pool in sorted((where[1], visit, where[0]) for visit, where in enumerate(told) if where):
        lead = problem.role_from[visit]
        chosen[lead] += problem.option_pool[problem.option_from[lead] : problem.option_from[lead + 1]].tolist().index(pool)
        if open_at(problem, visit)[start]:
            put_if_free(problem, state, visit, chosen, start)
    return plan_of(state)


def after(lengths: Iterable[int]) -> Ints:
    """Where each list begins, and the end of the last."""
    return ints(np.cumsum([0, *lengths]))


def ints(values: object) -> Ints:
    return np.array(values, np.int32)
