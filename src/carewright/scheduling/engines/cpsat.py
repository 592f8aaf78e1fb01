"""A small problem as OR-Tools sees it: optional intervals for who could fill each role, literals for each start that is allowed.

Only ever imported by a child (`exact.py`): OR-Tools and HiGHS may not be in one process, and neither belongs into a server's.
"""

from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model
from ortools.sat.python.cp_model import CpModel, IntervalVar, IntVar, LinearExpr

from carewright.scheduling.engines.asked import Asked, Solved, received, received_plan, sent_plan
from carewright.scheduling.engines.starts import levels_of, staffed, startable
from carewright.scheduling.model.planning import NOT_PLACED, Plan, Problem
from carewright.scheduling.model.ticks import Flags

Kind = tuple[int, int]
"""Options of a lead that are worth the same at any time: a row of worth; and the pool, where free time that is cut up has a price."""


@dataclass(slots=True)
class Visit:
    """The variables of one visit: whether it is placed, its start (0 where it is not), who fills each role, and which start it is."""

    placed: IntVar
    start: IntVar
    chosen: list[dict[int, IntVar]] = field(default_factory=list)
    starts: dict[Kind, dict[int, IntVar]] = field(default_factory=dict)


class Repair:
    """The model of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = CpModel()
        self.held: dict[int, list[IntervalVar]] = {}
        self.visits = [self._visit(visit) for visit in range(problem.visits)]
        self._link()
        self._share()
        self.model.maximize(LinearExpr.sum([*self._worth(), *self._uneven(), *self._cut_up()]))

    def hint(self, plan: Plan) -> None:
        """Begin from a plan."""
        for number, visit in enumerate(self.visits):
            start = int(plan.start[number])
            self.model.add_hint(visit.placed, start >= 0)
            self.model.add_hint(visit.start, max(0, start))
            for place, options in enumerate(visit.chosen):
                has = int(plan.chosen[self.problem.role_from[number] + place])
                for option, literal in options.items():
                    self.model.add_hint(literal, option == has)

    def plan(self, solver: cp_model.CpSolver) -> Plan:
        problem = self.problem
        start = np.full(problem.visits, NOT_PLACED, np.int32)
        chosen = np.full(len(problem.role_since), NOT_PLACED, np.int32)
        for number, visit in enumerate(self.visits):
            if solver.boolean_value(visit.placed):
                start[number] = solver.value(visit.start)
                for place, options in enumerate(visit.chosen):
                    chosen[problem.role_from[number] + place] = next(o for o, literal in options.items() if solver.boolean_value(literal))
        return Plan(start, chosen)

    def _visit(self, number: int) -> Visit:
        problem, model = self.problem, self.model
        visit = Visit(model.new_bool_var(""), model.new_int_var(0, problem.ticks, ""))
        for role in range(problem.role_from[number], problem.role_from[number + 1]):
            options = range(problem.option_from[role], problem.option_from[role + 1])
            visit.chosen.append({option: self._held(visit, role, option) for option in options})
            model.add(LinearExpr.sum(list(visit.chosen[-1].values())) == visit.placed)
        for kind, flags in self._kinds(number).items():
            visit.starts[kind] = {int(tick): model.new_bool_var("") for tick in np.flatnonzero(flags)}
            who = [literal for option, literal in visit.chosen[0].items() if self._kind(option) == kind]
            model.add(LinearExpr.sum(list(visit.starts[kind].values())) == LinearExpr.sum(who))
        every = [(tick, literal) for starts in visit.starts.values() for tick, literal in starts.items()]
        model.add_at_most_one(literal for _, literal in every)
        model.add(visit.start == LinearExpr.sum([tick * literal for tick, literal in every]))
        return visit

    def _held(self, visit: Visit, role: int, option: int) -> IntVar:
        """Whether an option fills a role, which holds a unit of its pool."""
        since, until = int(self.problem.role_since[role]), int(self.problem.role_until[role])
        literal = self.model.new_bool_var("")
        interval = self.model.new_optional_fixed_size_interval_var(visit.start + since, until - since, literal, "")
        self.held.setdefault(int(self.problem.option_pool[option]), []).append(interval)
        return literal

    def _kind(self, option: int) -> Kind:
        pool = int(self.problem.option_pool[option])
        return int(self.problem.option_row[option]), pool if self.problem.split[pool] else NOT_PLACED

    def _kinds(self, number: int) -> dict[Kind, Flags]:
        """At which ticks a visit may start with each kind of lead, whoever else is placed."""
        problem, first = self.problem, self.problem.role_from[number]
        ticks = startable(problem, number)
        kinds = dict[Kind, Flags]()
        for option in range(problem.option_from[first], problem.option_from[first + 1]):
            kind = self._kind(option)
            kinds[kind] = kinds.get(kind, np.zeros_like(ticks)) | (ticks & staffed(problem, first, option))
        return kinds

    def _link(self) -> None:
        problem = self.problem
        for number, visit in enumerate(self.visits):
            for link in range(problem.link_from[number], problem.link_from[number + 1]):
                other = self.visits[problem.link_other[link]]
                apart = visit.start - other.start
                least, most = int(problem.link_least[link]), int(problem.link_most[link])
                self.model.add_linear_constraint(apart, least, most).only_enforce_if(visit.placed, other.placed)
                if problem.link_needs[link] == 1:
                    self.model.add_implication(visit.placed, other.placed)

    def _share(self) -> None:
        """No more units of a pool than there are."""
        for pool, held in self.held.items():
            most = int(self.problem.capacity[pool].max())
            away = [(self.model.new_fixed_size_interval_var(since, until - since, ""), most - units)
                    for since, until, units in levels_of(self.problem, pool) if units < most]  # fmt: skip
            if most == 1:
                self.model.add_no_overlap([*held, *(interval for interval, _ in away)])
            else:
                self.model.add_cumulative([*held, *(interval for interval, _ in away)], [1] * len(held) + [less for _, less in away], most)

    def _worth(self) -> list[LinearExpr]:
        worth = self.problem.worth
        return [
            int(worth[row, tick]) * literal
            for visit in self.visits
            for (row, _), starts in visit.starts.items()
            for tick, literal in starts.items()
        ]

    def _uneven(self) -> list[LinearExpr]:
        """What each pool's load costs, as less than nothing."""
        problem, cost = self.problem, list[LinearExpr]()
        for pool in np.flatnonzero(problem.even):
            ticks = [
                int(problem.role_until[role] - problem.role_since[role]) * literal
                for role, visit in zip(problem.role_from[:-1], self.visits, strict=True)
                for option, literal in visit.chosen[0].items()
                if problem.option_pool[option] == pool
            ]
            load = self.model.new_int_var(0, problem.ticks * int(problem.capacity[pool].max()), "")
            square = self.model.new_int_var(0, (problem.ticks * int(problem.capacity[pool].max())) ** 2, "")
            self.model.add(load == LinearExpr.sum(ticks))
            self.model.add_multiplication_equality(square, [load, load])
            cost.append(-int(problem.even[pool]) * square)
        return cost

    def _cut_up(self) -> list[LinearExpr]:
        """What each stretch of free time costs that is left, as less than nothing."""
        cost = list[LinearExpr]()
        for pool in np.flatnonzero(self.problem.split):
            before = LinearExpr.sum([])
            for taken, units in zip(self._led(int(pool)), self.problem.capacity[pool], strict=True):
                free = int(units > 0) - LinearExpr.sum(taken)
                begins = self.model.new_bool_var("")
                self.model.add(begins >= free - before)
                cost.append(-int(self.problem.split[pool]) * begins)
                before = free
        return cost

    def _led(self, pool: int) -> list[list[IntVar]]:
        """[ticks] The starts by which a pool of one unit leads at each tick."""
        led: list[list[IntVar]] = [[] for _ in range(self.problem.ticks)]
        for role, visit in zip(self.problem.role_from[:-1], self.visits, strict=True):
            for (_, leader), starts in visit.starts.items():
                for start, literal in starts.items() if leader == pool else ():
                    for tick in range(start + self.problem.role_since[role], start + self.problem.role_until[role]):
                        led[tick].append(literal)
        return led


def solver_of(seed: int, seconds: float | None, work: float | None) -> cp_model.CpSolver:
    """One core: with a limit by work alone, the same question has the same answer."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    if seconds is not None:
        solver.parameters.max_time_in_seconds = seconds
    if work is not None:
        solver.parameters.max_deterministic_time = work
    return solver


def solve(asked: Asked) -> Solved:
    """The best plan that the solver finds."""
    repair = Repair(received(asked.problem))
    repair.hint(received_plan(asked.start))
    solver = solver_of(asked.seed, asked.seconds, asked.work)
    status = solver.solve(repair.model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return Solved(plan=sent_plan(repair.plan(solver)) if found else None, proved=status == cp_model.OPTIMAL)
