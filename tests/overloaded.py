"""A process under load, in simulated time: one processor that its requests share, the room they are let into, and who has to go away.

The processor works on everybody inside in equal parts, as an event loop does with requests that take turns. Time goes in steps.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random

from carewright.kernel.admission import SHARES, Gradient, Room
from carewright.kernel.priority import Priority

STEP = 0.001
NOTHING = 1e-12


@dataclass
class Asked:
    """A request: how much work it still is, and when it came, entered, and was done."""

    priority: Priority
    address: str
    work: float
    came: float
    entered: float = 0.0


@dataclass
class Day:
    """What became of the requests: seconds that each answered one took, by priority, and how many were refused."""

    answered: dict[Priority, list[float]] = field(default_factory=lambda: {each: [] for each in Priority})
    refused: Counter[Priority] = field(default_factory=Counter)
    worked: float = 0.0

    def slowest_of_hundred(self, priority: Priority) -> float:
        """The 99th percentile."""
        ordered = sorted(self.answered[priority])
        return ordered[int(len(ordered) * 0.99)]

    def share_refused(self, priority: Priority) -> float:
        return self.refused[priority] / (self.refused[priority] + len(self.answered[priority]))


class Simulated:
    """The process. `cost` is how many seconds of work a request of each priority is; `slowness` stretches everything."""

    def __init__(self, seed: int, cost: Mapping[Priority, float]) -> None:
        self._rng = Random(seed)
        self._cost = cost
        self.now = 0.0
        self._numbers = count()
        self.gradient = Gradient(self._rng, self.now)
        self.room = Room(self.gradient)
        self._inside: list[Asked] = []
        self._queues: dict[Priority, deque[Asked]] = {each: deque() for each in Priority}

    def run(self, seconds: float, rates: Mapping[Priority, float], slowness: Callable[[float], float] = lambda _: 1.0) -> Day:
        """Let so much time pass while requests come at these rates a second."""
        day, until = Day(), self.now + seconds
        while self.now < until:
            self.now += STEP
            for priority, rate in rates.items():
                for _ in range(self._comers(rate * STEP)):
                    self._come(priority, day)
            self._lose_patience(day)
            self._work(day, slowness(self.now))
        return day

    def _comers(self, mean: float) -> int:
        """A number with this mean: whole ones, and one more by chance."""
        return int(mean) + (self._rng.random() < mean % 1)

    def _come(self, priority: Priority, day: Day) -> None:
        asked = Asked(priority, priority.label, self._cost[priority] * self._rng.uniform(0.5, 1.5), self.now)
        if self.room.is_open(priority):
            self._enter(asked)
        else:
            self.gradient.pressed()
            if self.room.may_wait(priority, self.now):
                self.room.wait(priority, self.now)
                self._queues[priority].append(asked)
            else:
                day.refused[priority] += 1

    def _enter(self, asked: Asked) -> None:
        self.room.enter(asked.priority)
        asked.entered = self.now
        self._inside.append(asked)

    def _lose_patience(self, day: Day) -> None:
        for priority, queue in self._queues.items():
            while queue and self.now - queue[0].came > SHARES[priority].wait_seconds:
                queue.popleft()
                self.room.wait_no_longer(priority)
                day.refused[priority] += 1

    def _work(self, day: Day, slowness: float) -> None:
        left = STEP / slowness
        while left > NOTHING and self._inside:
            each = min(left / len(self._inside), *(asked.work for asked in self._inside))
            left -= each * len(self._inside)
            day.worked += each * len(self._inside)
            for asked in self._inside:
                asked.work -= each
            self._leave_done(day)

    def _leave_done(self, day: Day) -> None:
        done = [asked for asked in self._inside if asked.work <= NOTHING]
        self._inside = [asked for asked in self._inside if asked.work > NOTHING]
        for asked in done:
            self.room.answered(asked.priority, asked.address, self.now - asked.entered, self.now, well=True)
            self.room.leave(asked.priority)
            day.answered[asked.priority].append(self.now - asked.came)
        for priority, queue in self._queues.items():
            while done and queue and self.room.has_place(priority):
                self.room.wait_no_longer(priority)
                self._enter(queue.popleft())
