"""The context a use case runs in: everything it may know of the world outside its arguments."""

import random
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from carewright.kernel.authz import Actor
from carewright.kernel.clock import Clock
from carewright.kernel.db import Database
from carewright.kernel.idempotency import Once
from carewright.kernel.ids import Ids
from carewright.kernel.outbox import Wake


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, what time it is, where ids and chance come from, and where the truth is kept.

    `origin` is this process's id, so that a reader of the log knows its own events.
    `once` carries the caller's idempotency key, if one was given. `trace` is the W3C traceparent, if tracing is on.
    """

    actor: Actor
    clock: Clock
    ids: Ids
    rng: random.Random
    db: Database
    wake: Wake
    origin: UUID
    once: Once | None = None
    trace: str | None = None

    def acting(self, actor: Actor, once: Once | None = None) -> Self:
        """The same world for another actor."""
        return replace(self, actor=actor, once=once)
