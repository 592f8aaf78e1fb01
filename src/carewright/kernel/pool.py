"""Connections kept open and lent out, the last returned first, each loan for one tenant.

asyncpg's own pool wraps, checks and resets a connection at every loan, which costs more than a short statement does. Ours lends the bare
connection. It stands in one tenant, which the pool remembers: whoever asks for that tenant gets it as it is, anybody else has it moved
first, in one round trip. Nothing else needs a reset, because other settings are made by SET LOCAL only.

A connection whose state is not known for certain is never lent again: one that was given back inside a transaction, or that could not be
moved to another tenant, is ended. So is, by `Database`, one whose loan was cancelled. See docs/concepts/tenants.md.

Connections are kept apart by priority, as a ship's bulkheads keep water: whoever only looks never has all of them, and some are lent for
what is urgent alone. See docs/concepts/overload.md.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from carewright.kernel.errors import Unavailable
from carewright.kernel.priority import Priority, current

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

Turn: TypeAlias = "asyncio.Future[Connection | None]"
RESERVED: Mapping[Priority | None, int] = {Priority.EMERGENCY: 2, Priority.PRESENCE: 1}
"""Connections beyond a pool's size that nobody else is lent."""
KEPT_FREE: Mapping[Priority | None, float] = {Priority.LOOK: 0.25, Priority.REPORT: 0.5}
"""Parts of a pool that are left to others. Work that no request asked for has the whole size, as changes have."""
IN_TURN: tuple[Priority | None, ...] = (Priority.EMERGENCY, Priority.PRESENCE, None, Priority.CHANGE, Priority.LOOK, Priority.REPORT)
WAIT_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 5.0


def share_of(size: int, priority: Priority | None) -> int:
    """How many connections of a pool of `size` may be lent when one more is asked for with this priority; one at least."""
    return max(1, size + RESERVED.get(priority, 0) - int(size * KEPT_FREE.get(priority, 0.0)))


class Pool:
    """At most `size` connections, and those reserved, opened when they are needed. One that was closed underneath us is replaced.

    Whoever waits is served by priority, and among equals in the order of asking: what is given back goes straight into the hands of the
    first, past everybody who comes later. Without that an unlucky caller waits for seconds under load, while others are served in
    milliseconds.
    """

    def __init__(
        self, connect: "Callable[[], Awaitable[Connection]]", move: "Callable[[Connection, UUID | None], Awaitable[None]]", size: int
    ) -> None:
        self._connect = connect
        self._move = move
        self._shares = {each: share_of(size, each) for each in IN_TURN}
        self._out = 0
        """Connections that are lent, being opened or being handed over."""
        self._idle: list[Connection] = []
        self._waiting: dict[Priority | None, deque[Turn]] = {each: deque() for each in IN_TURN}
        self._lent: set[Connection] = set()
        self._tenant: dict[Connection, UUID | None] = {}
        """In which tenant each open connection stands; a new one in none, where nothing of any tenant is seen."""

    async def take(self, tenant: UUID | None = None) -> "Connection":
        """Borrow a connection that stands in `tenant`. Raises `Unavailable` when none comes free in time; give it back with `give`."""
        priority = current()
        if self._out < self._shares[priority]:
            self._out += 1
            connection = self._found(tenant) or await self._opened()
        else:
            connection = await self._handed(priority) or await self._opened()
        self._lent.add(connection)
        if self._tenant[connection] != tenant:
            await self._moved(connection, tenant)
        return connection

    def give(self, connection: "Connection") -> None:
        """Return a borrowed connection. One that is still in a transaction is ended: the next borrower's work would be part of it."""
        self._lent.discard(connection)
        if not connection.is_closed() and connection.is_in_transaction():
            connection.terminate()
        if connection.is_closed():
            self._tenant.pop(connection, None)
            self._pass_on(None)
        else:
            self._pass_on(connection)

    async def close(self) -> None:
        """Close every connection, those still lent included."""
        everybody = [*self._idle, *self._lent]
        self._idle.clear()
        self._shares = dict.fromkeys(IN_TURN, 0)
        for connection in everybody:
            try:
                await connection.close(timeout=CLOSE_SECONDS_MAX)
            except (OSError, TimeoutError):
                connection.terminate()

    def _found(self, tenant: UUID | None) -> "Connection | None":
        """The idle connection that was used last in this tenant; else the one that was idle longest, which others miss least."""
        idle = self._idle
        for place in range(len(idle) - 1, -1, -1):
            if idle[place].is_closed():
                del self._tenant[idle.pop(place)]
            elif self._tenant[idle[place]] == tenant:
                return idle.pop(place)
        return idle.pop(0) if idle else None

    async def _moved(self, connection: "Connection", tenant: UUID | None) -> None:
        """Have the connection stand in `tenant`. Where that did not end well it is ended: nobody knows where it stands."""
        try:
            await self._move(connection, tenant)
        except BaseException:
            connection.terminate()
            self.give(connection)
            raise
        self._tenant[connection] = tenant

    async def _opened(self) -> "Connection":
        """A new connection in a place that is counted already; if that fails, the place goes to the next."""
        try:
            connection = await self._connect()
        except BaseException:
            self._pass_on(None)
            raise
        self._tenant[connection] = None
        return connection

    async def _handed(self, priority: Priority | None) -> "Connection | None":
        """What somebody gave back: a connection, or None for the place of one that had been closed."""
        if not self._shares[priority]:
            raise Unavailable
        loop = asyncio.get_running_loop()
        turn: Turn = loop.create_future()
        patience = loop.call_later(WAIT_SECONDS_MAX, _give_up, turn)
        self._waiting[priority].append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:  # it came at the moment in which the caller went away
                self._pass_on(turn.result())
            raise
        finally:
            patience.cancel()

    def _pass_on(self, connection: "Connection | None") -> None:
        """A connection, or the place of one, to whoever may have it and has waited longest; if nobody does it is kept."""
        self._out -= 1
        for priority, turns in self._waiting.items():
            while turns and self._out < self._shares[priority]:
                turn = turns.popleft()
                if not turn.done():
                    self._out += 1
                    turn.set_result(connection)
                    return
        if connection is not None:
            self._idle.append(connection)


def _give_up(turn: Turn) -> None:
    if not turn.done():
        turn.set_exception(Unavailable())
