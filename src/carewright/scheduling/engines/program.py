"""The linear program of a problem, as HiGHS sees it. Only ever imported by a child (`bound.py`)."""

from collections.abc import Sequence

import highspy
import numpy as np
import numpy.typing as npt

from carewright.scheduling.engines.asked import AskedPrices, Prices, SentPrices, received, sent_prices
from carewright.scheduling.engines.starts import staffed, startable, stretches_of
from carewright.scheduling.model.planning import Ints, Longs, Problem

TANGENTS = 24
"""Straight lines under the square of each pool's load."""


class Program:
    """Maximise what columns are worth, with every row at most what it may be. Columns are 0 or more."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.worth: list[npt.NDArray[np.float64]] = []
        self.column_count = 0
        self.most = [problem.capacity.astype(np.float64).ravel()]
        self.row_count = problem.capacity.size
        """Rows `pool * ticks + tick` are the pools' capacities."""
        self.rows: list[Longs] = []
        self.columns: list[Longs] = []
        self.values: list[npt.NDArray[np.float64]] = []
        self.led: dict[int, list[tuple[Longs, int]]] = {}
        """By pool: columns by which it leads, and for how many ticks."""
        self.held: dict[int, list[tuple[Longs, Longs]]] = {}
        """By pool whose free time has a price when cut up: columns that hold it, and the tick."""
        for visit in range(problem.visits):
            self._visit(visit)
        self.load = {int(pool): self._square(int(pool)) for pool in np.flatnonzero(problem.even) if pool in self.led}
        self.whole = {int(pool): self._fill(int(pool)) for pool in np.flatnonzero(problem.split)}

    def _new_columns(self, worth: Sequence[float] | npt.NDArray[np.float64]) -> Longs:
        first, self.column_count = self.column_count, self.column_count + len(worth)
        self.worth.append(np.asarray(worth, np.float64))
        return np.arange(first, self.column_count)

    def _new_rows(self, most: Sequence[float] | npt.NDArray[np.float64]) -> Longs:
        first, self.row_count = self.row_count, self.row_count + len(most)
        self.most.append(np.asarray(most, np.float64))
        return np.arange(first, self.row_count)

    def _set(self, rows: Longs, columns: Longs, value: float) -> None:
        self.rows.append(rows)
        self.columns.append(columns)
        self.values.append(np.full(len(rows), value))

    def _visit(self, visit: int) -> None:
        """Once at most: by one lead, from one start on, with one option of each other role."""
        problem, first = self.problem, int(self.problem.role_from[visit])
        others = range(first + 1, problem.role_from[visit + 1])
        ticks = np.flatnonzero(startable(problem, visit))
        once = self._new_rows([1.0])
        choices = {role: self._choice(role, ticks) for role in others if self._options(role) > 1}
        for option in range(problem.option_from[first], problem.option_from[first + 1]):
            starts = ticks[staffed(problem, first, option)[ticks]]
            worth = problem.worth[problem.option_row[option], starts] - problem.first * problem.urgent[visit]
            columns = self._new_columns(worth.astype(np.float64))
            self._set(np.repeat(once, len(columns)), columns, 1.0)
            self._hold(first, option, columns, starts)
            length = int(problem.role_until[first] - problem.role_since[first])
            self.led.setdefault(int(problem.option_pool[option]), []).append((columns, length))
            for role in others:
                if role in choices:
                    self._set(choices[role][np.searchsorted(ticks, starts)], columns, 1.0)
                else:
                    self._hold(role, int(problem.option_from[role]), columns, starts)

    def _options(self, role: int) -> int:
        return int(self.problem.option_from[role + 1] - self.problem.option_from[role])

    def _choice(self, role: int, ticks: Longs) -> Longs:
        """A row for each start: no more starts than somebody fills the role."""
        rows = self._new_rows(np.zeros(len(ticks)))
        for option in range(self.problem.option_from[role], self.problem.option_from[role + 1]):
            there = staffed(self.problem, role, option)[ticks]
            columns = self._new_columns(np.zeros(int(there.sum())))
            self._set(rows[there], columns, -1.0)
            self._hold(role, option, columns, ticks[there])
        return rows

    def _hold(self, role: int, option: int, columns: Longs, starts: Longs) -> None:
        """Columns hold a unit of an option's pool."""
        pool, within = int(self.problem.option_pool[option]), np.arange(self.problem.role_since[role], self.problem.role_until[role])
        held, ticks = np.repeat(columns, len(within)), (starts[:, None] + within).ravel()
        self._set(pool * self.problem.ticks + ticks, held, 1.0)
        if self.problem.split[pool]:
            self.held.setdefault(pool, []).append((held, ticks))

    def _square(self, pool: int) -> int:
        """The column of a pool's load, whose square costs at least what each of some straight lines says."""
        most = int(self.problem.capacity[pool].sum())
        load, square = self._new_columns([0.0, -float(self.problem.even[pool])])
        row = self._new_rows([0.0])
        for columns, length in self.led[pool]:
            self._set(np.repeat(row, len(columns)), columns, float(length))
        self._set(row, np.array([load]), -1.0)
        for tangent in sorted({most * number // TANGENTS for number in range(TANGENTS)}):
            row = self._new_rows([float(tangent * (tangent + 1))])
            self._set(row, np.array([load]), 2.0 * tangent + 1)
            self._set(row, np.array([square]), -1.0)
        return int(load)

    def _fill(self, pool: int) -> list[tuple[int, int, int]]:
        """For each stretch of a pool's time its range, and the row by which it is whole in so far as it is filled."""
        found = []
        for since, until in stretches_of(self.problem.capacity[pool] > 0):
            column, row = self._new_columns([float(self.problem.split[pool])]), self._new_rows([0.0])
            self._set(row, column, float(self.problem.capacity[pool, since:until].sum()))
            self._set(self._new_rows([1.0]), column, 1.0)
            for held, ticks in self.held.get(pool, []):
                inside = held[(ticks >= since) & (ticks < until)]
                self._set(np.repeat(row, len(inside)), inside, -1.0)
            found.append((since, until, int(row[0])))
        return found


def prices(problem: Problem) -> Prices:
    """Its dual values. Raises `ArithmeticError` where HiGHS has none."""
    program = Program(problem)
    values, duals = solved(program)
    tick = duals[: problem.capacity.size].reshape(problem.capacity.shape)
    whole, load = np.zeros(problem.capacity.shape), np.zeros(len(problem.capacity))
    for pool, column in program.load.items():
        load[pool] = values[column]
    for pool, stretches in program.whole.items():
        for since, until, row in stretches:
            whole[pool, since:until] = duals[row]
    return Prices(tick, whole, load)


def price(asked: AskedPrices) -> SentPrices:
    return sent_prices(prices(received(asked.problem)))


def solved(program: Program) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What the columns are, and what a little more in each row would be worth."""
    matrix = np.concatenate(program.rows), np.concatenate(program.columns), np.concatenate(program.values)
    worth = np.concatenate(program.worth)
    scale = max(1.0, float(np.abs(worth).max()) / 100)
    start, index, value = by_column(*matrix, program.column_count)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = program.column_count, program.row_count
    model.col_cost_ = -worth / scale
    model.col_lower_, model.col_upper_ = np.zeros(program.column_count), np.full(program.column_count, highspy.kHighsInf)
    model.row_lower_, model.row_upper_ = np.full(program.row_count, -highspy.kHighsInf), np.concatenate(program.most)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = start, index, value
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no types
    for name, setting in (("output_flag", False), ("threads", 1), ("solver", "ipm"), ("run_crossover", "off")):
        solver.setOptionValue(name, setting)
    solver.passModel(model)
    solver.run()
    solution = solver.getSolution()
    if not solution.dual_valid:
        raise ArithmeticError
    return np.array(solution.col_value), -np.array(solution.row_dual) * scale


def by_column(rows: Longs, columns: Longs, values: npt.NDArray[np.float64], count: int) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """A matrix column by column; what is said of a place more than once is added up."""
    order = np.lexsort((rows, columns))
    rows, columns, values = rows[order], columns[order], values[order]
    fresh = np.concatenate([[True], (np.diff(columns) != 0) | (np.diff(rows) != 0)])
    at = np.flatnonzero(fresh)
    start = np.searchsorted(columns[at], np.arange(count + 1)).astype(np.int32)
    return start, rows[at].astype(np.int32), np.add.reduceat(values, at)
