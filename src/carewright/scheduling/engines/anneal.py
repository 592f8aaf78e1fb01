"""Ruin and recreate with annealing, the core of the planner: visits are taken out, and put back one after the other where each is best.

The scheme is that of Schrimpf et al. (Record breaking optimization results using the ruin and recreate principle, 2000), with
neighbouring visits taken out and the best place overlooked now and then, as Christiaens and Vanden Berghe do (Slack induction by string
removals, 2020). What is taken out is near in time and shares leads, since only such visits can use each other's place.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.engines.compiled import compiled
from carewright.scheduling.engines.greedy import fill
from carewright.scheduling.engines.kernel import State, below, chance, put_back, take
from carewright.scheduling.model.planning import Ints, Longs, Problem

MOVED_MAX = 64
"""Visits of one step: those taken out, those that depend on them, and those invited."""


class Temper(NamedTuple):
    """How a chain goes about: probabilities, sizes in ticks, temperatures in worth."""

    hot: float
    cold: float
    blink: float = 0.01
    window: float = 0.6
    pair: float = 0.2
    """The rest takes out visits from anywhere."""
    span: int = 16
    removed: int = 16
    invited: int = 6


class Work(NamedTuple):
    """Room to reckon in: who takes part in a step, and where they were."""

    who: Ints
    order: Ints
    key: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    start: Ints
    """[n] and [roles]: where those were who were taken out."""
    chosen: Ints
    best_start: Ints
    best_chosen: Ints
    fresh: Ints
    """[n + 1] Visits that may be elsewhere than in the best plan; how many stands last."""
    is_fresh: npt.NDArray[np.bool_]
    prize: Longs
    """[n] What a visit is worth at most."""
    score: Longs
    """[2] What the plan is worth, and what the best one was."""


def work_of(state: State, score: int, prize: Longs) -> Work:
    n = len(prize)
    return Work(
        np.zeros(MOVED_MAX, np.int32), np.zeros(MOVED_MAX, np.int32), np.zeros(MOVED_MAX), state.start.copy(), state.chosen.copy(),
        state.start.copy(), state.chosen.copy(), np.zeros(n + 1, np.int32), np.zeros(n, np.bool_), prize, np.array([score, score]),
    )  # fmt: skip


@compiled
def drop_one(problem: Problem, state: State, work: Work, visit: int, count: int) -> tuple[int, int]:
    work.start[visit] = state.start[visit]
    for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
        work.chosen[role] = state.chosen[role]
    work.who[count] = visit
    return count + 1, take(problem, state, visit)


@compiled
def drop(problem: Problem, state: State, work: Work, visit: int, count: int) -> tuple[int, int]:
    """Take a visit out, and whoever depends on it, straight or by others. Returns how many are out, and what they were worth.

    Where they are more than a step has room for, all of them stay.
    """
    if count >= MOVED_MAX:
        return count, 0
    first = place = count
    count, lost = drop_one(problem, state, work, visit, count)
    while place < count:
        one = work.who[place]
        for link in range(problem.link_from[one], problem.link_from[one + 1]):
            other = problem.link_other[link]
            if problem.link_needs[link] == -1 and state.start[other] >= 0:
                if count == MOVED_MAX:
                    stay(problem, state, work, first, count)
                    return first, 0
                count, more = drop_one(problem, state, work, other, count)
                lost += more
        place += 1
    return count, lost


@compiled
def stay(problem: Problem, state: State, work: Work, first: int, count: int) -> None:
    """Put back who was taken out."""
    for place in range(first, count):
        put_back(problem, state, work.who[place], work.chosen, work.start[work.who[place]])


@compiled
def clear(problem: Problem, state: State, work: Work, pool: int, since: int, until: int, count: int, most: int) -> tuple[int, int]:
    """Take out who is led by a pool in a range of ticks, until there are so many."""
    lost, tick = 0, since
    while tick < until and count < most:
        visit = state.at[pool, tick]
        if visit >= 0:
            tick = state.start[visit] + problem.role_until[problem.role_from[visit]]
            count, more = drop(problem, state, work, visit, count)
            lost += more
        else:
            tick += 1
    return count, lost


@compiled
def ruin(problem: Problem, state: State, work: Work, temper: Temper) -> tuple[int, int]:
    """Take some visits out. Returns how many, and what they were worth."""
    n, ticks = problem.allowed.shape[0], state.at.shape[1]
    most = 1 + below(state.random, temper.removed)
    count, lost = 0, 0
    if state.left[0] >= n:
        return count, lost
    how = chance(state.random)
    if how >= temper.window + temper.pair:
        for _ in range(min(most, 8)):
            visit = below(state.random, n)
            if state.start[visit] >= 0:
                count, more = drop(problem, state, work, visit, count)
                lost += more
        return count, lost
    centre = below(state.random, n)
    while state.start[centre] < 0:
        centre = below(state.random, n)
    role, tick = problem.role_from[centre], state.start[centre]
    first, options = problem.option_from[role], problem.option_from[role + 1] - problem.option_from[role]
    pool = problem.option_pool[state.chosen[role]]
    if how < temper.window:
        around, pools = 2 + below(state.random, temper.span), 4
        since, until = max(0, tick - around), min(ticks, tick + problem.role_until[role] + around)
    else:
        pools = 2
        since, until = max(0, tick - 2 * temper.span), min(ticks, tick + 2 * temper.span)
    for turn in range(pools):
        count, more = clear(problem, state, work, pool, since, until, count, most)
        lost += more
        if count >= most:
            break
        if turn % 2 == 0 and how < temper.window and chance(state.random) < 0.5:
            pool = problem.option_pool[below(state.random, problem.option_pool.shape[0])]
        else:
            pool = problem.option_pool[first + below(state.random, options)]
    return count, lost


@compiled
def invite(state: State, work: Work, temper: Temper, removed: int) -> int:
    """Some of those who have no place take part, too. Returns how many do in all."""
    count, others = removed, state.left[0] - removed
    for _ in range(min(temper.invited, others)):
        visit = state.out[below(state.random, others)]
        known = False
        for place in range(removed, count):
            known = known or work.who[place] == visit
        if not known and count < MOVED_MAX:
            work.who[count] = visit
            count += 1
    return count


@compiled
def arrange(problem: Problem, state: State, work: Work, count: int) -> None:
    """In which order they are put back: by chance, the dearest first, or what is dearest for its time; who depends on others last."""
    rule = below(state.random, 3)
    for place in range(count):
        visit = work.who[place]
        key = chance(state.random)
        if rule > 0:
            key = -work.prize[visit] * (0.8 + 0.4 * key)
        if rule > 1:
            key /= problem.role_until[problem.role_from[visit]]
        for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
            if problem.link_needs[link] == 1:
                key += 1e15
        at = place
        while at > 0 and work.key[at - 1] > key:
            work.key[at], work.order[at] = work.key[at - 1], work.order[at - 1]
            at -= 1
        work.key[at], work.order[at] = key, visit


@compiled
def undo(problem: Problem, state: State, work: Work, removed: int, count: int) -> None:
    for place in range(count):
        if state.start[work.who[place]] >= 0:
            take(problem, state, work.who[place])
    stay(problem, state, work, 0, removed)


@compiled
def note(work: Work, count: int) -> None:
    """Those who took part may be elsewhere than in the best plan."""
    n = work.is_fresh.shape[0]
    for place in range(count):
        visit = work.who[place]
        if not work.is_fresh[visit]:
            work.is_fresh[visit] = True
            work.fresh[work.fresh[n]] = visit
            work.fresh[n] += 1


@compiled
def keep(problem: Problem, state: State, work: Work) -> None:
    """This plan is the best now: where it is another, and only there, it is written down."""
    n = work.is_fresh.shape[0]
    for place in range(work.fresh[n]):
        visit = work.fresh[place]
        work.is_fresh[visit] = False
        work.best_start[visit] = state.start[visit]
        for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
            work.best_chosen[role] = state.chosen[role]
    work.fresh[n] = 0


@compiled
def anneal(problem: Problem, state: State, work: Work, temper: Temper, steps: int, since: float, until: float) -> None:
    """So many steps, while the share of the whole that is done goes from `since` to `until`."""
    for step in range(steps):
        share = since + (until - since) * step / steps
        heat = temper.hot * (temper.cold / temper.hot) ** share
        removed, lost = ruin(problem, state, work, temper)
        count = invite(state, work, temper, removed)
        arrange(problem, state, work, count)
        change = fill(problem, state, work.order[:count], temper.blink) - lost
        if change >= 0 or chance(state.random) < np.exp(change / heat):
            work.score[0] += change
            note(work, count)
            if work.score[0] > work.score[1]:
                work.score[1] = work.score[0]
                keep(problem, state, work)
        else:
            undo(problem, state, work, removed, count)
