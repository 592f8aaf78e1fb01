"""More than so much no plan is worth: a bound that prices of hours prove, and the linear program that finds good prices.

The program is the time-indexed packing model: a number from 0 to 1 for each visit, lead and start, no visit more than once, no pool beyond
its capacity. HiGHS solves it in a process of its own and answers prices only; the bound is added up here from the problem and the prices
(Lagrangian relaxation, Geoffrion 1974), so that it holds whatever the solver did, down to what nobody finished.

What is left out makes the bound too high and never too low: links between visits, and that emergencies have to be placed first. The cost of
uneven work, which is convex, is replaced by a straight line below it; of the cost of free time cut up, each stretch that could be filled is
counted as filled in the part to which it is.
"""

from asyncio import to_thread
from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from carewright.kernel.apart import Limits, RanOut, reckon
from carewright.scheduling.engines import children
from carewright.scheduling.engines.asked import AskedPrices, Prices, SentPrices, received_prices, sent
from carewright.scheduling.engines.starts import staffed, stretches_of
from carewright.scheduling.model.planning import Problem, Value, open_at

Floats = npt.NDArray[np.float64]
SECONDS = 60
MEBIBYTES = 4_096
ROUNDING = 1e-9
"""What sums of floating-point numbers may be off, as a part of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """What no plan is worth more than; or why that is not known."""

    value: Value | None
    fell: str | None = None


async def bound(problem: Problem, seconds: int = SECONDS) -> Bounded:
    """A bound by the linear program, unless it takes longer than that.

    A SEED day of 220 visits takes some 10 s; a hospital's day of thousands has none.
    """
    limits = Limits(cpu_seconds=seconds, seconds=seconds, mebibytes=MEBIBYTES)
    try:
        answer = await reckon(children.price, AskedPrices(sent(problem)), SentPrices, limits)
    except RanOut as ended:
        return Bounded(value=None, fell=ended.why)
    return Bounded(value=None if answer is None else await to_thread(proved, problem, received_prices(answer)))


def proved(problem: Problem, prices: Prices) -> Value:
    """What no plan is worth more than, by these prices.

    Each visit takes the place that is worth most beyond its price, or none; what all capacity costs at these prices is added once.
    """
    tick, whole = np.maximum(prices.tick, 0.0), np.maximum(prices.whole, 0.0)
    load = np.maximum(np.floor(prices.load), 0.0)
    total = float((tick * problem.capacity).sum() + (problem.even * load * (load + 1)).sum())
    for pool in np.flatnonzero(problem.split):
        for since, until in stretches_of(problem.capacity[pool] > 0):
            earned = float((whole[pool, since:until] * problem.capacity[pool, since:until]).sum())
            total += max(0.0, float(problem.split[pool]) - earned)
    paid = np.concatenate([np.zeros((len(tick), 1)), np.cumsum(tick - whole, axis=1)], axis=1)
    slope = problem.even * (2 * load + 1)
    urgent = 0
    for visit in range(problem.visits):
        most = _beyond_price(problem, visit, paid, slope)
        urgent += int(most is not None and problem.urgent[visit])
        total += max(0.0, most or 0.0)
    return Value(urgent, floor(total + abs(total) * ROUNDING + ROUNDING))


def _beyond_price(problem: Problem, visit: int, paid: Floats, slope: Floats) -> float | None:
    """What the best place of a visit is worth beyond what it costs; None where it has none even when nobody else is placed."""
    first, last = problem.role_from[visit], problem.role_from[visit + 1]
    since, until = problem.role_since[first], problem.role_until[first]
    ticks = np.flatnonzero(open_at(problem, visit))
    most = np.full(len(ticks), -np.inf)
    for option in range(problem.option_from[first], problem.option_from[first + 1]):
        pool = problem.option_pool[option]
        there = staffed(problem, first, option)[ticks]
        starts = ticks[there]
        cost = paid[pool, starts + until] - paid[pool, starts + since] + slope[pool] * (until - since)
        worth = problem.worth[problem.option_row[option], starts] - problem.first * problem.urgent[visit]
        most[there] = np.maximum(most[there], worth - cost)
    for role in range(first + 1, last):
        cheapest = np.full(len(ticks), np.inf)
        for option in range(problem.option_from[role], problem.option_from[role + 1]):
            there = staffed(problem, role, option)[ticks]
            starts, pool = ticks[there], problem.option_pool[option]
            cost = paid[pool, starts + problem.role_until[role]] - paid[pool, starts + problem.role_since[role]]
            cheapest[there] = np.minimum(cheapest[there], cost)
        most -= cheapest
    found = float(most.max(initial=-np.inf))
    return None if found == -np.inf else found
