"""What HL7 v2's use cases run in: the common context, whom they ask, and what is remembered for a moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.authz import Actor, Bearers, Tokens
from carewright.kernel.context import Context

CODES_SECONDS = 3.0
"""How long a process remembers an organization's tables and sites. A new mapping acts within this."""


class Turns:
    """Lets those who come for the same thing go one after another, in the order in which they came; others do not wait."""

    def __init__(self) -> None:
        self._locks: dict[bytes, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: bytes) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[key]
            if waiting == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, waiting - 1)


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
    """`turns` keeps the order of messages about one thing; `known` remembers tables, by organization, with when that ends.

    `system` asks whose connection it is, before anybody is.
    """

    settings: Hl7Settings
    system: Actor
    access: Access
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    flow: Flow
    bearers: Bearers
    tokens: Tokens
    turns: Turns = field(default_factory=Turns)
    known: dict[UUID, tuple[float, Codes]] = field(default_factory=dict)
