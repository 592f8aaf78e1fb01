"""What is free: the starts at which every requirement of a visit can be met by somebody, and who should meet it.

For a stretch of `d` ticks, an actor can begin at tick `s` when all of `s .. s+d-1` are free: the AND of the free bits shifted by 0 to d-1,
got by doubling in log2(d) steps for all candidates at once. A pool can begin where at least `count` of its members can; a visit where each
of its pools can, shifted by its offset. So far that is exact if no actor is wanted twice at one moment. Where pools share candidates and
run together it is an upper bound, and two more steps make it exact: Hall's condition, again in bits for all starts at once, and, for the
rare visit whose parts only follow each other in a chain, a search at each start that is left.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from functools import lru_cache, reduce
from itertools import combinations

import msgspec
import numpy as np

from carewright.kernel.invariants import invariant
from carewright.scheduling.model.availability import AvailabilityIndex, Rows
from carewright.scheduling.model.choice import ChoiceRule, LeastFragmentation, features_of
from carewright.scheduling.model.matching import Crowd, fill
from carewright.scheduling.model.ticks import (
    BELOW,
    FULL,
    TICKS_PER_DAY,
    WORD_BITS,
    BitRow,
    BitRows,
    Extract,
    Flags,
    Ticks,
    range_is_set,
    set_range,
    set_ticks,
    span_mask,
    words_of,
)

INTERVAL_TICKS_MAX = 2 * TICKS_PER_DAY
"""The longest stretch one actor can be asked for, buffers included: 48 hours."""
OFFSET_TICKS_MAX = 7 * TICKS_PER_DAY
COUNT_MAX = 16
REQUIREMENTS_MAX = 16
HALL_REQUIREMENTS_MAX = 5
"""Up to so many rival requirements all subsets (26) are checked in bits; beyond, pairs are, and then each start by itself."""
PLANS_CACHED_MAX = 1024
"""Visits for which it is remembered who competes with whom; it depends on the requirements alone."""
ANYONE = LeastFragmentation()


class Requirement(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """`count` of the `candidates` (distinct rows of the index), all for the same interval.

    The interval begins `offset_ticks` after the start of the visit and lasts `duration_ticks`; buffers widen it on either side.
    """

    candidates: Rows
    duration_ticks: int
    offset_ticks: int = 0
    count: int = 1
    buffer_before_ticks: int = 0
    buffer_after_ticks: int = 0

    def __post_init__(self) -> None:
        limits = 0 < self.ticks <= INTERVAL_TICKS_MAX and abs(self.lead) <= OFFSET_TICKS_MAX and 0 < self.count <= COUNT_MAX
        invariant(limits, "a requirement asks for 1 to 16 actors, up to 48 hours, within a week of the start")
        invariant(len(set(self.candidates.tolist())) == len(self.candidates), "the candidates of a requirement are distinct")

    @property
    def lead(self) -> int:
        """First tick taken, counted from the start of the visit; negative where a buffer reaches before it."""
        return self.offset_ticks - self.buffer_before_ticks

    @property
    def ticks(self) -> int:
        """How many ticks are taken, buffers included."""
        return self.buffer_before_ticks + self.duration_ticks + self.buffer_after_ticks

    def interval(self, start_tick: int) -> tuple[int, int]:
        """The ticks taken, buffers included, when the visit starts at `start_tick`."""
        return start_tick + self.lead, start_tick + self.lead + self.ticks


def find_starts(
    index: AvailabilityIndex, requirements: Sequence[Requirement], first_tick: int, end_tick: int, masks: Sequence[BitRow] = ()
) -> BitRow:
    """Every tick in [first_tick, end_tick) at which the visit can start, as a row of bits over the horizon. Exact.

    `masks` (grid, window, …) are rows over the horizon of which every one must allow the start.
    """
    groups = contests(tuple(requirements))
    possible = _possible_starts(index, requirements, groups, first_tick, end_tick, masks)
    if not _undecided(requirements, groups):
        return possible
    exact = np.zeros_like(possible)
    for tick in _verified(index, requirements, groups, possible):
        set_range(exact, tick, tick + 1)
    return exact


def iter_starts(
    index: AvailabilityIndex, requirements: Sequence[Requirement], first_tick: int, end_tick: int, masks: Sequence[BitRow] = ()
) -> Iterator[int]:
    """The same ticks, earliest first, verified only as far as they are drawn. Resume from the last one by `first_tick = last + 1`."""
    groups = contests(tuple(requirements))
    return _verified(index, requirements, groups, _possible_starts(index, requirements, groups, first_tick, end_tick, masks))


def assign(
    index: AvailabilityIndex, requirements: Sequence[Requirement], start_tick: int, choose: ChoiceRule = ANYONE, zone: tzinfo = UTC
) -> tuple[Rows, ...] | None:
    """The rows that serve each requirement if the visit starts at `start_tick`, or None if that is not possible.

    Earlier requirements choose first, by the order of `choose`; they yield only where a later one could not be met otherwise.
    """
    return assign_all(index, requirements, [start_tick], choose, zone)[0]


def assign_all(
    index: AvailabilityIndex,
    requirements: Sequence[Requirement],
    start_ticks: Sequence[int],
    choose: ChoiceRule = ANYONE,
    zone: tzinfo = UTC,
) -> list[tuple[Rows, ...] | None]:
    """`assign` for each of several starts, each by itself: a page of times costs little more than one."""
    if not start_ticks:
        return []
    starts = np.array(start_ticks, np.intp)
    ranked = []
    for each in requirements:
        pools = _ranked(index, each, starts, choose, zone)
        if all(len(pool) < each.count for pool in pools):  # nobody needs to look at the rest
            return [None] * len(start_ticks)
        ranked.append(pools)
    crowds = crowds_of(tuple(requirements)) if contests(tuple(requirements)) else ()
    return [_staffed(requirements, pools, crowds) for pools in zip(*ranked, strict=True)]


def capacities(index: AvailabilityIndex, requirements: Sequence[Requirement], start_ticks: Ticks) -> Ticks:
    """How many such visits could begin at each of these starts. Too many where pools compete, and never none where one can."""
    if not len(start_ticks):
        return start_ticks
    able = [_able(index, each, start_ticks).sum(axis=1) // each.count for each in requirements]
    most: Ticks = np.minimum.reduce(able)
    return most


def free_rows(index: AvailabilityIndex, requirement: Requirement, start_tick: int) -> Rows:
    """The candidates who are free for the whole interval if the visit starts at `start_tick`."""
    first, end = requirement.interval(start_tick)
    if first < 0 or end > index.horizon.ticks:
        return requirement.candidates[:0]
    rows = requirement.candidates
    if len(rows) == 1:  # a named actor, as in most bookings
        return rows if range_is_set(index.free[rows[0]], first, end) else rows[:0]
    words, bits = span_mask(first, end)
    free = (index.free[rows, words] & bits) == bits
    able: Rows = rows[free.all(axis=1)]
    return able


@lru_cache(maxsize=PLANS_CACHED_MAX)
def crowds_of(requirements: tuple[Requirement, ...]) -> tuple[Crowd, ...]:
    """The largest sets of requirements that run at one moment. A new one can only form where a requirement begins."""
    running = {
        tuple(number for number, each in enumerate(requirements) if each.lead <= begin.lead < each.lead + each.ticks)
        for begin in requirements
    }
    return tuple(sorted(crowd for crowd in running if not any(set(crowd) < set(other) for other in running)))


@lru_cache(maxsize=PLANS_CACHED_MAX)
def contests(requirements: tuple[Requirement, ...]) -> tuple[Crowd, ...]:
    """Groups of requirements, by number, that may want one actor at one moment, linked directly or through others.

    Empty for a visit whose pools are disjoint, or meet only at different times.
    """
    invariant(len(requirements) <= REQUIREMENTS_MAX, f"a visit has at most {REQUIREMENTS_MAX} requirements")
    if len(requirements) == 1:
        return ()
    wanted = [set(each.candidates.tolist()) for each in requirements]
    group = list(range(len(requirements)))
    for crowd in crowds_of(requirements):
        for one, other in combinations(crowd, 2):
            if not wanted[one].isdisjoint(wanted[other]):
                group = [group[one] if each == group[other] else each for each in group]
    groups = [tuple(number for number, each in enumerate(group) if each == root) for root in sorted(set(group))]
    return tuple(each for each in groups if len(each) > 1)


def _undecided(requirements: Sequence[Requirement], groups: Sequence[Crowd]) -> list[tuple[Requirement, ...]]:
    """The contests that Hall's condition alone does not decide: not all at one moment, or too many."""
    rivals = [tuple(requirements[number] for number in group) for group in groups]
    return [group for group in rivals if len(crowds_of(group)) > 1 or len(group) > HALL_REQUIREMENTS_MAX]


def _verified(index: AvailabilityIndex, requirements: Sequence[Requirement], groups: Sequence[Crowd], possible: BitRow) -> Iterator[int]:
    undecided = _undecided(requirements, groups)
    for tick in set_ticks(possible).tolist():
        if all(_can_serve(index, group, tick) for group in undecided):
            yield tick


def _can_serve(index: AvailabilityIndex, requirements: tuple[Requirement, ...], start_tick: int) -> bool:
    pools = [free_rows(index, each, start_tick).tolist() for each in requirements]
    return fill(pools, [each.count for each in requirements], crowds_of(requirements)) is not None


def _staffed(requirements: Sequence[Requirement], pools: Sequence[Rows], crowds: Sequence[Crowd]) -> tuple[Rows, ...] | None:
    if any(len(pool) < each.count for pool, each in zip(pools, requirements, strict=True)):
        return None
    if not crowds:
        return tuple(pool[: each.count] for pool, each in zip(pools, requirements, strict=True))
    chosen = fill([pool.tolist() for pool in pools], [each.count for each in requirements], crowds)
    return None if chosen is None else tuple(np.array(rows, np.intp) for rows in chosen)


def _ranked(index: AvailabilityIndex, requirement: Requirement, start_ticks: Ticks, choose: ChoiceRule, zone: tzinfo) -> list[Rows]:
    """For each start the candidates who are free, best first."""
    rows = requirement.candidates
    if len(rows) == 1 and len(start_ticks) == 1:  # a named actor at a given time: two words to look at, and nothing to compare
        return [free_rows(index, requirement, int(start_ticks[0]))]
    able = _able(index, requirement, start_ticks)
    if len(rows) < 2:
        return [rows[each] for each in able]
    order = choose(features_of(index, rows, start_ticks + requirement.lead, requirement.ticks, zone))
    return [rows[ranking[flags[ranking]]] for ranking, flags in zip(order, able, strict=True)]


def _able(index: AvailabilityIndex, requirement: Requirement, start_ticks: Ticks) -> Flags:
    """Which candidates are free for the whole interval at each start; shape `[starts, candidates]`."""
    able = np.ones((len(start_ticks), len(requirement.candidates)), np.bool_)
    begins = start_ticks + requirement.lead
    free = Extract.of(index.free, requirement.candidates, int(begins.min()), int(begins.max()) + requirement.ticks)
    for offset in range(0, requirement.ticks, WORD_BITS):
        wanted = BELOW[min(requirement.ticks - offset, WORD_BITS)]
        able &= (free.bits_from(begins + offset) & wanted) == wanted
    return able


def _possible_starts(
    index: AvailabilityIndex,
    requirements: Sequence[Requirement],
    groups: Sequence[Crowd],
    first_tick: int,
    end_tick: int,
    masks: Sequence[BitRow],
) -> BitRow:
    """The starts that pass every test made in bits: masks, pools, and Hall's condition where pools compete."""
    row = np.zeros(index.horizon.words, np.uint64)
    first, end = index.horizon.cut(first_tick, end_tick)
    if first == end:
        return row
    words, within = span_mask(first, end)
    starts = within.copy()
    for mask in masks:
        starts &= mask[words]
    for each in requirements:
        starts &= _pool_fits(index, each, words)
    for group in groups:
        rivals = tuple(requirements[number] for number in group)
        for crowd in crowds_of(rivals):
            starts &= _hall(index, [rivals[number] for number in crowd], words)
    row[words] = starts
    return row


def _hall(index: AvailabilityIndex, crowd: Sequence[Requirement], words: slice) -> BitRow:
    """Starts at which every few of these simultaneous requirements find as many able actors as they ask for together.

    Necessary and sufficient for a system of distinct representatives (P. Hall, 1935); only necessary where a crowd is so large that no more
    than its pairs are checked.
    """
    actors = np.unique(np.concatenate([each.candidates for each in crowd]))
    able = np.zeros((len(crowd), len(actors), words.stop - words.start), np.uint64)
    for number, each in enumerate(crowd):
        able[number, np.searchsorted(actors, each.candidates)] = _shifted(_fits(index, each, words), each.lead)
    enough = np.full(words.stop - words.start, FULL)
    largest = len(crowd) if len(crowd) <= HALL_REQUIREMENTS_MAX else 2
    for size in range(2, largest + 1):
        for some in combinations(range(len(crowd)), size):
            enough &= at_least(_either(able[list(some)]), sum(crowd[number].count for number in some))
    return enough


def _pool_fits(index: AvailabilityIndex, requirement: Requirement, words: slice) -> BitRow:
    """Starts, in `words` of the horizon, at which at least `count` candidates are free for the whole interval."""
    fits = _fits(index, requirement, words)
    return _shifted(at_least(fits, requirement.count), requirement.lead)


def _fits(index: AvailabilityIndex, requirement: Requirement, words: slice) -> BitRows:
    """For each candidate the ticks from which the interval is free.

    The first word is the one that holds the interval's first tick for the first start in `words`, and there is one word more than in
    `words`, so that `_shifted` can line the result up with the starts.
    """
    first = words.start + requirement.lead // WORD_BITS
    kept = words.stop - words.start + 1
    # A run that begins in the last word kept reaches into these; then the rows can be shifted as one, whatever spills from row to row.
    ahead = -(-(requirement.ticks - 1) // WORD_BITS)
    bits = words_of(index.free, requirement.candidates, first, first + kept + ahead)
    keep_runs(bits, requirement.ticks)
    return bits[:, :kept]


def keep_runs(rows: BitRows, ticks: int) -> None:
    """Clear, in place, every bit that does not begin a run of `ticks` set bits.

    Rows are taken as one long row: the last `ticks - 1` bits of each see the row that follows and mean nothing.
    """
    flat = rows.reshape(-1)
    run = 1
    while run < ticks:
        step = min(run, ticks - run)
        whole, part = divmod(step, WORD_BITS)
        later = flat[whole:]
        if part:
            later = later >> np.uint64(part)
            later[:-1] |= flat[whole + 1 :] << np.uint64(WORD_BITS - part)
        flat[: len(later)] &= later
        run += step


def at_least(rows: BitRows, count: int) -> BitRow:
    """The bits set in at least `count` of the rows: neighbours are joined in pairs until one group is left."""
    if count == 1:
        return _either(rows)
    if count > len(rows):
        return np.zeros(rows.shape[1], np.uint64)
    groups = 1 << (len(rows) - 1).bit_length()
    alone = np.zeros((groups, rows.shape[1]), np.uint64)
    alone[: len(rows)] = rows
    levels = [alone]
    while groups > 1:
        groups //= 2
        levels = [_joined(levels, groups, wanted) for wanted in range(1, min(count, 2 * len(levels)) + 1)]
    return levels[count - 1].reshape(-1)


def _either(rows: BitRows) -> BitRows:
    """The OR over the first axis."""
    joined: BitRows = np.bitwise_or.reduce(rows, axis=0)
    return joined


def _joined(levels: list[BitRows], half: int, wanted: int) -> BitRows:
    """Where two groups together have `wanted` set bits: some in one and the rest in the other. `levels[n - 1]` is "n or more"."""
    ways = []
    for ours in range(max(wanted - len(levels), 0), min(wanted, len(levels)) + 1):
        sides = [levels[n - 1][part] for n, part in ((ours, slice(half)), (wanted - ours, slice(half, None))) if n]
        ways.append(reduce(np.bitwise_and, sides))
    return reduce(np.bitwise_or, ways)


def _shifted(rows: BitRows, ticks: int) -> BitRows:
    """One row or many, moved towards their start by `ticks % 64` bits; the last word only feeds the one before it and is dropped."""
    part = ticks % WORD_BITS
    if part == 0:
        return rows[..., :-1]
    return (rows[..., :-1] >> np.uint64(part)) | (rows[..., 1:] << np.uint64(WORD_BITS - part))
