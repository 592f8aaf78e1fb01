"""Give every wanted visit its actors, day by day, so that nobody is in two places and everybody is inside working hours.

Free time is one whole number per actor and site, called a post: bit 0 is the tick at which the window begins. Nobody has openings at two
sites at once, so a claim at one post takes nothing from another. A window looks back two hours (a claim may begin before its visit) and
two days ahead (a night may end tomorrow). People are asked in turn, so that they share the work; rooms and things always from the first
on, so that the last ones stay free for long visits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from carewright.simulation.hospital.arrays import TICKS_PER_DAY, Flags, Floats, Ints, ints
from carewright.simulation.hospital.bookable import Bookable, Place
from carewright.simulation.hospital.codes import SITE_KEYS
from carewright.simulation.hospital.layout import Candidates
from carewright.simulation.hospital.openings import Openings
from carewright.simulation.hospital.services import Pool

_LOOK_BACK = 24
_SITES = len(SITE_KEYS)


@dataclass(frozen=True)
class Packed:
    """Visits that got all their actors. `visit` of a claim is the position of its visit in `candidates`; times are ticks."""

    candidates: Candidates
    visit: Ints
    actor: Ints
    start: Ints
    end: Ints

    def only(self, kept: Flags) -> "Packed":
        """The visits flagged, with their claims."""
        position = np.cumsum(kept) - 1
        of_kept = kept[self.visit]
        return Packed(
            self.candidates.taking(np.flatnonzero(kept)),
            position[self.visit[of_kept]],
            self.actor[of_kept],
            self.start[of_kept],
            self.end[of_kept],
        )


@dataclass(frozen=True)
class Wanted:
    """Which candidates are wanted. The others wait in reserve for days on which wanted ones find no room or nurse."""

    chosen: Flags
    weight: Floats
    group: Ints


@dataclass(slots=True)
class _Ring:
    """A pool in the order in which it is asked. Where members take turns, whoever served last is asked last."""

    members: list[int]
    size: int
    turns: bool
    next: int = 0


@dataclass(slots=True)
class _Ledger:
    """The claims made so far, in parallel lists."""

    visit: list[int] = field(default_factory=list)
    post: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)


class _Window:
    """The free time of every post around one day."""

    def __init__(self, openings: Openings, actors: int) -> None:
        self.free = [0] * (actors * _SITES)
        self._pieces = _pieces_by_day(openings)
        self.begin = -_LOOK_BACK
        self._open(0)
        self._open(1)

    def move_to_next_day(self) -> None:
        self.begin += TICKS_PER_DAY
        self.free[:] = [bits >> TICKS_PER_DAY for bits in self.free]
        self._open((self.begin + _LOOK_BACK) // TICKS_PER_DAY + 1)

    def _open(self, day: int) -> None:
        for post, start, length in self._pieces.get(day, ()):
            self.free[post] |= ((1 << length) - 1) << (start - self.begin)


def _pieces_by_day(openings: Openings) -> dict[int, list[tuple[int, int, int]]]:
    """Openings cut at the days' borders: for each day the post, first tick and length of every piece."""
    pieces: dict[int, list[tuple[int, int, int]]] = {}
    posts = _post(openings.actor, openings.site)
    columns = zip(posts.tolist(), openings.start.tolist(), openings.end.tolist(), strict=True)
    for post, start, end in columns:
        for day in range(start // TICKS_PER_DAY, -(-end // TICKS_PER_DAY)):
            first = max(start, day * TICKS_PER_DAY)
            pieces.setdefault(day, []).append((post, first, min(end, (day + 1) * TICKS_PER_DAY) - first))
    return pieces


class _Packer:
    """Finds actors for visits and writes down the claims."""

    def __init__(self, window: _Window, rows: Sequence[Bookable]) -> None:
        self._window = window
        rings: dict[tuple[Pool, int], _Ring] = {}
        self._leads = [(row.lead.first, row.lead.length, row.site) for row in rows]
        self._others = [[(_ring(rings, place, row.site), place.first, place.length) for place in row.others] for row in rows]
        self._masks = [(1 << length) - 1 for length in range(2 * TICKS_PER_DAY)]
        self.ledger = _Ledger()

    def place(self, visit: int, row: int, actor: int, start: int) -> bool:
        """Claim the leading actor and one of each other pool, or nobody."""
        free, masks, at = self._window.free, self._masks, start - self._window.begin
        first, length, site = self._leads[row]
        post = actor * _SITES + site
        bits = masks[length] << (at + first)
        if free[post] & bits != bits:
            return False
        free[post] ^= bits
        taken = [(post, bits, start + first, length)]
        for ring, first, length in self._others[row]:
            bits = masks[length] << (at + first)
            found = _first_free(free, ring, bits)
            if found < 0:
                for other, held, _, _ in taken:
                    free[other] |= held
                return False
            free[found] ^= bits
            taken.append((found, bits, start + first, length))
        self._write(visit, taken)
        return True

    def _write(self, visit: int, taken: list[tuple[int, int, int, int]]) -> None:
        ledger = self.ledger
        for post, _, start, length in taken:
            ledger.visit.append(visit)
            ledger.post.append(post)
            ledger.start.append(start)
            ledger.length.append(length)


def _ring(rings: dict[tuple[Pool, int], _Ring], place: Place, site: int) -> _Ring:
    key = (place.pool, site)
    if key not in rings:
        posts = [actor * _SITES + site for actor in place.pool]
        rings[key] = _Ring([*posts, *posts], len(posts), place.turns)
    return rings[key]


def _post(actor: Ints, site: Ints) -> Ints:
    """The number of an actor at a site."""
    return actor * _SITES + site


def _first_free(free: list[int], ring: _Ring, bits: int) -> int:
    """The first post, from the ring's turn on, whose time is free; -1 where there is none."""
    turn = ring.next
    for position, post in enumerate(ring.members[turn : turn + ring.size], turn + 1):
        if free[post] & bits == bits:
            if ring.turns:
                ring.next = position % ring.size
            return post
    return -1


def pack(candidates: Candidates, wanted: Wanted, openings: Openings, rows: Sequence[Bookable], actors: int) -> Packed:
    """Place the chosen candidates in the order of time, then as many from the reserve as failed, group by group and day by day."""
    window = _Window(openings, actors)
    packer = _Packer(window, rows)
    day = candidates.start // TICKS_PER_DAY
    for at in range(int(day.max()) + 1):
        today = np.flatnonzero(day == at)
        _pack_day(packer, candidates, wanted, today)
        window.move_to_next_day()
    return _packed(candidates, packer.ledger)


def _pack_day(packer: _Packer, candidates: Candidates, wanted: Wanted, today: Ints) -> None:
    chosen = wanted.chosen[today]
    first = today[chosen][np.argsort(candidates.start[today[chosen]], kind="stable")]
    missing = [0.0] * (int(wanted.group.max()) + 1)
    for visit, row, actor, start, weight, group in _listed(candidates, wanted, first):
        if not packer.place(visit, row, actor, start):
            missing[group] += weight
    for visit, row, actor, start, weight, group in _listed(candidates, wanted, today[~chosen]):
        if missing[group] >= weight and packer.place(visit, row, actor, start):
            missing[group] -= weight


def _listed(candidates: Candidates, wanted: Wanted, which: Ints) -> "zip[tuple[int, int, int, int, float, int]]":
    return zip(
        which.tolist(),
        candidates.row[which].tolist(),
        candidates.actor[which].tolist(),
        candidates.start[which].tolist(),
        wanted.weight[which].tolist(),
        wanted.group[which].tolist(),
        strict=True,
    )


def _packed(candidates: Candidates, ledger: _Ledger) -> Packed:
    """The visits of the ledger in the order of their starts."""
    placed, entry = np.unique(ints(ledger.visit), return_inverse=True)
    by_start = np.argsort(candidates.start[placed], kind="stable")
    position = np.argsort(by_start, kind="stable")[entry]
    order = np.argsort(position, kind="stable")
    start = ints(ledger.start)[order]
    return Packed(
        candidates.taking(placed[by_start]), position[order], ints(ledger.post)[order] // _SITES, start, start + ints(ledger.length)[order]
    )
