"""Letting requests in by priority, and refusing what there is no room for before it costs anything.

A request has a place while it is worked on. It has none while it waits for its client: a body that comes slowly keeps nobody out. A stream
of events gives its place back when it begins, since it lasts as long as somebody watches.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from random import Random
from time import monotonic

from prometheus_client import Counter, Gauge
from starlette.types import Message, Receive, Scope

from carewright.kernel.admission import SHARES, Gradient, Room
from carewright.kernel.errors import Overloaded
from carewright.kernel.http.gate import FOR_OUR_OWN
from carewright.kernel.http.priorities import Address
from carewright.kernel.http.protocol import is_here
from carewright.kernel.priority import Priority
from carewright.kernel.rng import new_rng

SAID_PRIORITY = "carewright-priority"
"""By which our own processes tell each other for what kind of request they ask."""
_SAID_PRIORITY = SAID_PRIORITY.encode()
TURN_SECONDS = 0.004
"""After so much work in one turn of the event loop nobody begins who is less urgent than somebody who is here (P1)."""
LOOK_AGAIN_MOST = 4
EVENTS = b"text/event-stream"
WENT_WELL_BELOW = 400
ADMITTED = Counter("carewright_admitted_total", "Requests that were let in, by priority.", ["priority"])
SHED = Counter("carewright_shed_total", "Requests that were refused because there was no room, by priority.", ["priority"])
LIMIT = Gauge("carewright_admission_limit", "How many requests may be worked on at once.")
INSIDE = Gauge("carewright_admission_in_flight", "Requests being worked on, by priority.", ["priority"])
WAITING = Gauge("carewright_admission_waiting", "Requests that wait to be let in, by priority.", ["priority"])
_ADMITTED = {each: ADMITTED.labels(each.label) for each in Priority}
_SHED = {each: SHED.labels(each.label) for each in Priority}
_BY_LABEL = {each.label.encode(): each for each in Priority}


class Places:
    """The places of one process. `now` is a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = monotonic, rng: Random | None = None) -> None:
        self._now = now
        self._rng = rng or new_rng()
        self._room = Room(Gradient(self._rng, now()))
        self._queues: dict[Priority, deque[asyncio.Future[None]]] = {each: deque() for each in Priority}
        self._turn_began: float | None = None
        self._next_turn: list[tuple[Priority, int, asyncio.Future[None]]] = []
        """A heap of those who are in and have not begun."""
        self._numbers = count()
        self._show()

    async def enter(self, scope: Scope, address: Address) -> "Place | None":
        """A place for this request to `address`, or None where it needs none. Raises `Overloaded`."""
        priority = asked_as(scope, address)
        if priority is None:
            return None
        room = self._room
        if room.is_open(priority):
            room.enter(priority)
        else:
            room.gradient.pressed()
            if not room.may_wait(priority, self._now()):
                raise self.refusal(priority)
            await self._wait(priority)
        _ADMITTED[priority].inc()
        place = Place(self, priority, address.pattern, self._now())
        if priority > Priority.PRESENCE:
            await self._take_turn(place)
        return place

    def refused(self, scope: Scope, address: Address) -> Overloaded | None:
        """How a request is turned away that would neither be let in nor wait."""
        priority = asked_as(scope, address)
        if priority is None or self._room.is_open(priority) or self._room.may_wait(priority, self._now()):
            return None
        self._room.gradient.pressed()
        return self.refusal(priority)

    def refusal(self, priority: Priority) -> Overloaded:
        """How somebody is turned away. When to come again differs from one to the next, so that they do not all come again together."""
        _SHED[priority].inc()
        return Overloaded(retry_after_seconds=self._rng.randint(*SHARES[priority].again_seconds))

    def enter_anyway(self, priority: Priority) -> None:
        """Somebody who had given their place back for a while goes on."""
        self._room.enter(priority)

    def leave(self, priority: Priority) -> None:
        """Give a place back; whoever waits and fits goes in."""
        self._room.leave(priority)
        self._call_in()

    def answered(self, priority: Priority, address: str, seconds: float, *, well: bool) -> None:
        """How long an answer took, and whether it was one."""
        self._room.answered(priority, address, seconds, self._now(), well=well)

    def now(self) -> float:
        """The moment, in seconds since some other."""
        return self._now()

    async def _take_turn(self, place: "Place") -> None:
        """Begin in this turn of the event loop, or in a later one where this one has begun enough already.

        A request that asks nobody holds the loop from its first step to its last, and has left when the next is looked at: the limit alone
        would let hundreds in at one turn, and whoever waits for the database comes after all of them, once for each of their statements.
        """
        number = next(self._numbers)
        try:
            while self._is_spent() or (self._next_turn and self._next_turn[0] < (place.priority, number)):
                later = asyncio.get_running_loop().create_future()
                heappush(self._next_turn, (place.priority, number, later))
                await later
        except asyncio.CancelledError:
            place.end()
            raise
        if self._turn_began is None:
            self._begin_turn()

    def _is_spent(self) -> bool:
        return self._turn_began is not None and self._now() - self._turn_began > TURN_SECONDS

    def _begin_turn(self) -> None:
        self._turn_began = self._now()
        asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        """The event loop has come round. Some of those who wait look again whether they may begin, the more urgent first."""
        self._turn_began = None
        if self._next_turn:
            self._begin_turn()
        for _ in range(min(LOOK_AGAIN_MOST, len(self._next_turn))):
            _, _, later = heappop(self._next_turn)
            if not later.done():
                later.set_result(None)

    async def _wait(self, priority: Priority) -> None:
        """Wait for a place, and have it. Raises `Overloaded` when none came free in time."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        patience = loop.call_later(SHARES[priority].wait_seconds, _give_up, turn)
        self._room.wait(priority, self._now())
        self._queues[priority].append(turn)
        try:
            await turn
        except TimeoutError:
            raise self.refusal(priority) from None
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:  # it came at the moment in which the caller went away
                self.leave(priority)
            raise
        finally:
            patience.cancel()
            if turn in self._queues[priority]:
                self._queues[priority].remove(turn)
                self._room.wait_no_longer(priority)

    def _call_in(self) -> None:
        for priority, queue in self._queues.items():
            while queue and self._room.has_place(priority):
                turn = queue.popleft()
                self._room.wait_no_longer(priority)
                if not turn.done():
                    self._room.enter(priority)
                    turn.set_result(None)

    def _show(self) -> None:
        room = self._room
        LIMIT.set_function(lambda: room.gradient.limit)
        for each in Priority:
            INSIDE.labels(each.label).set_function(lambda each=each: room.inside[each])  # type: ignore[misc]  # bound here and now
            WAITING.labels(each.label).set_function(lambda each=each: room.waiting[each])  # type: ignore[misc]  # bound here and now


class Place:
    """One request's place, from when it was let in to its end."""

    __slots__ = ("_address", "_answered_at", "_away", "_began", "_has_body", "_inside", "_places", "_status", "priority")

    def __init__(self, places: Places, priority: Priority, address: str, began: float) -> None:
        self._places, self.priority, self._address, self._began = places, priority, address, began
        self._inside, self._has_body = True, True
        self._away = 0.0
        self._answered_at: float | None = None
        self._status = 0

    def hearing(self, receive: Receive) -> Receive:
        """`receive`, without a place while the client has yet to send what is asked for."""

        async def received() -> Message:
            if not self._has_body or is_here(receive):
                message = await receive()
            else:
                message = await self._without(receive)
            self._has_body = bool(message.get("more_body"))
            return message

        return received

    def answers(self, message: Message) -> None:
        """The head of the answer goes out."""
        self._answered_at, self._status = self._places.now(), message["status"]
        if any(name == b"content-type" and value.startswith(EVENTS) for name, value in message["headers"]):
            self._leave()

    def end(self) -> None:
        """It is over. How long it took is how long it worked until its answer began: a client that reads slowly says nothing of us."""
        if self._answered_at is not None:
            seconds = self._answered_at - self._began - self._away
            self._places.answered(self.priority, self._address, seconds, well=self._status < WENT_WELL_BELOW)
        self._leave()

    async def _without(self, receive: Receive) -> Message:
        left = self._places.now()
        self._leave()
        try:
            return await receive()
        finally:
            self._places.enter_anyway(self.priority)
            self._inside = True
            self._away += self._places.now() - left

    def _leave(self) -> None:
        if self._inside:
            self._inside = False
            self._places.leave(self.priority)


def asked_as(scope: Scope, address: Address) -> Priority | None:
    """The priority of this request: its address's. Between our own processes it is that of the request which made the caller ask."""
    if address.priority is not None and scope["path"].startswith(FOR_OUR_OWN):
        said = _said(scope["headers"])
        return address.priority if said is None else said
    return address.priority


def _said(headers: Iterable[tuple[bytes, bytes]]) -> Priority | None:
    return next((_BY_LABEL.get(value) for name, value in headers if name == _SAID_PRIORITY), None)


def _give_up(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(TimeoutError())
