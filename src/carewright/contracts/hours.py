"""The part of scheduling's language that is about time: weekly rules, days that differ, leave, blocks; what is open, and what is taken."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Day, Instant, MinuteOfDay, Reason, Weekday


class WeeklyHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Working time every week on `weekday` (0 is Monday), in the site's zone. `end_minute` may pass 1440 into the next day."""

    weekday: Weekday
    start_minute: MinuteOfDay
    end_minute: Annotated[int, Meta(ge=1, le=2880)]
    site_id: UUID
    valid_from_on: Day | None = None
    valid_until_on: Day | None = None


class DayException(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One day that differs: closed, or open at other times, at one site."""

    on: Day
    kind: Literal["closed", "open"]
    site_id: UUID
    start_minute: MinuteOfDay | None = None
    end_minute: Annotated[int, Meta(ge=1, le=2880)] | None = None


class LeavePeriod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start: Instant
    end: Instant


Weekly = Annotated[tuple[WeeklyHours, ...], Meta(max_length=100)]
Exceptions = Annotated[tuple[DayException, ...], Meta(max_length=400)]
Leaves = Annotated[tuple[LeavePeriod, ...], Meta(max_length=100)]


class SetWorkingHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace one actor's working rules from now on. Appointments that no longer fit stay, and are returned."""

    schedule_id: UUID
    weekly: Weekly
    exceptions: Exceptions = ()
    leave: Leaves = ()


class BlockTime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close an actor's calendar for a period. The appointments inside stay, and are returned."""

    schedule_id: UUID
    start: Instant
    end: Instant
    reason: Reason


class Block(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    schedule_id: UUID
    start: Instant
    end: Instant
    reason: Reason


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    site_id: UUID
    start: Instant
    end: Instant


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a schedule that is taken. FHIR Slot.status: `busy`, `busy-tentative` (a hold) or `busy-unavailable` (a block).

    `queue_entry_id` is the turn of somebody without an appointment who is called or being seen; `block_id` names a block, and `outage_id`
    one that says that the actor is out of service.
    """

    status: Literal["busy", "busy-tentative", "busy-unavailable"]
    start: Instant
    end: Instant
    appointment_id: UUID | None = None
    queue_entry_id: UUID | None = None
    block_id: UUID | None = None
    outage_id: UUID | None = None


class BlockChange(msgspec.Struct, frozen=True, kw_only=True):
    """Time that was closed, or opened again: the block as it is, or was."""

    id: UUID
    start: Instant
    end: Instant
    is_open: bool


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Staff book against the calendar, knowingly: outside working hours, inside a block, or beside another appointment."""

    reason: Reason
