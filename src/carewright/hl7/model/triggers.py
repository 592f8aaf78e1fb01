"""What becomes of an appointment, and what partners are told of it: trigger event and filler status (HL7 v2.8.2, 10.3; table 0278).

A fact that is not here tells partners nothing: a hold, a request that nobody accepted yet, an arrival (which is the register's to tell).
"""

from uuid import UUID

import msgspec

from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel.values import Instant

TABLE = """
booked       booked            -
confirmed    booked            -
rescheduled  booked            S13
cancelled    cancelled         S15
transferred  booked            S14
advanced     checked-in        S14
advanced     fulfilled         S14
advanced     noshow            S26
advanced     entered-in-error  S17
"""
"""Fact, status, and the event for whoever knows the appointment. `-`: who knows it hears nothing new."""
EVENTS = {(fact, status): event for fact, status, event in (line.split() for line in TABLE.strip().splitlines())}
OPEN = frozenset({"booked", "checked-in", "fulfilled"})
"""Who does not know an appointment is told of it (S12) while it is one of these."""
STATUSES = {
    "booked": "Booked",
    "checked-in": "Started",
    "fulfilled": "Complete",
    "cancelled": "Cancelled",
    "noshow": "Noshow",
    "entered-in-error": "Deleted",
}
NEW, CLOSED, OPENED = "S12", "S23", "S24"
"""What is told of an appointment to whoever does not know it, and of time that was blocked, and opened again."""
ACTIONS = {NEW: "A", "S15": "D", "S17": "D", CLOSED: "A", OPENED: "D"}
"""Table 0206, what happens to the resources: added, deleted, or else updated."""
BLOCKED = "Blocked"
"""SCH-25 of time that is closed. Table 0278 has no word for time that is open again."""


class BlockFact(msgspec.Struct, frozen=True, kw_only=True):
    """Time that was closed, or opened again: what partners are told of a block."""

    id: UUID
    schedule_id: UUID
    start: Instant
    end: Instant


def is_told(fact: AppointmentFact) -> bool:
    """Whether anybody might have to hear of it."""
    return _key(fact) in EVENTS


def event_of(fact: AppointmentFact) -> str | None:
    """The trigger event for a partner who knows the appointment; None for nothing new."""
    event = EVENTS[_key(fact)]
    return None if event == "-" else event


def filler_status(fact: AppointmentFact) -> str:
    """SCH-25. Booked in a further lane, beside somebody, is an overbooking; a patient who has two appointments at one time is none."""
    beside = fact.status == "booked" and any(claim.lane > 0 for claim in fact.claims if claim.schedule_id != fact.patient_id)
    return "Overbook" if beside else STATUSES[fact.status]


def _key(fact: AppointmentFact) -> tuple[str, str]:
    return fact.topic.split(".")[2], fact.status
