"""The context a use case runs in: everything it may know of the world outside its arguments."""

import hashlib
import random
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

import msgspec

from carewright.kernel.authz import Actor
from carewright.kernel.clock import Clock
from carewright.kernel.db import Database
from carewright.kernel.ids import Ids
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.wake import Wake


@dataclass(frozen=True, slots=True)
class Once:
    """A caller's key with the fingerprint (SHA-256) of what it was used for."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str | None, command: object) -> "Once | None":
        """The key of a call by Protocol, with the fingerprint of its command; None without a key."""
        if key is None:
            return None
        return cls(key, hashlib.sha256(type(command).__name__.encode() + b"\n" + msgspec.json.encode(command)).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, what time it is, where ids and chance come from, and where the truth is kept.

    `db` is the database as the actor's tenant sees it (`acting`). That of the context a module starts with is the system's: it sees all.
    `vault` holds the organizations' keys. `origin` is this process's id, so that a reader of the log knows its own events.
    `once` carries the caller's idempotency key, if one was given. `trace` is the W3C traceparent, if tracing is on.
    `caused_by` is who made the fact true that a handler reacts to.
    """

    actor: Actor
    clock: Clock
    ids: Ids
    rng: random.Random
    db: Database
    wake: Wake
    vault: Vault
    origin: UUID
    once: Once | None = None
    trace: str | None = None
    caused_by: str | None = None

    async def cipher(self) -> FieldCipher:
        """The keys of the actor's organization. Ask before a transaction begins."""
        return await self.vault.of(self.db, self.actor.organization_id)

    def at(self, address: str | None) -> Self:
        """The same world, asked from this IP address."""
        return replace(self, actor=self.actor.at(address))

    def acting(self, actor: Actor, once: Once | None = None, trace: str | None = None) -> Self:
        """The same world for another actor, as their tenant sees it, with their key and as part of their trace."""
        return replace(self, actor=actor, db=self.db.of(actor.organization_id), once=once, trace=trace)

    def working_in(self, organization_id: UUID, once: Once | None = None, trace: str | None = None) -> Self:
        """The same actor at work within one organization: what the system does by itself belongs to somebody."""
        return self.acting(msgspec.structs.replace(self.actor, organization_id=organization_id), once, trace)
