"""What an appointment may become: FHIR R4's states, the steps between them, and the facts each step leaves behind.

States: http://hl7.org/fhir/R4/valueset-appointmentstatus.html. R4 draws no machine; the table below is the reading of its definitions.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.directory import URGENT, UrgencyTier, VisitType
from carewright.contracts.scheduling import (
    Appointment,
    AppointmentFact,
    AppointmentStatus,
    ClaimedTime,
    IllegalStep,
    Participant,
    Slot,
)

STEPS: dict[AppointmentStatus, frozenset[AppointmentStatus]] = {
    "proposed": frozenset({"pending", "booked", "cancelled", "waitlist", "entered-in-error"}),
    "pending": frozenset({"booked", "cancelled", "waitlist", "entered-in-error"}),
    "waitlist": frozenset({"pending", "booked", "cancelled", "entered-in-error"}),
    "booked": frozenset({"arrived", "checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error"}),
    "arrived": frozenset({"checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error"}),
    "checked-in": frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"}),
    "fulfilled": frozenset({"entered-in-error"}),
    "cancelled": frozenset({"entered-in-error"}),
    "noshow": frozenset({"arrived", "entered-in-error"}),
    "entered-in-error": frozenset(),
}
HOLDS_TIME: frozenset[AppointmentStatus] = frozenset({"pending", "booked", "arrived", "checked-in", "fulfilled"})
MOVABLE: frozenset[AppointmentStatus] = frozenset({"pending", "booked"})


def ensure_step(appointment: Appointment, to: AppointmentStatus) -> None:
    """Raise `IllegalStep` unless the appointment may become `to`."""
    if to not in STEPS[appointment.status]:
        raise IllegalStep(
            f"An appointment that is {appointment.status} cannot become {to}.",
            appointment_id=str(appointment.id), appointment_status=appointment.status, wanted=to,
        )  # fmt: skip


def ensure_movable(appointment: Appointment, now: datetime) -> None:
    """Raise `IllegalStep` unless the appointment is still to come and not merely a hold."""
    if appointment.status not in MOVABLE or appointment.expires_at is not None or appointment.end <= now:
        raise IllegalStep(
            "Only an appointment that is booked and still to come can be moved.",
            appointment_id=str(appointment.id), appointment_status=appointment.status,
        )  # fmt: skip


def is_live_hold(appointment: Appointment, now: datetime) -> bool:
    """Whether the time is being kept for somebody who has not decided yet."""
    return appointment.status == "pending" and appointment.expires_at is not None and appointment.expires_at > now


def is_hold(appointment: Appointment) -> bool:
    return appointment.expires_at is not None


def began_as(appointment: Appointment) -> str:
    """What the journal calls the deed that made this appointment."""
    return "scheduling.appointment.hold" if is_hold(appointment) else "scheduling.appointment.book"


def stepped(appointment: Appointment, to: AppointmentStatus, now: datetime, *, reason: str | None = None) -> Appointment:
    """The appointment after a step that `ensure_step` allowed. Holds lose their expiry whatever they become."""
    return msgspec.structs.replace(
        appointment, status=to, version=appointment.version + 1, updated_at=now, expires_at=None,
        cancelation_reason=reason if to in ("cancelled", "noshow") else None,
    )  # fmt: skip


def accepted_by_patient(appointment: Appointment, now: datetime) -> Appointment:
    """The patient said that they will come."""
    participants = tuple(
        msgspec.structs.replace(each, status="accepted") if each.kind == "patient" else each for each in appointment.participants
    )
    return msgspec.structs.replace(appointment, participants=participants, version=appointment.version + 1, updated_at=now)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the appointments of one request have in common, whatever slot each gets."""

    visit_type: VisitType
    service_name: str
    site_name: str
    time_zone: str
    patient_id: UUID
    by_patient: bool
    urgency: UrgencyTier
    created_at: datetime
    status: AppointmentStatus = "booked"
    expires_at: datetime | None = None
    series_id: UUID | None = None
    based_on: str | None = None
    override_reason: str | None = None

    def at(self, slot: Slot, appointment_id: UUID) -> Appointment:
        """The appointment at a slot, not yet claimed. The patient's own time is that of the visit, without buffers."""
        patient = Participant(
            kind="patient", actor_id=self.patient_id, status="accepted" if self.by_patient else "needs-action",
            claimed_from=slot.start, claimed_to=slot.end,
        )  # fmt: skip
        return Appointment(
            id=appointment_id, status=self.status, visit_type_id=self.visit_type.id, visit_type_name=self.visit_type.name,
            service_name=self.service_name, site_id=slot.site_id, site_name=self.site_name, time_zone=self.time_zone,
            patient_id=self.patient_id, start=slot.start, end=slot.end, participants=(*slot.participants, patient),
            urgency=self.urgency, expires_at=self.expires_at, series_id=self.series_id, based_on=self.based_on,
            override_reason=self.override_reason, created_at=self.created_at, updated_at=self.created_at,
        )  # fmt: skip


def claims_of(of: Appointment | Slot, lanes: dict[UUID, int] | None = None) -> tuple[ClaimedTime, ...]:
    """The time each participant gives, ordered by schedule so that all lock in one order. The patient is no participant of a slot."""
    claims = (
        ClaimedTime(schedule_id=each.actor_id, lane=(lanes or {}).get(each.actor_id, 0), start=each.claimed_from, end=each.claimed_to)
        for each in of.participants
    )
    return tuple(sorted(claims, key=lambda claim: (claim.schedule_id, claim.start)))


def beyond(claims: Iterable[ClaimedTime], held: Sequence[ClaimedTime]) -> list[ClaimedTime]:
    """The parts of `claims` that do not lie within time of the same schedule and lane that is held already, in the same order."""
    parts = []
    for claim in claims:
        own = sorted((each.start, each.end) for each in held if (each.schedule_id, each.lane) == (claim.schedule_id, claim.lane))
        begin = claim.start
        for start, end in own:
            if begin < start and begin < claim.end:
                parts.append(msgspec.structs.replace(claim, start=begin, end=min(start, claim.end)))
            begin = max(begin, end)
        if begin < claim.end:
            parts.append(msgspec.structs.replace(claim, start=begin))
    return parts


def fact_of(
    kind: type[AppointmentFact], appointment: Appointment, organization_id: UUID,
    claims: Sequence[ClaimedTime] = (), released: Iterable[ClaimedTime] = (),
) -> AppointmentFact:  # fmt: skip
    """The event that reports the appointment as it is now."""
    return kind(
        organization_id=organization_id, appointment_id=appointment.id, version=appointment.version, status=appointment.status,
        visit_type_id=appointment.visit_type_id, site_id=appointment.site_id, patient_id=appointment.patient_id,
        start=appointment.start, end=appointment.end, urgency=appointment.urgency, expires_at=appointment.expires_at,
        series_id=appointment.series_id, claims=tuple(claims), released=tuple(released),
        practitioner_ids=tuple(each.actor_id for each in appointment.participants if each.kind == "practitioner"),
    )  # fmt: skip


def hold_until(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def stopped_at(appointment: Appointment) -> UUID | None:
    """The site where what a payer said may stop a visit. None where nothing of it does: it is urgent, or staff said why it is booked."""
    return None if appointment.urgency in URGENT or appointment.override_reason is not None else appointment.site_id
