"""Many plans decoded at once, in arrays: visit after visit, each of every plan where it is best then, exactly as the kernel places it.

The same code runs on NumPy, on CuPy and on PyTorch, whichever module it is handed (`xp`); with the latter two on a graphics card, where
each of thousands of plans is a row. Rows of bits are signed words of 64, since PyTorch shifts no unsigned ones. On a processor the kernel
is much faster; this is here for machines with a card, and held against the kernel plan by plan.
"""

from collections.abc import Callable
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.planning import NOT_PLACED, Ints, Longs, Problem
from carewright.scheduling.model.ticks import WORD_BITS

Array = Any
"""An array of whichever module decodes."""
Decoder = Callable[[Ints], tuple[Ints, Ints, Longs]]
"""From orders [plans, visits] to starts [plans, visits], options [plans, roles], and what each plan is worth [plans]."""
NEVER = -(2**62)
LOWEST = -(2**63)


class CrowdedRoles(Exception):
    """Two roles of a visit may draw on one pool: those are filled by trying, which is no work for arrays."""


def batch_decoder(problem: Problem, xp: ModuleType = np) -> Decoder:
    """Decode orders on the arrays of `xp`, on the device that it uses by default. Raises `CrowdedRoles`."""
    if problem.crowded.any():
        raise CrowdedRoles
    tables = SimpleNamespace(**{name: xp.asarray(values) for name, values in _tables(problem).items()})

    def decode(orders: Ints) -> tuple[Ints, Ints, Longs]:
        batch = Batch(xp, tables, len(orders))
        for visits in xp.asarray(np.ascontiguousarray(orders.T, np.int64)):
            batch.place(visits)
        return _here(batch.start).astype(np.int32), _here(batch.chosen[:, :-1]).astype(np.int32), _here(batch.won)

    return decode


def _here(values: Array) -> Longs:
    """As an array of this machine's memory."""
    if hasattr(values, "cpu"):
        values = values.cpu().numpy()
    elif hasattr(values, "get"):
        values = values.get()
    return np.asarray(values, np.int64)


class Batch:
    """So many plans under work. The first axis of every array is theirs."""

    def __init__(self, xp: ModuleType, tables: Any, plans: int) -> None:
        self.xp, self.of = xp, tables
        self.row = xp.arange(plans)
        self.tick = xp.arange(tables.capacity.shape[1])
        self.used = xp.asarray(np.zeros((plans, *tables.capacity.shape), np.int64))
        self.load = xp.asarray(np.zeros((plans, len(tables.even)), np.int64))
        self.start = xp.asarray(np.full((plans, len(tables.allowed)), NOT_PLACED, np.int64))
        self.chosen = xp.asarray(np.full((plans, len(tables.since)), NOT_PLACED, np.int64))
        self.won = xp.asarray(np.zeros(plans, np.int64))
        self.spare = self._packed((self.used < tables.capacity[None]).reshape(-1, len(self.tick))).reshape(plans, len(tables.even), -1)

    def place(self, visits: Array) -> None:
        """One visit of each plan, where that is worth anything."""
        of, xp = self.of, self.xp
        roles = of.roles[visits]
        free = [self._free(roles[:, number]) for number in range(roles.shape[1])]
        anyone = of.allowed[visits]
        for number in range(1, roles.shape[1]):
            some = free[number][:, 0]
            for option in range(1, free[number].shape[1]):
                some = some | free[number][:, option]
            anyone = anyone & xp.where((roles[:, number] >= 0)[:, None], some, -1)
        starts = self._flags(free[0] & anyone[:, None]) & self._linked(visits)[:, None]
        lead = roles[:, 0]
        value = xp.where(self._first_of_stretch(lead, starts), self._value(lead), NEVER).reshape(len(self.row), -1)
        best = xp.amax(value, axis=1)
        where = xp.amin(xp.where(value == best[:, None], xp.arange(value.shape[1])[None], value.shape[1]), axis=1)
        placed, start = best > 0, where % len(self.tick)
        self.won = self.won + xp.where(placed, best, 0)
        self.start[self.row, visits] = xp.where(placed, start, NOT_PLACED)
        self._hold(lead, where // len(self.tick), start, placed, leads=True)
        for number in range(1, roles.shape[1]):
            fits = (self._bit(free[number], start) == 1) & (of.pool[roles[:, number]] >= 0)
            options = xp.where(fits, xp.arange(fits.shape[1])[None], fits.shape[1] - 1)
            self._hold(roles[:, number], xp.amin(options, axis=1), start, placed & (roles[:, number] >= 0), leads=False)

    def _free(self, roles: Array) -> Array:
        """[plans, options, words] From which starts on each option of a role is free for as long as that lasts."""
        of, since, until = self.of, self.of.since[roles], self.of.until[roles]
        pools = of.pool[roles]
        rows = self.xp.where((pools >= 0)[:, :, None], self.spare[self.row[:, None], self.xp.clip(pools, 0, None)], 0)
        length, have = until - since, self.xp.ones_like(since)
        for _ in range(int(length.max() - 1).bit_length()):
            step = self.xp.clip(self.xp.minimum(have, length - have), 0, None)
            rows = rows & self._earlier(rows, step)
            have = have + step
        return self._earlier(rows, since)

    def _earlier(self, rows: Array, by: Array) -> Array:
        """Rows moved so many ticks towards the beginning, each plan's by its own number."""
        shift = (by & 63)[:, None, None]
        word = self.xp.arange(rows.shape[2])[None] + (by >> 6)[:, None]
        low, high = self._word(rows, word), self._word(rows, word + 1)
        logical = (low >> shift) & ~((LOWEST >> shift) << 1)  # a signed word moved to the right brings its sign along
        return logical | ((high << 1) << (63 - shift))

    def _word(self, rows: Array, at: Array) -> Array:
        """Those words of each row; beyond it nothing is set."""
        inside = self.xp.clip(at, 0, rows.shape[2] - 1)
        found = rows[self.row[:, None, None], self.xp.arange(rows.shape[1])[None, :, None], inside[:, None]]
        return self.xp.where((at < rows.shape[2])[:, None], found, 0)

    def _bit(self, rows: Array, at: Array) -> Array:
        """[plans, options] The bit of each row at a tick of the plan's own."""
        return (self._word(rows, (at >> 6)[:, None])[:, :, 0] >> (at & 63)[:, None]) & 1

    def _flags(self, rows: Array) -> Array:
        """Words as ticks."""
        return ((rows[:, :, self.tick >> 6] >> (self.tick & 63)) & 1) == 1

    def _packed(self, flags: Array) -> Array:
        """Ticks as words."""
        bits = self.xp.asarray(flags, dtype=self.xp.int64).reshape(len(flags), -1, WORD_BITS)
        return (bits << self.xp.arange(WORD_BITS)).sum(axis=2)

    def _linked(self, visits: Array) -> Array:
        """[plans, ticks] Which starts agree with the visits that each one is linked to."""
        of, xp = self.of, self.xp
        agreed = xp.ones_like(visits)[:, None] == xp.ones_like(self.tick)[None]
        for link in range(of.link_other.shape[1]):
            other = of.link_other[visits, link]
            start = self.start[self.row, xp.clip(other, 0, None)][:, None]
            least, most = of.link_least[visits, link][:, None], of.link_most[visits, link][:, None]
            near = (self.tick[None] >= start + least) & (self.tick[None] <= start + most)
            without = (of.link_needs[visits, link] != 1)[:, None]
            agreed = agreed & ((other < 0)[:, None] | ((start >= 0) & near) | ((start < 0) & without))
        return agreed

    def _first_of_stretch(self, roles: Array, starts: Array) -> Array:
        """[plans, options, ticks] Of the starts, the first within each stretch in which worth does not grow."""
        counted = self.xp.cumsum(self.xp.asarray(starts, dtype=self.xp.int64), axis=2)
        before = counted - self.xp.asarray(starts, dtype=self.xp.int64)
        begins = self.of.stretch[self.of.worth_row[roles]]
        option = self.xp.arange(starts.shape[1])[None, :, None]
        return starts & (before == before[self.row[:, None, None], option, begins])

    def _value(self, roles: Array) -> Array:
        """[plans, options, ticks] What a start is worth, less uneven work and free time cut up."""
        of, pools = self.of, self.xp.clip(self.of.pool[roles], 0, None)
        length = (of.until[roles] - of.since[roles])[:, None]
        uneven = of.even[pools] * length * (2 * self.load[self.row[:, None], pools] + length)
        free = self._flags(self.spare[self.row[:, None], pools])
        cut_up = self._at(free, of.since[roles] - 1) + self._at(free, of.until[roles]) - 1
        return of.worth[of.worth_row[roles]] - uneven[:, :, None] - of.split[pools][:, :, None] * cut_up

    def _at(self, free: Array, by: Array) -> Array:
        """[plans, options, ticks] 1 where the tick so many later is free."""
        tick = self.tick[None] + by[:, None]
        inside = self.xp.clip(tick, 0, len(self.tick) - 1)
        found = free[self.row[:, None, None], self.xp.arange(free.shape[1])[None, :, None], inside[:, None]]
        return self.xp.asarray(found & (tick == inside)[:, None], dtype=self.xp.int64)

    def _hold(self, roles: Array, options: Array, start: Array, placed: Array, *, leads: bool) -> None:
        """Fill a role of each plan in which the visit is placed."""
        of, xp = self.of, self.xp
        pools = xp.clip(of.pool[roles, options], 0, None)
        since, until = start + of.since[roles], start + of.until[roles]
        held = placed[:, None] & (self.tick[None] >= since[:, None]) & (self.tick[None] < until[:, None])
        self.used[self.row, pools] += xp.asarray(held, dtype=xp.int64)
        self.spare[self.row, pools] = self._packed(self.used[self.row, pools] < of.capacity[pools])
        self.chosen[self.row, roles] = xp.where(placed, of.option[roles, options], self.chosen[self.row, roles])
        if leads:
            self.load[self.row, pools] += xp.where(placed, until - since, 0)


def _tables(problem: Problem) -> dict[str, Longs]:
    """The problem in rectangles: lists of different lengths are filled up with `NOT_PLACED`, and ticks to whole words.

    Behind the last role stands one for visits that have fewer roles than others: it has no options and takes no time.
    """
    words = problem.allowed.shape[1]
    capacity = np.zeros((len(problem.capacity), words * WORD_BITS), np.int64)
    capacity[:, : problem.ticks] = problem.capacity
    worth = np.zeros((len(problem.worth), words * WORD_BITS), np.int64)
    worth[:, : problem.ticks] = problem.worth
    options = _filled_up(problem.option_from, np.arange(len(problem.option_pool)))
    links = _filled_up(problem.link_from, np.arange(len(problem.link_other)))
    none = np.full((1, options.shape[1]), NOT_PLACED)
    options = np.concatenate([options, none])
    return {
        "capacity": capacity, "worth": worth, "stretch": _stretch(problem, words * WORD_BITS), "allowed": problem.allowed.view(np.int64),
        "roles": _filled_up(problem.role_from, np.arange(len(problem.role_since))), "option": options,
        "since": np.append(problem.role_since, 0).astype(np.int64), "until": np.append(problem.role_until, 1).astype(np.int64),
        "pool": _picked(problem.option_pool, options), "worth_row": np.maximum(_picked(problem.option_row, options), 0),
        "link_other": _picked(problem.link_other, links), "link_least": _picked(problem.link_least, links),
        "link_most": _picked(problem.link_most, links), "link_needs": _picked(problem.link_needs, links),
        "even": problem.even.astype(np.int64), "split": problem.split.astype(np.int64),
    }  # fmt: skip


def _filled_up(starts: Ints, values: Longs) -> Longs:
    """[lists, longest] Lists that stand one after the other as rows of one length."""
    rows = [values[since:until] for since, until in pairwise(starts)]
    width = max((len(row) for row in rows), default=0)
    return np.array([np.pad(row, (0, width - len(row)), constant_values=NOT_PLACED) for row in rows], np.int64).reshape(len(rows), width)


def _picked(values: npt.NDArray[Any], places: Longs) -> Longs:
    """The values at these places; `NOT_PLACED` where there is none."""
    return np.where(places >= 0, np.append(values, NOT_PLACED)[places], NOT_PLACED).astype(np.int64)


def _stretch(problem: Problem, ticks: int) -> Longs:
    """[rows, ticks] Where the stretch begins in which a tick is, and worth does not grow."""
    begins = np.zeros((len(problem.worth), ticks), np.int64)
    for row in range(len(problem.worth)):
        rises = problem.rise[problem.rise_from[row] : problem.rise_from[row + 1]]
        begins[row, rises] = rises
    return np.maximum.accumulate(begins, axis=1)
