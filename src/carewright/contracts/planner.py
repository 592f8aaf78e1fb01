"""What is asked of whoever plans anew: where appointments that cannot take place as booked could go instead.

Today scheduling answers by its own search of free times; a planner that weighs whole days answers the same question.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant

MovedTogether = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]


class ProposeInstead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where these could go instead, each from its own start on and not before now."""

    appointment_ids: MovedTogether


class Instead(msgspec.Struct, frozen=True, kw_only=True):
    """The next free equivalent of an appointment: the same kind of visit at the same site, with these actors. None where nothing is free.

    Nothing is promised until it is moved there. No two appointments are proposed the same time of the same actor.
    """

    appointment_id: UUID
    version: int
    start: Instant | None = None
    end: Instant | None = None
    actor_ids: tuple[UUID, ...] = ()


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were asked for."""

    items: tuple[Instead, ...]
