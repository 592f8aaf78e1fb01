"""Another time for an appointment whose link broke because the other was moved: moved there at once, or its patient asked first."""

from uuid import UUID

from carewright.contracts.hours import Override
from carewright.contracts.links import AppointmentLink, LinkAttempt
from carewright.contracts.offers import MakeOffer, OfferStillOpen, WithdrawOffer
from carewright.contracts.scheduling import Appointment, PickedTime, RescheduleAppointment, Slot
from carewright.kernel import audit
from carewright.kernel.errors import Refusal
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model import links as rules
from carewright.scheduling.service.change import reschedule_appointment
from carewright.scheduling.service.following import ToMend
from carewright.scheduling.service.instead import free_for
from carewright.scheduling.service.links import about, keep_changed
from carewright.scheduling.service.offers import get_offer, make_offer, withdraw_offer
from carewright.scheduling.store import links as rows

WITH_IT = Override(reason="moved with the appointment that it goes with")
"""Two appointments of one patient at one time are against the patient's calendar, whoever moves one of them."""


async def mend_link(ctx: SchedulingContext, wanted: ToMend) -> None:
    """Look for another time, and have the appointment there. Safe to repeat: it goes by how things are.

    What was moved reports itself, and then the link holds. Where there is no time, or it could not be had, somebody at the desk sees to it.
    """
    here = ctx.working_in(wanted.organization_id)
    link = await rows.by_id(here.db, wanted.organization_id, wanted.link_id)
    if link is None or (link.status, link.attempt) != ("broken", "due"):
        return
    attempt = await _attempt(here, link)
    if attempt is not None:
        await _note(here, link.id, attempt)


async def _attempt(ctx: SchedulingContext, link: AppointmentLink) -> LinkAttempt | None:
    """What came of it; None where the appointment was moved, or there is nothing to do any more."""
    cipher = await ctx.cipher()
    one = await store.appointment_by_id(ctx.db, cipher, link.appointment_id)
    if one is None or not rules.is_to_come(one, ctx.clock.now()):
        return "none-free"
    window, beside = await _bounds(ctx, one)
    if one.start in window:
        return None
    since = window.earliest or ctx.clock.now()
    slot = next(iter(await free_for(ctx, one, since, window.latest, beside)), None)
    if slot is None:
        return "none-free"
    try:
        if link.otherwise == "move":
            await _move(ctx, one, slot, beside)
            return None
        await _ask(ctx, one, slot, window)
    except Refusal as refusal:
        if refusal.status >= 500:
            raise
        return "none-free"
    return "asked"


async def _bounds(ctx: SchedulingContext, one: Appointment) -> tuple[rules.Window, list[Appointment]]:
    """When it may begin by all that it depends on, and which of these it is at the same time as."""
    cipher, window, beside = await ctx.cipher(), rules.ANY_TIME, []
    for link in await rows.of(ctx.db, cipher.organization_id, [one.id]):
        other = await store.appointment_by_id(ctx.db, cipher, link.depends_on_id) if link.appointment_id == one.id else None
        if other is not None and other.status in rules.TAKES_PLACE:
            window = window.within(rules.window_of(link, one.end - one.start, rules.Lying.of(other)))
            beside += [other] if link.kind == "concurrent" else []
    return window, beside


async def _move(ctx: SchedulingContext, one: Appointment, slot: Slot, beside: list[Appointment]) -> None:
    overlaps = any(each.start < slot.end and slot.start < each.end for each in beside)
    time = PickedTime(visit_type_id=one.visit_type_id, site_id=one.site_id, start=slot.start, actor_ids=_actors(slot), urgency=one.urgency)
    command = RescheduleAppointment(
        appointment_id=one.id, time=time, override=WITH_IT if overlaps else None, expected_version=one.version
    )  # fmt: skip
    await reschedule_appointment(ctx, command)


async def _ask(ctx: SchedulingContext, one: Appointment, slot: Slot, window: rules.Window) -> None:
    """Ask the patient. Who is being asked already waits for that, unless that time would not do any more."""
    command = MakeOffer(appointment_id=one.id, start=slot.start, actor_ids=_actors(slot), expected_version=one.version)
    try:
        await make_offer(ctx, command)
    except OfferStillOpen as refusal:
        asked = await get_offer(ctx, UUID(str(refusal.facts["offer_id"])))
        if asked.start not in window:
            await withdraw_offer(ctx, WithdrawOffer(offer_id=asked.id))
            await make_offer(ctx, command)


async def _note(ctx: SchedulingContext, link_id: UUID, attempt: LinkAttempt) -> None:
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        for link in await rows.for_change(tx, organization_id, [link_id]):
            if (link.status, link.attempt) == ("broken", "due"):
                noted = rules.changed(link, ctx.clock.now(), link.status, link.cause, attempt)
                await keep_changed(ctx, tx, organization_id, noted)
                deed = "scheduling.link.mend"
                await audit.record(
                    tx, audit.entry_of_system(ctx, organization_id, deed, "U", patient_id=link.patient_id, entities=about(link))
                )
    ctx.wake()


def _actors(slot: Slot) -> tuple[UUID, ...]:
    return tuple(each.actor_id for each in slot.participants)
