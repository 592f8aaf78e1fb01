"""Who serves, when several could: least fragmentation, then load balance, then the patient's preference, then a fair coin.

The rule is a pure function from features to an order, and any other function of that shape can take its place.
"""

from datetime import timedelta, tzinfo
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.availability import AvailabilityIndex, Rows
from carewright.scheduling.model.calendar import start_of
from carewright.scheduling.model.ticks import FULL, WORD_BITS, BitRows, Horizon, bits_from

USEFUL_TICKS = 3
"""The shortest remainder that a later appointment can use: a quarter of an hour."""
REACH_TICKS = WORD_BITS
"""How far free time is followed before and after an interval: 5 h 20 min. What is longer is as useful as it can be."""
DAY_TICKS_MAX = 5 * WORD_BITS
"""No local day is longer: 26 h 40 min."""
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, the multiplier of Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4)."""
ONE = np.uint64(1)

Counts = npt.NDArray[np.intp]


class Features(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is known of the candidates `rows` at several starts: arrays of shape `[starts, rows]`.

    `free_before_ticks` and `free_after_ticks`: the free time left on either side of the interval, followed for `REACH_TICKS`.
    `busy_ticks` of `open_ticks`: the load of the local day. `coins`: chance, but the same in every process.
    """

    rows: Rows
    free_before_ticks: Counts
    free_after_ticks: Counts
    busy_ticks: Counts
    open_ticks: Counts
    coins: npt.NDArray[np.uint64]


class ChoiceRule(Protocol):
    """Puts candidates in order at each start: positions in `features.rows`, best first, of shape `[starts, rows]`.

    It depends on nothing but the features and itself, and is asked for everybody: who is not free is left out of its order afterwards.
    """

    def __call__(self, features: Features) -> Counts: ...


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

    def __call__(self, features: Features) -> Counts:
        before, after = features.free_before_ticks, features.free_after_ticks
        waste = before * (before < self.useful_ticks) + after * (after < self.useful_ticks)
        pieces = (before > 0).astype(np.intp) + (after > 0)
        load = features.busy_ticks / np.maximum(features.open_ticks, 1)
        others = np.array([row not in self.preferred for row in features.rows.tolist()], np.bool_)
        order: Counts = np.lexsort((features.coins, np.broadcast_to(others, load.shape), load, pieces, waste))
        return order


def features_of(index: AvailabilityIndex, rows: Rows, start_ticks: Counts, ticks: int, zone: tzinfo) -> Features:
    """The features of `rows` for the intervals of `ticks` from each of `start_ticks`; the day is that of the start in `zone`."""
    days, day_of = _days(index.horizon, start_ticks, zone)
    open_ticks = _set_within(index.open_bits, rows, days)
    busy_ticks = open_ticks - _set_within(index.free, rows, days)
    return Features(
        rows=rows,
        free_before_ticks=_ones_at_end(bits_from(index.free, rows, start_ticks - WORD_BITS)),
        free_after_ticks=_ones_at_start(bits_from(index.free, rows, start_ticks + ticks)),
        busy_ticks=busy_ticks[day_of],
        open_ticks=open_ticks[day_of],
        coins=(index.salts[rows] ^ (index.horizon.origin_tick + start_ticks).astype(np.uint64)[:, np.newaxis]) * MIXER,
    )


def _days(horizon: Horizon, start_ticks: Counts, zone: tzinfo) -> tuple[Counts, Counts]:
    """The local days of the starts, as first tick and first tick of the next, shape `[days, 2]`; and for each start which of them."""
    first, last = (horizon.instant_of(int(tick)).astimezone(zone).date() for tick in (start_ticks.min(), start_ticks.max()))
    dates = (first + timedelta(days=number) for number in range((last - first).days + 2))
    edges = np.array([horizon.tick_at(start_of(zone, on)) for on in dates], np.intp)
    days, day_of = np.unique(np.searchsorted(edges[1:-1], start_ticks, side="right"), return_inverse=True)
    return np.column_stack((edges[days], edges[days + 1])), day_of


def _set_within(bitmap: BitRows, rows: Rows, spans: Counts) -> Counts:
    """How many ticks are set in each of the spans, none longer than `DAY_TICKS_MAX`; shape `[spans, rows]`."""
    total = np.zeros((len(spans), len(rows)), np.intp)
    for offset in range(0, DAY_TICKS_MAX, WORD_BITS):
        length = (spans[:, 1] - spans[:, 0] - offset).clip(0, WORD_BITS)
        wanted = np.array([FULL >> np.uint64(WORD_BITS - each) if each else 0 for each in length.tolist()], np.uint64)
        total += np.bitwise_count(bits_from(bitmap, rows, spans[:, 0] + offset) & wanted[:, np.newaxis])
    return total


def _ones_at_start(words: BitRows) -> Counts:
    """How many bits are set before the first that is not, from the earliest tick on."""
    return np.bitwise_count(words & ~(words + ONE)).astype(np.intp)


def _ones_at_end(words: BitRows) -> Counts:
    """How many bits are set after the last that is not: what is unset is smeared towards earlier ticks, and the rest is counted."""
    unset = ~words
    for shift in (1, 2, 4, 8, 16, 32):
        unset |= unset >> np.uint64(shift)
    return WORD_BITS - np.bitwise_count(unset).astype(np.intp)
