"""Connections kept open and lent out, the last returned first, each loan for one tenant.

asyncpg's own pool wraps, checks and resets a connection at every loan, which costs more than a short statement does. Ours lends the bare
connection. It stands in one tenant, which the pool remembers: whoever asks for that tenant gets it as it is, anybody else has it moved
first, in one round trip. Nothing else needs a reset, because other settings are made by SET LOCAL only.

A connection whose state is not known for certain is never lent again: one that was given back inside a transaction, or that could not be
moved to another tenant, is ended. So is, by `Database`, one whose loan was cancelled. See docs/concepts/tenants.md.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from carewright.kernel.errors import Unavailable

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

WAIT_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 5.0


class Pool:
    """At most `size` connections, opened when they are needed. One that was closed underneath us is replaced at its next loan.

    Whoever waits is served in the order of asking: what is given back goes straight into the hands of the first, past everybody who comes
    later. Without that an unlucky caller waits for seconds under load, while others are served in milliseconds.
    """

    def __init__(
        self, connect: "Callable[[], Awaitable[Connection]]", move: "Callable[[Connection, UUID | None], Awaitable[None]]", size: int
    ) -> None:
        self._connect = connect
        self._move = move
        self._size = size
        self._open = 0
        """Connections, and places in which one is about to be opened."""
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._lent: set[Connection] = set()
        self._tenant: dict[Connection, UUID | None] = {}
        """In which tenant each open connection stands; a new one in none, where nothing of any tenant is seen."""

    async def take(self, tenant: UUID | None = None) -> "Connection":
        """Borrow a connection that stands in `tenant`. Raises `Unavailable` when none comes free in time; give it back with `give`."""
        connection = self._found(tenant) or await self._next()
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
        self._size = 0
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
                self._open -= 1
            elif self._tenant[idle[place]] == tenant:
                return idle.pop(place)
        return idle.pop(0) if idle else None

    async def _next(self) -> "Connection":
        """A new connection, or what somebody gives back."""
        if self._open < self._size:
            self._open += 1
            return await self._opened()
        return await self._handed() or await self._opened()

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

    async def _handed(self) -> "Connection | None":
        """What somebody gave back: a connection, or None for the place of one that had been closed."""
        if self._size == 0:
            raise Unavailable
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        patience = loop.call_later(WAIT_SECONDS_MAX, _give_up, turn)
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:  # it came at the moment in which the caller went away
                self._pass_on(turn.result())
            raise
        finally:
            patience.cancel()

    def _pass_on(self, connection: "Connection | None") -> None:
        """A connection, or the place of one, to whoever has waited longest; if nobody waits it is kept."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is None:
            self._open -= 1
        else:
            self._idle.append(connection)


def _give_up(turn: "asyncio.Future[Connection | None]") -> None:
    if not turn.done():
        turn.set_exception(Unavailable())
