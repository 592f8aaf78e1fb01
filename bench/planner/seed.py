"""The SEED days: 10 physicians, 220 requests, rooms, equipment and nurses that they share (SEED.md beside the instances).

Six days are stored, eight more come from the stored generator. The gap is the one to the bound of the linear relaxation, which is itself
above the best that can be reached; every plan is scored by the stored scorer, not by us.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from bench.planner.building import NO_ROW, Role, Visit, led_by, problem_of
from bench.planner.clock import own_seconds
from bench.planner.data import KEPT, program, stored
from carewright.scheduling.engines.bound import bound
from carewright.scheduling.engines.chains import Clock, Effort, Found, search
from carewright.scheduling.engines.genetic import evolve, search_crossing
from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.model.planning import Plan, Problem, faults

Row = dict[str, Any]
Instance = dict[str, Any]
STORED, FRESH = range(6), range(100, 108)
SECONDS, LONG_SECONDS = (0.1, 0.5, 2.0, 5.0), 30.0
Engine = Callable[[Problem, Effort, Clock], Found]
ENGINES: dict[str, Engine] = {
    "orders bred from random keys": evolve, "ruin and recreate, two chains": search, "two chains, plans crossed": search_crossing,
}  # fmt: skip
BEFORE = {
    "next available, in the order of the calls": "26.2", "greedy, the most urgent first": "12.2",
    "orders bred from random keys": "7.1 / 5.5 / 4.7 / 4.1", "ruin and recreate, two chains": "3.4 / 2.8 / 2.15 / 1.46",
    "two chains, plans crossed": "5.3 / 3.7 / 3.5 / 2.6",
}  # fmt: skip
"""What a prototype reached on one core (the issue's reference, section 8)."""
PROTOTYPE = "prototype, one core, at 0.5 / 2 / 5 / 30 s, %"
BOUND_SECONDS = 600
TICKS = 128
"""The day has 120; rooms are turned over for a few more."""
SPECIALTIES, ROOMS, EQUIPMENT = ("GP", "CARD", "ORTH", "DERM"), ("consult", "procedure", "diagnostic"), ("ecg", "ultrasound", "scope")


def measure(tell: Callable[[str], None], *, long: bool) -> list[Row]:
    """The mean gap of each engine after so many seconds, on the stored days and on fresh ones; half a minute takes a quarter of an hour."""
    rows = []
    for name, days in (("6 stored", [stored(f"seed/seed{seed}.json") for seed in STORED]), ("8 fresh", [fresh(seed) for seed in FRESH])):
        problems = [problem_of_day(day) for day in days]
        for engine in ENGINES.values():
            engine(problems[0], Effort(steps=100), own_seconds())  # the machine code is read from disk now
        rows += [_usual(name, days, problems), _greedy(name, days, problems)]
        rows += [_searched(engine, name, days, problems, (*SECONDS, LONG_SECONDS) if long else SECONDS, tell) for engine in ENGINES]
    return [row | {PROTOTYPE: BEFORE[row["engine"]]} for row in rows]


def _searched(
    engine: str, name: str, days: Sequence[Instance], problems: Sequence[Problem], budgets: Sequence[float], tell: Callable[[str], None]
) -> Row:
    row: Row = {"engine": engine, "days": name}
    for seconds in budgets:
        row |= gaps_at(seconds, ENGINES[engine], days, problems)
        tell(f"{engine}, {name} days, {seconds:g} s each: {row[f'gap at {seconds:g} s, %']:.2f} %")
    return row


def gaps_at(seconds: float, engine: Engine, days: Sequence[Instance], problems: Sequence[Problem]) -> Row:
    """The mean gap of an engine after so many seconds, and the worst."""
    plans = [engine(problem, Effort(seconds=seconds), own_seconds()).plan for problem in problems]
    gaps = [gap_of(day, problem, plan) for day, problem, plan in zip(days, problems, plans, strict=True)]
    return {f"gap at {seconds:g} s, %": fmean(gaps), f"worst at {seconds:g} s, %": max(gaps)}


def _usual(name: str, days: Sequence[Instance], problems: Sequence[Problem]) -> Row:
    calls = [np.argsort([request["call_rank"] for request in day["requests"]]).tolist() for day in days]
    gaps = [gap_of(day, problem, next_available(problem, call)) for day, problem, call in zip(days, problems, calls, strict=True)]
    return {"engine": "next available, in the order of the calls", "days": name, "gap at once, %": fmean(gaps)}


def _greedy(name: str, days: Sequence[Instance], problems: Sequence[Problem]) -> Row:
    gaps = [gap_of(day, problem, most_urgent_first(problem)) for day, problem in zip(days, problems, strict=True)]
    return {"engine": "greedy, the most urgent first", "days": name, "gap at once, %": fmean(gaps)}


class Pools:
    """Which pool stands for whom; physicians come first, so that a physician's pool is the physician's number."""

    def __init__(self, instance: Instance) -> None:
        self.capacity: list[list[int]] = []
        self.number: dict[str, int] = {}
        beyond = TICKS - instance["ticks"]
        for each in instance["physicians"]:
            (start, end), (pause, over) = each["shift"], each["break"]
            self.add(f"physician {each['id']}", [int(start <= tick < end and not pause <= tick < over) for tick in range(TICKS)])
        for kind in ("rooms", "equipment"):
            for name, units in instance[kind].items():
                self.add(name, [units] * TICKS)
        self.add("nurse", [*instance["nurse_profile"], *[0] * beyond])

    def add(self, name: str, capacity: list[int]) -> None:
        self.number[name] = len(self.capacity)
        self.capacity.append(capacity)

    def shared(self, request: Mapping[str, Any]) -> list[Role]:
        """What a request needs beside the physician."""
        needs = [(request["room"], request["room_hold"])]
        needs += [(request["equipment"], request["equipment_hold"])] if request["equipment"] else []
        needs += [("nurse", request["dur"])] if request["nurse"] else []
        return [Role(length, [(self.number[name], NO_ROW)]) for name, length in needs]


def eligible(instance: Instance, request: Mapping[str, Any]) -> list[int]:
    return [each["id"] for each in instance["physicians"] if request["specialty"] in each["specialties"]]


def problem_of_day(instance: Instance) -> Problem:
    """Worth is the scorer's own value. P0 is a tier like others in it, only heavier; so it is here."""
    value, pools, end = program("seed_check").value, Pools(instance), instance["ticks"]
    worth: list[list[int]] = []
    visits = []
    for request in instance["requests"]:
        rows: dict[bool, int] = {}
        options = []
        for physician in eligible(instance, request):
            preferred = request["preferred_physician"] in (None, physician)
            if preferred not in rows:
                rows[preferred] = len(worth)
                worth.append([value(instance, request, physician, tick) if tick < end else 0 for tick in range(TICKS)])
            options.append((physician, rows[preferred]))
        starts = range(request["release"], end - request["dur"] + 1)
        visits.append(Visit(starts, request["tier"] + 1, [Role(request["dur"], options), *pools.shared(request)]))
    return problem_of(np.array(pools.capacity, np.int16), visits, worth)


def assignments(requests: Sequence[Row], problem: Problem, plan: Plan) -> list[Row]:
    """As the scorers read them; `requests` are the visits of the problem."""
    return [{"request": requests[visit]["id"], "physician": pool, "start": start} for visit, pool, start in led_by(problem, plan)]


def gap_of(instance: Instance, problem: Problem, plan: Plan) -> float:
    """How far below the bound, in percent, after the scorer found no rule broken."""
    assert not faults(problem, plan)
    scored = program("seed_check").score(instance, assignments(instance["requests"], problem, plan))
    return float(100 * (1 - scored / instance["upper_bound"]))


def fresh(seed: int) -> Instance:
    """A day of the stored generator, in the form of the stored ones, and its bound, which takes some ten seconds once."""
    made = program("seed_gen").gen(seed)
    instance: Instance = {
        "seed": seed, "ticks": 120, "weights": [0.4, 0.4, 0.2], "tau_ticks": [3.0, 12.0, 24.0], "omega": [8.0, 3.0, 1.0],
        "omega_total": float(np.array([8.0, 3.0, 1.0])[made.tier].sum()), "available_ticks": made.A,
        "physicians": [
            {"id": k, "specialties": [name for name, can in zip(SPECIALTIES, made.elig_sp[k], strict=True) if can],
             "shift": [start, end], "break": [pause, pause + 6]}
            for k, (start, end, pause) in enumerate(made.shift)
        ],
        "rooms": dict(zip(ROOMS, made.rcap.tolist(), strict=True)), "equipment": dict(zip(EQUIPMENT, made.ecap.tolist(), strict=True)),
        "nurse_profile": made.ncap.tolist(), "requests": [_request(made, i) for i in range(made.n)],
    }  # fmt: skip
    rank = np.argsort(made.arr)
    for request in instance["requests"]:
        request["call_rank"] = int(rank[request["id"]])
    instance["upper_bound"] = _bound(instance)
    return instance


def _request(made: Any, i: int) -> Row:
    equipment, preferred = int(made.eq[i]), int(made.pref[i])
    return {
        "id": i, "specialty": SPECIALTIES[made.sp[i]], "dur": int(made.d[i]), "tier": int(made.tier[i]), "release": int(made.rel[i]),
        "window": [int(made.lo[i]), int(made.hi[i])], "p_noshow": float(made.p0[i]),
        "preferred_physician": preferred if preferred >= 0 else None, "room": ROOMS[made.room[i]], "room_hold": int(made.rhold[i]),
        "equipment": EQUIPMENT[equipment] if equipment >= 0 else None, "equipment_hold": int(made.ehold[i]), "nurse": bool(made.nurse[i]),
    }  # fmt: skip


def _bound(instance: Instance) -> float:
    kept = KEPT / f"seed{instance['seed']}.bound"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        most = asyncio.run(bound(problem_of_day(instance), BOUND_SECONDS)).value
        assert most
        kept.write_text(str(most.rest), "utf-8")
    return float(kept.read_text("utf-8"))
