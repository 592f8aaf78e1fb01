"""IHE's `$hold` and `$book` (ITI-116, ITI-117), Medplum's `$confirm`, `$reschedule` and `$cancel`: time is kept, booked, moved, freed."""

from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.directory import FindEntries
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement, TimeGone
from carewright.contracts.scheduling import (
    Appointment,
    BookAppointment,
    CalendarMoved,
    CancelAppointment,
    ConfirmAppointment,
    HoldExpired,
    HoldTime,
    IllegalStep,
    PatientBusy,
    PickedTime,
    RescheduleAppointment,
    TimeNotFree,
    UnknownAppointment,
)
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ids import is_proposal
from carewright.fhir.model.parameters import Parameters, pointer_to, reference_of
from carewright.fhir.model.pointing import Pointer, pointer
from carewright.fhir.model.wanted import NOTE_MAX, Wanted, read_wanted
from carewright.fhir.model.writes import Sent
from carewright.fhir.service import patients
from carewright.fhir.service.appointments import NEW, create_appointment, patient_of, update_appointment
from carewright.fhir.service.finding import proposed_time
from carewright.fhir.service.picking import picked_time
from carewright.fhir.service.referrals import referral_of
from carewright.kernel.errors import Refusal

REFERENCE = "appointment-reference"
RESOURCES = ("appointment-resource", "appointment")
"""IHE's name for the resource, and Medplum's."""
CALENDARS_MAX = 20
"""Of one appointment, as scheduling takes them."""
GONE = (TimeNotFree, CalendarMoved, HoldExpired, PatientBusy)


async def hold_appointment(ctx: FhirContext, given: Parameters, base: str, key: str | None) -> Appointment:
    """Keep a proposed time for a few minutes. Raises `TimeGone` when somebody was faster, and what `hold_time` refuses."""
    wanted, proposal = _asked(given, base)
    try:
        time = await proposed_time(ctx, proposal) if proposal else await picked_time(ctx, wanted or Wanted(status="proposed"))
        patient_id = await _patient(ctx, given, wanted, base, key)
        return await ctx.scheduling.hold_time(ctx.actor, HoldTime(time=time, patient_id=patient_id), key)
    except GONE as refusal:
        raise _gone(refusal) from refusal


async def book_appointment(ctx: FhirContext, given: Parameters, base: str, key: str | None) -> Appointment:
    """Book a proposed or a held time; or move or cancel the appointment that the resource has the id of.

    Raises `TimeGone` when somebody was faster, and what scheduling refuses.
    """
    wanted, proposal = _asked(given, base)
    note = given.text("comment", NOTE_MAX) or (wanted.comment if wanted else None)
    try:
        if proposal:
            time = await proposed_time(ctx, proposal)
            patient_id = await _patient(ctx, given, wanted, base, key)
            command = BookAppointment(patient_id=patient_id, time=time, note=note, based_on=await _referral(ctx, wanted, patient_id))
            return await ctx.scheduling.book_appointment(ctx.actor, command, key)
        return await _book(ctx, _target(given, wanted, base), wanted, note, key)
    except GONE as refusal:
        raise _gone(refusal) from refusal


async def _book(ctx: FhirContext, id_: UUID | None, wanted: Wanted | None, note: str | None, key: str | None) -> Appointment:
    wanted = replace(wanted, comment=note) if wanted else None
    if id_ is None:
        return await create_appointment(ctx, wanted or Wanted(status="pending", comment=note), key)
    try:
        before = await ctx.scheduling.get_appointment(ctx.actor, id_)
    except UnknownAppointment:
        if wanted is None or wanted.status not in NEW:
            raise
        return await create_appointment(ctx, wanted, key)  # the id is the sender's own
    if before.expires_at is not None and (wanted is None or wanted.status in NEW):
        based_on = await _referral(ctx, wanted, before.patient_id)
        command = BookAppointment(patient_id=before.patient_id, hold_id=id_, note=note, based_on=based_on)
        return await ctx.scheduling.book_appointment(ctx.actor, command, key)
    if wanted is None:
        return before
    return await update_appointment(ctx, id_, wanted, None, key)


async def _referral(ctx: FhirContext, wanted: Wanted | None, patient_id: UUID) -> str | None:
    return await referral_of(ctx, wanted, patient_id) if wanted else None


async def confirm_appointment(ctx: FhirContext, id_: UUID, key: str | None) -> Appointment:
    """Book what is held, or accept what was asked for (Medplum's `$confirm`). Raises `IllegalStep` for what is not pending, `TimeGone`."""
    before = await ctx.scheduling.get_appointment(ctx.actor, id_)
    if before.status != "pending":
        raise IllegalStep(appointment_id=str(id_), appointment_status=before.status)
    try:
        if before.expires_at is not None:
            return await ctx.scheduling.book_appointment(ctx.actor, BookAppointment(patient_id=before.patient_id, hold_id=id_), key)
        command = ConfirmAppointment(appointment_id=id_, expected_version=before.version)
        return await ctx.scheduling.confirm_appointment(ctx.actor, command, key)
    except GONE as refusal:
        raise _gone(refusal) from refusal


async def reschedule_appointment(ctx: FhirContext, id_: UUID, given: Parameters, base: str, key: str | None) -> Appointment:
    """Move an appointment to a `start` on the calendars named by `schedule` (Medplum's `$reschedule`); what kind of visit it is stays.

    The time that it holds does not stand in its way. Where no room is named it stays at its site. Raises `MissingElement`,
    `InvalidElement`, `TimeGone`, and what scheduling refuses: what is held alone is not moved.
    """
    start, calendars = given.instant("start"), given.many("schedule")
    actor_ids = tuple(dict.fromkeys(pointer_to("Schedule", each, base) for each in calendars))
    if not actor_ids:
        raise MissingElement("Name at least one Schedule that it moves to.", expression="schedule")
    if len(actor_ids) > CALENDARS_MAX:
        raise InvalidElement(f"At most {CALENDARS_MAX} Schedules belong here.", expression="schedule")
    before = await ctx.scheduling.get_appointment(ctx.actor, id_)
    rooms = (await ctx.directory.find_entries(ctx.actor, FindEntries(resource_type="Location", ids=actor_ids))).locations
    sites = {room.site_id for room in rooms} or {before.site_id}
    if len(sites) > 1:
        raise InvalidElement("These Schedules are of several sites.", expression="schedule")
    time = PickedTime(
        visit_type_id=before.visit_type_id, site_id=sites.pop(), start=start, actor_ids=actor_ids, urgency=before.urgency
    )  # fmt: skip
    try:
        return await ctx.scheduling.reschedule_appointment(ctx.actor, RescheduleAppointment(appointment_id=id_, time=time), key)
    except GONE as refusal:
        raise _gone(refusal) from refusal


async def cancel_appointment(ctx: FhirContext, id_: UUID, key: str | None) -> Appointment:
    """Cancel what is booked or pending (Medplum's `$cancel`). Raises `IllegalStep` for another status, and what scheduling refuses."""
    before = await ctx.scheduling.get_appointment(ctx.actor, id_)
    if before.status not in ("booked", "pending"):
        raise IllegalStep(appointment_id=str(id_), appointment_status=before.status)
    return await ctx.scheduling.cancel_appointment(ctx.actor, CancelAppointment(appointment_id=id_, expected_version=before.version), key)


def _asked(given: Parameters, base: str) -> tuple[Wanted | None, str | None]:
    """The Appointment that was sent, if one was, and the id of a proposal, if one is named. Raises `MissingElement`."""
    resource = next((found for name in RESOURCES if (found := given.resource(name))), None)
    wanted = read_wanted(resource, base) if resource else None
    named = _named(given, base)
    if wanted is None and named is None:
        raise MissingElement(f"Name an Appointment: {REFERENCE} or {RESOURCES[0]} is needed.", expression=REFERENCE)
    id_ = named.id if named else _id_of(resource)
    return wanted, id_ if id_ and is_proposal(id_) else None


def _id_of(resource: Resource | None) -> str | None:
    id_ = resource.get("id") if resource else None
    return id_ if isinstance(id_, str) else None


def _named(given: Parameters, base: str) -> Pointer | None:
    reference = given.one(REFERENCE)
    if reference is None:
        return None
    found = pointer(reference_of(reference), reference.expression, base)
    if found is None or found.kind != "Appointment":
        raise InvalidElement("A reference to an Appointment belongs here.", expression=reference.expression)
    return found


def _target(given: Parameters, wanted: Wanted | None, base: str) -> UUID | None:
    """The stored appointment that is meant; None for a new one."""
    named = _named(given, base)
    if named:
        return named.uuid
    return Pointer("Appointment", wanted.id, "Appointment.id").uuid if wanted and wanted.id else None


async def _patient(ctx: FhirContext, given: Parameters, wanted: Wanted | None, base: str, key: str | None) -> UUID:
    """By reference, or as the client knows them: then whoever is new is registered (ITI-117, `patient-resource`)."""
    who, described = given.one("patient-reference"), given.resource("patient-resource")
    if who:
        return pointer_to("Patient", who, base)
    if described:
        sent = Sent(resource=described, base=base, key=f"{key}#patient" if key else None)
        return UUID((await patients.post(ctx, sent)).resource["id"])
    return patient_of(ctx, wanted or Wanted(status="proposed"))


def _gone(refusal: Refusal) -> TimeGone:
    return TimeGone(refusal.detail, reason=refusal.code)
