"""A queue with tiers and several servers, replayed for many days at once.

All days go forward in step: each step begins one service in every day, whatever the moment is there, so that a step costs about the same
for one day as for hundreds. Nobody is interrupted, and nobody leaves without being served.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from carewright.flow.model.waiting.demand import NEVER, Crowd
from carewright.flow.model.waiting.distribution import Floats
from carewright.kernel.invariants import invariant

Ints = npt.NDArray[np.int64]

CHECK_EVERY = 32
"""Steps between two looks at whether everybody has been served."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a free server takes: of those who wait, the one with the most points, ageing · (minutes waited + head start).

    Equal ageing is the head-start rule, no head start is accumulating priority, and ageing that differs by orders of magnitude is strict
    priority in all but name. `ageing` and `head_starts` have shape `[tiers]`, or `[days, tiers]` for an order of each day's own.
    Tiers in `first` come before all others, and servers are kept for them alone (`Staff.kept`).
    """

    ageing: Floats
    head_starts: Floats
    first: frozenset[int] = frozenset()


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """How many serve: from each minute of `steps` on, that many, and nobody before the first. Who leaves ends the service begun.

    Tiers that are not always first are served only while more than `kept` servers are free, this one included.
    """

    steps: Sequence[tuple[float, int]]
    kept: int = 0

    @property
    def most(self) -> int:
        return max(count for _, count in self.steps)

    def on_duty(self, minute: float) -> int:
        return next((count for start, count in reversed(self.steps) if start <= minute), 0)

    def with_more(self, extra: int) -> "Staff":
        """As many more at every hour at which somebody serves."""
        return msgspec.structs.replace(self, steps=tuple((minute, count and count + extra) for minute, count in self.steps))

    def person_minutes(self, until_minute: float) -> float:
        """The working time of all of them together, from minute 0 on."""
        ends = [minute for minute, _ in self.steps[1:]] + [until_minute]
        return sum(count * max(0.0, min(end, until_minute) - max(start, 0.0)) for (start, count), end in zip(self.steps, ends, strict=True))

    def shifts(self, server: int) -> list[tuple[float, float]]:
        """When server number `server` serves: from, until."""
        ends = [minute for minute, _ in self.steps[1:]] + [NEVER]
        return _joined([(start, end) for (start, count), end in zip(self.steps, ends, strict=True) if count > server and end > start])


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """Who serves whom, where that is not everybody: line 0 is served by every server, and a server of another line serves that as well.

    `of_tier` rises, and has the line of each tier; `of_server` that of each server, of which there are `Staff.most`. Staff does not change.
    """

    of_tier: Sequence[int]
    of_server: Sequence[int]


def accumulating(ageing: Floats | Sequence[float], first: frozenset[int] = frozenset()) -> Order:
    rates = np.asarray(ageing, np.float64)
    return Order(ageing=rates, head_starts=np.zeros_like(rates), first=first)


def head_start(minutes: Floats | Sequence[float], first: frozenset[int] = frozenset()) -> Order:
    head_starts = np.asarray(minutes, np.float64)
    return Order(ageing=np.ones_like(head_starts), head_starts=head_starts, first=first)


def strict(tiers: int, first: frozenset[int] = frozenset()) -> Order:
    """The most urgent first, and within a tier who came first: ageing so steep that a lower tier overtakes nobody who waited a moment."""
    return accumulating([1e9 ** (tiers - 1 - tier) for tier in range(tiers)], first)


def replay(
    crowd: Crowd, order: Order, staff: Staff, busy_until: Floats | None = None, goal: Sequence[int] | None = None,
    lines: Lines | None = None,
) -> Floats:  # fmt: skip
    """The minute at which each service begins, of the shape of `crowd.arrivals`; `NEVER` where it does not.

    `busy_until`: when each server is done with whom it serves at minute 0, of shape `[days, staff.most]`.
    `goal`: how many of each tier are to be served, from the first on; the replay ends when they are, and the rest may be left at `NEVER`.
    """
    return _Replay(crowd, order, staff, busy_until, lines).run(goal)


class _Replay:
    """The state of all days: who is next in each tier, when each server is free, who began when."""

    def __init__(self, crowd: Crowd, order: Order, staff: Staff, busy_until: Floats | None, lines: Lines | None) -> None:
        days, places = crowd.arrivals.shape
        tiers = len(crowd.firsts)
        invariant(order.ageing.shape[-1] == tiers, "an order has points for every tier")
        self._day = np.arange(days)
        self._arrivals, self._services = crowd.arrivals.ravel(), crowd.services.ravel()
        self._firsts = self._day[:, None] * places + np.array(crowd.firsts)
        self._next = self._firsts.copy()
        self._heads = self._arrivals[self._next]
        servers = max(staff.most, staff.kept + 1)
        self._free = np.zeros((days, servers))
        if busy_until is not None:
            self._free[:, : busy_until.shape[1]] = busy_until
        self._starts: Floats = np.full((days, places), NEVER)
        ordinary = [tier for tier in range(tiers) if tier not in order.first]
        self._choices = [
            _choice(np.array(some), order, staff, kept, (days, servers), lines)
            for some, kept in ((sorted(order.first), 0), (ordinary, staff.kept))
            if (self._heads[:, some] < NEVER).any()
        ]

    def run(self, goal: Sequence[int] | None) -> Floats:
        last = None if goal is None else self._firsts + np.array(goal)
        for step in range(self._starts.shape[1] if self._choices else 0):
            minute = self._serve_one()
            if step % CHECK_EVERY == 0 and (minute.min() >= NEVER or (last is not None and (self._next >= last).all())):
                break
        served: Floats = np.minimum(self._starts, NEVER)
        return served

    def _serve_one(self) -> Floats:
        """Begin the next service of every day, and say when."""
        minute, server, tier = self._choices[0].next_service(self._heads, self._free)
        for choice in self._choices[1:]:
            later = choice.next_service(self._heads, self._free)
            sooner = later[0] < minute
            minute, server, tier = (np.where(sooner, new, old) for new, old in zip(later, (minute, server, tier), strict=True))
        place = self._next[self._day, tier]
        self._starts.ravel()[place] = minute
        self._free[self._day, server] = minute + self._services[place]
        place += minute < NEVER
        self._next[self._day, tier] = place
        self._heads[self._day, tier] = self._arrivals[place]
        return minute


def _choice(tiers: Ints, order: Order, staff: Staff, kept: int, shape: tuple[int, int], lines: Lines | None) -> "_Choice | _ChoiceInLines":
    return _Choice(tiers, order, staff, kept, shape) if lines is None else _ChoiceInLines(tiers, order, staff, kept, shape, lines)


class _Choice:
    """Tiers that are compared by points, and that are served while more than `kept` servers are free."""

    def __init__(self, tiers: Ints, order: Order, staff: Staff, kept: int, shape: tuple[int, int]) -> None:
        self._day = np.arange(shape[0])
        self._tiers, self._kept = tiers, kept
        self._ageing, self._head_starts = order.ageing[..., tiers], order.head_starts[..., tiers]
        self._shifts = _Shifts([staff.shifts(server) for server in range(shape[1])], shape[0])

    def next_service(self, heads: Floats, free: Floats) -> tuple[Floats, Ints, Ints]:
        """When, by which server and of which tier the next service of these tiers would begin."""
        heads = heads[:, self._tiers]
        minute, server = self._next_server(np.maximum(free, heads.min(axis=1)[:, None]))
        waited = minute[:, None] - heads
        points = np.where(waited >= 0, (waited + self._head_starts) * self._ageing, -np.inf)
        return minute, server, self._tiers[points.argmax(axis=1)]

    def _next_server(self, free: Floats) -> tuple[Floats, Ints]:
        """The first moment at which enough servers are free and on duty, and the first of these."""
        begin = self._shifts.on_duty(free)
        if not self._kept:
            server = begin.argmin(axis=1)
            return begin[self._day, server], server
        minute = np.partition(begin, self._kept, axis=1)[:, self._kept]
        while ((begin := self._shifts.on_duty(np.maximum(begin, minute[:, None]))) <= minute[:, None]).sum(axis=1).min() <= self._kept:
            minute = np.partition(begin, self._kept, axis=1)[:, self._kept]
        return minute, (begin <= minute[:, None]).argmax(axis=1)


class _ChoiceInLines:
    """As `_Choice`, where some servers alone serve a tier."""

    def __init__(self, tiers: Ints, order: Order, staff: Staff, kept: int, shape: tuple[int, int], lines: Lines) -> None:
        days, servers = shape
        self._day = np.arange(days)
        self._tiers, self._kept = tiers, kept
        self._ageing, self._head_starts = order.ageing[..., tiers], order.head_starts[..., tiers]
        line_of_tier = np.array(lines.of_tier)[tiers]
        line_of_server = np.zeros(servers, np.int64)
        line_of_server[: staff.most] = lines.of_server
        self._lines, self._firsts = np.unique(line_of_tier, return_index=True)
        self._own, self._anybody = (self._column(each) for each in (line_of_server, np.zeros_like(line_of_server)))
        self._serves = (line_of_tier == 0) | (line_of_tier == line_of_server[:, None])
        self._missing = np.arange(servers) >= staff.most

    def _column(self, lines: Ints) -> Ints:
        """Where the heads of each server's line are found; nobody ever comes to the last column."""
        found = np.minimum(np.searchsorted(self._lines, lines), len(self._lines) - 1)
        return np.where(self._lines[found] == lines, found, len(self._lines))

    def next_service(self, heads: Floats, free: Floats) -> tuple[Floats, Ints, Ints]:
        """When, by which server and of which tier the next service of these tiers would begin."""
        heads = heads[:, self._tiers]
        earliest = np.concatenate([np.minimum.reduceat(heads, self._firsts, axis=1), np.full((len(heads), 1), NEVER)], axis=1)
        free = np.where(self._missing, NEVER, free)
        begin = np.maximum(free, np.minimum(earliest[:, self._own], earliest[:, self._anybody]))
        if self._kept:
            begin = np.maximum(begin, np.partition(free, self._kept, axis=1)[:, self._kept, None])
        server = begin.argmin(axis=1)
        minute = begin[self._day, server]
        waited = minute[:, None] - heads
        points = np.where((waited >= 0) & self._serves[server], (waited + self._head_starts) * self._ageing, -np.inf)
        return minute, server, self._tiers[points.argmax(axis=1)]


class _Shifts:
    """When each server serves. It is asked about moments that only go forward, for each server of each day."""

    def __init__(self, shifts: Sequence[Sequence[tuple[float, float]]], days: int) -> None:
        self._always = all(len(each) == 1 and each[0][0] <= 0 and each[0][1] >= NEVER for each in shifts)
        width = max(len(each) for each in shifts) + 1
        padded = np.array([[*each, *[(NEVER, np.inf)] * (width - len(each))] for each in shifts])
        self._from, self._until = np.ascontiguousarray(padded[..., 0]), np.ascontiguousarray(padded[..., 1])
        self._number = np.zeros((days, len(shifts)), np.int64)
        self._server = np.broadcast_to(np.arange(len(shifts)), self._number.shape)

    def on_duty(self, begin: Floats) -> Floats:
        """The first moment from `begin` on at which each server may begin to serve."""
        if self._always:
            return begin
        while (late := begin >= self._until[self._server, self._number]).any():
            self._number += late
        on_duty: Floats = np.maximum(begin, self._from[self._server, self._number])
        return on_duty


def _joined(shifts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Shifts that follow one another without a break, as one."""
    starts = [start for number, (start, _) in enumerate(shifts) if number == 0 or shifts[number - 1][1] < start]
    ends = [end for (_, end), (start, _) in pairwise(shifts) if end < start] + [end for _, end in shifts[-1:]]
    return list(zip(starts, ends, strict=True))
