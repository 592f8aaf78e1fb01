"""One transaction that several use cases share: what any of them did stays if all of it does.

Whoever works within one (`within`) finds the connections of every module replaced by the one of the transaction, as far as they stand in
its tenant. A loan of it acts as the module's own role, so that nobody touches another's tables, and stands behind a savepoint, so that
what a use case undoes by itself is undone alone. Loans take turns; a loan within a loan of the same task is part of it.

A joint transaction takes locks in whatever order its use cases come. It never waits long for one (`JOINT_LOCK_TIMEOUT_MS`, far less than
PostgreSQL waits before it looks for a deadlock): it gives up everything instead, and is to begin anew. So it may stand in the way of
others for a moment, and never in a circle with them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from uuid import UUID

import asyncpg

from carewright.kernel.errors import Unavailable
from carewright.kernel.sql import load

Q = load("carewright.kernel")
JOINT_LOCK_TIMEOUT_MS = 100
"""PostgreSQL looks for a deadlock after 1 s (deadlock_timeout), unless somebody lowered that: until then everybody else only waits."""
TURN_SECONDS_MAX = 10.0
BROKEN_OFF = (TimeoutError, asyncio.CancelledError)
"""A statement whose answer nobody waited for may still be at work: nothing may follow it on its connection."""
HELD_UP = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
NO_ROLE = "none"
_around: ContextVar["Joint | None"] = ContextVar("joint", default=None)


class Joint:
    """One transaction on `connection`, which stands in `tenant`. `was_held_up` says that a lock did not come free in time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", tenant: UUID | None) -> None:
        self.was_held_up = False
        self._connection = connection
        self.tenant = tenant
        self._turn = asyncio.Lock()
        self._role: str | None = None
        """As which it is lent now; None while it is not."""
        self._owner: asyncio.Task[object] | None = None
        self._afterwards: list[Callable[[], Awaitable[None]]] = []
        self.is_over = False

    @contextmanager
    def within(self) -> Iterator[None]:
        """Have the caller, and the tasks that it starts, work within this transaction until the block ends."""
        before = _around.set(self)
        try:
            yield
        finally:
            _around.reset(before)
            self.is_over = True

    @asynccontextmanager
    async def lent(self, role: str | None) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        """The connection, acting as `role` (None: as its login). Whatever is raised in the block undoes what the block did."""
        async with self._in_turn() as outer:
            async with self._connection.transaction():
                await self._act_as(role or NO_ROLE)
                try:
                    yield self._connection
                except HELD_UP:
                    self.was_held_up = True
                    raise
                except BROKEN_OFF:
                    self._connection.terminate()
                    raise
                finally:
                    self._role = outer
            if outer is not None:
                await self._act_as(outer)

    def afterwards(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done once the transaction is over, whether it was committed or undone."""
        self._afterwards.append(work)

    async def settle(self) -> bool:
        """Do what was left for afterwards. False where something of it could not be done just now; the rest was."""
        is_done = True
        for work in self._afterwards:
            try:
                await work()
            except Unavailable:
                is_done = False
        return is_done

    @classmethod
    def around(cls, tenant: UUID | None) -> "Joint | None":
        """The transaction that the caller works within, if it is one of this tenant."""
        joint = _around.get()
        return None if joint is None or joint.is_over or joint.tenant != tenant else joint

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[str | None]:
        """A turn, and as which role the loan that this one is part of stands, if it is part of one."""
        task = asyncio.current_task()
        if self._owner is task:
            yield self._role
            return
        async with asyncio.timeout(TURN_SECONDS_MAX):
            await self._turn.acquire()
        self._owner = task
        try:
            yield None
        finally:
            self._owner = None
            self._turn.release()

    async def _act_as(self, role: str) -> None:
        await self._connection.execute(Q.act_as.text, role)
        self._role = role
