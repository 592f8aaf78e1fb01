"""The shape of a module: what it offers, serves, listens to and does by itself. Every `module.py` builds one of these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from carewright.kernel.context import Context
from carewright.kernel.events import Event
from carewright.kernel.http.cross_origin import SharedWith
from carewright.kernel.http.priorities import Declared
from carewright.kernel.http.routes import Route
from carewright.kernel.jobs import Job, Timer
from carewright.kernel.shown import Shown

Reseal = Callable[[Any, UUID, int], Awaitable[Sequence[UUID]]]
"""`async def reseal(ctx, after, limit)`: seals rows behind the id `after` anew that an older key sealed, in one transaction; their ids."""
Handle = Callable[[Any, Any, Any], Awaitable[None]]
"""`async def handler(ctx, tx, event)`: reacts to a fact inside the transaction that also records its delivery."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started module: its context, what it offers to others by Protocol, and how to stop it.

    `warm` is what a process that serves does once it is ready, so that the first who asks need not wait for it.
    """

    context: Any
    offers: Mapping[type, object] = field(default_factory=dict)
    stop: Callable[[], Awaitable[None]] | None = None
    ready: Callable[[], bool] = lambda: True
    follow: Callable[[], Awaitable[None]] | None = None
    warm: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """One module of the system, as the registry lists it.

    `start` receives the base context, the module's settings and a resolver for other modules' Protocols, and returns it running.
    `needs` names the Protocols it calls (rims only). `prefixes` are the URL prefixes it serves. `pages` makes web framework routes
    for HTML and other standards from the running module's context, and `speaking` says how addresses that begin so say no.
    `priorities` says how urgent pages are where their method does not.
    `shared` names those that scripts of other sites' pages may read: of any site's, or of registered apps'.
    `at_once` names those of its subscriptions that a transaction of several use cases has it handle before it goes on, since a later one
    asks what they tell. `shown` says which of its facts can be watched, and by whom (`feed.py`). `sealed` names the tables with sealed
    fields, and seals them anew.
    """

    name: str
    start: Callable[[Context, Any, Callable[[type], Any]], Awaitable[Running]]
    settings: type[Any]
    offers: Sequence[type] = ()
    needs: Sequence[type] = ()
    routes: Sequence[Route] = ()
    prefixes: Sequence[str] = ()
    subscriptions: Mapping[type[Event], Handle] = field(default_factory=dict)
    at_once: frozenset[type[Event]] = frozenset()
    jobs: Sequence[Job[Any]] = ()
    timers: Sequence[Timer[Any]] = ()
    has_tables: bool = True
    shown: Sequence[Shown] = ()
    sealed: Mapping[str, Reseal] = field(default_factory=dict)
    pages: Callable[[Any], Sequence[Any]] | None = None
    priorities: Declared = field(default_factory=dict)
    speaking: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    shared: Mapping[str, SharedWith] = field(default_factory=dict)
