"""The scheduling module's language of what is out of service: a practitioner, a room or a device that cannot be had for a time, and why.

An outage is a block of the calendar (`hours`) that says why by a code: the time is closed, and what is booked in it stays until somebody
decides about each. Its id is that of the block.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from carewright.contracts.directory import ActorKind
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Limit

OutageReason = Literal["equipment", "room", "emergency", "absent", "other"]
"""A failure or upkeep of equipment, a room that cannot be used, taken by an emergency, not here, or something else."""

REPORT, REPORT_PERSON = "scheduling.outage.report", "scheduling.outage.report_person"
PEOPLE: frozenset[ActorKind] = frozenset({"practitioner", "nurse", "technician"})


class ReportOutage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A practitioner, a room or a device is out of service until `end`; from now on, where no `start` is given."""

    schedule_id: UUID
    end: Instant
    start: Instant | None = None
    reason: OutageReason = "other"


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Who or what is out of service, from when to when: as it was said, or until it was ended early.

    `hit_appointment_ids` are booked in that time as the calendar is now, and are not over.
    """

    id: UUID
    schedule_id: UUID
    kind: ActorKind
    display: str
    site_ids: tuple[UUID, ...]
    start: Instant
    end: Instant
    reason: OutageReason
    reported_at: Instant
    hit_appointment_ids: tuple[UUID, ...] = ()


class ListOutages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is out of service at a site now and later, or from `from_at` on. `after` is where a page ended."""

    site_id: UUID
    from_at: Instant | None = None
    until_at: Instant | None = None
    after: UUID | None = None
    limit: Limit = 50


class OutagesPage(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were reported. `next` is the last id shown where more follow."""

    items: tuple[Outage, ...]
    next: UUID | None = None


class UnknownOutage(Refusal):
    code = "outages.unknown_outage"
    status = 404
    issue = "not-found"
    title = "We know nothing that is out of service under this id."


class OutageFact(Event, frozen=True, kw_only=True):
    """Of whom or what, where, from when to when, and why: ids, codes and times alone.

    `hit_appointment_ids` are booked in that time, and somebody must decide about each.
    """

    outage_id: UUID
    schedule_id: UUID
    kind: ActorKind
    site_ids: tuple[UUID, ...]
    start: Instant
    end: Instant
    reason: OutageReason
    hit_appointment_ids: tuple[UUID, ...] = ()

    @property
    def subject(self) -> UUID:
        return self.outage_id


class OutageReported(OutageFact, frozen=True, kw_only=True):
    """Something is out of service from `start` to `end`. It says so once, however far ahead that is."""

    topic: ClassVar[str] = "outages.outage.reported.v1"


class OutageEnded(OutageFact, frozen=True, kw_only=True):
    """Something is in service again earlier than was said: from `end` on. Where that is `start`, it never was out."""

    topic: ClassVar[str] = "outages.outage.ended.v1"


def may_report(actor: Actor, kind: ActorKind, schedule_id: UUID) -> bool:
    """Whether the actor may say so of this calendar: of what is no person, of themselves, or of anybody, where they run people's time."""
    return actor.may(REPORT) and (kind not in PEOPLE or schedule_id == actor.practitioner_id or actor.may(REPORT_PERSON))
