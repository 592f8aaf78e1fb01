"""The part of scheduling's language that is about the day itself: time that a turn in a queue takes, and gaps that it could take.

A turn takes time by its call (`flow.queue_entry.moved.v1`); whoever wants to be sure takes it beforehand. What is refused and told is
in `scheduling`.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant

GapKind = Literal["idle", "no-show"]
"""Nobody is booked, or whoever was is done; somebody is booked and has not come."""
MinutesTaken = Annotated[int, Meta(ge=5, le=480)]
MinutesLeast = Annotated[int, Meta(ge=0, le=480)]
GraceMinutes = Annotated[int, Meta(ge=0, le=1440)]


class TakeTime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A practitioner's time from now on for `minutes`, or until somebody is booked, but `least_minutes` at least, and so a room's.

    For the turn `entry_id`, which is called next: what is not called within two minutes gives its time back. Who is booked, did not come
    and is later than `grace_minutes` keeps nobody from it.
    """

    entry_id: UUID
    site_id: UUID
    practitioner_id: UUID
    location_id: UUID | None = None
    minutes: MinutesTaken
    least_minutes: MinutesLeast = 0
    grace_minutes: GraceMinutes = 15


class TimeInUse(msgspec.Struct, frozen=True, kw_only=True):
    """Time that a turn has. `is_kept`: it was called."""

    entry_id: UUID
    site_id: UUID
    practitioner_id: UUID
    location_id: UUID | None = None
    start: Instant
    end: Instant
    is_kept: bool = False


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """`is_given_back`: the turn had time, and was not called."""

    entry_id: UUID
    is_given_back: bool


class ListGaps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the practitioners who serve a service at a site: what is free now or within the hour. Nobody is missed before `grace_minutes`."""

    site_id: UUID
    service_id: UUID
    grace_minutes: GraceMinutes = 15


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time of a practitioner that a turn could take. `appointment_id` is whose patient has not come; they keep their turn."""

    practitioner_id: UUID
    display: str
    kind: GapKind
    start: Instant
    end: Instant
    appointment_id: UUID | None = None


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """By their start. `as_of` is when it was so."""

    items: tuple[Gap, ...]
    as_of: Instant
