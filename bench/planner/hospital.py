"""A hospital's day (sites.py): what the search adds to greedy, how decoding grows, and a wing that fails in the morning."""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.planner.building import Role, Visit, kept, led_by, problem_of
from bench.planner.clock import own_seconds
from bench.planner.sites import SERVICES, TICKS, VISITS, Day, hospital
from carewright.scheduling.engines.chains import Effort, search
from carewright.scheduling.engines.greedy import by_tier, fill, most_urgent_first
from carewright.scheduling.engines.kernel import state_of
from carewright.scheduling.model.planning import Plan, Problem, Value, faults, use_of, value_of

Row = dict[str, Any]
SIZES = (500, 1_000, 2_000, 4_500)
SECONDS, BEST_SECONDS, LONG_SECONDS = (2.0, 10.0), 60.0, 600.0
"""What is reached early is held against the best of a longer run, of one as long as is asked for where there is the time."""
FAILED_AT = 126
"""10:30."""
WING_SECONDS = 2.0
KEPT_SHARE, FAR_TICKS = 0.5, 12
"""What keeping its place is worth for a visit that somebody was told of, in parts of an average visit, as in the disrupted SEED days: a
sixth of it is lost by another time, a sixth by an hour or more, a twelfth by somebody else."""


def measure(tell: Callable[[str], None], *, long: bool) -> list[Row]:
    """Value over greedy by time, how decoding grows, memory, and a wing that fails."""
    tell("a hospital's day")
    day = hospital(VISITS)
    problem = problem_of(*day)
    greedy = most_urgent_first(problem)
    base = value_of(problem, greedy)
    rows: list[Row] = [{"what": f"visits placed by greedy, of {VISITS:,}", "figure": int((greedy.start >= 0).sum())}]
    search(problem, Effort(steps=100), time.perf_counter)
    most = LONG_SECONDS if long else BEST_SECONDS
    longest = _search(problem, most)
    for seconds in SECONDS:
        found = _search(problem, seconds)
        rows += [
            {"what": f"value over greedy after {seconds:g} s, %", "figure": _over(found, base)},
            {"what": f"value under that after {most:g} s, after {seconds:g} s, %", "figure": -_over(found, longest)},
        ]
    rows += [
        {"what": f"value over greedy after {most:g} s, %", "figure": _over(longest, base)},
        {"what": "emergencies placed by greedy, and by the search", "figure": f"{base.urgent} and {longest.urgent}"},
    ]
    rows += [{"what": f"{size:,} visits decoded, ms", "figure": decode_ms(size)} for size in SIZES]
    rows.append({"what": "memory at its most, MB", "figure": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
    return [*rows, *_wing_out(day, greedy)]


def _search(problem: Problem, seconds: float) -> Value:
    found = search(problem, Effort(seconds=seconds), own_seconds())
    assert not faults(problem, found.plan)
    return found.value


def _over(value: Value, other: Value) -> float:
    """By how much more the first is worth, in percent; emergencies are counted apart."""
    return 100 * (value.rest / other.rest - 1)


def decode_ms(visits: int) -> float:
    """The best of five."""
    problem = problem_of(*hospital(visits))
    order = by_tier(problem)
    times = []
    for _ in range(6):
        state = state_of(problem, 0)
        began = time.process_time()
        fill(problem, state, order)
        times.append(time.process_time() - began)
    return 1000 * min(times[1:])


def _wing_out(day: Day, plan: Plan) -> list[Row]:
    """At 10:30 half of one site's physicians and rooms are gone for the day. What has begun goes on; the rest is planned anew."""
    problem = problem_of(*day)
    began = (plan.start >= 0) & (plan.start <= FAILED_AT)
    started = Plan(np.where(began, plan.start, -1).astype(np.int32), plan.chosen)
    capacity = (problem.capacity - use_of(problem, started)).astype(np.int16)
    physicians = [number for service in range(len(SERVICES)) for number in range(sum(SERVICES[:service]), sum(SERVICES[: service + 1]), 2)]
    capacity[physicians, FAILED_AT:] = 0
    rooms = slice(sum(SERVICES), sum(SERVICES) + 3)
    capacity[rooms, FAILED_AT:] = (capacity[rooms, FAILED_AT:] - problem.capacity[rooms, FAILED_AT:] // 2).clip(0)
    told = {visit: (pool, start) for visit, pool, start in led_by(problem, plan) if not began[visit]}
    left = [visit for visit in range(problem.visits) if not began[visit]]
    after = problem_of(capacity, *_stable(day, left, told))
    before = kept(after, [told.get(visit) for visit in left])
    took = own_seconds()
    since = took()
    found = search(after, Effort(seconds=WING_SECONDS), own_seconds(), before)
    seconds = took() - since
    assert not faults(after, found.plan)
    longer = search(after, Effort(seconds=BEST_SECONDS), own_seconds(), before)
    now = {left[visit]: (pool, start) for visit, pool, start in led_by(after, found.plan)}
    hit = sum(pool in physicians for pool, _ in told.values())
    moved = sum(visit in now and now[visit] != where for visit, where in told.items())
    return [
        {"what": "a wing out at 10:30: visits told a time that lies ahead", "figure": len(told)},
        {"what": "of them with a physician of the wing", "figure": hit},
        {"what": "proposal after, s", "figure": seconds},
        {"what": f"its value under that after {BEST_SECONDS:g} s, %", "figure": -_over(found.value, longer.value)},
        {"what": "moved, % of those told", "figure": 100 * moved / len(told)},
        {"what": "left without a place, % of those told", "figure": 100 * sum(visit not in now for visit in told) / len(told)},
    ]


def _stable(day: Day, visits: list[int], told: dict[int, tuple[int, int]]) -> tuple[list[Visit], list[Any]]:
    """Those visits from now on, with what it is worth to keep a place on top of what the place is worth."""
    keep = KEPT_SHARE * float(day.worth.max(axis=1).mean())
    ticks = np.arange(TICKS)
    rows: list[Any] = []
    made = []
    for visit in visits:
        (length, leads), *others = day.visits[visit].roles
        options = []
        known: dict[tuple[int, bool], int] = {}
        for pool, row in leads:
            where = told.get(visit)
            same = where is not None and where[0] == pool
            if (row, same) not in known:
                known[row, same] = len(rows)
                rows.append(day.worth[row] + (0 if where is None else _keeping(keep, ticks, where[1], same=same)))
            options.append((pool, known[row, same]))
        starts = [tick for tick in day.visits[visit].starts if tick > FAILED_AT]
        made.append(Visit(starts, day.visits[visit].tier, [Role(length, options), *others]))
    return made, rows


def _keeping(keep: float, ticks: Any, start: int, *, same: bool) -> Any:
    moved = (ticks != start) / 6 + np.minimum(1, abs(ticks - start) / FAR_TICKS) / 6 + (0 if same else 1 / 12)
    return np.round(keep * (1 - moved)).astype(np.int64)
