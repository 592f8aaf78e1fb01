"""The kernel that all engines share: where a visit can go and what is best, putting it there and taking it away, in compiled code.

A pool's spare time is a row of bits: a tick is set while a unit is left. What fits for `d` ticks is the AND of that row shifted by 0 to
`d - 1`, by doubling in log2(d) steps; a role is the OR of its options, a visit the AND of its roles. Within a stretch in which worth does
not grow the earliest start is the best, so that a visit's best start is one count of trailing zeros for each stretch.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.engines.compiled import compiled, inlined
from carewright.scheduling.model.planning import NOT_PLACED, Bits, Ints, Longs, Plan, Problem
from carewright.scheduling.model.ticks import packed

ONE, ZERO, FULL = np.uint64(1), np.uint64(0), np.uint64(0xFFFF_FFFF_FFFF_FFFF)
MULTIPLIER = 0x9E37_79B9_7F4A_7C15
"""2^64 by the golden ratio, odd: it spreads seeds that follow each other (Steele, Lea and Flood, SplitMix, 2014)."""


DE_BRUIJN = np.uint64(0x03F7_9D71_B4CB_0A89)
DE_BRUIJN_PLACE = np.array([(int(DE_BRUIJN) << place & int(FULL)) >> 58 for place in range(64)]).argsort().astype(np.int64)
LATER = 0.2
"""How often the search has a linked visit begin after some tick. Without it two that must keep apart were never both placed, where the
one's best start leaves none to the other (tests/unit/scheduling/test_ties.py)."""
BEYOND = 4
"""Words that are never set behind each row to reckon in: as far as a shift may reach."""


class State(NamedTuple):
    """A plan under work: who has what, and room to reckon in. One thread owns it."""

    spare: Bits
    used: npt.NDArray[np.int16]
    at: Ints
    """[pools, ticks] A visit led by the pool at that tick, or none."""
    load: Longs
    """[pools] Ticks that it leads."""
    start: Ints
    chosen: Ints
    out: Ints
    """Visits that are not placed: the first `left[0]`."""
    out_at: Ints
    """[n] Where in `out` a visit stands, or none."""
    left: Longs
    """[1] How many are not placed."""
    random: Bits
    """[1] The state of the generator (xorshift64*, Marsaglia and Vigna)."""
    bits: Bits
    """[4, words + BEYOND] To reckon in."""


def state_of(problem: Problem, seed: int) -> State:
    """Nobody is placed."""
    pools, ticks = problem.capacity.shape
    n, words = problem.allowed.shape
    mixed = (seed + 1) * MULTIPLIER & int(FULL)
    return State(
        packed(problem.capacity > 0), np.zeros((pools, ticks), np.int16), np.full((pools, ticks), NOT_PLACED, np.int32),
        np.zeros(pools, np.int64), np.full(n, NOT_PLACED, np.int32), np.full(len(problem.role_since), NOT_PLACED, np.int32),
        np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32), np.array([n]), np.array([mixed or 1], np.uint64),
        np.zeros((4, words + BEYOND), np.uint64),
    )  # fmt: skip


def plan_of(state: State) -> Plan:
    """A copy of where everybody is."""
    return Plan(state.start.copy(), state.chosen.copy())


@inlined
def drawn(random: Bits) -> np.uint64:
    """64 random bits."""
    x: np.uint64 = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return x * np.uint64(0x2545_F491_4F6C_DD1D)


@inlined
def below(random: Bits, n: int) -> int:
    """One of 0 to n - 1."""
    return int(((drawn(random) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@inlined
def chance(random: Bits) -> float:
    """A number in [0, 1)."""
    return np.float64(drawn(random) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def first_bit(word: np.uint64) -> int:
    """The number of the lowest bit set, of a word that has one (Leiserson, Prokop and Randall, Using de Bruijn sequences, 1998)."""
    return int(DE_BRUIJN_PLACE[((word & (~word + ONE)) * DE_BRUIJN) >> np.uint64(58)])


@inlined
def earlier(row: Bits, word: int, by: int) -> np.uint64:
    """A word of a row to reckon in that was moved `by` ticks towards the beginning; beyond the row nothing is set."""
    at, shift = word + (by >> 6), np.uint64(by & 63)
    moved: np.uint64 = (row[at] >> shift) | ((row[at + 1] << ONE) << (np.uint64(63) - shift))
    return moved


@inlined
def fit(row: Bits, words: int, length: int) -> None:
    """Leave the ticks from which on `length` are set, in place."""
    have = 1
    while have < length:
        step = min(have, length - have)
        for word in range(words):
            row[word] &= earlier(row, word, step)
        have += step


@compiled
def next_tick(row: Bits, words: int, tick: int) -> int:
    """The first tick set from `tick` on, or none."""
    word = tick >> 6
    if word >= words:
        return NOT_PLACED
    left = row[word] & (FULL << np.uint64(tick & 63))
    while left == ZERO:
        word += 1
        if word >= words:
            return NOT_PLACED
        left = row[word]
    return (word << 6) + first_bit(left)


@compiled
def keep_between(row: Bits, words: int, first: int, last: int) -> None:
    """Leave the ticks from `first` to `last`."""
    for word in range(words):
        low, high = first - (word << 6), last + 1 - (word << 6)
        if low >= 64 or high <= 0:
            row[word] = ZERO
            continue
        if low > 0:
            row[word] &= FULL << np.uint64(low)
        if high < 64:
            row[word] &= ~(FULL << np.uint64(high))


@compiled
def is_spare(row: Bits, since: int, until: int) -> bool:
    """Whether every tick of a range is set."""
    whole = True
    for tick in range(since, until):
        whole = whole and row[tick >> 6] >> np.uint64(tick & 63) & ONE != ZERO
    return whole


@compiled
def links_allow(problem: Problem, state: State, visit: int, row: Bits) -> None:
    """Leave the starts that agree with the visits that this one is linked to."""
    for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
        start = state.start[problem.link_other[link]]
        if start >= 0:
            keep_between(row, problem.allowed.shape[1], start + problem.link_least[link], start + problem.link_most[link])
        elif problem.link_needs[link] == 1:
            keep_between(row, problem.allowed.shape[1], 1, 0)


@compiled
def starts_of(problem: Problem, state: State, visit: int) -> bool:
    """Into `bits[0]`: where all roles but the lead could be filled, each by itself. False where that is nowhere."""
    row, pool_row, role_row = state.bits[0], state.bits[1], state.bits[2]
    words = problem.allowed.shape[1]
    for word in range(words):
        row[word] = problem.allowed[visit, word]
    if problem.link_from[visit] < problem.link_from[visit + 1]:
        links_allow(problem, state, visit, row)
    for role in range(problem.role_from[visit] + 1, problem.role_from[visit + 1]):
        since = problem.role_since[role]
        length = problem.role_until[role] - since
        first, last = problem.option_from[role], problem.option_from[role + 1]
        fit_pool(problem, state, problem.option_pool[first], length, pool_row)
        found = pool_row
        if last - first > 1:
            found = role_row
            for word in range(words):
                role_row[word] = pool_row[word]
            for option in range(first + 1, last):
                fit_pool(problem, state, problem.option_pool[option], length, pool_row)
                for word in range(words):
                    role_row[word] |= pool_row[word]
        some = ZERO
        for word in range(words):
            row[word] &= earlier(found, word, since)
            some |= row[word]
        if some == ZERO:
            return False
    return True


@inlined
def fit_pool(problem: Problem, state: State, pool: int, length: int, into: Bits) -> None:
    """Where a unit of a pool is free for so long."""
    words = problem.allowed.shape[1]
    for word in range(words):
        into[word] = state.spare[pool, word]
    fit(into, words, length)


@inlined
def burden(problem: Problem, state: State, pool: int, since: int, until: int) -> int:
    """What leading from `since` to `until`, which is free now, costs beside its worth: uneven work, and free time cut up."""
    cost = 0
    if problem.even[pool]:
        length = until - since
        cost += problem.even[pool] * length * (2 * state.load[pool] + length)
    if problem.split[pool]:
        before = since > 0 and is_spare(state.spare[pool], since - 1, since)
        after = until < state.at.shape[1] and is_spare(state.spare[pool], until, until + 1)
        cost += problem.split[pool] * (int(before) + int(after) - 1)
    return cost


@compiled
def is_staffed(problem: Problem, state: State, visit: int, option: int, start: int) -> bool:
    """Whether its roles can be filled together, by trying."""
    placed = put(problem, state, visit, option, start)
    take(problem, state, visit)
    return placed


@compiled
def best(problem: Problem, state: State, visit: int, blink: float) -> tuple[int, int, int]:
    """What the best place is worth for a visit that has none, the lead's option, and the start; no option where nothing is free.

    Each option is overlooked with the probability `blink`: now and then the second best is the better one. Then, too, a visit that is
    linked may have to begin later than is best for itself, so that there is room for the others: `LATER` says how often.
    """
    gain, chosen, at = 0, NOT_PLACED, NOT_PLACED
    if not starts_of(problem, state, visit):
        return gain, chosen, at
    allowed, row, words = state.bits[0], state.bits[3], problem.allowed.shape[1]
    if blink > 0.0 and problem.link_from[visit] < problem.link_from[visit + 1] and chance(state.random) < LATER:
        keep_between(allowed, words, below(state.random, words << 6), words << 6)
    role = problem.role_from[visit]
    since, until = problem.role_since[role], problem.role_until[role]
    length = until - since
    for option in range(problem.option_from[role], problem.option_from[role + 1]):
        if blink > 0.0 and chance(state.random) < blink:
            continue
        pool = problem.option_pool[option]
        fit_pool(problem, state, pool, length, row)
        for word in range(words):
            row[word] = earlier(row, word, since) & allowed[word]
        worth = problem.option_row[option]
        stretch, last = problem.rise_from[worth], problem.rise_from[worth + 1]
        tick = next_tick(row, words, 0)
        while tick >= 0:
            while stretch + 1 < last and problem.rise[stretch + 1] <= tick:
                stretch += 1
            if problem.crowded[visit] and not is_staffed(problem, state, visit, option, tick):
                tick = next_tick(row, words, tick + 1)
                continue
            value = problem.worth[worth, tick] - burden(problem, state, pool, tick + since, tick + until)
            if chosen < 0 or value > gain:
                gain, chosen, at = value, option, tick
            stretch += 1
            tick = next_tick(row, words, problem.rise[stretch]) if stretch < last else NOT_PLACED
    return gain, chosen, at


@compiled
def hold(problem: Problem, state: State, pool: int, since: int, until: int) -> None:
    """One unit of a pool less."""
    for tick in range(since, until):
        state.used[pool, tick] += 1
        if state.used[pool, tick] >= problem.capacity[pool, tick]:
            state.spare[pool, tick >> 6] &= ~(ONE << np.uint64(tick & 63))


@compiled
def release(problem: Problem, state: State, pool: int, since: int, until: int) -> None:
    """And one more."""
    for tick in range(since, until):
        state.used[pool, tick] -= 1
        if state.used[pool, tick] < problem.capacity[pool, tick]:
            state.spare[pool, tick >> 6] |= ONE << np.uint64(tick & 63)


@compiled
def put(problem: Problem, state: State, visit: int, option: int, start: int) -> bool:
    """Place a visit, its lead by an option, other roles by the first option that is free. Where one has none: False, and half placed."""
    first = problem.role_from[visit]
    lead_by(problem, state, visit, option, start)
    for role in range(first + 1, problem.role_from[visit + 1]):
        since, until = start + problem.role_since[role], start + problem.role_until[role]
        for other in range(problem.option_from[role], problem.option_from[role + 1]):
            pool = problem.option_pool[other]
            if is_spare(state.spare[pool], since, until):
                state.chosen[role] = other
                hold(problem, state, pool, since, until)
                break
        else:
            return False
    return True


@compiled
def put_back(problem: Problem, state: State, visit: int, chosen: Ints, start: int) -> None:
    """Place a visit as it was."""
    first = problem.role_from[visit]
    lead_by(problem, state, visit, chosen[first], start)
    for role in range(first + 1, problem.role_from[visit + 1]):
        state.chosen[role] = chosen[role]
        pool = problem.option_pool[chosen[role]]
        hold(problem, state, pool, start + problem.role_since[role], start + problem.role_until[role])


@compiled
def lead_by(problem: Problem, state: State, visit: int, option: int, start: int) -> None:
    """The lead's part of a placement."""
    role, pool = problem.role_from[visit], problem.option_pool[option]
    since, until = start + problem.role_since[role], start + problem.role_until[role]
    state.chosen[role], state.start[visit] = option, start
    hold(problem, state, pool, since, until)
    state.load[pool] += until - since
    for tick in range(since, until):
        state.at[pool, tick] = visit
    place = state.out_at[visit]
    state.left[0] -= 1
    last = state.out[state.left[0]]
    state.out[place], state.out_at[last], state.out_at[visit] = last, place, NOT_PLACED


@compiled
def take(problem: Problem, state: State, visit: int) -> int:
    """Take a visit away (a half placed one, too). Returns what its place was worth, given who stays."""
    first, start = problem.role_from[visit], state.start[visit]
    lead = state.chosen[first]
    for role in range(first, problem.role_from[visit + 1]):
        option = state.chosen[role]
        if option >= 0:
            state.chosen[role] = NOT_PLACED
            release(problem, state, problem.option_pool[option], start + problem.role_since[role], start + problem.role_until[role])
    pool = problem.option_pool[lead]
    since, until = start + problem.role_since[first], start + problem.role_until[first]
    state.load[pool] -= until - since
    for tick in range(since, until):
        if state.at[pool, tick] == visit:
            state.at[pool, tick] = NOT_PLACED
    state.start[visit] = NOT_PLACED
    state.out[state.left[0]], state.out_at[visit] = visit, state.left[0]
    state.left[0] += 1
    return int(problem.worth[problem.option_row[lead], start]) - burden(problem, state, pool, since, until)


@compiled
def put_if_free(problem: Problem, state: State, visit: int, chosen: Ints, start: int) -> bool:
    """Place a visit as another plan has it, where links allow it and everybody is free. Returns whether they are."""
    for link in range(problem.link_from[visit], problem.link_from[visit + 1]):
        other = state.start[problem.link_other[link]]
        if other < 0 and problem.link_needs[link] == 1:
            return False
        if other >= 0 and not problem.link_least[link] <= start - other <= problem.link_most[link]:
            return False
    first = problem.role_from[visit]
    pool = problem.option_pool[chosen[first]]
    if not is_spare(state.spare[pool], start + problem.role_since[first], start + problem.role_until[first]):
        return False
    lead_by(problem, state, visit, chosen[first], start)
    for role in range(first + 1, problem.role_from[visit + 1]):
        since, until = start + problem.role_since[role], start + problem.role_until[role]
        pool = problem.option_pool[chosen[role]]
        if not is_spare(state.spare[pool], since, until):
            take(problem, state, visit)
            return False
        state.chosen[role] = chosen[role]
        hold(problem, state, pool, since, until)
    return True
