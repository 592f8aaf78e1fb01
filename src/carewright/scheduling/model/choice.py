"""Who serves, when several could: least fragmentation, then load balance, then the patient's preference, then a fair coin.

The rule is a pure function from features to an order, and any other function of that shape can take its place.
"""

from datetime import tzinfo
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.availability import AvailabilityIndex, Rows
from carewright.scheduling.model.calendar import local_day
from carewright.scheduling.model.ticks import BitRows, Flags

REACH_TICKS = 96
"""How far free time is followed before and after an interval: 8 hours. What is longer is as useful as it can be."""
USEFUL_TICKS = 3
"""The shortest remainder that a later appointment can use: a quarter of an hour."""
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, the multiplier of Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4)."""

Counts = npt.NDArray[np.intp]


class Features(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is known of the candidates for one interval, one entry each. All of them are free in it.

    `free_before_ticks` and `free_after_ticks`: the free time left on either side of the interval, followed for `REACH_TICKS`.
    `busy_ticks` of `open_ticks`: the load of the local day. `coins`: equal for none, and the same in every process.
    """

    rows: Rows
    free_before_ticks: Counts
    free_after_ticks: Counts
    busy_ticks: Counts
    open_ticks: Counts
    coins: npt.NDArray[np.uint64]


class ChoiceRule(Protocol):
    """Puts candidates in order: positions in `features.rows`, best first. Must depend on nothing but the features and itself."""

    def __call__(self, features: Features) -> Rows: ...


class LeastFragmentation(msgspec.Struct, frozen=True, kw_only=True):
    """The standing rule.

    Candidates are compared by, in this order:

    1. *waste*: ticks in remainders shorter than `useful_ticks`, which no later appointment can use;
    2. *pieces*: remainders left, so that filling a gap beats leaning on an edge, and that beats cutting free time in two;
    3. *load*: the busy share of the day's open time, so that work spreads fairly where calendars do not suffer;
    4. *preference*: rows in `preferred` first. A patient who insists on a person asks for a pool of that one instead;
    5. *coin*: a hash of schedule and instant, so that ties do not always fall to the same person.
    """

    useful_ticks: int = USEFUL_TICKS
    preferred: frozenset[int] = frozenset()

    def __call__(self, features: Features) -> Rows:
        before, after = features.free_before_ticks, features.free_after_ticks
        waste = before * (before < self.useful_ticks) + after * (after < self.useful_ticks)
        pieces = np.add(before > 0, after > 0, dtype=np.intp)
        load = features.busy_ticks / np.maximum(features.open_ticks, 1)
        others = np.array([row not in self.preferred for row in features.rows.tolist()], np.bool_)
        order: Rows = np.lexsort((features.coins, others, load, pieces, waste))
        return order


def features_of(index: AvailabilityIndex, rows: Rows, start_tick: int, end_tick: int, zone: tzinfo) -> Features:
    """The features of `rows` for [start_tick, end_tick), which lies within the horizon; the day is that of its start in `zone`."""
    horizon = index.horizon
    day_start, day_end = horizon.outer(*local_day(zone, horizon.instant_of(start_tick)))
    first, end = horizon.cut(min(day_start, start_tick - REACH_TICKS), max(day_end, end_tick + REACH_TICKS))
    first -= first % 8
    free = _flags(index.free, rows, first, end)
    before = free[:, max(start_tick - REACH_TICKS - first, 0) : start_tick - first]
    after = free[:, end_tick - first : end_tick - first + REACH_TICKS]
    open_ticks = _flags(index.open_bits, rows, first, end)[:, day_start - first : day_end - first].sum(axis=1)
    free_ticks = free[:, day_start - first : day_end - first].sum(axis=1)
    return Features(
        rows=rows,
        free_before_ticks=_leading(before[:, ::-1]),
        free_after_ticks=_leading(after),
        busy_ticks=open_ticks - free_ticks,
        open_ticks=open_ticks,
        coins=(index.salts[rows] ^ np.uint64(horizon.origin_tick + start_tick)) * MIXER,
    )


def _flags(bitmap: BitRows, rows: Rows, first_tick: int, end_tick: int) -> Flags:
    """Some rows of a bitmap, one flag a tick, from a tick that begins a byte."""
    some = bitmap.view(np.uint8)[rows, first_tick // 8 : -(-end_tick // 8)]
    return np.unpackbits(some, axis=1, count=end_tick - first_tick, bitorder="little").view(np.bool_)


def _leading(flags: Flags) -> Counts:
    """How many flags are set in each row before the first that is not."""
    reach = flags.shape[1]
    if reach == 0:
        return np.zeros(len(flags), np.intp)
    first_unset = flags.argmin(axis=1)
    runs: Counts = np.where(flags[np.arange(len(flags)), first_unset], reach, first_unset)
    return runs
