"""What a link says of two appointments: whether they lie as they should, and what is done where they do not. Pure rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.links import (
    WITHOUT_OTHER,
    AppointmentLink,
    LinkAppointments,
    LinkAttempt,
    LinkCause,
    LinkContradicts,
    LinkDoesNotFit,
    LinkFact,
    LinkStatus,
)
from carewright.contracts.scheduling import Appointment, AppointmentStatus
from carewright.scheduling.model.appointment import HOLDS_TIME, MOVABLE
from carewright.scheduling.model.ticks import TICK

Bound = AppointmentLink | LinkAppointments
TAKES_PLACE = HOLDS_TIME
"""What somebody may depend on; that it was seen already takes nothing away from what follows."""


class Window(NamedTuple):
    """Starts that agree with a link: from `earliest` to `latest`, each of them none where nothing bounds it."""

    earliest: datetime | None
    latest: datetime | None

    def __contains__(self, start: object) -> bool:
        return isinstance(start, datetime) and (self.earliest is None or self.earliest <= start) and (
            self.latest is None or start <= self.latest
        )  # fmt: skip

    def within(self, other: "Window") -> "Window":
        """What agrees with both."""
        earliest = max((each for each in (self.earliest, other.earliest) if each is not None), default=None)
        latest = min((each for each in (self.latest, other.latest) if each is not None), default=None)
        return Window(earliest, latest)


ANY_TIME = Window(None, None)


class Lying(NamedTuple):
    """When an appointment begins and ends."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, one: Appointment) -> "Lying":
        return cls(one.start, one.end)


class Bond(NamedTuple):
    """A link, and how the two lie: the dependent one first."""

    link: AppointmentLink
    one: Lying
    other: Lying


def window_of(link: Bound, length: timedelta, other: Lying) -> Window:
    """When what depends on the other and takes `length` may begin."""
    least = timedelta(minutes=link.least_minutes)
    most = None if link.most_minutes is None else timedelta(minutes=link.most_minutes)
    match link.kind:
        case "before":
            return Window(None if most is None else other.start - most - length, other.start - least - length)
        case "after":
            return Window(other.end + least, None if most is None else other.end + most)
        case "concurrent":
            into = length - TICK
            return Window(other.start - (into if most is None else min(most, into)), other.start - least)


def window_of_other(link: Bound, one: Lying, length: timedelta) -> Window:
    """The same the other way round: when the other may begin, which takes `length`, where the dependent one stays."""
    of_itself = window_of(link, one.end - one.start, Lying(one.start, one.start + length))
    earliest = None if of_itself.latest is None else one.start + (one.start - of_itself.latest)
    latest = None if of_itself.earliest is None else one.start + (one.start - of_itself.earliest)
    return Window(earliest, latest)


def fits(link: Bound, one: Lying, other: Lying) -> bool:
    """Whether two appointments lie as a link says."""
    return one.start in window_of(link, one.end - one.start, other)


def ensure_linkable(command: LinkAppointments, one: Appointment, other: Appointment, reached: Iterable[UUID]) -> None:
    """Raise `LinkContradicts` or `LinkDoesNotFit`. `reached` is what `other` depends on, straight or by others."""
    if one.id == other.id:
        raise LinkContradicts("An appointment cannot depend on itself.", rule="itself")
    if one.patient_id != other.patient_id:
        raise LinkContradicts("These are appointments of different patients.", rule="other-patient")
    if command.most_minutes is not None and command.most_minutes < command.least_minutes:
        raise LinkContradicts("The least time between them is more than the most.", rule="minutes")
    if command.kind == "concurrent" and command.otherwise == "ask":
        raise LinkContradicts("Nobody can be asked whether they come to what they are at. It is moved too, or seen to.", rule="ask")
    if one.id in reached:
        raise LinkContradicts("The other depends on this one, straight or by others in between.", rule="circle")
    if not fits(command, Lying.of(one), Lying.of(other)):
        raise LinkDoesNotFit


def linked(command: LinkAppointments, one: Appointment, link_id: UUID, now: datetime) -> AppointmentLink:
    return AppointmentLink(
        id=link_id, patient_id=one.patient_id, site_id=one.site_id, appointment_id=one.id, depends_on_id=command.depends_on_id,
        kind=command.kind, why=command.why, needs=command.needs, least_minutes=command.least_minutes, most_minutes=command.most_minutes,
        otherwise=command.otherwise or ("move" if command.kind == "concurrent" else "ask"), made_at=now, changed_at=now,
    )  # fmt: skip


def is_to_come(one: Appointment, now: datetime) -> bool:
    """Whether it may still be moved, or called off, without sending anybody away."""
    return one.status in MOVABLE and one.start > now


class Judged(NamedTuple):
    """How a link stands, and whether what depends on the other is called off."""

    status: LinkStatus
    cause: LinkCause | None = None
    attempt: LinkAttempt | None = None
    is_released: bool = False


def judge(link: AppointmentLink, one: Appointment, other: Appointment, now: datetime, *, is_ours: bool, follows: bool) -> Judged:
    """What becomes of a link and of `one`, which depends on `other`, as both are now.

    `follows` says that the other was changed, so that `one` may be moved after it; who moved `one` itself meant to. What is not ours to
    write is left to somebody.
    """
    can_change = is_ours and is_to_come(one, now)
    if other.status not in TAKES_PLACE:
        cause = _gone(other.status)
        if not link.needs or one.status not in HOLDS_TIME or one.status == "fulfilled":
            return Judged("ended", cause)
        return Judged("ended", cause, is_released=True) if can_change else Judged("broken", cause)
    if one.status not in HOLDS_TIME:
        return Judged("broken", "back") if one.cancelation_reason == WITHOUT_OTHER else Judged("ended", _gone(one.status))
    if fits(link, Lying.of(one), Lying.of(other)):
        return Judged("holds")
    return Judged("broken", "moved", "due" if follows and can_change and link.otherwise != "flag" else None)


def as_judged(link: AppointmentLink, judged: Judged, site_id: UUID, now: datetime, *, is_new: bool) -> AppointmentLink:
    """The link as it was judged, at the site where its appointment is now; as it is, where that says nothing new.

    What somebody saw to is broken again by what `is_new` alone.
    """
    is_broken = judged.status == "broken"
    is_known = link.status in ("broken", "seen") if is_broken else link.status == judged.status
    if is_known and (link.cause, link.site_id) == (judged.cause, site_id) and not (is_broken and is_new):
        return link
    return msgspec.structs.replace(changed(link, now, judged.status, judged.cause, judged.attempt), site_id=site_id)


def changed(
    link: AppointmentLink, now: datetime, status: LinkStatus, cause: LinkCause | None, attempt: LinkAttempt | None
) -> AppointmentLink:
    return msgspec.structs.replace(link, status=status, cause=cause, attempt=attempt, changed_at=now, version=link.version + 1)


def fact_of(kind: type[LinkFact], link: AppointmentLink, organization_id: UUID) -> LinkFact:
    """The event that reports the link as it is now."""
    return kind(
        organization_id=organization_id, link_id=link.id, patient_id=link.patient_id, site_id=link.site_id,
        appointment_id=link.appointment_id, depends_on_id=link.depends_on_id, kind=link.kind, why=link.why, needs=link.needs,
        status=link.status, cause=link.cause, attempt=link.attempt, version=link.version,
    )  # fmt: skip


def _gone(status: AppointmentStatus) -> LinkCause:
    return "missed" if status == "noshow" else "cancelled"
