"""What HL7 v2's use cases run in: the common context, whom they ask, and what is remembered for a moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.hl7 import Partner
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.hl7.across import Across
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.authz import Actor, Bearers, Tokens
from carewright.kernel.context import Context

REMEMBERED_SECONDS = 3.0
"""How long a process remembers an organization's tables, sites and partners. A new mapping acts within this."""
ORGANIZATIONS_MAX = 1_000
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Turn:
    things: frozenset[Hashable]
    come: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """Lets those who come for the same thing go one after another, in the order in which they came; others do not wait.

    Whoever comes for several things stands in the queue of each, at once, so that nobody waits for others in a circle.
    """

    def __init__(self) -> None:
        self._queues: dict[Hashable, list[_Turn]] = {}

    @asynccontextmanager
    async def of(self, things: Iterable[Hashable]) -> AsyncIterator[None]:
        mine = _Turn(frozenset(things))
        for thing in mine.things:
            self._queues.setdefault(thing, []).append(mine)
        self._call(mine)
        try:
            await mine.come.wait()
            yield
        finally:
            for thing in mine.things:
                self._leave(thing, mine)

    def _call(self, turn: _Turn) -> None:
        """Its turn has come once it is the first in every queue."""
        if all(self._queues[thing][0] is turn for thing in turn.things):
            turn.come.set()

    def _leave(self, thing: Hashable, turn: _Turn) -> None:
        queue = self._queues[thing]
        queue.remove(turn)
        if queue:
            self._call(queue[0])
        else:
            del self._queues[thing]


class Remembered(Generic[T]):
    """Something of each organization, asked for again after a moment."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[float, T]] = {}

    async def of(self, organization_id: UUID, now: float, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` answered a moment ago, or answers now; `now` is monotonic."""
        known = self._known.get(organization_id)
        if known is not None and now < known[0]:
            return known[1]
        found = await ask()
        if len(self._known) >= ORGANIZATIONS_MAX:
            self._known.clear()
        self._known[organization_id] = (now + REMEMBERED_SECONDS, found)
        return found

    def forget(self, organization_id: UUID) -> None:
        """Ask anew next time."""
        self._known.pop(organization_id, None)


@dataclass(frozen=True, slots=True)
class Codes:
    """An organization's tables and the zones of its sites, as they were a moment ago."""

    mappings: dict[tuple[str, str], str]
    zones: dict[UUID, ZoneInfo]

    @property
    def authorities(self) -> dict[str, str]:
        return {code: target for (table, code), target in self.mappings.items() if table == "authority"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Context(Context):
    """`turns` keeps the order of messages about one thing in this process, and `across` among all of them.

    `known` remembers tables, and `told` whom we tell of appointments.
    `system` asks whose connection it is, before anybody is.
    """

    settings: Hl7Settings
    system: Actor
    access: Access
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    flow: Flow
    orders: Orders
    bearers: Bearers
    tokens: Tokens
    across: Across
    turns: Turns = field(default_factory=Turns)
    known: Remembered[Codes] = field(default_factory=Remembered)
    told: Remembered[list[Partner]] = field(default_factory=Remembered)
