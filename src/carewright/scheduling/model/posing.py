"""From a day's visits and calendars to the problem in arrays, and from a plan back to who serves whom. Pure.

Worth is counted in thousandths of a minute of care. A placed visit is worth `use` times its minutes, less what is lost when its patient
does not come, plus how well it serves: `serve` times the minutes that a patient of its tier stands for, less the longer it is after the
patient could come, the less it is within the wished hours, and without the wished practitioner (the bounded form of what
docs/concepts/planning.md derives). A visit that people know of loses `move` for each move of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.naming import Span, named
from carewright.scheduling.model.planning import NOT_PLACED, Bits, Ints, Plan, Problem, rises_of
from carewright.scheduling.model.ticks import TICK_MINUTES, WORD_BITS, range_is_set

UNIT = 1_000
"""Of worth in a minute of care."""
TIER_WEIGHTS = (8.0, 3.0, 1.0)
"""What a patient of tier P0, P1 and P2 stands for, against each other."""
TIER_WAITS = (15.0, 60.0, 120.0)
"""Minutes after which serving them is worth half."""
FAR_MINUTES = 60.0
"""A move by so much and more is as bad as a move can be."""
ELSEWHERE = 1.0
"""What it counts that somebody is not exactly where they were told, beside how far: on the bench's disrupted days it halves how many are
moved, at no loss that seeds would not hide (docs/benchmarks.md)."""
FARTHEST = 2.25
"""What it counts to be moved as far as can be: elsewhere, at another time, by an hour or more, to another practitioner."""
SOON_MINUTES = 60.0
"""Who is booked to come within so many minutes may be on the way: moving them counts twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How terms are traded, each in minutes of care for a minute of care."""

    use: float = 0.4
    serve: float = 0.4
    absence: float = 0.2
    move: float = 15.0
    """Minutes of care that have to be won so that one patient who was told a time is moved far."""
    drop: float = 60.0
    """And so that one has no time at all."""
    even: float = 0.0
    split: float = 1.0
    """Minutes that each stretch of free time between visits costs."""


class Need(NamedTuple):
    """A role of a visit: who could fill it (numbers of calendars), and the ticks that it takes from the visit's start on."""

    candidates: tuple[int, ...]
    since: int
    until: int
    units: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is to be planned. Ticks are counted from the beginning of what is planned; a visit starts when the first calendar is taken."""

    needs: tuple[Need, ...]
    allowed: Bits
    minutes: int
    tier: int
    released: int
    """The tick from which on waiting is counted."""
    lead: int = 0
    """Which of the needs leads."""
    absence: float = 0.0
    """How likely the patient does not come."""
    booked: int | None = None
    """The tick at which it is booked to start, and who serves it, need by need."""
    served_by: tuple[tuple[int, ...], ...] = ()
    patient: int = 0
    """Visits of one patient do not overlap."""


class Tie(NamedTuple):
    """That a visit starts from `least` to `most` ticks after another one, by their numbers; what `needs` that has no place without it."""

    visit: int
    other: int
    least: int
    most: int
    needs: bool


class Placed(NamedTuple):
    """Where a visit goes: the tick, and who fills each need."""

    start: int
    served_by: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Posed:
    """The problem, and what its numbers stand for."""

    problem: Problem
    visits: Sequence[Visit]
    units: Sequence[tuple[int, ...]]
    """The calendars of each pool; none for the pool of a patient."""

    def booked(self) -> Plan:
        """The plan as it is booked, without what cannot take place so."""
        used = np.zeros(self.problem.capacity.shape, np.int64)
        plan = Plan(np.full(len(self.visits), NOT_PLACED, np.int32), np.full(len(self.problem.role_since), NOT_PLACED, np.int32))
        for number, visit in enumerate(self.visits):
            chosen = self._as_booked(number, visit)
            if chosen is not None and visit.booked is not None and self._fits(used, number, chosen, visit.booked):
                plan.start[number] = visit.booked
                plan.chosen[self._roles(number)] = chosen
        while (alone := self._without_other(plan)) is not None:
            plan.start[alone] = plan.chosen[self._roles(alone)] = NOT_PLACED
        return plan

    def placements(self, plan: Plan) -> list[Placed | None]:
        """Who serves each visit: units of a pool are named so that whoever serves a visit now goes on doing so where that can be."""
        who = self._named(plan)
        found: list[Placed | None] = []
        for number, visit in enumerate(self.visits):
            if plan.start[number] < 0:
                found.append(None)
                continue
            roles = iter(self._roles(number))
            order = lead_first(visit)
            filled: list[tuple[int, ...]] = [()] * len(visit.needs)
            for place in order:
                filled[place] = tuple(who[next(roles)] for _ in range(visit.needs[place].units))
            found.append(Placed(int(plan.start[number]), tuple(filled)))
        return found

    def _without_other(self, plan: Plan) -> int | None:
        """A visit that has a place beside one that it may not be beside, or without one that it needs."""
        problem = self.problem
        visits = np.repeat(np.arange(len(self.visits)), np.diff(problem.link_from))
        start, other = plan.start[visits], plan.start[problem.link_other]
        apart = (start - other < problem.link_least) | (start - other > problem.link_most)
        broken = (start >= 0) & np.where(other < 0, problem.link_needs == 1, apart & (problem.link_needs >= 0))
        found = visits[broken]
        return int(found[0]) if len(found) else None

    def _roles(self, number: int) -> range:
        return range(self.problem.role_from[number], self.problem.role_from[number + 1])

    def _as_booked(self, number: int, visit: Visit) -> list[int] | None:
        """The options that its roles have now; None where somebody who serves it could not be chosen."""
        if visit.booked is None or not range_is_set(self.problem.allowed[number], visit.booked, visit.booked + 1):
            return None
        serving = _serving(visit)
        chosen = []
        for place, role in enumerate(self._roles(number)):
            options = range(self.problem.option_from[role], self.problem.option_from[role + 1])
            is_patient = place >= len(serving)
            fitting = [each for each in options if is_patient or serving[place] in self.units[self.problem.option_pool[each]]]
            if not fitting:
                return None
            chosen.append(fitting[0])
        return chosen

    def _fits(self, used: npt.NDArray[np.int64], number: int, chosen: Sequence[int], start: int) -> bool:
        """Whether it can be where it is booked beside those before it; then it is."""
        problem = self.problem
        held = [
            (problem.option_pool[option], slice(start + problem.role_since[role], start + problem.role_until[role]))
            for role, option in zip(self._roles(number), chosen, strict=True)
        ]
        for place in held:
            used[place] += 1
        fits = all(ticks.stop <= problem.ticks and (used[pool, ticks] <= problem.capacity[pool, ticks]).all() for pool, ticks in held)
        if not fits:
            for place in held:
                used[place] -= 1
        return fits

    def _named(self, plan: Plan) -> dict[int, int]:
        """Which unit of its pool fills each role: in order of time, the one that does now if it is free, else any. There always is one."""
        problem = self.problem
        taken: defaultdict[int, list[Span]] = defaultdict(list)
        now, unmoved = {}, set[int]()
        for number, visit in enumerate(self.visits):
            serving = _serving(visit)
            unmoved.update(self._roles(number) if plan.start[number] == visit.booked else ())
            for place, role in enumerate(self._roles(number)):
                if plan.start[number] < 0 or not self.units[problem.option_pool[plan.chosen[role]]]:
                    continue
                since, until = int(plan.start[number] + problem.role_since[role]), int(plan.start[number] + problem.role_until[role])
                taken[int(problem.option_pool[plan.chosen[role]])].append(Span(since, until, role))
                now[role] = serving[place] if place < len(serving) else None
        return {role: unit for pool, spans in taken.items() for role, unit in named(self.units[pool], sorted(spans), now, unmoved)}


def pose(visits: Sequence[Visit], free: Bits, ticks: int, weights: Weights, now: int = 0, ties: Sequence[Tie] = ()) -> Posed:
    """The problem of these visits on calendars whose `free` ticks (`[calendars, words]`) do not count what the visits hold themselves."""
    pools = _Pools(visits, free, ticks)
    worth, chances = _Worth(visits, weights, free, ticks, now), _Lists()
    for number, visit in enumerate(visits):
        for place in lead_first(visit):
            need = visit.needs[place]
            for _ in range(need.units):
                options = pools.options(need, visit.served_by[place] if visit.served_by else ())
                is_lead = place == visit.lead
                chances.role(need.since, need.until, [(pool, worth.row(number, pools.units[pool]) if is_lead else -1) for pool in options])
        if (own := pools.of_patient.get(visit.patient)) is not None:
            chances.role(0, visit.minutes // TICK_MINUTES, [(own, -1)])
        chances.end(visit)
    return Posed(chances.problem(pools, worth, visits, weights, ties), visits, pools.units)


class _Pools:
    """Calendars that can stand in for each other completely are one pool; whoever leads is one alone."""

    def __init__(self, visits: Sequence[Visit], free: Bits, ticks: int) -> None:
        self.ticks = ticks
        leads = {one for visit in visits for one in visit.needs[visit.lead].candidates}
        fills: defaultdict[int, set[tuple[int, ...]]] = defaultdict(set)
        for visit in visits:
            for need in visit.needs:
                for one in need.candidates:
                    fills[one].add(need.candidates)
        groups: defaultdict[object, list[int]] = defaultdict(list)
        for one, sets in fills.items():
            groups[one if one in leads else (frozenset(sets), free[one].tobytes())].append(one)
        self.units: list[tuple[int, ...]] = [tuple(sorted(group)) for group in groups.values()]
        self.of = {one: pool for pool, units in enumerate(self.units) for one in units}
        helps = {one for visit in visits for place in lead_first(visit)[1:] for one in visit.needs[place].candidates}
        self.leads = [units[0] in leads and units[0] not in helps for units in self.units]
        self.capacity = [_flags(free[units[0]], ticks) * len(units) for units in self.units]
        times: defaultdict[int, int] = defaultdict(int)
        for visit in visits:
            times[visit.patient] += 1
        self.of_patient = {}
        for patient in (each for each, count in times.items() if count > 1):
            self.of_patient[patient] = len(self.units)
            self.units.append(())
            self.leads.append(False)
            self.capacity.append(np.ones(ticks, np.int16))

    def options(self, need: Need, served_by: Sequence[int]) -> list[int]:
        """The pools that could fill a need, those that do now first, then those that can do the least else."""
        pools = list(dict.fromkeys(self.of[one] for one in need.candidates))
        return sorted(pools, key=lambda pool: (not any(one in self.units[pool] for one in served_by), pool))


class _Worth:
    """Rows of worth: one for each visit and kind of lead, shared by leads who are alike to it."""

    def __init__(self, visits: Sequence[Visit], weights: Weights, free: Bits, ticks: int, now: int) -> None:
        self.visits, self.weights, self.now = visits, weights, now
        self.tick = np.arange(ticks)
        self.broken = [_is_broken(visit, free) for visit in visits]
        self.rows: list[npt.NDArray[np.int64]] = []
        self.of: dict[tuple[int, bool], int] = {}
        """By the visit's number, and whether whoever leads it now goes on doing so."""
        leads = {one for visit in visits for one in visit.needs[visit.lead].candidates}
        minutes = TICK_MINUTES * sum(int(_flags(free[one], ticks).sum()) for one in leads)
        weight = sum(TIER_WEIGHTS[visit.tier] for visit in visits)
        self.patient_minutes = minutes / weight if weight else 0.0
        """The minutes of care that a patient of weight 1 stands for: all that there are, shared out."""

    def row(self, number: int, units: Sequence[int]) -> int:
        """The row of a visit when one of these leads it."""
        visit = self.visits[number]
        stays = bool(visit.served_by) and any(one in units for one in visit.served_by[visit.lead])
        key = number, stays
        if key not in self.of:
            self.of[key] = len(self.rows)
            self.rows.append(
                np.round(UNIT * (self._care(visit) + self._kept(visit, stays=stays, broken=self.broken[number]))).astype(np.int64)
            )
        return self.of[key]

    def _care(self, visit: Visit) -> npt.NDArray[np.float64]:
        weights = self.weights
        waits = np.maximum(0, self.tick - visit.released) * TICK_MINUTES
        serve = TIER_WEIGHTS[visit.tier] * self.patient_minutes / (1 + waits / TIER_WAITS[visit.tier])
        return weights.use * visit.minutes + weights.serve * serve - weights.absence * visit.minutes * visit.absence

    def _kept(self, visit: Visit, *, stays: bool, broken: bool) -> npt.NDArray[np.float64]:
        """What it is worth that who was told a time has one, the nearer to it the more. Who must be told another anyway minds how far."""
        if visit.booked is None:
            return np.zeros(len(self.tick))
        minutes = np.abs(self.tick - visit.booked) * TICK_MINUTES
        at_all = ELSEWHERE * ((minutes > 0) | (not stays)) + 0.5 * (minutes > 0)
        moved = at_all * (not broken) + 0.5 * np.minimum(1, minutes / FAR_MINUTES) + (0 if stays else 0.25)
        soon = 2 if (visit.booked - self.now) * TICK_MINUTES <= SOON_MINUTES else 1
        return soon * (self.weights.drop - self.weights.move * moved)


class _Lists:
    """What becomes the arrays of a problem, visit by visit."""

    def __init__(self) -> None:
        self.role_from, self.since, self.until = [0], list[int](), list[int]()
        self.option_from, self.options = [0], list[tuple[int, int]]()
        self.crowded: list[bool] = []

    def role(self, since: int, until: int, options: Sequence[tuple[int, int]]) -> None:
        self.since.append(since)
        self.until.append(until)
        self.options += options
        self.option_from.append(len(self.options))

    def end(self, visit: Visit) -> None:
        self.role_from.append(len(self.since))
        names = [one for need in visit.needs for one in need.candidates]
        self.crowded.append(len(set(names)) < len(names) or any(need.units > 1 for need in visit.needs))

    def problem(self, pools: _Pools, worth: _Worth, visits: Sequence[Visit], weights: Weights, ties: Sequence[Tie]) -> Problem:
        n, ticks = len(visits), pools.ticks
        rows = np.array(worth.rows, np.int64).reshape(-1, ticks)
        tier = np.array([visit.tier for visit in visits], np.int8)
        first = int(np.abs(rows).max(axis=1).sum()) + 1 if len(rows) else 1
        for (number, _), row in worth.of.items():
            rows[row] += first * (visits[number].tier == 0)
        rise_from, rise = rises_of(rows)
        links = sorted(end for tie in ties for end in _ends(tie))
        leads = np.array(pools.leads, np.int64)
        return Problem(
            capacity=np.array(pools.capacity, np.int16).reshape(-1, ticks),
            allowed=np.array([visit.allowed for visit in visits], np.uint64).reshape(n, -(-ticks // WORD_BITS)),
            role_from=_ints(self.role_from),
            role_since=_ints(self.since), role_until=_ints(self.until), option_from=_ints(self.option_from),
            option_pool=_ints([pool for pool, _ in self.options]), option_row=_ints([row for _, row in self.options]), worth=rows,
            rise_from=rise_from, rise=rise,
            link_from=_ints(np.searchsorted([end.visit for end in links], np.arange(n + 1))),
            link_other=_ints([end.other for end in links]), link_least=_ints([end.least for end in links]),
            link_most=_ints([end.most for end in links]), link_needs=np.array([end.needs for end in links], np.int8),
            crowded=np.array(self.crowded, np.bool_), tier=tier, first=first,
            even=leads * round(UNIT * weights.even), split=leads * round(UNIT * weights.split),
        )  # fmt: skip


class _End(NamedTuple):
    """A tie as one of its two visits sees it; `needs` as in `Problem.link_needs`."""

    visit: int
    other: int
    least: int
    most: int
    needs: int


def _ends(tie: Tie) -> tuple[_End, _End]:
    needs = int(tie.needs)
    return _End(tie.visit, tie.other, tie.least, tie.most, needs), _End(tie.other, tie.visit, -tie.most, -tie.least, -needs)


def lead_first(visit: Visit) -> list[int]:
    """The numbers of its needs, the lead's first."""
    return [visit.lead, *(place for place in range(len(visit.needs)) if place != visit.lead)]


def _serving(visit: Visit) -> list[int | None]:
    """Who serves each of its roles now, in their order; None where nobody is known to."""
    found: list[int | None] = []
    for place in lead_first(visit):
        known = visit.served_by[place] if visit.served_by else ()
        found += [*known, *[None] * (visit.needs[place].units - len(known))]
    return found


def _is_broken(visit: Visit, free: Bits) -> bool:
    """Whether somebody who serves it is not there at the time for which it is booked."""
    if visit.booked is None:
        return False
    there = zip(visit.needs, visit.served_by, strict=True)
    return not all(
        len(serving) == need.units and all(range_is_set(free[one], visit.booked + need.since, visit.booked + need.until) for one in serving)
        for need, serving in there
    )


def _flags(row: Bits, ticks: int) -> npt.NDArray[np.int16]:
    """Bits as ones and zeros."""
    return np.unpackbits(row.view(np.uint8), bitorder="little")[:ticks].astype(np.int16)


def _ints(values: object) -> Ints:
    return np.array(values, np.int32)
