"""What flow does about what others report. Safe to repeat: what was cleared stays so, and an appointment has one turn in a queue.

The copies of places, devices and kinds of visits may lag: the tables' comments say what happens then.
"""

from carewright.contracts.directory import DeviceChanged, LocationChanged, VisitTypeChanged
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.queue import PutQueue
from carewright.contracts.scheduling import AppointmentAdvanced, AppointmentFact
from carewright.flow.model import queue as rules
from carewright.flow.service import turns
from carewright.flow.store import coming, rooms
from carewright.flow.store import encounters as store
from carewright.flow.store import queue as queues
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said of the patient's encounters is cleared; that there were some stays."""
    ids = await store.erase_encounters(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "flow.encounter.erase", event, "Encounter", ids)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """The encounters of a record that was merged are its survivor's."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "flow.encounter.merge", event, "Encounter", ids)
    await queues.close_second_turns(tx, event.organization_id, event.prior_id, ctx.clock.now())
    turned = await queues.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "flow.queue_entry.merge", event, "QueueEntry", turned)


async def copy_place(_: Context, tx: Session, event: LocationChanged) -> None:
    """What day it is at a site; which rooms, beds and benches there are."""
    if event.location.kind == "site":
        await queues.put_site(tx, event.organization_id, event.location)
    elif event.location.kind != "building":
        await rooms.put_place(tx, event.organization_id, event.location)


async def copy_device(_: Context, tx: Session, event: DeviceChanged) -> None:
    """Which equipment stands where."""
    await rooms.put_device(tx, event.organization_id, event.device)


async def copy_visit_type(_: Context, tx: Session, event: VisitTypeChanged) -> None:
    """Which service a kind of visit belongs to."""
    await queues.put_visit_type(tx, event.organization_id, event.visit_type, event.service.name)


async def copy_appointment(_: Context, tx: Session, event: AppointmentFact) -> None:
    """Who is still to come, and when."""
    await coming.put_coming(tx, event)


async def queue_who_checks_in(ctx: Context, tx: Session, event: AppointmentAdvanced) -> None:
    """Whoever arrives for an appointment waits in the queue of its service, which begins with the first; who did not come waits no more."""
    await coming.put_coming(tx, event)
    if event.status not in ("arrived", "checked-in"):
        await take_out_of_queues(ctx, tx, event)
        return
    service = await queues.service_of(tx, event.organization_id, event.visit_type_id)
    if service is None or await queues.entry_of_appointment(tx, event.organization_id, event.appointment_id):
        return
    service_id, name = service
    queue = await queues.queue_of(tx, event.organization_id, event.site_id, service_id)
    if queue is None:
        queue = await turns.put_queue(ctx, tx, PutQueue(site_id=event.site_id, service_id=service_id, name=name))
    arrival = turns.Arrival(
        patient_id=event.patient_id, tier=event.urgency, appointment_id=event.appointment_id, appointment_start=event.start,
        practitioner_id=event.practitioner_ids[0] if len(event.practitioner_ids) == 1 else None,
    )  # fmt: skip
    if await queues.entry_in_the_way(tx, event.organization_id, queue.id, event.patient_id, None) is None:
        await turns.come(ctx, tx, await ctx.cipher(), queue, arrival, await turns.draw_ticket(ctx, tx, queue))


async def take_out_of_queues(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Nobody waits for an appointment that is no more. Who is being served already goes on being so."""
    await coming.put_coming(tx, event)
    for entry_id in await queues.open_entries_of_appointment(tx, event.organization_id, event.appointment_id):
        entry = await queues.entry_for_change(tx, event.organization_id, entry_id)
        if entry is not None and entry.status in rules.STEPS["leave"][0]:
            after = rules.stepped(entry, "cancel", ctx.clock.now())
            await turns.write(ctx, tx, await ctx.cipher(), "cancel", entry, after)
