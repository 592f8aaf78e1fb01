"""Keeps scheduling's small copies of the directory and of patients. Safe to repeat: `source_version` only moves forward.

Stale copies: a new actor or visit type cannot be booked yet; a closed one can be booked until the event arrives (a moment); a patient
unknown here is waited for shortly, then refused. Who waits is asked a moment after time falls free.
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from carewright.contracts.coverage import VisitsStopped
from carewright.contracts.directory import DeviceChanged, LocationChanged, PractitionerChanged, VisitTypeChanged
from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.offers import OfferEnded
from carewright.contracts.outages import OutageEnded, OutageReported
from carewright.contracts.patients import PatientChanged, PatientErased, PatientMerged
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentFact,
    AppointmentHoldExpired,
    AppointmentStatus,
    AppointmentTransferred,
    CatalogueChanged,
    ScheduleChanged,
    TimeNotFree,
)
from carewright.contracts.waitlist import WaitingChanged
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.model.actors import Actor, actor_of_device, actor_of_location, actor_of_practitioner
from carewright.scheduling.model.appointment import MOVABLE, STEPS, fact_of, stepped
from carewright.scheduling.service import following, freed, in_use, offers, repairing
from carewright.scheduling.service.change import replace_stored
from carewright.scheduling.service.waitlist import end_waiting
from carewright.scheduling.store import links, merging, stops, waitlist
from carewright.scheduling.store import offers as rows

NEVER = date(2000, 1, 1)
TAKEN_BACK: Mapping[AppointmentStatus, frozenset[AppointmentStatus]] = {"fulfilled": frozenset({"checked-in"})}
"""A step back that nobody takes by hand."""


async def copy_location(ctx: Context, tx: Session, event: LocationChanged) -> None:
    """A site brings its time zone; a room, bed or lab bench becomes a calendar."""
    location = event.location
    if location.kind == "site" and location.time_zone is not None:
        if await store.put_site(tx, event.organization_id, location):
            await outbox.publish(ctx, tx, CatalogueChanged(organization_id=event.organization_id, entry_id=location.id))
    elif (actor := actor_of_location(location)) is not None:
        await _put(ctx, tx, event.organization_id, actor)


async def copy_practitioner(ctx: Context, tx: Session, event: PractitionerChanged) -> None:
    """A person becomes one calendar, whatever their roles and sites."""
    await _put(ctx, tx, event.organization_id, actor_of_practitioner(event.practitioner, event.roles))


async def copy_device(ctx: Context, tx: Session, event: DeviceChanged) -> None:
    """Equipment becomes a calendar, unless it belongs to a patient or stands nowhere."""
    if (actor := actor_of_device(event.device)) is not None:
        await _put(ctx, tx, event.organization_id, actor)


async def copy_visit_type(ctx: Context, tx: Session, event: VisitTypeChanged) -> None:
    if await store.put_visit_type(tx, event.organization_id, event.visit_type, event.service):
        await outbox.publish(ctx, tx, CatalogueChanged(organization_id=event.organization_id, entry_id=event.visit_type.id))


async def copy_patient(_: Context, tx: Session, event: PatientChanged) -> None:
    await store.put_patient(tx, event)


async def erase_patient(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Words go, times stay: an appointment without its patient's record is a number in a statistic.

    Offers and links are forgotten, and that they wait.
    """
    ids = await store.erase_patient(tx, event)
    offered = await offers.erase_offers(ctx, tx, event.organization_id, event.patient_id)
    linked = await links.erase(tx, event.organization_id, event.patient_id)
    waited = await waitlist.erase(tx, event.organization_id, event.patient_id)
    each_kind = {"Appointment": ids, "Offer": offered, "AppointmentLink": linked, "WaitlistEntry": waited}
    gone = [(kind, each) for kind, those in each_kind.items() for each in those]
    about = tuple(audit.Entity(type=kind, id=each) for kind, each in gone)
    name = "scheduling.appointment.erase"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "D", patient_id=event.patient_id, entities=about))


async def follow_appointment(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Nobody is asked any more about an appointment that is not as it was, what depends on it is seen to, and what it leaves is offered."""
    await offers.follow_appointment(ctx, tx, event)
    await following.follow_appointment(ctx, tx, event)
    if event.status not in MOVABLE:
        gone = await waitlist.to_give_up(tx, event.organization_id, event.patient_id, event.appointment_id)
        await end_waiting(ctx, tx, event.organization_id, gone, "withdrawn")
    await freed.notice_freed_time(ctx, tx, event)


async def offer_hold(ctx: Context, tx: Session, event: AppointmentHoldExpired) -> None:
    """What somebody held and did not book is offered to those who wait."""
    await freed.notice_freed_time(ctx, tx, event)


async def follow_booking(ctx: Context, tx: Session, event: AppointmentBooked) -> None:
    """Whoever waited for such a visit has one, whoever booked it."""
    have = await waitlist.for_visit(tx, event.organization_id, event.patient_id, event.visit_type_id, event.appointment_id)
    await end_waiting(ctx, tx, event.organization_id, have, "booked")


async def follow_offer(ctx: Context, tx: Session, event: OfferEnded) -> None:
    """Of time that fell free: nobody else is asked about what somebody took, and whoever is next about what nobody did."""
    await freed.follow_offer(ctx, tx, event)


async def follow_waiting(ctx: Context, tx: Session, event: WaitingChanged) -> None:
    """Nobody is asked any more who does not wait."""
    await freed.follow_waiting(ctx, tx, event)


async def note_unreached(ctx: Context, tx: Session, event: CommunicationNotDone) -> None:
    """Whoever could not be told what they are offered has to be called. A message about something else is about no offer."""
    if event.about_id is not None:
        await offers.note_unreached_within(ctx, tx, event.organization_id, event.about_id)


async def propose_plans(ctx: Context, tx: Session, event: OutageReported) -> None:
    """Who cannot be seen because something is out of service has a place looked for."""
    await repairing.propose_plans(ctx, tx, event)


async def give_up_plans(ctx: Context, tx: Session, event: OutageEnded) -> None:
    """Nobody is moved for the sake of what is in service again."""
    await repairing.give_up_plans(ctx, tx, event)


async def follow_turn(ctx: Context, tx: Session, event: QueueEntryMoved) -> None:
    """Who is called without an appointment takes the practitioner's time; whose turn is for one is noted there as here, and as seen."""
    await in_use.follow_turn(ctx, tx, event)
    await fulfil(ctx, tx, event)


async def fulfil(ctx: Context, tx: Session, event: QueueEntryMoved) -> None:
    """Who was seen had their appointment; where that was a mistake and is taken back, they are here for it still.

    Who has a turn for an appointment that is only booked has checked in by themselves.

    What an older system is master of it notes itself, and a state that does not allow it stays.
    """
    to = _by_turn(event)
    if to is None or event.appointment_id is None:
        return
    cipher = await ctx.cipher()
    before, master = await store.appointment_for_change(tx, cipher, event.appointment_id)
    if before is None or master is not None or to not in STEPS[before.status] | TAKEN_BACK.get(before.status, frozenset()):
        return
    if event.action == "arrive" and before.status != "booked":
        return
    after = stepped(before, to, ctx.clock.now())
    await replace_stored(ctx, tx, cipher, before, after)
    claims = await store.claims_of_appointment(tx, event.organization_id, after.id)
    await outbox.publish(ctx, tx, fact_of(AppointmentAdvanced, after, event.organization_id, claims))
    about = (audit.Entity(type="Appointment", id=after.id),)
    name = "scheduling.appointment.advance"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "U", patient_id=after.patient_id, entities=about))


async def copy_stops(ctx: Context, tx: Session, event: VisitsStopped) -> None:
    """What payers said, as far as it stops bookings. Until it arrives a visit is booked, and the desk's page shows it."""
    await stops.put_payer_stops(tx, event, ctx.clock.now())


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """Give the survivor the appointments of the prior record. Two at one time stay two: people decide which of them is kept.

    What each was stays readable as an earlier version. What is archived is told to nobody: it is over.
    """
    organization_id, prior_id = event.organization_id, event.prior_id
    cipher = await ctx.working_in(organization_id).cipher()
    appointments, archived = await merging.take_over_appointments(tx, cipher, ctx.ids.new, prior_id, ctx.clock.now())
    if not await merging.take_over_time(tx, organization_id, prior_id):
        raise TimeNotFree  # told once more, it finds what others have claimed
    for each in appointments:
        claims = await store.claims_of_appointment(tx, organization_id, each.id)
        await outbox.publish(ctx, tx, fact_of(AppointmentTransferred, each, organization_id, claims))
    ids = [*(each.id for each in appointments), *archived]
    await audit.record_merge(ctx, tx, "scheduling.appointment.merge", event, "Appointment", ids)
    await audit.record_merge(ctx, tx, "scheduling.offer.merge", event, "Offer", await rows.take_over(tx, organization_id, prior_id))
    linked = await links.take_over(tx, organization_id, prior_id)
    await audit.record_merge(ctx, tx, "scheduling.link.merge", event, "AppointmentLink", linked)
    waiting = await waitlist.take_over(tx, organization_id, prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "scheduling.waitlist.merge", event, "WaitlistEntry", waiting)


def _by_turn(event: QueueEntryMoved) -> AppointmentStatus | None:
    """What an appointment becomes by a step of its turn, if anything."""
    if event.action == "complete":
        return "fulfilled"
    return "checked-in" if event.action == "arrive" or (event.action == "undo" and event.was == "completed") else None


async def _put(ctx: Context, tx: Session, organization_id: UUID, actor: Actor) -> None:
    await store.lock_schedule(tx, organization_id, actor.id)  # whoever is just booking on the old abilities gets through first
    version = await store.put_schedule(tx, organization_id, actor, NEVER)
    if version is not None:
        event = ScheduleChanged(organization_id=organization_id, schedule_id=actor.id, site_ids=actor.site_ids, calendar_version=version)
        await outbox.publish(ctx, tx, event)
        about = audit.Entity(type="Schedule", id=actor.id)
        await audit.record(tx, audit.entry_of_system(ctx, organization_id, "scheduling.calendar.follow", "U", entities=(about,)))
