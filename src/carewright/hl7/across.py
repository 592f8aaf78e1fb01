"""Turns across processes: what one process works on, no other begins, whichever connection of a sender's its messages come by.

A turn is an advisory lock of PostgreSQL on each thing. The messages of a process that find theirs free hold them by one session, and one
statement takes and gives back for all that come and go at that moment. A process that dies gives everything back with its session.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from carewright.hl7 import store
from carewright.kernel.db import Database, Session

WAITING_MAX = 2
"""How many messages of a process wait for other processes at once, each by a connection of the system's, of which there are six: those
by which messages are done must never wait for them."""
KEPT_SECONDS = 1.0
"""How long a session that holds nothing is kept for whoever comes next."""
Keys = Sequence[int]
"""One for each thing: 64 bits of a keyed hash, each once, in ascending order, so that nobody waits for others in a circle."""


class Across:
    """What this process has to itself among all that share the database. Within the process `Turns` keeps the order."""

    def __init__(self, db: Database) -> None:
        """`db` is the system's."""
        self._db = db
        self._waiting = asyncio.Semaphore(WAITING_MAX)
        self._holding = _Holding()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, keys: Keys) -> AsyncIterator[None]:
        """Nobody else has any of these while the block lasts. Raises `Unavailable` where another process keeps one for too long.

        Whoever waits is served in the order of asking: PostgreSQL gives nobody a lock past those who wait for it.
        """
        holding = self._begun()
        if await holding.take(keys):
            try:
                yield
            finally:
                holding.give(keys)
            return
        async with self._waiting, self._db.reserved() as session:
            await store.wait_for_turns(session, keys)
            yield

    async def close(self) -> None:
        """Give the session up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _begun(self) -> "_Holding":
        if self._task is None or self._holding.is_over:
            self._holding = _Holding()
            self._task = asyncio.create_task(self._holding.run(self._db))
        return self._holding


class _Holding:
    """One session and what it holds."""

    def __init__(self) -> None:
        self.is_over = False
        self._stirred = asyncio.Event()
        self._coming: list[tuple[Keys, asyncio.Future[bool]]] = []
        self._going: list[int] = []
        self._held = 0

    async def take(self, keys: Keys) -> bool:
        """Whether all of these are ours from now on; otherwise none is."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._coming.append((keys, answer))
        self._stirred.set()
        try:
            return await answer
        except asyncio.CancelledError:
            if not answer.cancelled() and answer.exception() is None and answer.result():  # both came at one moment
                self.give(keys)
            raise

    def give(self, keys: Keys) -> None:
        """Let others have them."""
        self._held -= 1
        self._going += keys
        self._stirred.set()

    async def run(self, db: Database) -> None:
        """Ask for whoever comes. When the session breaks its locks are gone, and whoever held some goes on without."""
        fault: Exception | None = None
        try:
            async with db.reserved() as session:
                while await self._is_wanted():
                    self._stirred.clear()
                    await self._ask(session)
        except Exception as broke:  # noqa: BLE001  # whoever asked hears of it
            fault = broke
        finally:
            self.is_over = True
            for _, answer in self._coming:
                if not answer.done():
                    answer.set_exception(fault) if fault else answer.cancel()

    async def _is_wanted(self) -> bool:
        """Once somebody comes or goes; False when nobody did for a while, and nothing is held."""
        while not self._stirred.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(KEPT_SECONDS):
                    await self._stirred.wait()
            if not (self._stirred.is_set() or self._held):
                self.is_over = True
                return False
        return True

    async def _ask(self, session: Session) -> None:
        coming, going = list(self._coming), list(self._going)
        found = await store.take_turns(session, going, [keys for keys, _ in coming])
        del self._coming[: len(coming)], self._going[: len(going)]
        for (keys, answer), ours in zip(coming, found, strict=True):
            is_whole = len(ours) == len(keys) and not answer.done()
            if is_whole:
                self._held += 1
            elif ours:
                self._going += ours
                self._stirred.set()
            if not answer.done():
                answer.set_result(is_whole)
