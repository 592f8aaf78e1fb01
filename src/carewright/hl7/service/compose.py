"""What a message to a partner says: the fact as it was, with the names of whom and what it concerns as they are now."""

from carewright.contracts.directory import FindEntries, Practitioner
from carewright.contracts.hl7 import Partner
from carewright.contracts.schedules import ListSchedules, ScheduleSummary
from carewright.contracts.scheduling import AppointmentFact
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.announcing import Announcement, Resource, announced, control_id_of, own_entity, their_entity
from carewright.hl7.model.codes import NPI
from carewright.hl7.model.triggers import filler_status
from carewright.hl7.store import Due
from carewright.kernel.privacy.cipher import FieldCipher


async def composed(ctx: Hl7Context, cipher: FieldCipher, partner: Partner, due: Due) -> bytes:
    """The message, in the partner's words. Raises refusals of whom it asks, and `NotHl7` for what cannot be said."""
    fact = due.fact
    appointment = await ctx.scheduling.get_appointment(ctx.actor, fact.appointment_id)
    theirs = [their_entity(each) for each in await store.own_ids(ctx.db, cipher, partner.client_id, fact.appointment_id)]
    names = theirs or [own_entity(fact.appointment_id)]
    said = Announcement(
        control_id=control_id_of(due.id), event=due.event, made_at=ctx.clock.now(), placer=names[-1], filler=names[0],
        status=filler_status(fact), reason=(appointment.cancelation_reason or "") if fact.status == "cancelled" else "",
        visit_type_id=fact.visit_type_id, visit_type_name=appointment.visit_type_name, site_id=fact.site_id,
        start=fact.start, end=fact.end, based_on=appointment.based_on or "",
        patient=await ctx.patients.get_patient(ctx.actor, due.patient_id), resources=await _resources(ctx, fact),
    )  # fmt: skip
    return announced(said, partner, await store.partner_codes(ctx.db, cipher.organization_id, partner.id))


async def _resources(ctx: Hl7Context, fact: AppointmentFact) -> list[Resource]:
    """Whose time the appointment takes, or took."""
    ids = tuple(dict.fromkeys(claim.schedule_id for claim in fact.claims or fact.released))
    if not ids:
        return []
    schedules = (await ctx.scheduling.list_schedules(ctx.actor, ListSchedules(ids=ids, limit=len(ids)))).items
    query = FindEntries(resource_type="Practitioner", ids=ids, limit=len(ids))
    people = {each.id: each for each in (await ctx.directory.find_entries(ctx.actor, query)).practitioners}
    return [_resource(each, people.get(each.id)) for each in schedules]


def _resource(schedule: ScheduleSummary, person: Practitioner | None) -> Resource:
    if person is None:
        return Resource(schedule.id, schedule.kind, schedule.display)
    npi = next((each.value for each in person.identifiers if each.system == NPI), "")
    return Resource(schedule.id, schedule.kind, schedule.display, person.family, " ".join(person.given[:1]), npi)
