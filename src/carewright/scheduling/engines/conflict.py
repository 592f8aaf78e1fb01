"""Why visits have no place together, as OR-Tools sees it: each rule holds while a literal of its own is assumed.

The solver names assumptions that cannot all hold; each of them is then given up in turn, and stays given up while the others still cannot
hold (deletion, as in Marques-Silva, Minimal unsatisfiability: models, algorithms and applications, 2010). Only ever imported by a child.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model
from ortools.sat.python.cp_model import CpModel, Domain, IntervalVar, IntVar, LinearExpr, LinearExprT

from carewright.kernel.clock import SystemClock
from carewright.scheduling.engines.asked import AskedWhy, Reasons, ReasonsEach, Rule, RuleKind, received, received_plan
from carewright.scheduling.engines.cpsat import solver_of
from carewright.scheduling.engines.part import reached
from carewright.scheduling.engines.starts import levels_of
from carewright.scheduling.model.planning import Plan, Problem, open_at

GIVEN_UP_FIRST: tuple[RuleKind, ...] = ("placed", "together", "taken", "fewer", "apart", "units", "starts", "able")
"""So that a reason names few visits."""
SEED = 1
NO_TIME = Reasons(rules=[], minimal=False, fell="TimeoutError")


@dataclass(slots=True)
class Held:
    """Who may hold units of a pool, and how many."""

    intervals: list[IntervalVar] = field(default_factory=list)
    demands: list[LinearExprT] = field(default_factory=list)


class Conflict:
    """The model in which each rule can be given up."""

    def __init__(self, problem: Problem, plan: Plan, must: Iterable[int], seconds: float) -> None:
        self.problem, self.plan = problem, plan
        self.seconds_left = seconds
        self.model = CpModel()
        self.rules: list[tuple[Rule, IntVar]] = []
        self.visits = needed(problem, plan, must)
        self.placed = {visit: self.model.new_bool_var("") for visit in self.visits}
        self.start = {visit: self.model.new_int_var(0, problem.ticks, "") for visit in self.visits}
        self.held: dict[int, Held] = {}
        for visit in must:
            self.model.add_implication(self._rule(Rule(kind="placed", visit=visit)), self.placed[visit])
        for visit in self.visits:
            self._allow(visit)
            self._staff(visit)
            self._link(visit)
        self._stay()
        self._share()

    def cannot_hold(self, which: list[int]) -> list[int] | None:
        """Of these rules some that cannot hold together; none where all can. None where the time is up."""
        if self.seconds_left <= 0:
            return None
        self.model.clear_assumptions()
        self.model.add_assumptions([self.rules[number][1] for number in which])
        solver = solver_of(SEED, self.seconds_left, None)
        status = solver.solve(self.model)
        self.seconds_left -= solver.wall_time
        if status == cp_model.INFEASIBLE:
            named = set(solver.sufficient_assumptions_for_infeasibility())
            return [number for number in which if self.rules[number][1].index in named]
        return None if status == cp_model.UNKNOWN else []

    def _rule(self, rule: Rule) -> IntVar:
        literal = self.model.new_bool_var("")
        self.rules.append((rule, literal))
        return literal

    def _allow(self, visit: int) -> None:
        """Within the horizon always; and where it may start, which is a rule."""
        problem, placed, start = self.problem, self.placed[visit], self.start[visit]
        roles = slice(problem.role_from[visit], problem.role_from[visit + 1])
        self.model.add(start + int(problem.role_until[roles].max()) <= problem.ticks).only_enforce_if(placed)
        ticks = np.flatnonzero(open_at(problem, visit)).tolist()
        since, until = (ticks[0], ticks[-1] + 1) if ticks else (0, 0)
        holds = self._rule(Rule(kind="starts", visit=visit, since=since, until=until))
        if ticks:
            self.model.add_linear_expression_in_domain(start, Domain.from_values(ticks)).only_enforce_if(placed, holds)
        else:
            self.model.add_bool_or(~placed, ~holds)

    def _staff(self, visit: int) -> None:
        """One option for each role; where it has none, that is a rule."""
        problem, placed = self.problem, self.placed[visit]
        for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
            options = range(problem.option_from[role], problem.option_from[role + 1])
            since, until = int(problem.role_since[role]), int(problem.role_until[role])
            who = []
            for option in options:
                who.append(self.model.new_bool_var(""))
                interval = self.model.new_optional_fixed_size_interval_var(self.start[visit] + since, until - since, who[-1], "")
                self._hold(int(problem.option_pool[option]), interval)
            if options:
                self.model.add(LinearExpr.sum(who) == placed)
            else:
                self.model.add_bool_or(~placed, ~self._rule(Rule(kind="able", visit=visit)))

    def _link(self, visit: int) -> None:
        """Its distance from others who have a place, and whom it needs."""
        problem, placed = self.problem, self.placed[visit]
        for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
            other = int(problem.link_other[link])
            least, most = int(problem.link_least[link]), int(problem.link_most[link])
            if other in self.placed:
                if problem.link_needs[link] == 1:
                    holds = self._rule(Rule(kind="together", visit=visit, other=other))
                    self.model.add_bool_or(~placed, ~holds, self.placed[other])
                if problem.link_needs[link] == -1 or (problem.link_needs[link] == 0 and visit > other):
                    continue  # told at the other end
                both, apart = [placed, self.placed[other]], self.start[visit] - self.start[other]
            elif self.plan.start[other] >= 0:
                both, apart = [placed], self.start[visit] - int(self.plan.start[other])
            else:
                continue
            holds = self._rule(Rule(kind="apart", visit=visit, other=other, least=least, most=most))
            self.model.add_linear_constraint(apart, least, most).only_enforce_if(*both, holds)

    def _stay(self) -> None:
        """Everybody else keeps what they have of pools that could be drawn on."""
        problem, plan = self.problem, self.plan
        for visit in np.flatnonzero(plan.start >= 0).tolist():
            if visit in self.placed:
                continue
            for role in range(problem.role_from[visit], problem.role_from[visit + 1]):
                pool = int(problem.option_pool[plan.chosen[role]])
                if pool not in self.held:
                    continue
                since, until = int(plan.start[visit] + problem.role_since[role]), int(plan.start[visit] + problem.role_until[role])
                holds = self._rule(Rule(kind="taken", visit=visit, pool=pool, since=since, until=until))
                self._hold(pool, self.model.new_optional_fixed_size_interval_var(since, until - since, holds, ""))

    def _share(self) -> None:
        """So many units and no more, and at times fewer; where there are none nothing else has to be said."""
        for pool, held in self.held.items():
            most = int(self.problem.capacity[pool].max())
            holds = self._rule(Rule(kind="units", pool=pool, units=most))
            plenty = most + len(held.intervals) * ~holds
            for since, until, units in levels_of(self.problem, pool):
                if units < most:
                    fewer = self._rule(Rule(kind="fewer", pool=pool, units=units, since=since, until=until))
                    held.intervals.append(self.model.new_optional_fixed_size_interval_var(since, until - since, fewer, ""))
                    held.demands.append(most - units if units else plenty)
            self.model.add_cumulative(held.intervals, held.demands, plenty)

    def _hold(self, pool: int, interval: IntervalVar) -> None:
        held = self.held.setdefault(pool, Held())
        held.intervals.append(interval)
        held.demands.append(1)


def needed(problem: Problem, plan: Plan, must: Iterable[int]) -> list[int]:
    """The visits, and those without a place that they cannot do without."""
    return reached(problem, must, (problem.link_needs == 1) & (plan.start[problem.link_other] < 0))


def explain(asked: AskedWhy) -> Reasons:
    """Rules that cannot hold together, as few as giving up one after the other leaves."""
    return _explained(Conflict(received(asked.problem), received_plan(asked.plan), asked.must, asked.seconds))


def explain_each(asked: AskedWhy) -> ReasonsEach:
    """The same for each visit by itself. The time is shared out: what one leaves over the next ones have."""
    clock = SystemClock().monotonic_seconds
    problem, plan, until = received(asked.problem), received_plan(asked.plan), clock() + asked.seconds
    found = []
    for number, visit in enumerate(asked.must):
        seconds = (until - clock()) / (len(asked.must) - number)
        found.append(_explained(Conflict(problem, plan, [visit], seconds)) if seconds > 0 else NO_TIME)
    return ReasonsEach(found)


def _explained(conflict: Conflict) -> Reasons:
    core = conflict.cannot_hold(list(range(len(conflict.rules))))
    if core is None:
        return NO_TIME
    minimal, kept = True, list[int]()
    rest = sorted(core, key=lambda number: (GIVEN_UP_FIRST.index(conflict.rules[number][0].kind), number))
    while rest:
        given_up, *rest = rest
        found = conflict.cannot_hold([*kept, *rest])
        if found:
            kept, rest = [number for number in kept if number in found], [number for number in rest if number in found]
        else:
            kept.append(given_up)
            minimal = minimal and found is not None
    return Reasons(rules=[conflict.rules[number][0] for number in sorted(kept)], minimal=minimal)
