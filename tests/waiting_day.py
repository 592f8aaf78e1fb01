"""One day of a queue, event by event, on a heap: what the replay of many days at once is held against.

Nothing of the replay is used here but the values that describe a queue. Servers have numbers; when several could begin, the lowest does.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from carewright.flow.model.waiting.simulation import Lines, Order, Staff


@dataclass
class Person:
    tier: int
    arrival: float
    service: float
    start: float | None = None

    @property
    def end(self) -> float | None:
        return None if self.start is None else self.start + self.service


@dataclass
class Day:
    """`busy_until`: when each server is done with whom it serves at minute 0. `among`: who serves whom, where not everybody everybody."""

    people: Sequence[Person]
    order: Order
    staff: Staff
    busy_until: Sequence[float] = ()
    among: Lines | None = None
    _idle: set[int] = field(default_factory=set)
    _lines: list[list[Person]] = field(default_factory=list)

    def run(self) -> None:
        numbers = count()
        servers = range(max(self.staff.most, self.staff.kept + 1))
        self._lines = [[] for _ in range(len(self.order.ageing))]
        events: list[tuple[float, int, Person | int | None]] = [(each.arrival, next(numbers), each) for each in self.people]
        events += [
            (until, next(numbers), server) for server, until in zip(servers, [*self.busy_until, *[0.0] * len(servers)], strict=False)
        ]
        events += [(minute, next(numbers), None) for minute, _ in self.staff.steps]
        heapq.heapify(events)
        while events:
            minute, _, what = heapq.heappop(events)
            if isinstance(what, Person):
                self._lines[what.tier].append(what)
                self._lines[what.tier].sort(key=lambda person: person.arrival)
            elif what is not None:
                self._idle.add(what)
            if minute >= 0:
                for are_first in (True, False):
                    for server in sorted(self._idle):
                        person = self._next_for(server, minute, are_first)
                        if person is not None:
                            person.start = minute
                            self._idle.remove(server)
                            heapq.heappush(events, (minute + person.service, next(numbers), server))

    def _next_for(self, server: int, minute: float, are_first: bool) -> Person | None:
        on_duty = [number for start, number in self.staff.steps if start <= minute]
        if not on_duty or server >= on_duty[-1]:
            return None
        free = sum(each < on_duty[-1] for each in self._idle)
        if not are_first and free <= self.staff.kept:
            return None
        lines = [
            line for tier, line in enumerate(self._lines) if line and (tier in self.order.first) == are_first and self._serves(server, tier)
        ]
        if not lines:
            return None
        best: list[Person] = max(lines, key=lambda line: self._points(line[0], minute))
        return best.pop(0)

    def _serves(self, server: int, tier: int) -> bool:
        return self.among is None or self.among.of_tier[tier] in (0, self.among.of_server[server])

    def _points(self, person: Person, minute: float) -> float:
        return float(self.order.ageing[person.tier] * (minute - person.arrival + self.order.head_starts[person.tier]))
