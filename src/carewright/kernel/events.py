"""Facts as values: what an event is, before it is written anywhere."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact in the past tense. `topic` is `<module>.<noun>.<past verb>.v<n>` and never changes its meaning."""

    topic: ClassVar[str] = ""
    by_topic: ClassVar[dict[str, type["Event"]]] = {}

    organization_id: UUID

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.topic:
            Event.by_topic[cls.topic] = cls

    @property
    def subject(self) -> UUID:
        """What the fact is about. Order is kept per subject."""
        raise TypeError(f"{type(self).__name__} names no subject")


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it lies in the outbox: the fact with its place in the log, who caused it, and when."""

    id: UUID
    organization_id: UUID
    xid: int
    position: int
    occurred_at: datetime
    topic: str
    subject: UUID
    origin: UUID
    actor: str
    trace: str | None
    payload: msgspec.Raw

    def fact(self) -> Event:
        """Decode the payload by its topic."""
        return msgspec.json.decode(self.payload, type=Event.by_topic[self.topic])

    def place(self) -> tuple[int, int]:
        """Where it lies in the log: `(xid, position)`."""
        return (self.xid, self.position)
