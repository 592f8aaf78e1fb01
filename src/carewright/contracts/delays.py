"""The flow module's language of late running: which calendar is late today, and when each appointment is expected to begin.

A calendar is that of a practitioner, a room or a device, by their id. What is refused and told stands in `flow`.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Day, Instant, Version

DelaySource = Literal["entered", "detected"]
"""Said by somebody, or seen by when turns began and ended."""
DelayReason = Literal["previous-patient", "emergency", "absent", "equipment", "other"]
LateMinutes = Annotated[int, Meta(ge=0, le=480)]
"""Whoever is later than eight hours does not come today."""
TellMinutes = Annotated[int, Meta(ge=5, le=240)]
Telling = Literal["later", "as-booked"]
"""What a patient is told now: that it begins later than booked, or than we said; or as booked after all."""


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """How late a calendar runs on one day: 0 is on time. Before anybody said anything `version` is 0.

    `minutes` is what was said or seen last; `affected` of today's appointments are expected to begin later than booked, which of a long
    gap may be none, and `by_emergency` of these because an emergency came first.
    """

    calendar_id: UUID
    site_id: UUID
    day: Day
    minutes: int = 0
    source: DelaySource = "detected"
    reason: DelayReason | None = None
    said_at: Instant | None = None
    affected: int = 0
    by_emergency: int = 0
    version: int = 0


class DelayStep(msgspec.Struct, frozen=True, kw_only=True):
    """What a delay was from `said_at` on."""

    version: int
    minutes: int
    source: DelaySource
    reason: DelayReason | None
    said_at: Instant


class DelayHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar's delay today, and all it was since the morning, oldest first."""

    delay: Delay
    steps: tuple[DelayStep, ...]


class AtSite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of today at one site, by the site's own clock."""

    site_id: UUID


class DelaysPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every calendar with appointments at the site today, those that are late first.

    Patients are told of a delay of `tell_minutes`, and again when it grows by as much.
    """

    items: tuple[Delay, ...]
    tell_minutes: int


class SetDelay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calendar runs so many minutes late from now on; 0 is on time again. Our own clock says since when."""

    calendar_id: UUID
    site_id: UUID
    minutes: LateMinutes
    reason: DelayReason = "other"
    expected_version: Version | None = None


class SetTelling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From how many minutes on patients of a site are told of a delay."""

    site_id: UUID
    tell_minutes: TellMinutes


class ListExpected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is expected to begin later than booked, today: at a site, or without one of the patient's own."""

    site_id: UUID | None = None


class ExpectedStart(msgspec.Struct, frozen=True, kw_only=True):
    """When an appointment is expected to begin, as far as that is known: `late_minutes` after its booked start.

    `by_emergency` says why, where an emergency came first.
    """

    appointment_id: UUID
    site_id: UUID
    start: Instant
    expected_at: Instant
    late_minutes: int
    by_emergency: bool = False
    version: int


class ExpectedStarts(msgspec.Struct, frozen=True, kw_only=True):
    """By booked start. What is not here begins as booked."""

    items: tuple[ExpectedStart, ...]
