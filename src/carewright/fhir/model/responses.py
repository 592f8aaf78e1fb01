"""AppointmentResponses (https://hl7.org/fhir/R4/appointmentresponse.html): what people answered, as their appointment has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.contracts.fhir.scheduling import ACTORS, actor_type, response
from carewright.contracts.scheduling import Appointment, Participant, ParticipationStatus
from carewright.fhir.model.ids import ResponseId, write_response
from carewright.fhir.model.pointing import Pointer, pointer
from carewright.fhir.model.wanted import instant_in

PEOPLE = frozenset(kind for kind, type_ in ACTORS.items() if type_ in ("Patient", "Practitioner"))
"""Kinds of participants that can answer. Rooms and devices do not."""
DECLINED = {"Patient": "pat", "Practitioner": "prov"}
"""How the reason of a cancellation begins that says who did not want it
(http://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html)."""
DECEASED = "pat-dec"
OPEN = frozenset({"proposed", "pending", "waitlist"})
"""While an appointment is one of these, the hospital has answered nothing for its staff."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response as somebody sent it. Without an `actor` it is of whoever sent it."""

    appointment_id: UUID
    status: str
    actor: Pointer | None = None
    start: datetime | None = None
    end: datetime | None = None


def read_answer(resource: Resource, base: str) -> Answer:
    """Raises `InvalidElement` and `MissingElement` with the FHIRPath of what is wrong."""
    return Answer(
        appointment_id=_appointment(resource, base).uuid,
        status=resource["participantStatus"],
        actor=pointer(resource.get("actor"), "AppointmentResponse.actor", base),
        start=instant_in(resource, "start"),
        end=instant_in(resource, "end"),
    )


def responses_of(one: Appointment) -> list[Resource]:
    """Of each person who takes part what they answered, if they did."""
    return [
        response(one, each, answer, write_response(ResponseId(one.id, each.actor_id)))
        for each in one.participants
        if each.kind in PEOPLE and (answer := answer_of(one, each))
    ]


def answer_of(one: Appointment, each: Participant) -> ParticipationStatus | None:
    """What a person answered to an appointment; None where nothing was, or nothing is kept of it.

    A patient accepts by booking or confirming, staff when their hospital books or accepts; whoever cancelled declined. Of staff whose
    appointment somebody else cancelled it is not kept whether it had been accepted.
    """
    kind = actor_type(each.kind)
    if one.expires_at is not None or one.status == "entered-in-error":
        return None
    if one.status == "cancelled" and _declined_by(one.cancelation_reason or "") == kind:
        return "declined"
    if each.status == "needs-action" or (kind == "Practitioner" and one.status in OPEN | {"cancelled"}):
        return None
    return each.status


def _declined_by(reason: str) -> str | None:
    if reason == DECEASED:
        return None
    return next((kind for kind, beginning in DECLINED.items() if reason.partition("-")[0] == beginning), None)


def _appointment(resource: Mapping[str, Any], base: str) -> Pointer:
    expression = "AppointmentResponse.appointment"
    found = pointer(resource["appointment"], expression, base)
    if found is None:
        raise MissingElement("Say which appointment is answered, by a reference.", expression=expression)
    if found.kind != "Appointment":
        raise InvalidElement("A reference to an Appointment belongs here.", expression=found.expression)
    return found
