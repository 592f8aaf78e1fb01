"""The part of scheduling's language that a day board needs: all calendars of a site for a day, and what a move would meet.

Nothing here says whose an appointment is.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import ActorKind, UrgencyTier
from carewright.kernel.values import Instant

ListedKinds = Annotated[tuple[UUID, ...], Meta(max_length=500)]
TakesTime = Literal["pending", "booked", "arrived", "checked-in", "fulfilled"]
"""The states of an appointment in which it takes time."""
ConflictReason = Literal["closed", "blocked", "taken", "rule"]
"""Outside working hours, inside a block, beside another appointment, against a rule of the kind of visit or of a payer."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    start: Instant
    end: Instant


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar: when its practitioner, place or device works at the site, and when it is blocked."""

    schedule_id: UUID
    kind: ActorKind
    display: str
    openings: tuple[Stretch, ...]
    blocks: tuple[Stretch, ...]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Whose time an appointment takes, and which: with its buffers, and of who comes later or leaves earlier the less."""

    actor_id: UUID
    start: Instant
    end: Instant


class BoardVisit(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment without its patient. `taken` are the rows that it lies in; `expires_at` is there for time that is held."""

    id: UUID
    version: int
    status: TakesTime
    visit_type_id: UUID
    visit_type_name: str
    start: Instant
    end: Instant
    urgency: UrgencyTier
    taken: tuple[Taken, ...]
    expires_at: Instant | None = None


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """Time that a turn in a queue takes of these rows now, without an appointment."""

    entry_id: UUID
    schedule_ids: tuple[UUID, ...]
    start: Instant
    end: Instant


class ReadBoard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site between two instants, at most 48 hours apart.

    Rows are of `kinds` alone, where any is named. By `visit_type_ids` they are those who could serve these kinds of visits, and the
    appointments are of these.
    """

    site_id: UUID
    from_at: Instant
    until_at: Instant
    kinds: Annotated[tuple[ActorKind, ...], Meta(max_length=7)] = ()
    visit_type_ids: ListedKinds = ()


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever works or is taken in that time, by name; and what takes place or is held, by start."""

    rows: tuple[BoardRow, ...]
    visits: tuple[BoardVisit, ...]
    in_use: tuple[InUse, ...] = ()


class ReadUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How full a site is from `from_at` on, for at most 48 whole hours."""

    site_id: UUID
    from_at: Instant
    hours: Annotated[int, Meta(ge=1, le=48)] = 24


class HourUse(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of an hour that are open, and of these those that are taken, of all who could serve together."""

    open_minutes: int
    taken_minutes: int


class ServiceUse(msgspec.Struct, frozen=True, kw_only=True):
    """A service that somebody could serve in that time, hour by hour."""

    service_id: UUID
    service_name: str
    hours: tuple[HourUse, ...]


class SiteUse(msgspec.Struct, frozen=True, kw_only=True):
    """By the names of the services."""

    services: tuple[ServiceUse, ...]


class MoveConflict(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the way of a move: of whom (a patient has no `display`), and when. `appointment_id` is the other appointment.

    `text` says which rule it is, where it is one.
    """

    reason: ConflictReason
    kind: ActorKind | Literal["patient"] | None = None
    display: str = ""
    start: Instant | None = None
    end: Instant | None = None
    appointment_id: UUID | None = None
    text: str = ""


class MoveActor(msgspec.Struct, frozen=True, kw_only=True):
    kind: ActorKind
    actor_id: UUID
    display: str


class MovePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a move would come to, as the calendars are now: with whom, and what stands in the way. Nothing is promised.

    Without conflicts it can be done. `by_override` says that it could be done against the calendar all the same, by whoever may.
    """

    appointment_id: UUID
    version: int
    start: Instant
    end: Instant
    actors: tuple[MoveActor, ...] = ()
    conflicts: tuple[MoveConflict, ...] = ()
    by_override: bool = False
