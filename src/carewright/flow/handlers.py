"""What flow does about what others report. Safe to repeat: what was cleared stays so, and an appointment has one turn in a queue.

The copies of places, devices and kinds of visits may lag: the tables' comments say what happens then.
"""

from carewright.contracts.directory import DeviceChanged, LocationChanged, VisitTypeChanged
from carewright.contracts.flow import PlaceChanged, QueueEntryMoved
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.queue import QueueAction
from carewright.contracts.scheduling import AppointmentAdvanced, AppointmentFact
from carewright.flow.model import queue as rules
from carewright.flow.service import check_in, delays, elsewhere, precautions, soon, turns
from carewright.flow.store import bed_requests, coming, rooms
from carewright.flow.store import delays as late
from carewright.flow.store import encounters as store
from carewright.flow.store import precautions as kept_precautions
from carewright.flow.store import queue as queues
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session

MOVES: frozenset[QueueAction] = frozenset({"start", "hold", "complete", "leave", "transfer", "cancel", "undo"})
"""What may make a practitioner late, or early."""
NEARER: frozenset[QueueAction] = frozenset({"call", "start", "leave", "transfer", "cancel"})
"""Who was waiting and does so no more: others are nearer to their turn."""


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """What was said of the patient's encounters is cleared; that there were some stays. What they needed, and waited for, goes."""
    ids = await store.erase_encounters(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "flow.encounter.erase", event, "Encounter", ids)
    gone = await kept_precautions.drop_precautions(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "flow.precaution.erase", event, "PatientPrecautions", gone)
    asked = await bed_requests.drop_requests(tx, event.organization_id, event.patient_id)
    await audit.record_erasure(ctx, tx, "flow.bed_request.erase", event, "BedRequest", asked)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """The encounters of a record that was merged are its survivor's."""
    ids = await store.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "flow.encounter.merge", event, "Encounter", ids)
    await queues.close_second_turns(tx, event.organization_id, event.prior_id, ctx.clock.now())
    turned = await queues.take_over(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "flow.queue_entry.merge", event, "QueueEntry", turned)
    await late.take_over(tx, event.organization_id, event.prior_id)
    await precautions.take_over(ctx, tx, event)


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


async def copy_appointment(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Who is still to come, when, and whose time it takes. What is booked beside a delay is late like the rest."""
    await coming.put_coming(tx, event)
    await late.put_times(tx, event)
    key = f"{event.appointment_id}:{event.version}"
    if -delays.BEHIND < event.start - ctx.clock.now() < delays.AHEAD:
        await jobs.enqueue(ctx, tx, delays.FOLLOW, delays.Moved.of_appointment(event), unique_key=key)


async def follow_turn(ctx: Context, tx: Session, event: QueueEntryMoved) -> None:
    """Who begins or is done makes practitioner and room late, or early; who goes on brings others nearer. Both are seen a moment later."""
    if event.action in NEARER:
        look = soon.look_after(event, ctx.clock.now())
        moved = soon.QueueMoved(event.organization_id, event.queue_id)
        await jobs.enqueue(ctx, tx, soon.TELL_SOON, moved, run_at=look.at, unique_key=look.key)
    if event.action in MOVES and (event.appointment_id or event.practitioner_id or event.location_id):
        key = f"{event.entry_id}:{event.version}"
        await jobs.enqueue(ctx, tx, delays.FOLLOW, delays.Moved.of_turn(event), unique_key=key)


async def follow_room(ctx: Context, tx: Session, event: PlaceChanged) -> None:
    """Who is admitted to a room that appointments are booked for makes them late; who leaves it gives it back to them."""
    now = ctx.clock.now()
    if await late.is_booked(tx, event.organization_id, event.place_id, now - delays.BEHIND, now + delays.AHEAD):
        moved = delays.Moved(event.organization_id, (event.place_id,))
        await jobs.enqueue(ctx, tx, delays.FOLLOW, moved, unique_key=f"{event.place_id}:{event.version}")


async def note_unreached(ctx: Context, tx: Session, event: CommunicationNotDone) -> None:
    """Who looks at the queue sees whom a message about their turn did not reach."""
    if event.about_id is not None:
        await elsewhere.note(ctx, tx, "unreached", event.about_id)


async def queue_who_checks_in(ctx: Context, tx: Session, event: AppointmentAdvanced) -> None:
    """Whoever arrives for an appointment waits in the queue of its service, which begins with the first; who did not come waits no more."""
    await copy_appointment(ctx, tx, event)
    if event.status not in ("arrived", "checked-in"):
        await take_out_of_queues(ctx, tx, event)
        return
    if await queues.entry_of_appointment(tx, event.organization_id, event.appointment_id):
        return
    queue = await check_in.queue_of_visit(ctx, tx, event.site_id, event.visit_type_id)
    if queue is None:
        return
    arrival = turns.Arrival(
        patient_id=event.patient_id, tier=event.urgency, appointment_id=event.appointment_id, appointment_start=event.start,
        practitioner_id=event.practitioner_ids[0] if len(event.practitioner_ids) == 1 else None,
    )  # fmt: skip
    await turns.come(ctx, tx, await ctx.cipher(), queue, arrival, await turns.draw_ticket(ctx, tx, queue))


async def cancel(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """What was cancelled is not to come, and nobody waits for it."""
    await copy_appointment(ctx, tx, event)
    await take_out_of_queues(ctx, tx, event)


async def take_out_of_queues(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Nobody waits for an appointment that is no more. Who is being served already goes on being so."""
    for entry_id in await queues.open_entries_of_appointment(tx, event.organization_id, event.appointment_id):
        entry = await queues.entry_for_change(tx, event.organization_id, entry_id)
        if entry is not None and entry.status in rules.STEPS["leave"][0]:
            after = rules.stepped(entry, "cancel", ctx.clock.now())
            await turns.write(ctx, tx, await ctx.cipher(), "cancel", entry, after)
