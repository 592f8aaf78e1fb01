"""The flow module's language of waiting rooms: what a screen on a wall shows to everybody. Nobody's name, and not how urgent anybody is.

Who may be asked for it stands in `flow`.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant


class ShowCalls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was called last at a site, and how full its queues are: all of them, or those that are named."""

    site_id: UUID
    queue_ids: Annotated[tuple[UUID, ...], Meta(max_length=50)] = ()
    limit: Annotated[int, Meta(ge=1, le=50)] = 8


class CallShown(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that was called, and where to. `place` is nothing where the desk did not say; `is_here` once the patient has come."""

    id: UUID
    ticket: str
    queue: str
    place: str
    called_at: Instant
    is_here: bool


class QueueShown(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as everybody may see it: how many wait, and how long whoever is called last of them waits, in minutes.

    Minutes are None where the queue's policy keeps them back, where they cannot be told, and where nobody waits.
    """

    id: UUID
    name: str
    waiting: int
    low_minutes: int | None = None
    high_minutes: int | None = None


class CallsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a site shows: the last calls, those first who are still to come, the newest first; the queues by name."""

    site_name: str
    time_zone: str
    calls: tuple[CallShown, ...]
    queues: tuple[QueueShown, ...]
