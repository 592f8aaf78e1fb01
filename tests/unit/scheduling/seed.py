"""The SEED days of `../shared/data/optim` as problems (SEED.md there defines them)."""

from pathlib import Path
from typing import Any

import numpy as np

from carewright.scheduling.model.planning import Ints, Problem, row_of_bits

SEED_DAYS = Path(__file__).parents[4] / "shared" / "data" / "optim" / "seed"
BEYOND = 8


def seed_day(day: dict[str, Any]) -> Problem:
    """Its requests, physicians, rooms, equipment and nurses; what is held beyond the end of the day finds room behind it."""
    horizon = day["ticks"] + BEYOND
    pools = {("physician", each["id"]): hours(each, horizon) for each in day["physicians"]}
    pools |= {("room", kind): [units] * horizon for kind, units in day["rooms"].items()}
    pools |= {("equipment", kind): [units] * horizon for kind, units in day["equipment"].items()}
    pools["nurse", 0] = [*day["nurse_profile"], *[0] * BEYOND]
    number = {pool: place for place, pool in enumerate(pools)}
    role_from, until, option_from, options, worth = [0], list[int](), [0], list[tuple[int, int]](), list[list[int]]()
    for each in day["requests"]:
        for who in day["physicians"]:
            if each["specialty"] in who["specialties"]:
                options.append((number["physician", who["id"]], len(worth)))
                worth.append([value(day, each, who["id"], tick) for tick in range(horizon)])
        until.append(each["dur"])
        option_from.append(len(options))
        others = [(("room", each["room"]), each["room_hold"]), (("equipment", each["equipment"]), each["equipment_hold"])]
        others += [(("nurse", 0), each["dur"])] if each["nurse"] else []
        for pool, held in others:
            if pool[1] is not None:
                options.append((number[pool], -1))
                until.append(held)
                option_from.append(len(options))
        role_from.append(len(until))
    count, rises = len(day["requests"]), [[0, *(np.flatnonzero(np.diff(row) > 0) + 1)] for row in worth]
    return Problem(
        capacity=np.array(list(pools.values()), np.int16),
        allowed=np.array([row_of_bits(range(each["release"], day["ticks"] - each["dur"] + 1), horizon) for each in day["requests"]]),
        role_from=_ints(role_from), role_since=np.zeros(len(until), np.int32), role_until=_ints(until), option_from=_ints(option_from),
        option_pool=_ints([pool for pool, _ in options]), option_row=_ints([row for _, row in options]), worth=np.array(worth),
        rise_from=_ints(np.cumsum([0, *map(len, rises)])), rise=_ints([tick for some in rises for tick in some]),
        link_from=np.zeros(count + 1, np.int32), link_other=_ints([]), link_least=_ints([]), link_most=_ints([]),
        link_needs=np.zeros(0, np.int8), crowded=np.zeros(count, bool), tier=np.full(count, 1, np.int8), first=0,
        even=np.zeros(len(pools), np.int64), split=np.zeros(len(pools), np.int64),
    )  # fmt: skip


def hours(physician: dict[str, Any], horizon: int) -> list[int]:
    (since, until), (pause, back) = physician["shift"], physician["break"]
    return [int(since <= tick < until and not pause <= tick < back) for tick in range(horizon)]


def value(day: dict[str, Any], request: dict[str, Any], physician: int, tick: int) -> int:
    """`1e7 * c(i, k, t)`, rounded (SEED.md, "Objective")."""
    weights, waited = day["weights"], max(0, tick - request["release"])
    soon = 1.0 / (1.0 + waited / day["tau_ticks"][request["tier"]])
    within = 1.0 if request["window"][0] <= tick < request["window"][1] else 0.6
    known = 1.0 if request["preferred_physician"] in (None, physician) else 0.85
    time_of_day = 1.15 if tick < 12 else 1.10 if tick >= 96 else 1.0
    absent = min(0.95, request["p_noshow"] * time_of_day * (1 + 0.3 * waited / 48))
    used, omega = request["dur"] / day["available_ticks"], day["omega"][request["tier"]] / day["omega_total"]
    worth: float = weights[0] * used + weights[1] * omega * soon * within * known - weights[2] * used * absent
    return round(1e7 * worth)


def _ints(values: object) -> Ints:
    return np.array(values, np.int32)
