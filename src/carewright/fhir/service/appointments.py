"""Appointments by plain FHIR writes: the same use cases as our own API, chosen by what the resource says."""

from collections.abc import Mapping
from typing import get_args
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.fhir.refusals import ChangeNotSupported, InvalidElement, MissingElement
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    AdvanceStatus,
    Appointment,
    BookAppointment,
    CancelAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
)
from carewright.contracts.versions import ListVersions
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.versions import Asked, Versions
from carewright.fhir.model.wanted import Wanted, read_wanted
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service import referrals
from carewright.fhir.service.picking import picked_time

NEW = frozenset({"proposed", "pending", "booked"})
"""With these a new appointment may come. What it becomes, the kind of visit decides."""
ADVANCES: Mapping[str, AdvanceStatus] = {each: each for each in get_args(AdvanceStatus)}
STATUS = "Appointment.status"


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new appointment, booked as it says. Raises what `create_appointment` does."""
    made = await create_appointment(ctx, read_wanted(sent.resource, sent.base), sent.key)
    return Written(resource=await referrals.one_shown(ctx, made), is_new=True)


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """An appointment that is changed as it says. Raises `UnknownId`, and what `update_appointment` does."""
    after = await update_appointment(ctx, known_uuid(id_), read_wanted(sent.resource, sent.base), sent.version, sent.key)
    return Written(resource=await referrals.one_shown(ctx, after))


async def versions(ctx: FhirContext, id_: str, asked: Asked) -> Versions:
    """What an appointment is and was, from its booking on. Raises `UnknownId`, and what `list_versions` refuses."""
    query = ListVersions(appointment_id=known_uuid(id_), since=asked.since, below=asked.below, limit=max(asked.count, 1))
    found = await ctx.scheduling.list_versions(ctx.actor, query)
    shown = await referrals.shown(ctx, found.items) if asked.count else ()
    return Versions(items=tuple(shown), total=found.total or 0, next=found.next if shown else None)


async def create_appointment(ctx: FhirContext, wanted: Wanted, key: str | None) -> Appointment:
    """Book what is asked for. Raises what `book_appointment` of scheduling raises, and `InvalidElement`, `MissingElement`."""
    if wanted.status not in NEW:
        raise InvalidElement(f"A new appointment is one of {', '.join(sorted(NEW))}.", expression=STATUS)
    patient_id, time = patient_of(ctx, wanted), await picked_time(ctx, wanted)
    command = BookAppointment(
        patient_id=patient_id, time=time, based_on=await referrals.referral_of(ctx, wanted, patient_id), note=wanted.comment
    )
    return await ctx.scheduling.book_appointment(ctx.actor, command, key)


def patient_of(ctx: FhirContext, wanted: Wanted) -> UUID:
    """Whom it is for; who signed in as a patient need not say."""
    patient_id = wanted.patient_id or ctx.actor.patient_id
    if patient_id is None:
        raise MissingElement("Say whom it is for: a Patient among the participants.", expression="Appointment.participant")
    return patient_id


async def update_appointment(ctx: FhirContext, id_: UUID, wanted: Wanted, version: int | None, key: str | None) -> Appointment:
    """Take the one step that leads from what is stored to what was sent. Nothing to do is no change.

    Raises `ChangeNotSupported` for what is no step of ours, and what scheduling refuses.
    """
    before = await ctx.scheduling.get_appointment(ctx.actor, id_)
    if wanted.patient_id not in (None, before.patient_id):
        raise ChangeNotSupported("An appointment stays with its patient.", expression="Appointment.participant")
    moved = wanted.start not in (None, before.start) or wanted.visit_type_id not in (None, before.visit_type_id)
    if wanted.status != before.status:
        if moved:
            raise ChangeNotSupported("Move an appointment or change its status, one after the other.", expression="Appointment.start")
        return await _stepped(ctx, before, wanted, version, key)
    if moved:
        time = await picked_time(ctx, wanted)
        command = RescheduleAppointment(appointment_id=id_, time=time, expected_version=version)
        return await ctx.scheduling.reschedule_appointment(ctx.actor, command, key)
    if wanted.patient_status == "accepted" and _patient_status(before) != "accepted":
        return await ctx.scheduling.confirm_appointment(ctx.actor, ConfirmAppointment(appointment_id=id_, expected_version=version), key)
    if wanted.based_on not in (None, before.based_on):
        wanted = replace(wanted, based_on=await referrals.referral_of(ctx, wanted, before.patient_id))
    return _unchanged(before, wanted)


async def _stepped(ctx: FhirContext, before: Appointment, wanted: Wanted, version: int | None, key: str | None) -> Appointment:
    if wanted.status == "cancelled":
        reason = {"reason": wanted.cancelation_reason} if wanted.cancelation_reason else {}
        return await ctx.scheduling.cancel_appointment(
            ctx.actor, CancelAppointment(appointment_id=before.id, expected_version=version, **reason), key
        )
    if wanted.status == "booked" and before.status == "pending":
        return await ctx.scheduling.confirm_appointment(
            ctx.actor, ConfirmAppointment(appointment_id=before.id, expected_version=version), key
        )
    if wanted.status in ADVANCES:
        command = AdvanceAppointment(appointment_id=before.id, status=ADVANCES[wanted.status], expected_version=version)
        return await ctx.scheduling.advance_appointment(ctx.actor, command, key)
    raise ChangeNotSupported(f"An appointment that is {before.status} does not become {wanted.status[:40]} like this.", expression=STATUS)


def _patient_status(appointment: Appointment) -> str | None:
    return next((each.status for each in appointment.participants if each.kind == "patient"), None)


def _unchanged(before: Appointment, wanted: Wanted) -> Appointment:
    """What was sent says the same. Raises `ChangeNotSupported` where it says something else that has no step of its own."""
    if wanted.end not in (None, before.end):
        raise ChangeNotSupported("The kind of visit says how long it takes.", expression="Appointment.end")
    if wanted.based_on not in (None, before.based_on):
        raise ChangeNotSupported("A referral is named when the visit is booked.", expression="Appointment.basedOn")
    if wanted.comment is not None and wanted.comment != (before.note or None):
        raise ChangeNotSupported("A comment is written when the visit is booked.", expression="Appointment.comment")
    return before
