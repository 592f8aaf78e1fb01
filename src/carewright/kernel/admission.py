"""How many requests a process works on at once, and whose: the rules, without clock, chance or waiting.

`Gradient` finds the limit from how long answers take. Its form is that of Netflix's Gradient2Limit (concurrency-limits, 2018): each window
moves the limit towards `limit * gradient + sqrt(limit)`, where the gradient is how long answers should take by how long they take. What
they should take is measured as Envoy does (adaptive concurrency filter, "Calculating the minRTT"): while little is in flight, and where
that never happens by itself, by letting little in for a moment. Three things are ours, since one process answers addresses that differ a
thousandfold: each answer is held against what is usual *for its address*; the median of a window counts; and what nobody notices
(`NOTICEABLE_SECONDS`) is no sign of overload.

`Room` shares the limit out by priority.
"""

from collections.abc import Mapping
from math import sqrt
from random import Random
from statistics import median
from typing import NamedTuple

from carewright.kernel.priority import Priority

LIMIT_FIRST = 40
"""Where the limit begins, and where it returns to while it is not needed: what it was in a flood of another kind says nothing."""
LIMIT_LEAST = 8
LIMIT_MOST = 500
WINDOW_SECONDS = 0.25
SAMPLES_LEAST = 20
URGENT_LEAST = 5
TOLERANCE = 2.0
"""Answers may take so many times what is usual before the limit falls."""
NOTICEABLE_SECONDS = 0.02
GRADIENT_LEAST = 0.5
SMOOTHING = 0.2
"""How far a window moves the limit; as `GRADIENT_LEAST`, Gradient2Limit's default."""
CALM = 0.05
LEARNING = 0.1
PROBE_WINDOWS_MAX = 8
"""Emergencies pass the limit: where they never leave it quiet, what was usual before stays so."""
QUIET_SECONDS_MAX = 30.0
"""After so long without a quiet window one is made. Processes do it up to a fifth sooner or later, so that they do not do it together."""


class Gradient:
    """The limit. It is told who had to wait (`pressed`), and how each answer went (`ended`)."""

    def __init__(self, rng: Random, now: float) -> None:
        self._rng = rng
        self._limit = float(LIMIT_FIRST)
        self._usual: dict[str, float] = {}
        """Seconds that an address takes while little is in flight. Addresses are patterns, so there are as many as there are routes."""
        self._strains: list[float] = []
        self._urgent: list[float] = []
        self._lessons: list[tuple[str, float]] = []
        self._peak = 0
        self._is_pressed = False
        self._until = now + WINDOW_SECONDS
        self._probe_at = now + self._patience()
        self._probing = 0
        """For how many windows little is let in so as to learn; 0 while it is not."""

    @property
    def limit(self) -> float:
        """How many may be in flight now."""
        return LIMIT_LEAST if self._probing else self._limit

    def pressed(self) -> None:
        """Somebody had to wait or was refused: the limit was needed."""
        self._is_pressed = True

    def ended(self, address: str, seconds: float, now: float, *, in_flight: int, well: bool, urgent: bool = False) -> None:
        """An answer took so long, and so many were in flight with it. What is `urgent` counts by itself, too: others wait for its sake.

        One that did not go `well` counts only where it was slow: refusing is quick, and teaches nothing.
        """
        self._peak = max(self._peak, in_flight)
        usual = self._usual.get(address)
        if not well and (usual is None or seconds < usual):
            return
        if usual is None:
            usual = self._usual[address] = seconds
        strain = seconds / max(usual, NOTICEABLE_SECONDS)
        self._strains.append(strain)
        if urgent:
            self._urgent.append(strain)
        if well:
            self._lessons.append((address, seconds))
        if now >= self._until and len(self._strains) >= SAMPLES_LEAST:
            self._close(now)

    def _close(self, now: float) -> None:
        """The window is over: learn from a quiet one, and move the limit."""
        if self._peak <= LIMIT_LEAST:
            self._learn(now)
        elif self._probing:
            self._probing -= 1
        elif now >= self._probe_at:
            self._probing, self._probe_at = PROBE_WINDOWS_MAX, now + self._patience()
        if not self._probing:
            self._limit = min(LIMIT_MOST, max(LIMIT_LEAST, self._moved(self._strain())))
        self._strains, self._urgent, self._lessons = [], [], []
        self._peak, self._is_pressed = 0, False
        self._until = now + WINDOW_SECONDS

    def _learn(self, now: float) -> None:
        for address, seconds in self._lessons:
            self._usual[address] += LEARNING * (seconds - self._usual[address])
        self._probing, self._probe_at = 0, now + self._patience()

    def _strain(self) -> float:
        """The median of all, or of the urgent alone where that is more and they are enough to tell."""
        urgent = median(self._urgent) if len(self._urgent) >= URGENT_LEAST else 0.0
        return max(median(self._strains), urgent)

    def _moved(self, strain: float) -> float:
        limit = self._limit
        if not self._is_pressed and self._peak < limit / 2:
            return limit + CALM * (LIMIT_FIRST - limit)
        gradient = max(GRADIENT_LEAST, min(1.0, TOLERANCE / strain))
        return limit + SMOOTHING * (gradient * limit + sqrt(limit) - limit)

    def _patience(self) -> float:
        return QUIET_SECONDS_MAX * self._rng.uniform(0.8, 1.2)


class Share(NamedTuple):
    """What a priority may have of the limit, as parts of it.

    It may enter while fewer than `until` are in flight in all, and fewer than `at_most` of its own. Whoever finds no room waits
    `wait_seconds` at most. A refusal asks to come again after `again_seconds`, some number from the first to the second.
    """

    until: float
    at_most: float
    wait_seconds: float
    again_seconds: tuple[int, int]


SHARES: Mapping[Priority, Share] = {
    Priority.EMERGENCY: Share(2.0, 2.0, 2.0, (1, 1)),
    Priority.PRESENCE: Share(1.0, 1.0, 1.0, (1, 2)),
    Priority.CHANGE: Share(0.85, 0.85, 0.75, (1, 4)),
    Priority.LOOK: Share(0.7, 0.7, 0.5, (2, 8)),
    Priority.REPORT: Share(0.5, 0.25, 0.5, (10, 40)),
}
"""An emergency may pass the limit once more: it is refused only when emergencies alone are too many."""
WAITING_MOST = 200
"""Of one priority. A burst waits for a moment instead of being refused."""
STANDING_SECONDS = 0.5
"""A queue that has not been empty for so long is no burst (CoDel's question; for servers: Maurer, "Fail at Scale", ACM Queue 2015)."""
WAITING_FEW = 4
"""How many wait in a queue that stands: enough that no room stays empty, few enough that nobody waits for nothing."""
FLOOD_SECONDS = 1.0
"""It is a flood until nobody was refused for so long: a queue that is empty for a moment would only fill up again."""


class Room:
    """Who is in flight, who waits, and whether one more may enter. `limit` is asked each time."""

    def __init__(self, gradient: Gradient) -> None:
        self.gradient = gradient
        self.inside = dict.fromkeys(Priority, 0)
        self.waiting = dict.fromkeys(Priority, 0)
        self._all = 0
        self._standing_since: dict[Priority, float] = {}
        self._flood_until = dict.fromkeys(Priority, 0.0)

    def has_place(self, priority: Priority) -> bool:
        """Whether one more of this priority may enter, if it is its turn. One of each may, however low the limit."""
        share, limit = SHARES[priority], self.gradient.limit
        return self._all < max(1.0, share.until * limit) and self.inside[priority] < max(1.0, share.at_most * limit)

    def is_open(self, priority: Priority) -> bool:
        """Whether a newcomer may enter at once: nobody of its priority came before and waits."""
        return not self.waiting[priority] and self.has_place(priority)

    def may_wait(self, priority: Priority, now: float) -> bool:
        """Whether a newcomer may wait for a place."""
        since = self._standing_since.get(priority)
        is_flood = now < self._flood_until[priority] or (since is not None and now - since > STANDING_SECONDS)
        if self.waiting[priority] < (WAITING_FEW if is_flood else WAITING_MOST):
            return True
        if is_flood:
            self._flood_until[priority] = now + FLOOD_SECONDS
        return False

    def enter(self, priority: Priority) -> None:
        """One more is in flight."""
        self.inside[priority] += 1
        self._all += 1

    def leave(self, priority: Priority) -> None:
        """One fewer is in flight."""
        self.inside[priority] -= 1
        self._all -= 1

    def answered(self, priority: Priority, address: str, seconds: float, now: float, *, well: bool) -> None:
        """How one that is inside went."""
        self.gradient.ended(address, seconds, now, in_flight=self._all, well=well, urgent=priority <= Priority.PRESENCE)

    def wait(self, priority: Priority, now: float) -> None:
        """One more waits."""
        if not self.waiting[priority]:
            self._standing_since[priority] = now
        self.waiting[priority] += 1

    def wait_no_longer(self, priority: Priority) -> None:
        """One fewer waits."""
        self.waiting[priority] -= 1
        if not self.waiting[priority]:
            self._standing_since.pop(priority, None)
