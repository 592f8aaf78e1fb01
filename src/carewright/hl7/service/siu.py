"""Appointments as others make and change them. Every rule is scheduling's; what it refuses goes to the work list with its code."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.hours import BlockTime
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    AdvanceStatus,
    Appointment,
    BookAppointment,
    CancelAppointment,
    PickedTime,
    RescheduleAppointment,
)
from carewright.hl7.context import Codes
from carewright.hl7.model.codes import BY_HAND, DoesNotFit
from carewright.hl7.model.statuses import TARGETS, Target
from carewright.hl7.model.when import instant_of
from carewright.hl7.service import adt
from carewright.hl7.service.codes import UNMAPPED, ours, practitioner_of, reason_of, site_of
from carewright.hl7.service.work import Work

UNKNOWN = "hl7.unknown_appointment"
BLOCKED = "Blocked by another system"


async def book(work: Work) -> UUID:
    """Book what is asked for, with whom and where it is asked for. One that is known already is changed instead."""
    if await work.linked("appointment") is not None:
        return await modify(work)
    target = _target(work)
    if target in ("cancelled", "noshow", "entered-in-error"):
        raise DoesNotFit(UNKNOWN)
    _ensure_named(work)
    patient_id = await adt.present(work)
    kind_id = ours(work.codes, "visit-type", work.wish.kinds)
    time = await _picked(work, kind_id, site_of(work.codes, work.wish.places))
    command = BookAppointment(patient_id=patient_id, time=time, based_on=work.wish.based_on or None)
    booked = await work.ctx.scheduling.book_appointment(work.ctx.actor, command, work.key("book"))
    work.made.append(("appointment", booked.id))
    await _brought_to(work, booked, target)
    return patient_id


async def modify(work: Work) -> UUID:
    """Bring a known appointment to what the message says: another time, another practitioner, another state."""
    before, target = await _known(work), _target(work)
    if target == "booked" and work.wish.start:
        site_id = site_of(work.codes, work.wish.places) if work.wish.places else before.site_id
        time = await _picked(work, before.visit_type_id, site_id)
        if _differs(before, time):
            command = RescheduleAppointment(appointment_id=before.id, time=time)
            before = await work.ctx.scheduling.reschedule_appointment(work.ctx.actor, command, work.key("move"))
    await _brought_to(work, before, target)
    work.made.append(("appointment", before.id))
    return before.patient_id


async def cancel(work: Work) -> UUID:
    """Cancelled, or discontinued before it was done."""
    return await _ended(work, "cancelled")


async def delete(work: Work) -> UUID:
    """It should never have been there."""
    return await _ended(work, "entered-in-error")


async def no_show(work: Work) -> UUID:
    return await _ended(work, "noshow")


async def block(work: Work) -> None:
    """Close a calendar: that of the practitioner, or else of the device or place, as the table of calendars says.

    Raises `DoesNotFit` for several practitioners: the sender's ids can stand for one block alone.
    """
    _ensure_named(work)
    if len(set(work.wish.practitioners)) > 1:
        raise DoesNotFit(BY_HAND, "AIP")
    site_id = site_of(work.codes, work.wish.places)
    schedule_id = await practitioner_of(work.ctx, work.codes, work.wish.practitioners) or ours(work.codes, "calendar", work.wish.calendars)
    start, end = _period(work, work.codes.zones[site_id])
    command = BlockTime(schedule_id=schedule_id, start=start, end=end, reason=BLOCKED)
    changed = await work.ctx.scheduling.block_time(work.ctx.actor, command, work.key("block"))
    if changed.block_id is not None:
        work.made.append(("block", changed.block_id))


async def unblock(work: Work) -> None:
    block_id = await work.linked("block")
    if block_id is None:
        raise DoesNotFit(UNKNOWN)
    await work.ctx.scheduling.unblock_time(work.ctx.actor, block_id, work.key("unblock"))


async def _known(work: Work) -> Appointment:
    """The appointment that the sender's ids stand for. Raises `DoesNotFit` for none, and for one that is another patient's."""
    appointment_id = await work.linked("appointment")
    if appointment_id is None:
        raise DoesNotFit(UNKNOWN)
    found = await work.ctx.scheduling.get_appointment(work.ctx.actor, appointment_id)
    if work.person.identifiers and (named := await adt.known(work)) is not None:
        await work.ensure_of(named, found.patient_id)
    return found


async def _ended(work: Work, target: Target) -> UUID:
    before = await _known(work)
    await _brought_to(work, before, target)
    return before.patient_id


async def _brought_to(work: Work, before: Appointment, target: Target) -> None:
    """Take the step to `target`, unless it was taken."""
    if target in (before.status, "booked"):
        return
    if target == "cancelled":
        command = CancelAppointment(appointment_id=before.id, reason=reason_of(work.codes, work.wish.reason))
        await work.ctx.scheduling.cancel_appointment(work.ctx.actor, command, work.key("cancel"))
        return
    step = AdvanceAppointment(appointment_id=before.id, status=_step(target))
    await work.ctx.scheduling.advance_appointment(work.ctx.actor, step, work.key("advance"))


def _step(target: Target) -> AdvanceStatus:
    steps: dict[str, AdvanceStatus] = {
        "checked-in": "checked-in",
        "fulfilled": "fulfilled",
        "noshow": "noshow",
        "entered-in-error": "entered-in-error",
    }
    return steps[target]


def _target(work: Work) -> Target:
    """What the filler's status asks for (SCH-25). Raises `DoesNotFit` for one that a person must decide about, or that nobody mapped."""
    given = work.wish.status
    target = target_of(work.codes, given)
    if target is None:
        raise DoesNotFit(UNMAPPED, f"status {given}")
    if target == "by-hand":
        raise DoesNotFit(BY_HAND, f"status {given}")
    return target


def target_of(codes: Codes, given: str) -> Target | None:
    """What a filler's status asks for by the organization's table; None for one that nobody mapped."""
    return TARGETS.get(codes.mappings.get(("status", given), given).upper())


async def _picked(work: Work, visit_type_id: UUID, site_id: UUID) -> PickedTime:
    practitioner_id = await practitioner_of(work.ctx, work.codes, work.wish.practitioners)
    start = _instant(work.wish.start, work.codes.zones[site_id])
    return PickedTime(visit_type_id=visit_type_id, site_id=site_id, start=start, practitioner_id=practitioner_id)


def _period(work: Work, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = _instant(work.wish.start, zone)
    if work.wish.end:
        return start, _instant(work.wish.end, zone)
    if work.wish.minutes is None:
        raise DoesNotFit("hl7.missing", "SCH-11.5")
    return start, start + timedelta(minutes=work.wish.minutes)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    if not text:
        raise DoesNotFit("hl7.missing", "SCH-11.4")
    found = instant_of(text, zone)
    if found is None:
        raise DoesNotFit("hl7.time")
    return found


def _differs(before: Appointment, time: PickedTime) -> bool:
    stays = time.practitioner_id is None or any(each.actor_id == time.practitioner_id for each in before.participants)
    return (before.start, before.site_id) != (time.start, time.site_id) or not stays


def _ensure_named(work: Work) -> None:
    """Without an id of the sender's nobody could ever change or cancel it again."""
    if not work.wish.ids:
        raise DoesNotFit("hl7.missing", "SCH-2")
