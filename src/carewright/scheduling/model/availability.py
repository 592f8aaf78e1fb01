"""The availability index: the free time of every bookable actor as bits.

Two bitmaps with one row a schedule: `open_bits` (openings minus blocks) and `free` (open and not claimed). Questions are answered by
`search`. The index follows the database and may be stale by a moment; the constraint on claims decides who wins.

A row number is an address, not a name: it holds until the schedule is removed. Look it up for each question and do not keep it.
One thread owns an index. Row `r` of a bitmap is contiguous, so a pool of actors is a handful of straight runs of memory.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from uuid import UUID

import numpy as np
import numpy.typing as npt

from carewright.kernel.invariants import invariant
from carewright.scheduling.model.ticks import (
    BYTES_PER_DAY,
    BitRows,
    Horizon,
    Ranges,
    clear_range,
    painted,
    set_range,
    span_mask,
)

SCHEDULES_MAX = 1_000_000
LOAD_ROWS = 32
"""Rows painted at once when loading: their counters stay within the cache, and mostly within 16 bits."""

Key = UUID | tuple[UUID, UUID]
"""A schedule; or a schedule at one site, for an actor whose hours at several sites are searched apart. Claims then go to each row."""
Rows = npt.NDArray[np.intp]
RangesLike = Ranges | Sequence[tuple[int, int]]
Placed = npt.NDArray[np.int64]
"""Tick ranges of many schedules, shape `[n, 3]`: position of the schedule in the list loaded, first tick, tick after the last."""

NOWHERE: Placed = np.empty((0, 3), np.int64)


class AvailabilityIndex:
    """Free time over a horizon. Memory: `2 * 8 * words` bytes a schedule, 6.5 kB for 90 days."""

    def __init__(self, horizon: Horizon, capacity: int = 64) -> None:
        self.horizon = horizon
        shape = (max(capacity, 1), horizon.words)
        self.open_bits: BitRows = np.zeros(shape, np.uint64)
        self.free: BitRows = np.zeros(shape, np.uint64)
        self.salts = np.zeros(shape[0], np.uint64)
        """A hash of each schedule's id: breaks ties the same way in every process, since Python salts the hash of text only."""
        self._rows: dict[Key, int] = {}
        self._vacant: list[int] = []
        self._used = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, schedule_id: Key) -> bool:
        return schedule_id in self._rows

    @property
    def schedules(self) -> Iterable[Key]:
        """The ids of all schedules held."""
        return self._rows.keys()

    @property
    def size_bytes(self) -> int:
        """Memory of the bitmaps, with the room kept for growth."""
        return self.open_bits.nbytes + self.free.nbytes

    def row_of(self, schedule_id: Key) -> int | None:
        """The row of a schedule, None if it is not held."""
        return self._rows.get(schedule_id)

    def rows_of(self, schedule_ids: Iterable[Key]) -> Rows:
        """The rows of these schedules, each once, in order. One that is not held has no free time and is left out."""
        found = [row for each in dict.fromkeys(schedule_ids) if (row := self._rows.get(each)) is not None]
        return np.array(found, np.intp)

    def load(self, schedule_id: Key, openings: RangesLike, busy: RangesLike, blocks: RangesLike = ()) -> int:
        """Hold a schedule, new or anew: open in `openings` but not in `blocks`, free where not `busy`. Returns its row."""
        self.load_many([schedule_id], _placed(openings), _placed(busy), _placed(blocks))
        return self._rows[schedule_id]

    def load_many(self, schedule_ids: Sequence[Key], openings: Placed, busy: Placed, blocks: Placed = NOWHERE) -> None:
        """`load` for many distinct schedules at once, as they come out of the database. Ranges may overlap and need no order."""
        rows = np.array([self._ensure_row(each) for each in schedule_ids], np.intp)
        sources = [ranges[np.argsort(ranges[:, 0], kind="stable")] for ranges in (openings, busy, blocks)]
        for first in range(0, len(rows), LOAD_ROWS):
            chunk = rows[first : first + LOAD_ROWS]
            opened, taken, blocked = (self._painted(source, first, len(chunk)) for source in sources)
            opened &= ~blocked
            self.open_bits[chunk] = opened
            self.free[chunk] = opened & ~taken

    def reload(
        self, row: int, openings: RangesLike, busy: RangesLike, blocks: RangesLike = (), *, first_tick: int = 0, end_tick: int | None = None
    ) -> None:
        """Replace what is known of [first_tick, end_tick) by what was read again; the rest of the row stays as it is.

        For short ranges, range by range; `load` is faster for a whole row.
        """
        start, end = self.horizon.cut(first_tick, self.horizon.ticks if end_tick is None else end_tick)
        opened, taken, blocked = (
            [(max(int(first), start), min(int(last), end)) for first, last in ranges] for ranges in (openings, busy, blocks)
        )
        clear_range(self.open_bits[row], start, end)
        for each in opened:
            set_range(self.open_bits[row], *each)
        for each in blocked:
            clear_range(self.open_bits[row], *each)
        clear_range(self.free[row], start, end)
        self.set_free(row, start, end, taken)

    def unclaimed(self) -> "AvailabilityIndex":
        """The same calendars as if nothing in them were booked. It shares the bitmaps: ask it at once, and keep it no longer."""
        bare = copy(self)
        bare.free = self.open_bits
        return bare

    def set_busy(self, row: int, start_tick: int, end_tick: int) -> None:
        """Take [start_tick, end_tick), cut to the horizon."""
        clear_range(self.free[row], *self.horizon.cut(start_tick, end_tick))

    def set_free(self, row: int, start_tick: int, end_tick: int, still_busy: RangesLike = ()) -> None:
        """Give [start_tick, end_tick) back where the schedule is open.

        The index does not count claims. Where others reach into the range (further lanes), name them in `still_busy`.
        """
        start, end = self.horizon.cut(start_tick, end_tick)
        if start < end:
            words, bits = span_mask(start, end)
            self.free[row, words] |= self.open_bits[row, words] & bits
        for busy_start, busy_end in still_busy:
            self.set_busy(row, int(busy_start), int(busy_end))

    def remove(self, schedule_id: Key) -> None:
        """Forget a schedule. Its row is used again for the next new one; unknown ids are no error."""
        row = self._rows.pop(schedule_id, None)
        if row is not None:
            self.open_bits[row] = self.free[row] = 0
            self._vacant.append(row)

    def roll(self, horizon: Horizon) -> None:
        """Move on to a later horizon of the same length. The past is dropped; the new days are closed until `reload` opens them."""
        days = (horizon.origin - self.horizon.origin).days
        invariant(days >= 0 and horizon.days == self.horizon.days, "a horizon only moves forward")
        kept, dropped = max(horizon.days - days, 0) * BYTES_PER_DAY, days * BYTES_PER_DAY
        for bitmap in (self.open_bits, self.free):
            as_bytes = bitmap[: self._used].view(np.uint8)
            as_bytes[:, :kept] = as_bytes[:, dropped : dropped + kept]
            as_bytes[:, kept:] = 0
        self.horizon = horizon

    def _painted(self, ranges: Placed, first: int, rows: int) -> BitRows:
        """The ranges of the schedules at positions [first, first + rows); `ranges` is sorted by position."""
        low, high = np.searchsorted(ranges[:, 0], (first, first + rows))
        return painted(rows, self.horizon.ticks, ranges[low:high, 0] - first, ranges[low:high, 1:])

    def _ensure_row(self, schedule_id: Key) -> int:
        if (known := self._rows.get(schedule_id)) is not None:
            return known
        row = self._vacant.pop() if self._vacant else self._next_row()
        self._rows[schedule_id] = row
        self.salts[row] = hash(schedule_id) & 0xFFFF_FFFF_FFFF_FFFF
        return row

    def _next_row(self) -> int:
        """The first row never used; doubles the bitmaps when they are full, so that growing costs O(1) a schedule."""
        invariant(self._used < SCHEDULES_MAX, f"an index holds at most {SCHEDULES_MAX} schedules")
        if self._used == len(self.free):
            self.open_bits = np.concatenate((self.open_bits, np.zeros_like(self.open_bits)))
            self.free = np.concatenate((self.free, np.zeros_like(self.free)))
            self.salts = np.concatenate((self.salts, np.zeros_like(self.salts)))
        self._used += 1
        return self._used - 1


def _placed(ranges: RangesLike) -> Placed:
    """Ranges of a single schedule as `[n, 3]` rows at position 0."""
    pairs = np.asarray(ranges, np.int64).reshape(-1, 2)
    return np.column_stack((np.zeros(len(pairs), np.int64), pairs))
