"""A day to be planned, in arrays: what every engine reads, and what a plan is. What each term means stands in docs/concepts/planning.md.

Time is ticks of five minutes from the beginning of the horizon; a set of ticks is a row of bits in words of 64, as in the availability
index. Whoever can stand in for each other completely (same abilities, same hours) is a *pool* with a capacity at each tick: identical
units are counted first and named afterwards, which is exact because intervals at most `c` deep can always be coloured with `c` colours.

A visit has *roles*. Each needs one unit of one of its options, from `since` to `until` counted from the visit's start, turn-over and
travel included. The first role is the lead; what a visit is worth depends on when it starts and on the option that leads.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.ticks import Flags, packed

Bits = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
NOT_PLACED = -1


class Problem(NamedTuple):
    """`n` visits, pools, and what each placement is worth. Nothing of it changes while it is planned.

    Lists of different lengths stand one after the other: what belongs to `i` is `[..._from[i], ..._from[i + 1])`.
    """

    capacity: npt.NDArray[np.int16]
    """[pools, ticks] Units that are there."""
    allowed: Bits
    """[n, words] Ticks at which a visit may start, whoever is free: released, within the day, not before now."""
    role_from: Ints
    """[n + 1] Its roles. Each visit has one at least."""
    role_since: Ints
    role_until: Ints
    """[roles] Ticks held, counted from the start of the visit: `[since, until)`, with `since` 0 or more."""
    option_from: Ints
    """[roles + 1] The options of each role, those preferred first."""
    option_pool: Ints
    option_row: Ints
    """[options] Which pool; and, for a lead, by which row of `worth` it is valued."""
    worth: Longs
    """[rows, ticks] What a start at a tick is worth. Zero is what a visit is worth that is not placed."""
    rise_from: Ints
    """[rows + 1]"""
    rise: Ints
    """Ticks of a row from which on, until the next of them, its worth does not grow: the first start within such a stretch is the best."""
    link_from: Ints
    """[n + 1] Visits that it depends on, or that depend on it (each link stands at both of its ends)."""
    link_other: Ints
    link_least: Ints
    link_most: Ints
    """While the other is placed, this one starts from `least` to `most` ticks after the other's start."""
    link_needs: npt.NDArray[np.int8]
    """1: placed only while the other is; -1: the other is placed only while this one is; 0: neither."""
    crowded: npt.NDArray[np.bool_]
    """[n] Two roles may draw on one pool, so that what each could have alone they may not have together."""
    tier: npt.NDArray[np.int8]
    """[n] 0 emergencies (P0), 1, 2, … How many emergencies are placed counts before all else: their rows of `worth` hold `first` more than
    they are worth."""
    first: int
    """More than everything else together can be worth."""
    even: Longs
    """[pools] What it costs that a pool leads for `L` ticks in all: `even * L * L`. The same work is dearer where there is much already."""
    split: Longs
    """[pools] What each stretch of free time costs that visits leave between them: more and shorter stretches are of less use. For
    pools of one unit that lead and do nothing else; 0 for others."""

    @property
    def visits(self) -> int:
        return len(self.allowed)

    @property
    def urgent(self) -> npt.NDArray[np.bool_]:
        """[n] Emergencies."""
        return np.equal(self.tier, 0)

    @property
    def ticks(self) -> int:
        return int(self.capacity.shape[1])


class Plan(NamedTuple):
    """Where each visit is: its start, and the option of each of its roles (both `NOT_PLACED` where it is not)."""

    start: Ints
    chosen: Ints


def row_of_bits(ticks: Iterable[int], horizon: int) -> Bits:
    """Ticks as a row of bits over a horizon."""
    flags = np.zeros(horizon, np.bool_)
    flags[list(ticks)] = True
    return packed(flags)


def open_at(problem: Problem, visit: int) -> Flags:
    """[ticks] Where a visit may start, whoever is free."""
    return np.unpackbits(problem.allowed[visit].view(np.uint8), bitorder="little")[: problem.ticks].astype(bool)


def rises_of(worth: Longs) -> tuple[Ints, Ints]:
    """`rise_from` and `rise` of rows of worth."""
    climbs = np.diff(worth, axis=1, prepend=worth[:, :1]) > 0
    climbs[:, 0] = True
    return np.cumsum([0, *climbs.sum(axis=1)], dtype=np.int32), np.nonzero(climbs)[1].astype(np.int32)


class Value(NamedTuple):
    """What a plan is worth: how many emergencies have a place, before all else, and the rest. The more the better."""

    urgent: int
    rest: int


def prizes(problem: Problem) -> Longs:
    """[n] What each visit is worth where that is most, whoever is free; without what emergencies count first."""
    found = np.zeros(problem.visits, np.int64)
    for visit in range(problem.visits):
        lead = problem.role_from[visit]
        rows = problem.option_row[problem.option_from[lead] : problem.option_from[lead + 1]]
        starts = open_at(problem, visit)
        if len(rows) and starts.any():
            found[visit] = problem.worth[rows][:, starts].max() - problem.first * problem.urgent[visit]
    return found


def value_of(problem: Problem, plan: Plan) -> Value:
    """What a plan is worth, added up anew, term by term, from the arrays alone."""
    placed = np.flatnonzero(plan.start >= 0)
    leads = plan.chosen[problem.role_from[placed]]
    total = int(problem.worth[problem.option_row[leads], plan.start[placed]].sum())
    total -= int((problem.even * load_of(problem, plan) ** 2).sum())
    used = use_of(problem, plan)
    for pool in np.flatnonzero(problem.split):
        total -= int(problem.split[pool]) * (stretches(used[pool] < problem.capacity[pool]) - stretches(problem.capacity[pool] > 0))
    urgent = int(problem.urgent[placed].sum())
    return Value(urgent, total - problem.first * urgent)


def total_of(problem: Problem, plan: Plan) -> int:
    """What a plan is worth in one number, as the engines count: each emergency that has a place is `first` more."""
    urgent, rest = value_of(problem, plan)
    return urgent * problem.first + rest


def load_of(problem: Problem, plan: Plan) -> Longs:
    """[pools] Ticks that each leads."""
    load = np.zeros(len(problem.capacity), np.int64)
    roles = problem.role_from[np.flatnonzero(plan.start >= 0)]
    np.add.at(load, problem.option_pool[plan.chosen[roles]], problem.role_until[roles] - problem.role_since[roles])
    return load


def use_of(problem: Problem, plan: Plan) -> Longs:
    """[pools, ticks] Units taken."""
    used = np.zeros(problem.capacity.shape, np.int64)
    for visit in np.flatnonzero(plan.start >= 0):
        for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
            since, until = plan.start[visit] + problem.role_since[role], plan.start[visit] + problem.role_until[role]
            used[problem.option_pool[plan.chosen[role]], since:until] += 1
    return used


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Every hard rule that a plan breaks, in words; none for a sound one. It shares no line with the engines."""
    found = [f"pool {pool} has too few units at tick {tick}" for pool, tick in np.argwhere(use_of(problem, plan) > problem.capacity)]
    for visit in range(problem.visits):
        start = int(plan.start[visit])
        roles = range(problem.role_from[visit], problem.role_from[visit + 1])
        chosen = [int(plan.chosen[role]) for role in roles]
        if start < 0:
            found += [f"visit {visit} has no start and yet somebody"] if any(option >= 0 for option in chosen) else []
            continue
        if not int(problem.allowed[visit, start >> 6]) >> (start & 63) & 1:
            found.append(f"visit {visit} may not start at tick {start}")
        for role, option in zip(roles, chosen, strict=True):
            if not problem.option_from[role] <= option < problem.option_from[role + 1]:
                found.append(f"visit {visit} has nobody who can fill role {role - roles.start}")
            if start + problem.role_until[role] > problem.ticks:
                found.append(f"visit {visit} lasts beyond the horizon")
        found += links_broken(problem, plan, visit)
    return found


def links_broken(problem: Problem, plan: Plan, visit: int) -> list[str]:
    """Which links of a visit that has a place do not hold, in words."""
    found = []
    for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
        other = int(problem.link_other[link])
        if plan.start[other] < 0:
            found += [f"visit {visit} is placed without visit {other}"] if problem.link_needs[link] == 1 else []
        elif not problem.link_least[link] <= plan.start[visit] - plan.start[other] <= problem.link_most[link]:
            found.append(f"visits {visit} and {other} are too near or too far")
    return found


def stretches(free: npt.NDArray[np.bool_]) -> int:
    """How many stretches of ticks are set."""
    return int(free[0]) + int((free[1:] & ~free[:-1]).sum())
