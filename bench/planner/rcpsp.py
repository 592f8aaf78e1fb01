"""PSPLIB (Kolisch and Sprecher, 1997): activities with precedence on shared resources, the shortest schedule wanted, by OR-Tools CP-SAT.

It stands here for what CP-SAT does on precedence and capacity, which is what the planner keeps it for. Every schedule is checked again.
"""

from collections.abc import Callable
from statistics import fmean
from threading import Event, Thread
from typing import Any, NamedTuple

import numpy as np
from ortools.sat.python import cp_model

from bench.planner.clock import THREADS, own_seconds
from bench.planner.data import OPTIM, best_known
from bench.planner.others import stop_at

Row = dict[str, Any]
SECONDS = 5.0
"""Processor seconds of each worker."""
SAMPLED = 5


class Project(NamedTuple):
    """Durations, what each activity needs of each resource, who comes after whom, and how much there is."""

    durations: list[int]
    needs: list[list[int]]
    followers: list[list[int]]
    capacity: list[int]


def measure(tell: Callable[[str], None], *, long: bool) -> list[Row]:
    """The mean gap to the best known length of each set, or of every fifth project of it: all take half an hour."""
    rows = []
    for name in ("PSPLIB-J30", "PSPLIB-J60", "PSPLIB-J120"):
        known = [each for each in best_known("rcpsp") if each["set"] == name][:: 1 if long else SAMPLED]
        tell(f"{name}: {len(known)} projects, at most {SECONDS:g} s each")
        gaps, proved = [], 0
        for each in known:
            length, optimal = shortest(read(each["instance"]))
            gaps.append(100 * (length / int(each["best_known_makespan"]) - 1))
            proved += optimal
        tell(f"{fmean(gaps):.2f} %")
        rows.append({
            "set": name, "projects": len(known), "mean gap to the best known, %": fmean(gaps), "worst, %": max(gaps),
            "as good as the best known": sum(gap <= 0 for gap in gaps), "proved the best": proved,
        })  # fmt: skip
    return rows


def read(name: str) -> Project:
    """Patterson's form: counts, capacities, then for each activity its length, needs, how many follow it and which."""
    numbers = iter(map(int, (OPTIM / "rcpsp" / name).read_text("utf-8").split()))
    activities, resources = next(numbers), next(numbers)
    capacity = [next(numbers) for _ in range(resources)]
    project = Project([], [], [], capacity)
    for _ in range(activities):
        project.durations.append(next(numbers))
        project.needs.append([next(numbers) for _ in range(resources)])
        project.followers.append([next(numbers) - 1 for _ in range(next(numbers))])
    return project


def shortest(project: Project) -> tuple[int, bool]:
    """The length of the shortest schedule found, and whether it is proved that there is none shorter."""
    model, horizon = cp_model.CpModel(), sum(project.durations)
    starts = [model.new_int_var(0, horizon, "") for _ in project.durations]
    intervals = [model.new_fixed_size_interval_var(start, length, "") for start, length in zip(starts, project.durations, strict=True)]
    for activity, followers in enumerate(project.followers):
        for follower in followers:
            model.add(starts[follower] >= starts[activity] + project.durations[activity])
    for resource, capacity in enumerate(project.capacity):
        model.add_cumulative(intervals, [needs[resource] for needs in project.needs], capacity)
    model.minimize(starts[-1])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = THREADS
    done = Event()
    clock = own_seconds()
    watch = Thread(target=stop_at, args=(solver, clock, clock() + SECONDS, done))
    watch.start()
    status = solver.solve(model)
    done.set()
    watch.join()
    assert status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    found = [solver.value(start) for start in starts]
    ensure_sound(project, found)
    return found[-1], status == cp_model.OPTIMAL


def ensure_sound(project: Project, starts: list[int]) -> None:
    """No line of it is the solver's."""
    ends = [start + length for start, length in zip(starts, project.durations, strict=True)]
    assert all(starts[follower] >= ends[each] for each, followers in enumerate(project.followers) for follower in followers)
    used = np.zeros((len(project.capacity), max(ends) + 1), int)
    for start, end, needs in zip(starts, ends, project.needs, strict=True):
        used[:, start:end] += np.array(needs)[:, None]
    assert (used <= np.array(project.capacity)[:, None]).all()
