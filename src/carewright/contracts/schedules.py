"""The part of scheduling's language that says whose calendars there are, and what one shows."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import ActorKind
from carewright.contracts.hours import Busy, Opening
from carewright.kernel.values import Instant

ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=1000)]


class ListSchedules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calendars in order of their ids, closed ones too: those that meet every condition that has a value. `after` is where a page ended."""

    ids: ListedIds = ()
    kinds: Annotated[tuple[ActorKind, ...], Meta(max_length=7)] = ()
    site_ids: ListedIds = ()
    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class ScheduleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Whose calendar it is: the id is that of the practitioner, the place or the device.

    `version` rises with every change of hours, blocks or abilities, and not when somebody books.
    """

    id: UUID
    kind: ActorKind
    display: str
    site_ids: tuple[UUID, ...]
    active: bool
    version: int


class SchedulesPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the last id shown where more follow."""

    items: tuple[ScheduleSummary, ...]
    next: UUID | None = None


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """One actor's calendar over a period of at most 31 days."""

    schedule_id: UUID
    kind: ActorKind
    display: str
    openings: tuple[Opening, ...]
    busy: tuple[Busy, ...]


class GetCalendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schedule_id: UUID
    from_at: Instant
    until_at: Instant
