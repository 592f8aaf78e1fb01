"""How quick the kernel is: plans decoded, steps, the first plan of a new process; and that the same seed finds the same plan."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.planner.clock import THREADS
from bench.planner.data import stored
from bench.planner.seed import STORED, problem_of_day
from carewright.scheduling.engines.chains import Effort, search
from carewright.scheduling.engines.greedy import fill, most_urgent_first
from carewright.scheduling.engines.kernel import plan_of, state_of
from carewright.scheduling.model.planning import Plan, Problem, faults

Row = dict[str, Any]
ORDERS = 2_000
"""Plans decoded by machine code; a hundredth of them in plain Python, whose every plan must be the same."""
PLAIN = 20
STEPS = 100_000
FIRST_PLAN = "from bench.planner.decoding import first_plan; first_plan()"


def measure(tell: Callable[[str], None]) -> list[Row]:
    tell("how quick the kernel is")
    problem = problem_of_day(stored("seed/seed0.json"))
    rng = np.random.default_rng(1)
    orders = [rng.permutation(problem.visits).astype(np.int32) for _ in range(ORDERS)]
    quick, plans = _timed(lambda: [_decoded(problem, order) for order in orders], ORDERS)
    plain = Plain(problem)
    slow, others = _timed(lambda: [plain.decoded(order.tolist()) for order in orders[:PLAIN]], PLAIN)
    assert all((plan.start == starts).all() for plan, starts in zip(plans, others, strict=False))
    steps, _ = _timed(lambda: search(problem, Effort(steps=STEPS, chains=1), time.perf_counter), STEPS)
    rows: list[Row] = [
        {"what": "plans decoded a second and core, machine code", "figure": 1 / quick},
        {"what": "the same decoder in plain Python, on integers as sets of bits", "figure": 1 / slow},
        {"what": "ratio", "figure": slow / quick},
        {"what": "ruin-and-recreate steps a second and core", "figure": 1 / steps},
    ]
    with TemporaryDirectory() as empty:
        _new_process({})
        kept = min(_new_process({}) for _ in range(3))
        rows += [
            {"what": "a new process to its first plan, machine code kept on disk, s", "figure": kept},
            {"what": "the same, everything compiled anew, s", "figure": _new_process({"NUMBA_CACHE_DIR": empty})},
        ]
    rows.append({"what": f"days of 6 on which 1 and {THREADS} threads find the same plan from one seed", "figure": sum(map(_same, STORED))})
    return rows


def first_plan() -> None:
    """What a new process does."""
    problem = problem_of_day(stored("seed/seed0.json"))
    assert not faults(problem, most_urgent_first(problem))


def _same(seed: int) -> bool:
    problem = problem_of_day(stored(f"seed/seed{seed}.json"))
    one, other = (search(problem, Effort(steps=STEPS // 10, threads=threads), time.perf_counter).plan for threads in (1, THREADS))
    return bool((one.start == other.start).all() and (one.chosen == other.chosen).all())


def _new_process(settings: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", FIRST_PLAN], check=True, env=os.environ | settings)
    return time.perf_counter() - began


def _timed(work: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Processor seconds of each, and what came of it; after one turn that does not count."""
    work()
    began = time.process_time()
    answer = work()
    return (time.process_time() - began) / times, answer


def _decoded(problem: Problem, order: Any) -> Plan:
    state = state_of(problem, 0)
    fill(problem, state, order)
    return plan_of(state)


class Plain:
    """`fill` in plain Python, for days without links, burdens and roles that compete: a set of ticks is one integer."""

    def __init__(self, problem: Problem) -> None:
        self.capacity: list[list[int]] = problem.capacity.tolist()
        self.free = [sum(1 << tick for tick, units in enumerate(row) if units) for row in self.capacity]
        self.allowed = [int.from_bytes(row.tobytes(), "little") for row in problem.allowed]
        self.worth: list[list[int]] = problem.worth.tolist()
        self.rises = [problem.rise[a:b].tolist() for a, b in zip(problem.rise_from[:-1], problem.rise_from[1:], strict=True)]
        options = list(zip(problem.option_pool.tolist(), problem.option_row.tolist(), strict=True))
        by_role = [options[a:b] for a, b in zip(problem.option_from[:-1], problem.option_from[1:], strict=True)]
        roles = list(zip(problem.role_until.tolist(), by_role, strict=True))
        self.roles = [roles[a:b] for a, b in zip(problem.role_from[:-1], problem.role_from[1:], strict=True)]

    def decoded(self, order: Sequence[int]) -> list[int]:
        """The start of each visit, or -1."""
        spare, used = list(self.free), [[0] * len(row) for row in self.capacity]
        starts = [-1] * len(order)
        for visit in order:
            gain, pool, start = self._best(spare, visit)
            if gain > 0:
                starts[visit] = start
                (length, _), *others = self.roles[visit]
                for taken, ticks in [(pool, length), *((options[0][0], ticks) for ticks, options in others)]:
                    for tick in range(start, start + ticks):
                        used[taken][tick] += 1
                        if used[taken][tick] >= self.capacity[taken][tick]:
                            spare[taken] &= ~(1 << tick)
        return starts

    def _best(self, spare: list[int], visit: int) -> tuple[int, int, int]:
        gain, pool, start = 0, -1, -1
        (length, leads), *others = self.roles[visit]
        row = self.allowed[visit]
        for ticks, options in others:
            row &= _fit(spare[options[0][0]], ticks)
        for lead, valued in leads if row else ():
            there = _fit(spare[lead], length) & row
            worth = self.worth[valued]
            for rise, until in zip(self.rises[valued], [*self.rises[valued][1:], len(worth)], strict=True):
                within = there >> rise & ((1 << until - rise) - 1)
                if within:
                    tick = rise + (within & -within).bit_length() - 1
                    if pool < 0 or worth[tick] > gain:
                        gain, pool, start = worth[tick], lead, tick
        return gain, pool, start


def _fit(row: int, length: int) -> int:
    have = 1
    while have < length:
        step = min(have, length - have)
        row &= row >> step
        have += step
    return row
