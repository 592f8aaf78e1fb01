"""The bound of the linear relaxation of a day, in a process of its own: `python -m bench.planner.bound day.json answer.txt`.

A column for each visit, physician and start; a row for each visit (at most once) and for each pool and tick (no more than are there).
HiGHS and OR-Tools cannot both be loaded into one process, which is why this is a program.
"""

import json
import sys
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from bench.planner.seed import problem_of_day
from carewright.scheduling.model.planning import Problem

SCALE = 1e-4
"""Worth is in ten-millionths; the solver likes numbers about one."""


def columns(problem: Problem) -> tuple[list[int], list[list[int]]]:
    """What each placement is worth, and the rows that it takes: its visit, then pools by ticks. Only the lead has a choice."""
    ticks = problem.ticks
    spare = problem.capacity > 0
    worth, taken = [], []
    for visit in range(problem.visits):
        starts = np.flatnonzero(np.unpackbits(problem.allowed[visit].view(np.uint8), bitorder="little")[:ticks])
        roles = range(problem.role_from[visit], problem.role_from[visit + 1])
        others = [(int(problem.option_pool[problem.option_from[role]]), int(problem.role_until[role])) for role in roles[1:]]
        for option in range(problem.option_from[roles[0]], problem.option_from[roles[0] + 1]):
            needs = [(int(problem.option_pool[option]), int(problem.role_until[roles[0]])), *others]
            for start in starts.tolist():
                if all(spare[pool, start : start + length].all() for pool, length in needs):
                    worth.append(int(problem.worth[problem.option_row[option], start]))
                    rows = [problem.visits + pool * ticks + tick for pool, length in needs for tick in range(start, start + length)]
                    taken.append([visit, *rows])
    return worth, taken


def bound(problem: Problem) -> float:
    worth, taken = columns(problem)
    most = np.concatenate([np.ones(problem.visits), problem.capacity.reshape(-1).astype(float)])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(worth), len(most)
    model.col_cost_ = -np.array(worth, float) * SCALE
    model.col_lower_, model.col_upper_ = np.zeros(len(worth)), np.full(len(worth), highspy.kHighsInf)
    model.row_lower_, model.row_upper_ = np.full(len(most), -highspy.kHighsInf), most
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.cumsum([0, *map(len, taken)])
    model.a_matrix_.index_ = np.concatenate(taken)
    model.a_matrix_.value_ = np.ones(len(model.a_matrix_.index_))
    solver: Any = vars(highspy)["Highs"]()  # which comes without types
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("solver", "ipm")
    solver.passModel(model)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(-solver.getInfo().objective_function_value / SCALE)


if __name__ == "__main__":
    day, answer = map(Path, sys.argv[1:])
    answer.write_text(f"{bound(problem_of_day(json.loads(day.read_text('utf-8')))):.1f}", "utf-8")
