"""IHTC-2024: ten public instances against the best costs known, and fourteen for which none is stored, as scored by the stored checker."""

from collections.abc import Callable
from typing import Any

from bench.planner.data import best_known, program, stored
from bench.planner.ihtp.instance import ward_of, written
from bench.planner.ihtp.search import search
from carewright.scheduling.engines.chains import Effort

Row = dict[str, Any]
SECONDS, LONG_SECONDS, SMALL_SECONDS = (10.0, 60.0), 600.0, 5.0
"""Processor seconds of each of two chains. Ten minutes of two cores are half of what the competition allowed, which was four threads."""
SMALL = (*(f"small{number:02}" for number in range(1, 10)), *(f"test{number:02}" for number in range(1, 6)))


def measure(tell: Callable[[str], None], *, long: bool) -> list[Row]:
    """The gap of each instance to the best known cost after so many seconds, and how many others have a plan without a broken rule."""
    budgets = (*SECONDS, LONG_SECONDS) if long else SECONDS
    rows = []
    for known in best_known("ihtp"):
        row: Row = {"instance": known["instance"], "best known": int(known["best_known_cost"])}
        for seconds in budgets:
            row |= {f"{name} at {seconds:g} s": figure for name, figure in reached(known["instance"], row["best known"], seconds).items()}
        tell(", ".join(f"{name} {figure:.4g}" for name, figure in row.items() if name != "instance"))
        rows.append(row)
    tell(f"{len(SMALL)} instances without a best known cost, {SMALL_SECONDS:g} s each")
    sound = sum(reached(name, 1, SMALL_SECONDS)["broken rules"] == 0 for name in SMALL)
    return [*rows, mean_of(rows), {"instance": f"sound plans of {len(SMALL)} others at {SMALL_SECONDS:g} s: {sound}"}]


def reached(name: str, best: int, seconds: float, seed: int = 1) -> dict[str, float]:
    """The gap in percent, and how many rules the checker finds broken."""
    instance = stored(f"ihtp/{name}.json")
    found = search(ward_of(instance), Effort(seconds=seconds, seed=seed))
    broken, cost, _ = program("ihtp_check").score(instance, written(instance, found.admissions, found.nurses))
    assert found.cost in {None, cost}
    return {"gap, %": 100 * (cost / best - 1), "broken rules": broken}


def mean_of(rows: list[Row]) -> Row:
    """The mean gap, and the rules broken in all."""
    totals = {name: sum(row[name] for row in rows) for name in rows[0] if " at " in name}
    means = {name: total / len(rows) if "gap" in name else total for name, total in totals.items()}
    return {"instance": "mean, and all broken rules", **means}
