"""Days that were disrupted at 10:30: visits overrun, are cancelled, emergencies come, a physician leaves (SEED.md beside the instances).

What has begun stays as it is: it is taken out of the problem, and so is the time that it holds. The search starts from the plan that there
is, without what is hit, and worth counts who has been told a time already: the stored scorer's stability terms.
"""

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from bench.planner.building import Role, Visit, kept, problem_of
from bench.planner.clock import own_seconds
from bench.planner.data import best_known, program, stored
from bench.planner.seed import TICKS, Instance, Pools, assignments, eligible
from carewright.scheduling.engines.chains import Effort, search
from carewright.scheduling.model.planning import Plan, Problem, faults

Row = dict[str, Any]
SECONDS = (0.5, 5.0)
SEARCHES = 3
"""With seeds of their own: half a second is short enough for luck."""
STAY = 1.0
"""How much more keeping the very place counts in our search than it does for the scorer, in its units (`kappa`, a third of what losing a
place costs): fewer people are moved, and what is lost by it is within what two seeds differ by."""
FAR_TICKS = 12
"""A move by an hour counts whole, and so does the hour after the disruption, in which telling people is hardest."""
URGENT = 1e6
"""What the scorer gives a new emergency, over its wait in units of three ticks."""


class Disrupted(NamedTuple):
    """A scenario ready to be planned: what is open, where it was, and what is settled."""

    scenario: Instance
    instance: Instance
    problem: Problem
    requests: list[Row]
    before: Plan
    settled: list[Row]


def measure(tell: Callable[[str], None]) -> list[Row]:
    """For each scenario: gap to the bound, who is moved and who loses a place, on average."""
    rows = []
    for known in best_known("resched"):
        name = known["scenario"].removeprefix("resched_")
        for weights, stay in (("the scorer's", 0.0), ("a told place weighs more", STAY)):
            tell(f"{name}, {weights}")
            disrupted = load(known["scenario"], stay)
            told = len(_told(disrupted.scenario))
            row: Row = {"scenario": name, "searched with": weights, "told": told}
            forgotten = 0
            for seconds in SECONDS:
                tries = [_repaired(disrupted, seconds, seed) for seed in range(SEARCHES)]
                row[f"gap at {seconds:g} s, %"] = fmean(each.gap for each in tries)
                row[f"moved at {seconds:g} s, %"] = 100 * fmean(each.moved for each in tries) / told
                row[f"without a place at {seconds:g} s"] = fmean(each.bumped for each in tries)
                forgotten += sum(each.forgotten for each in tries)
            rows.append(row | {"emergencies left out that had a place": forgotten})
        best = f"best known: gap {known['gap_percent']} %, {known['best_moved']} moved, {known['best_bumped']} without a place"
        rows.append({"scenario": name, "searched with": best})
    return rows


class Repaired(NamedTuple):
    """How a search went: percent under the bound, told patients moved and without a place, emergencies left out that had a place."""

    gap: float
    moved: int
    bumped: int
    forgotten: int


def _repaired(disrupted: Disrupted, seconds: float, seed: int) -> Repaired:
    problem = disrupted.problem
    plan = search(problem, Effort(seconds=seconds, seed=seed), own_seconds(), disrupted.before).plan
    assert not faults(problem, plan)
    placed = assignments(disrupted.requests, problem, plan)
    value, moved, bumped = program("resched_check").score(disrupted.scenario, disrupted.instance, [*disrupted.settled, *placed])
    return Repaired(100 * (1 - value / disrupted.scenario["upper_bound"]), moved, bumped, _urgent_left(problem, plan))


def _urgent_left(problem: Problem, plan: Plan) -> int:
    """Emergencies that have no place though there would be one for each if nobody else were planned."""
    alone = problem._replace(worth=np.where(np.isin(np.arange(len(problem.worth)), _urgent_rows(problem))[:, None], problem.worth, 0))
    most = search(alone, Effort(steps=2_000), own_seconds()).value.urgent
    return most - int((plan.start[problem.urgent] >= 0).sum())


def _urgent_rows(problem: Problem) -> list[int]:
    leads = problem.role_from[:-1][problem.urgent]
    return [row for lead in leads for row in problem.option_row[problem.option_from[lead] : problem.option_from[lead + 1]]]


def _told(scenario: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """Who was told a time that has not begun, and is still to come: physician and start."""
    return {
        each["request"]: (each["physician"], each["start"]) for each in scenario["plan"]
        if each["start"] > scenario["T0"] and each["request"] not in scenario["cancelled"]
    }  # fmt: skip


def load(name: str, stay: float) -> Disrupted:
    """A stored scenario and the day that it befell; `stay` as `STAY`."""
    scenario = stored(f"resched/{name}.json")
    instance = stored(f"seed/{scenario['instance']}.json")
    requests = {each["id"]: dict(each) for each in [*instance["requests"], *scenario["new_requests"]]}
    for number, longer in scenario["overrun"].items():
        for what in ("dur", "room_hold", *(["equipment_hold"] if requests[int(number)]["equipment"] else [])):
            requests[int(number)][what] += longer
    pools, told = Pools(instance), _told(scenario)
    capacity, settled = _left_over(scenario, pools, requests)
    begun = {each["request"] for each in settled}
    open_requests = [each for number, each in requests.items() if number not in begun and number not in scenario["cancelled"]]
    problem = _problem(scenario, instance, capacity, pools, open_requests, stay)
    return Disrupted(scenario, instance, problem, open_requests, kept(problem, [told.get(each["id"]) for each in open_requests]), settled)


def _left_over(scenario: Instance, pools: Pools, requests: Mapping[int, Row]) -> tuple[Any, list[Row]]:
    """What is there after what has begun, which may last into a break, took its part; and what has begun."""
    capacity, settled = np.array(pools.capacity, np.int16), [each for each in scenario["plan"] if each["start"] <= scenario["T0"]]
    for each in settled:
        request, start = requests[each["request"]], each["start"]
        capacity[each["physician"], start : start + request["dur"]] -= 1
        for role in pools.shared(request):
            capacity[role.options[0][0], start : start + role.length] -= 1
    if out := scenario["physician_out"]:
        capacity[out["physician"], out["from_tick"] :] = 0
    return capacity.clip(0), settled


def _problem(scenario: Instance, instance: Instance, capacity: Any, pools: Pools, requests: list[Row], stay: float) -> Problem:
    told, new = _told(scenario), {each["id"] for each in scenario["new_requests"]}
    end, since = instance["ticks"], scenario["T0"] + 1
    value = program("seed_check").value
    worth: list[list[int]] = []
    visits = []
    for request in requests:
        rows: dict[tuple[bool, bool], int] = {}
        options = []
        for physician in eligible(instance, request):
            same = request["id"] in told and told[request["id"]][0] == physician
            kind = (same, request["preferred_physician"] in (None, physician))
            if kind not in rows:
                rows[kind] = len(worth)
                base = [value(instance, request, physician, tick) if tick < end else 0 for tick in range(TICKS)]
                more = _stability(scenario, told.get(request["id"]), physician, stay) if request["id"] not in new else _urgency(request)
                worth.append([a + b for a, b in zip(base, more, strict=True)])
            options.append((physician, rows[kind]))
        starts = range(max(since, request["release"]), end - request["dur"] + 1)
        tier = 0 if request["id"] in new else request["tier"] + 1
        visits.append(Visit(starts, tier, [Role(request["dur"], options), *pools.shared(request)]))
    return problem_of(capacity, visits, worth)


def _stability(scenario: Instance, told: tuple[int, int] | None, physician: int, stay: float) -> list[int]:
    """What it is worth at each tick to keep a place that somebody was told, or to move it little."""
    if told is None:
        return [0] * TICKS
    kept, start = told
    near = 2 if start <= scenario["T0"] + FAR_TICKS else 1
    moves = [0.5 * (tick != start) + 0.5 * min(1, abs(tick - start) / FAR_TICKS) for tick in range(TICKS)]
    worth = [round(scenario["kappa"] * near * (3 - move - 0.25 * (physician != kept))) for move in moves]
    worth[start] += round(scenario["kappa"] * stay * (physician == kept))
    return worth


def _urgency(request: Row) -> list[int]:
    return [round(URGENT / (1 + max(0, tick - request["release"]) / 3)) for tick in range(TICKS)]
