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
    """At most `size` connections, opened when they are needed. One that was closed underneath us is replaced at its next loan."""

    def __init__(self, connect: "Callable[[], Awaitable[Connection]]", size: int) -> None:
        self._connect = connect
        self._size = size
        self._open = 0
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lent: set[Connection] = set()

    async def take(self) -> "Connection":
        """Borrow a connection. Raises `Unavailable` when none comes free in time; give it back with `give`."""
        while True:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    self._lent.add(connection)
                    return connection
                self._open -= 1
            if self._open < self._size:
                return await self._another()
            await self._wait()

    def give(self, connection: "Connection") -> None:
        """Return a borrowed connection."""
        self._lent.discard(connection)
        if connection.is_closed():
            self._open -= 1
        else:
            self._idle.append(connection)
        self._wake_one()

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

    async def _another(self) -> "Connection":
        self._open += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._open -= 1
            self._wake_one()
            raise
        self._lent.add(connection)
        return connection

    async def _wait(self) -> None:
        if self._size == 0:
            raise Unavailable
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                await turn
        except TimeoutError as fault:
            raise Unavailable from fault
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._wake_one()
            raise
        finally:
            if not turn.done():
                turn.cancel()

    def _wake_one(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
