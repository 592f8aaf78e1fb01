"""Connections kept open and lent out, the last returned first.

asyncpg's own pool wraps, checks and resets a connection at every loan, which costs more than a short statement does. Ours lends the bare
connection: nothing needs a reset, because settings are made by SET LOCAL only.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

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

    def __init__(self, connect: "Callable[[], Awaitable[Connection]]", size: int) -> None:
        self._connect = connect
        self._size = size
        self._open = 0
        """Connections, and places in which one is about to be opened."""
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._lent: set[Connection] = set()

    async def take(self) -> "Connection":
        """Borrow a connection. Raises `Unavailable` when none comes free in time; give it back with `give`."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                self._lent.add(connection)
                return connection
            self._open -= 1
        if self._open < self._size:
            self._open += 1
            return await self._opened()
        handed = await self._handed()
        if handed is None:
            return await self._opened()
        self._lent.add(handed)
        return handed

    def give(self, connection: "Connection") -> None:
        """Return a borrowed connection."""
        self._lent.discard(connection)
        self._pass_on(None if connection.is_closed() else connection)

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

    async def _opened(self) -> "Connection":
        """A new connection in a place that is counted already; if that fails, the place goes to the next."""
        try:
            connection = await self._connect()
        except BaseException:
            self._pass_on(None)
            raise
        self._lent.add(connection)
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
