"""What others do on a SEED day in the same time: DEAP and pymoo breed orders for the product's own decoder, CP-SAT has the day as a whole.

DEAP and pymoo are no dependency of anything: they are taken from a folder of their own, and said to be absent where they are not there.
"""

import random
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from threading import Event, Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.planner.clock import THREADS
from bench.planner.data import KEPT, stored
from bench.planner.seed import LONG_SECONDS, PROTOTYPE, STORED, Engine, Row, gaps_at, problem_of_day
from carewright.scheduling.engines.chains import Clock, Effort, Found, search
from carewright.scheduling.engines.cpsat import Repair, solver_of
from carewright.scheduling.engines.greedy import fill, in_turn, most_urgent_first
from carewright.scheduling.engines.kernel import state_of
from carewright.scheduling.model.planning import NOT_PLACED, Plan, Problem, value_of

SECONDS = (0.5, 2.0, 5.0)
FOLDER = KEPT / "others"
INSTALL = f"python -m pip install --target {FOLDER} deap==1.4.4 pymoo==0.6.2"
PEOPLE = 100
"""Orders of a generation, as many as both libraries have in their examples."""
CROSSED, CHANGED, MOVED = 0.7, 0.3, 0.02
"""How probable it is that two orders are crossed, that one is changed, and that a visit of it then moves."""


def measure(tell: Callable[[str], None], *, long: bool) -> list[Row]:
    """The mean gap of each on the stored days after so many seconds, and of the product's search beside them."""
    days = [stored(f"seed/seed{seed}.json") for seed in STORED]
    problems, rows = [problem_of_day(day) for day in days], []
    for engine, (module, plan) in KNOWN.items():
        if find_spec(module):
            row: Row = {"engine": engine, "days": "6 stored"}
            for seconds in (*SECONDS, LONG_SECONDS) if long else SECONDS:
                row |= gaps_at(seconds, plan, days, problems)
            tell(", ".join(f"{name} {figure}" for name, figure in row.items()))
        else:
            row = {"engine": f"{engine}: not installed ({INSTALL})"}
        rows.append(row | {PROTOTYPE: BEFORE[engine]})
    return rows


def deap(problem: Problem, effort: Effort, clock: Clock) -> Found:
    """DEAP: permutations, partially matched crossover, shuffled indexes, tournaments of three; the best ever found counts."""
    end = clock() + (effort.seconds or 0.0)
    base, tools, algorithms = (import_module(f"deap.{name}") for name in ("base", "tools", "algorithms"))
    fitness = type("Fitness", (base.Fitness,), {"weights": (1.0,)})
    order = type("Order", (list,), {})
    toolbox = base.Toolbox()
    toolbox.register("mate", tools.cxPartialyMatched)
    toolbox.register("mutate", tools.mutShuffleIndexes, indpb=MOVED)
    random.seed(effort.seed)
    people: list[Any] = [order(random.sample(range(problem.visits), problem.visits)) for _ in range(PEOPLE)]
    for one in people:
        one.fitness = fitness()
    best, decoded = people[0], 0
    while clock() < end:
        for one in people:
            if not one.fitness.valid:
                one.fitness.values = (float(worth(problem, np.array(one, np.int32))),)
                decoded += 1
        best = max([best, *people], key=lambda one: one.fitness.values if one.fitness.valid else (-1.0,))
        people = algorithms.varAnd(tools.selTournament(people, PEOPLE, 3), toolbox, CROSSED, CHANGED)
    return _found(problem, np.array(best, np.int32), decoded)


def pymoo(problem: Problem, effort: Effort, clock: Clock) -> Found:
    """pymoo: its genetic algorithm with its own settings on a number for each visit, of which the lowest is placed first."""
    end = clock() + (effort.seconds or 0.0)
    algorithm = import_module("pymoo.algorithms.soo.nonconvex.ga").GA(pop_size=PEOPLE)
    functional = import_module("pymoo.problems.functional").FunctionalProblem

    def cost(keys: npt.NDArray[np.float64]) -> float:
        return -float(worth(problem, _order(keys)))

    algorithm.setup(functional(problem.visits, [cost], xl=0.0, xu=1.0), termination=("n_gen", sys.maxsize), seed=effort.seed)
    while clock() < end:
        algorithm.next()
    return _found(problem, _order(algorithm.opt[0].X), algorithm.evaluator.n_eval)


def cp_sat(problem: Problem, effort: Effort, clock: Clock) -> Found:
    """CP-SAT with two workers, told of the greedy plan. Where it finds none in time nobody is placed: it forgets what it was told."""
    end = clock() + (effort.seconds or 0.0)
    repair = Repair(problem)
    repair.hint(most_urgent_first(problem))
    solver = solver_of(effort.seed, None, None)
    solver.parameters.num_workers = THREADS
    done = Event()
    watch = Thread(target=stop_at, args=(solver, clock, end, done))
    watch.start()
    status = solver.solve(repair.model)
    done.set()
    watch.join()
    found = solver.status_name(status) in {"OPTIMAL", "FEASIBLE"}
    nobody = Plan(np.full(problem.visits, NOT_PLACED, np.int32), np.full(len(problem.role_since), NOT_PLACED, np.int32))
    plan = repair.plan(solver) if found else nobody
    return Found(plan=plan, value=value_of(problem, plan), steps=0)


def stop_at(solver: Any, clock: Clock, end: float, done: Event) -> None:
    """Stop a solver when a clock says so, unless it is done by then."""
    while not done.wait(0.05):
        if clock() >= end:
            solver.stop_search()
            return


def worth(problem: Problem, order: npt.NDArray[np.int32]) -> int:
    """What is placed in this order, each visit where it is best then."""
    return fill(problem, state_of(problem, 0), order)


def _order(keys: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.argsort(keys).astype(np.int32)


def _found(problem: Problem, order: npt.NDArray[np.int32], decoded: int) -> Found:
    plan = in_turn(problem, state_of(problem, 0), order)
    return Found(plan=plan, value=value_of(problem, plan), steps=decoded)


KNOWN: dict[str, tuple[str, Engine]] = {
    "DEAP, orders crossed, one core": ("deap", deap), "pymoo, random keys, one core": ("pymoo", pymoo),
    "CP-SAT, the day as a whole": ("ortools", cp_sat), "ruin and recreate, two chains": ("numba", search),
}  # fmt: skip
"""How each is called, the module that it needs, and how it plans."""
BEFORE = {
    "DEAP, orders crossed, one core": "18.3 / 16.7 / 15.5 / 12.9", "pymoo, random keys, one core": "11.6 / 8.1 / 7.4 / 6.8",
    "CP-SAT, the day as a whole": "none / none / none / 8.6 to 11.9", "ruin and recreate, two chains": "3.4 / 2.8 / 2.15 / 1.46",
}  # fmt: skip
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))  # last: what the product needs comes from where it always does
