"""What a message to a partner says: the fact as it was, with the names of whom and what it concerns as they are now."""

from collections.abc import Collection, Sequence
from uuid import UUID

from carewright.contracts.directory import FindEntries, Practitioner
from carewright.contracts.hl7 import Partner
from carewright.contracts.schedules import ListSchedules, ScheduleSummary
from carewright.contracts.scheduling import AppointmentFact, UnknownSchedule
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.announcing import Announcement, Booking, Resource, announced, control_id_of, own_entity, their_entity
from carewright.hl7.model.codes import NPI
from carewright.hl7.model.triggers import BLOCKED, CLOSED, BlockFact, filler_status
from carewright.hl7.store import Due
from carewright.kernel.privacy.cipher import FieldCipher


async def composed(ctx: Hl7Context, cipher: FieldCipher, partner: Partner, due: Due) -> bytes:
    """The message, in the partner's words. Raises refusals of whom it asks, and `NotHl7` for what cannot be said."""
    fact = due.fact
    about = fact.id if isinstance(fact, BlockFact) else fact.appointment_id
    names = [their_entity(each) for each in await store.own_ids(ctx.db, cipher, partner.client_id, about)] or [own_entity(about)]
    said = await (_of_block(ctx, due, fact, names) if isinstance(fact, BlockFact) else _of_appointment(ctx, due, fact, names))
    return announced(said, partner, await store.partner_codes(ctx.db, cipher.organization_id, partner.id))


async def _of_appointment(ctx: Hl7Context, due: Due, fact: AppointmentFact, names: list[str]) -> Announcement:
    appointment = await ctx.scheduling.get_appointment(ctx.actor, fact.appointment_id)
    booking = Booking(
        visit_type_id=fact.visit_type_id, visit_type_name=appointment.visit_type_name, based_on=appointment.based_on or "",
        patient=await ctx.patients.get_patient(ctx.actor, due.patient_id or fact.patient_id),
    )  # fmt: skip
    schedules = await _schedules(ctx, dict.fromkeys(claim.schedule_id for claim in fact.claims or fact.released))
    return Announcement(
        control_id=control_id_of(due.id), event=due.event, made_at=ctx.clock.now(), placer=names[-1], filler=names[0],
        status=filler_status(fact), reason=(appointment.cancelation_reason or "") if fact.status == "cancelled" else "",
        site_id=fact.site_id, start=fact.start, end=fact.end, booking=booking, resources=await _resources(ctx, schedules),
    )  # fmt: skip


async def _of_block(ctx: Hl7Context, due: Due, fact: BlockFact, names: list[str]) -> Announcement:
    """Why time is closed stays here: the reason is free text."""
    schedules = await _schedules(ctx, [fact.schedule_id])
    if not schedules:
        raise UnknownSchedule(schedule_id=str(fact.schedule_id))
    sites = schedules[0].site_ids
    return Announcement(
        control_id=control_id_of(due.id), event=due.event, made_at=ctx.clock.now(), placer=names[-1], filler=names[0],
        status=BLOCKED if due.event == CLOSED else "", reason="", site_id=sites[0] if len(sites) == 1 else None, start=fact.start,
        end=fact.end, booking=None, resources=await _resources(ctx, schedules),
    )  # fmt: skip


async def _schedules(ctx: Hl7Context, ids: Collection[UUID]) -> Sequence[ScheduleSummary]:
    """Whose time it is, or was."""
    return (await ctx.scheduling.list_schedules(ctx.actor, ListSchedules(ids=tuple(ids), limit=len(ids)))).items if ids else ()


async def _resources(ctx: Hl7Context, schedules: Sequence[ScheduleSummary]) -> list[Resource]:
    if not schedules:
        return []
    ids = tuple(each.id for each in schedules)
    query = FindEntries(resource_type="Practitioner", ids=ids, limit=len(ids))
    people = {each.id: each for each in (await ctx.directory.find_entries(ctx.actor, query)).practitioners}
    return [_resource(each, people.get(each.id)) for each in schedules]


def _resource(schedule: ScheduleSummary, person: Practitioner | None) -> Resource:
    if person is None:
        return Resource(schedule.id, schedule.kind, schedule.display)
    npi = next((each.value for each in person.identifiers if each.system == NPI), "")
    return Resource(schedule.id, schedule.kind, schedule.display, person.family, " ".join(person.given[:1]), npi)
