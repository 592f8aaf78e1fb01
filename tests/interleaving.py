"""Every order in which sessions can take turns on one database, one after another.

A session is a coroutine that works through a `GatedDatabase`: before a gated statement, and before a commit that matters, it waits for a
permit. `explore` gives permits one at a time and goes through all orders by depth-first search: a run follows a prefix of choices and then
always takes the lowest session that can go on; the next run changes the last choice that had a later alternative. A session that waits for
a lock cannot go on, and the order continues with the others; when nobody can, the sessions have locked each other out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from uuid import UUID

import asyncpg

from carewright.kernel.db import Database, Row, Transaction
from carewright.kernel.errors import Refusal
from carewright.kernel.joint import Joint
from carewright.kernel.sql import Query

T = TypeVar("T")
SETTLE_SECONDS = 0.002
STUCK_SECONDS_MAX = 5.0
BLOCKED = "SELECT pid FROM unnest($1::int[]) AS pid WHERE pg_blocking_pids(pid) && $2::int[]"
"""By another session: a vacuum's lock goes by itself."""


class Gating(Protocol):
    """Which statements wait for a permit."""

    def __call__(self, name: str, args: Sequence[object], before: str | None) -> bool:
        """`before` names the session's statement before this one, if there was any."""
        ...


class LockedOut(AssertionError):
    """The sessions wait for each other: a deadlock, found before PostgreSQL ends it."""


@dataclass(slots=True)
class Session:
    """One party. `waiting_for` is the step it wants a permit for."""

    database: "GatedDatabase"
    pid: int
    waiting_for: str | None = None
    blocked: bool = False
    done: bool = False
    before: str | None = None
    permit: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        self.waiting_for, self.blocked, self.done, self.before = None, False, False, None
        self.permit.clear()

    @property
    def running(self) -> bool:
        return not (self.done or self.blocked or self.waiting_for)


class Turns:
    """Gives permits to sessions and notices when each has come to rest."""

    def __init__(self, sessions: Sequence[Session], monitor: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._sessions = sessions
        self._monitor = monitor
        self._changed = asyncio.Event()
        for session in sessions:
            session.database.turns = self
            session.database.session = session

    async def gate(self, session: Session, step: str) -> None:
        session.waiting_for, session.blocked = step, False
        self._changed.set()
        await session.permit.wait()
        session.permit.clear()

    def ended(self) -> None:
        """A transaction ended: whoever waited for its locks may go on."""
        for each in self._sessions:
            each.blocked = False
        self._changed.set()

    def let_go(self, session: Session) -> None:
        session.waiting_for = None
        session.permit.set()

    async def rest(self) -> None:
        """Return when every session waits for a permit or a lock, or is done."""
        patience = asyncio.get_running_loop().time() + STUCK_SECONDS_MAX
        while any(each.running for each in self._sessions):
            self._changed.clear()
            try:
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                await self._mark_blocked()
            assert asyncio.get_running_loop().time() < patience, "a session waits for something that is not a lock"

    async def _mark_blocked(self) -> None:
        running = {each.pid: each for each in self._sessions if each.running}
        for row in await self._monitor.fetch(BLOCKED, list(running), [each.pid for each in self._sessions]):
            if running[row["pid"]].running:
                running[row["pid"]].blocked = True

    def finished(self, session: Session) -> None:
        session.done = True
        self.ended()


KEYS = frozenset({"kernel.keysets_of", "kernel.insert_keyset"})
"""A process reads an organization's keys when it first needs them and now and then: no step of whoever happens to need them."""


class GatedTransaction(Transaction):
    """A transaction whose steps wait for permits. Its commit is a step if it locked or wrote anything."""

    def __init__(self, inner: Transaction, database: "GatedDatabase") -> None:
        self._inner = inner
        self._database = database
        self.matters = False

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        await self._database.step(query, args)
        rows = await self._inner.fetch(query, *args)
        self.matters = self.matters or (bool(rows) and query.name not in KEYS)
        return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        await self._database.step(query, args)
        row = await self._inner.fetch_one(query, *args)
        self.matters = self.matters or (row is not None and query.name not in KEYS)
        return row

    async def execute(self, query: Query, *args: object) -> None:
        await self._database.step(query, args)
        self.matters = self.matters or query.name not in KEYS
        await self._inner.execute(query, *args)


class GatedDatabase(Database):
    """One connection whose statements and commits wait for permits. Outside `explore` it lets everything through."""

    def __init__(self, inner: Database, gating: Gating) -> None:
        self._inner = inner
        self.gating = gating
        self.turns: Turns | None = None
        self.session: Session | None = None

    @property
    def joint(self) -> Joint | None:
        return self._inner.joint

    def of(self, organization_id: UUID) -> Database:
        """The same session, in that tenant."""
        self._inner = self._inner.of(organization_id)
        return self

    async def step(self, query: Query, args: Sequence[object]) -> None:
        if self.turns and self.session and query.name not in KEYS:
            name = query.name.partition(".")[2]
            gated = self.gating(name, args, self.session.before)
            self.session.before = name
            if gated:
                await self.turns.gate(self.session, name)

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        await self.step(query, args)
        return await self._ending(self._inner.fetch(query, *args))

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        await self.step(query, args)
        return await self._ending(self._inner.fetch_one(query, *args))

    async def execute(self, query: Query, *args: object) -> None:
        await self.step(query, args)
        await self._ending(self._inner.execute(query, *args))

    async def _ending(self, statement: Awaitable[T]) -> T:
        try:
            return await statement
        finally:
            self._end()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        try:
            async with self._inner.transaction() as tx:
                gated = GatedTransaction(tx, self)
                yield gated
                if gated.matters and self.turns and self.session:
                    await self.turns.gate(self.session, "commit")
        finally:
            self._end()

    def _end(self) -> None:
        if self.turns:
            self.turns.ended()


@dataclass(frozen=True, slots=True)
class Run:
    """One order: who took each step, what the step was, and what each session came to."""

    choices: list[int]
    alternatives: list[list[int]]
    steps: list[str]
    outcomes: list[object]

    def next_prefix(self) -> list[int] | None:
        """The choices that lead to the next order, or None after the last."""
        for place in range(len(self.choices) - 1, -1, -1):
            later = [each for each in self.alternatives[place] if each > self.choices[place]]
            if later:
                return [*self.choices[:place], later[0]]
        return None


Work = Callable[[GatedDatabase], Awaitable[object]]


async def run_in_order(
    turns: Turns, sessions: Sequence[Session], works: Sequence[Work], prefix: Sequence[int], twins: Sequence[int | None]
) -> Run:
    """One run. `twins[i]` names the session that `i` is interchangeable with and need not overtake at the start."""
    for session in sessions:
        session.begin()
    tasks = [asyncio.ensure_future(_outcome(turns, session, work)) for session, work in zip(sessions, works, strict=True)]
    run = Run([], [], [], [])
    begun: set[int | None] = {None}
    try:
        while True:
            await turns.rest()
            able = [number for number, each in enumerate(sessions) if each.waiting_for and twins[number] in begun]
            if not able:
                break
            place = len(run.choices)
            chosen = prefix[place] if place < len(prefix) else able[0]
            assert chosen in able, f"the same order took another course: {run.steps}, {list(prefix)}, {sessions}"
            begun.add(chosen)
            run.choices.append(chosen)
            run.alternatives.append(able)
            run.steps.append(f"{chosen}:{sessions[chosen].waiting_for}")
            turns.let_go(sessions[chosen])
        if not all(each.done for each in sessions):
            raise LockedOut(" ".join(run.steps))
        run.outcomes.extend([await task for task in tasks])
        return run
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _outcome(turns: Turns, session: Session, work: Work) -> object:
    try:
        return await work(session.database)
    except Refusal as refusal:
        return refusal
    finally:
        turns.finished(session)
