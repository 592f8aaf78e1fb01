"""Who serves, when several could: least fragmentation, then load balance, then the patient's preference, then a fair coin.

The rule is a pure function from features to an order, and any other function of that shape can take its place.
"""

from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.availability import AvailabilityIndex, Rows
from carewright.scheduling.model.calendar import start_of
from carewright.scheduling.model.ticks import WORD_BITS, BitRows, Extract, Horizon, Ticks

USEFUL_TICKS = 3
"""The shortest remainder that a later appointment can use: a quarter of an hour."""
REACH_TICKS = WORD_BITS
"""How far free time is followed before and after an interval: 5 h 20 min. What is longer is as useful as it can be."""
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, the multiplier of Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4)."""
ONE = np.uint64(1)


class Features(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is known of the candidates `rows` at several starts: arrays of shape `[starts, rows]`.

    `free_before_ticks` and `free_after_ticks`: the free time left on either side of the interval, followed for `REACH_TICKS`.
    `busy_ticks` of `open_ticks`: the load of the local day. `coins`: chance, but the same in every process.
    """

    rows: Rows
    free_before_ticks: Ticks
    free_after_ticks: Ticks
    busy_ticks: Ticks
    open_ticks: Ticks
    coins: npt.NDArray[np.uint64]


class ChoiceRule(Protocol):
    """Puts candidates in order at each start: positions in `features.rows`, best first, of shape `[starts, rows]`.

    It depends on nothing but the features and itself, and is asked for everybody: who is not free is left out of its order afterwards.
    """

    def __call__(self, features: Features) -> Ticks: ...


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

    def __call__(self, features: Features) -> Ticks:
        before, after = features.free_before_ticks, features.free_after_ticks
        waste = before * (before < self.useful_ticks) + after * (after < self.useful_ticks)
        pieces = (before > 0).astype(np.intp) + (after > 0)
        load = features.busy_ticks / np.maximum(features.open_ticks, 1)
        others = np.array([row not in self.preferred for row in features.rows.tolist()], np.bool_)
        # Pieces are 0 to 2, so one number holds the first two criteria: the fewer keys, the faster the sort.
        order: Ticks = np.lexsort((features.coins, np.broadcast_to(others, load.shape), load, 3 * waste + pieces))
        return order


def features_of(index: AvailabilityIndex, rows: Rows, start_ticks: Ticks, ticks: int, zone: tzinfo) -> Features:
    """The features of `rows` for the intervals of `ticks` from each of `start_ticks`; the day is that of the start in `zone`."""
    edges = _day_edges(index.horizon, zone)
    days, day_of = np.unique(np.searchsorted(edges[1:-1], start_ticks, side="right"), return_inverse=True)
    first = min(int(start_ticks.min()) - REACH_TICKS, int(edges[days[0]]))
    end = max(int(start_ticks.max()) + ticks + REACH_TICKS, int(edges[days[-1] + 1]))
    free, opened = (Extract.of(bitmap, rows, first, end) for bitmap in (index.free, index.open_bits))
    sides = free.bits_from(np.concatenate((start_ticks - REACH_TICKS, start_ticks + ticks)))
    counts = free.beside(opened).set_within(edges[days], edges[days + 1])[day_of]
    return Features(
        rows=rows,
        free_before_ticks=_ones_at_end(sides[: len(start_ticks)]),
        free_after_ticks=_ones_at_start(sides[len(start_ticks) :]),
        busy_ticks=counts[:, len(rows) :] - counts[:, : len(rows)],
        open_ticks=counts[:, len(rows) :],
        coins=(index.salts[rows] ^ (index.horizon.origin_tick + start_ticks).astype(np.uint64)[:, np.newaxis]) * MIXER,
    )


@lru_cache(maxsize=64)
def _day_edges(horizon: Horizon, zone: tzinfo) -> Ticks:
    """The ticks at which the local days of the horizon begin, from the one its first tick lies in to the one after its last."""
    first, last = (instant.astimezone(zone).date() for instant in (horizon.origin, horizon.end))
    dates = (first + timedelta(days=number) for number in range((last - first).days + 2))
    return np.array([horizon.tick_at(start_of(zone, on)) for on in dates], np.intp)


def _ones_at_start(words: BitRows) -> Ticks:
    """How many bits are set before the first that is not, from the earliest tick on."""
    return np.bitwise_count(words & ~(words + ONE)).astype(np.intp)


def _ones_at_end(words: BitRows) -> Ticks:
    """How many bits are set after the last that is not: what is unset is smeared towards earlier ticks, and the rest is counted."""
    unset = ~words
    for shift in (1, 2, 4, 8, 16, 32):
        unset |= unset >> np.uint64(shift)
    return WORD_BITS - np.bitwise_count(unset).astype(np.intp)
