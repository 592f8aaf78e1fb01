"""What becomes of an appointment: confirm, cancel, reschedule, advance, release; and reading it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    AppointmentAdvanced,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentFact,
    AppointmentRescheduled,
    AppointmentsFound,
    AppointmentsPage,
    CalendarMoved,
    CancelAppointment,
    ClaimedTime,
    ConfirmAppointment,
    IllegalStep,
    ListAppointments,
    RescheduleAppointment,
    Slot,
    TimeNotFree,
)  # fmt: skip
from carewright.contracts.starts import IsExpected
from carewright.contracts.versions import ListVersions
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput, ensure_version
from carewright.kernel.idempotency import once, remember
from carewright.kernel.invariants import invariant
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model import rules
from carewright.scheduling.model.appointment import (
    HOLDS_TIME,
    accepted_by_patient,
    beyond,
    claims_of,
    ensure_movable,
    ensure_step,
    fact_of,
    is_hold,
    stepped,
)  # fmt: skip
from carewright.scheduling.service.cursors import cursor_of, place_after
from carewright.scheduling.service.expire import clear_the_way
from carewright.scheduling.service.masters import ask_master, ensure_master
from carewright.scheduling.service.notes import with_notes
from carewright.scheduling.service.override import claim_in_free_lanes, overridden_slot
from carewright.scheduling.service.paying import ensure_not_stopped
from carewright.scheduling.service.picking import pick, versions_of, visit_kind, visit_site
from carewright.scheduling.service.reserve import Beaten, ensure_all_got, reserved, watched

T = TypeVar("T")
MOVE_ATTEMPTS_MAX = 3


async def get_appointment(ctx: SchedulingContext, appointment_id: UUID) -> Appointment:
    """One appointment, live or archived. Raises `UnknownAppointment` for what is not there or not the actor's."""
    ctx.actor.require("scheduling.appointment.read")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = ctx.require_own(await store.appointment_by_id(tx, cipher, appointment_id))
        await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.read", "R", found))
        (shown,) = await with_notes(ctx, tx, cipher, [found])
    return shown


async def list_versions(ctx: SchedulingContext, query: ListVersions) -> AppointmentsFound:
    """What an appointment is and was, the newest first; of an actor with sites of their own, what it was at these.

    Raises `UnknownAppointment` as `get_appointment` does. The note is written once, and is the same in all. `next` is the `below` of the
    page after this one.
    """
    ctx.actor.require("scheduling.appointment.read")
    since, cipher = utc(query.since) if query.since else None, await ctx.cipher()
    async with ctx.db.transaction() as tx:
        now = ctx.require_own(await store.appointment_by_id(tx, cipher, query.appointment_id))
        await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.read", "R", now))
        (shown,) = await with_notes(ctx, tx, cipher, [now])
        earlier = [msgspec.structs.replace(each, note=shown.note) for each in await store.earlier_versions(tx, cipher, now.id)]
    found = [each for each in (shown, *earlier) if ctx.actor.works_at(each.site_id) and (since is None or each.updated_at >= since)]
    below = [each for each in found if query.below is None or each.version < query.below]
    items = tuple(below[: query.limit])
    return AppointmentsFound(items=items, next=str(items[-1].version) if len(below) > len(items) else None, total=len(found))


async def is_expected(ctx: SchedulingContext, query: IsExpected) -> bool:
    """Whether a patient has to do with a place at a time. For the system, which looks for who opened a record without a reason to."""
    ctx.actor.require("scheduling.appointment.relate")
    return await store.is_expected(ctx.db, ctx.actor.organization_id, query)


async def list_appointments(ctx: SchedulingContext, query: ListAppointments) -> AppointmentsPage:
    """A patient's appointments at the actor's sites, by start, in pages that stay where they are."""
    ctx.actor.require("scheduling.appointment.read")
    patient_id = query.patient_id or ctx.actor.patient_id
    if patient_id is None:
        raise BadInput("Say whose appointments: `patient_id` is missing.", parameter="patient_id")
    ctx.require_patient(patient_id)
    window, after, cipher = _in_utc(query), place_after(query.after), await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.appointments_of_patient(
            tx, cipher, patient_id, window, after, ctx.clock.now(), query.limit + 1, ctx.actor.site_ids
        )
        items = await with_notes(ctx, tx, cipher, found[: query.limit])
        shown = tuple(audit.Entity(type="Appointment", id=each.id) for each in items)
        await audit.record(tx, audit.entry(ctx, "scheduling.appointment.list", "E", patient_id=patient_id, entities=shown))
    return AppointmentsPage(items=items, next=cursor_of(items[-1]) if len(found) > len(items) else None)


async def confirm_appointment(ctx: SchedulingContext, command: ConfirmAppointment) -> Appointment:
    """Staff accept a pending request; a patient's confirmation says that they will come."""
    ctx.actor.require("scheduling.appointment.confirm")

    def change(before: Appointment) -> Appointment:
        if is_hold(before):
            raise IllegalStep("A held time is booked, not confirmed.", appointment_id=str(before.id), appointment_status=before.status)
        if ctx.by_patient:
            return _confirmed_by_patient(before, ctx.clock.now())
        ctx.actor.require("scheduling.appointment.accept")
        ensure_step(before, "booked")
        return stepped(before, "booked", ctx.clock.now())

    return await _changed(
        ctx, command.appointment_id, command.expected_version, Step(AppointmentConfirmed, "scheduling.appointment.confirm", change)
    )


async def cancel_appointment(ctx: SchedulingContext, command: CancelAppointment) -> Appointment:
    """Cancel, and give all claimed time back."""
    ctx.actor.require("scheduling.appointment.cancel")

    def change(before: Appointment) -> Appointment:
        ensure_step(before, "cancelled")
        return stepped(before, "cancelled", ctx.clock.now(), reason=command.reason)

    return await _changed(
        ctx, command.appointment_id, command.expected_version, Step(AppointmentCancelled, "scheduling.appointment.cancel", change)
    )


async def release_hold(ctx: SchedulingContext, appointment_id: UUID) -> Appointment:
    """Give a held time back before it expires."""
    ctx.actor.require("scheduling.appointment.hold")

    def change(before: Appointment) -> Appointment:
        if not is_hold(before):
            raise IllegalStep("This is not a held time.", appointment_id=str(before.id), appointment_status=before.status)
        return stepped(before, "cancelled", ctx.clock.now(), reason="hold-released")

    return await _changed(ctx, appointment_id, None, Step(AppointmentCancelled, "scheduling.appointment.release", change, ends_hold=True))


async def advance_appointment(ctx: SchedulingContext, command: AdvanceAppointment) -> Appointment:
    """Record what happened on the day. What no longer takes place gives its time back."""
    ctx.actor.require("scheduling.appointment.advance")

    def change(before: Appointment) -> Appointment:
        ensure_step(before, command.status)
        return stepped(before, command.status, ctx.clock.now())

    return await _changed(
        ctx, command.appointment_id, command.expected_version, Step(AppointmentAdvanced, "scheduling.appointment.advance", change)
    )


async def reschedule_appointment(ctx: SchedulingContext, command: RescheduleAppointment) -> Appointment:
    """Move to another time in one transaction; the id stays, and the old time is kept unless the new one was got."""
    ctx.actor.require("scheduling.appointment.reschedule")
    if command.override is not None:
        ctx.actor.require("scheduling.appointment.override")
    calendars = await ctx.calendars()
    return await once(ctx, Appointment, lambda: trying(ctx, calendars, lambda: _move(ctx, calendars, command)))


async def trying(ctx: SchedulingContext, calendars: Calendars, attempt: Callable[[], Awaitable[T]]) -> T:
    """Try to move again while the ledger knows better than the live copy: clear the way, read again."""
    for _ in range(MOVE_ATTEMPTS_MAX - 1):
        try:
            return await attempt()
        except Beaten as beaten:
            await clear_the_way(ctx, beaten.claims)
            await ctx.live.reload(calendars, [claim.schedule_id for claim in beaten.claims])
        except TimeNotFree:  # the copy says so: is it sure?
            if not await ctx.live.settle(calendars):
                raise
    try:
        return await attempt()
    except Beaten as beaten:
        calendars.doubt(beaten.claims)
        raise beaten.refusal from None


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to an appointment: the fact it becomes, what the journal calls it, and the rule.

    What only gives held time back is no appointment's: it is done whoever is master.
    """

    fact: type[AppointmentFact]
    deed: str
    change: Callable[[Appointment], Appointment]
    ends_hold: bool = False


async def _changed(ctx: SchedulingContext, appointment_id: UUID, expected_version: int | None, step: Step) -> Appointment:
    """Lock, check, change, store, report; one transaction. What no longer holds time gives it back."""
    calendars, cipher = await ctx.calendars(), await ctx.cipher()

    async def work() -> Appointment:
        with watched(ctx, calendars) as about:
            async with ctx.db.transaction() as tx:
                found, master = await store.appointment_for_change(tx, cipher, appointment_id)
                before = ctx.require_own(found)
                if not step.ends_hold:
                    ensure_master(ctx, calendars, before.visit_type_id, before.site_id, master)
                ensure_version(before.version, expected_version)
                after = step.change(before)
                if before.status == "pending" and after.status == "booked":
                    await ensure_not_stopped(ctx, tx, after)
                about.extend(claims_of(before))
                held, released = await _claims_after(ctx, tx, before, after)
                await replace_stored(ctx, tx, cipher, before, after)
                await outbox.publish(ctx, tx, fact_of(step.fact, after, cipher.organization_id, held, released))
                await audit.record(tx, store.entry_of(ctx, step.deed, "U", after))
                await remember(ctx, tx, after)
            calendars.note_hold(after.id, None, ())
            calendars.give_back(released)
            calendars.take(held)
        ctx.wake()
        return after

    return await once(ctx, Appointment, work)


async def replace_stored(ctx: Context, tx: Session, cipher: FieldCipher, before: Appointment, after: Appointment) -> None:
    """Store what an appointment has become, and keep what it was. Of a hold nothing is kept: nothing was booked yet."""
    if not is_hold(before) and after.version != before.version:
        await store.keep_version(tx, cipher, ctx.ids.new(), before)
    await store.save_appointment(tx, cipher, after)


async def _claims_after(
    ctx: SchedulingContext, tx: Session, before: Appointment, after: Appointment
) -> tuple[Sequence[ClaimedTime], Sequence[ClaimedTime]]:
    """What the appointment holds after a step, and what it gave back.

    Who comes after all, having been noted as absent, has no time any more: it is claimed again, beside others if need be.
    """
    organization_id = ctx.actor.organization_id
    if after.status not in HOLDS_TIME:
        return (), await store.release_claims(tx, organization_id, [after.id])
    if before.status not in HOLDS_TIME and after.end > ctx.clock.now():
        return await claim_in_free_lanes(tx, organization_id, after), ()
    return await store.claims_of_appointment(tx, organization_id, after.id), ()


@dataclass(frozen=True, slots=True)
class Moved:
    """An appointment that was moved, the time it has now, and what it had before."""

    appointment: Appointment
    claims: Sequence[ClaimedTime]
    released: Sequence[ClaimedTime]

    def show(self, calendars: Calendars) -> None:
        """Show it in the live copy, once it is committed."""
        calendars.give_back(self.released)
        calendars.take(self.claims)


async def _move(ctx: SchedulingContext, calendars: Calendars, command: RescheduleAppointment) -> Appointment:
    """One attempt: claim the new time and release the old one in one transaction."""
    await ctx.cipher()  # before the transaction, which is not to wait for keys
    with ExitStack() as shown, watched(ctx, calendars) as about:
        async with ctx.db.transaction() as tx:
            done = await move_within(ctx, tx, calendars, command, shown, about)
            await remember(ctx, tx, done.appointment)
        done.show(calendars)
    ctx.wake()
    return done.appointment


async def move_within(
    ctx: SchedulingContext,
    tx: Session,
    calendars: Calendars,
    command: RescheduleAppointment,
    shown: ExitStack,
    about: list[ClaimedTime],
    offer_id: UUID | None = None,
) -> Moved:
    """Move an appointment in the caller's transaction. What is claimed is shown as taken within `shown`, and noted in `about`.

    What an offer keeps (`offer_id`) counts as the appointment's own, and the rules are those for whoever offered it: staff.
    """
    organization_id = calendars.organization_id
    before = await for_move(ctx, tx, calendars, command)
    old, others = await own_time(ctx, tx, calendars, before)
    if offer_id is not None:
        old = (*old, *await store.claims_of_appointment(tx, organization_id, offer_id))
    slot = new_slot(ctx, calendars, before, command, old, others, by_patient=ctx.by_patient and offer_id is None)
    after = moved(before, slot, command, calendars, ctx.clock.now())
    await ensure_not_stopped(ctx, tx, after)
    about.extend((*old, *claims_of(after)))
    if command.override is None:
        shown.enter_context(reserved(ctx, calendars, beyond(claims_of(after), old)))
    claims = await _exchange_claims(ctx, tx, calendars, after, old, override=command.override is not None, offer_id=offer_id)
    done = Moved(after, claims, old)
    await note_move(ctx, tx, before, done)
    return done


async def for_move(ctx: SchedulingContext, tx: Session, calendars: Calendars, command: RescheduleAppointment) -> Appointment:
    """The appointment, its row locked, if it may be moved as the caller knows it. Raises what a move raises of the appointment itself."""
    found, master = await store.appointment_for_change(tx, await ctx.cipher(), command.appointment_id)
    before = ctx.require_own(found)
    ensure_master(ctx, calendars, before.visit_type_id, before.site_id, master)
    if command.time.site_id != before.site_id:
        await ask_master(ctx, tx, calendars, before.visit_type_id, command.time.site_id)
    ensure_version(before.version, command.expected_version)
    ensure_movable(before, ctx.clock.now())
    return before


async def note_move(ctx: SchedulingContext, tx: Session, before: Appointment, done: Moved) -> None:
    """Store what was moved, say so, and write it down."""
    after = done.appointment
    await replace_stored(ctx, tx, await ctx.cipher(), before, after)
    await outbox.publish(ctx, tx, _moved_fact(before, done, ctx.actor.organization_id))
    await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.reschedule", "U", after))


async def own_time(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, before: Appointment
) -> tuple[Sequence[ClaimedTime], Sequence[ClaimedTime]]:
    """What an appointment holds, which does not stand in its own way when it moves; and what others hold beside it, which does."""
    old = await store.claims_of_appointment(tx, calendars.organization_id, before.id)
    shared = [claim for claim in old if claim.schedule_id in calendars.overbooked]
    others = await store.claims_beside(tx, calendars.organization_id, shared, before.id, ctx.clock.now()) if shared else ()
    return old, others


def _moved_fact(before: Appointment, done: Moved, organization_id: UUID) -> AppointmentFact:
    """The event of a move: to another site it says which one was left, where people watch too."""
    fact = fact_of(AppointmentRescheduled, done.appointment, organization_id, done.claims, done.released)
    elsewhere = before.site_id != done.appointment.site_id
    return msgspec.structs.replace(fact, earlier_site_id=before.site_id) if elsewhere else fact


def new_slot(
    ctx: SchedulingContext,
    calendars: Calendars,
    before: Appointment,
    command: RescheduleAppointment,
    old: Sequence[ClaimedTime],
    others: Sequence[ClaimedTime],
    *,
    by_patient: bool,
) -> Slot:
    """Actors for the new time; the appointment's own old time does not stand in its way, but what `others` hold of it does."""
    ctx.require_site(command.time.site_id)
    kind = visit_kind(calendars, command.time.visit_type_id)
    site = visit_site(calendars, kind, command.time.site_id)
    if command.time.visit_type_id != before.visit_type_id:
        raise BadInput("An appointment keeps its kind of visit when it moves.", parameter="visit_type_id")
    if command.override is not None:
        rules.ensure_overridable(command.time, ctx.clock.now(), ctx.settings.horizon_days)
        choose = overridden_slot
    else:
        rules.ensure_bookable(
            kind.value, command.time, site.zone, ctx.clock.now(), by_patient=by_patient, horizon_days=ctx.settings.horizon_days
        )
        choose = pick
    with calendars.without(old, others):
        return choose(ctx, calendars, kind, command.time)


async def _exchange_claims(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, after: Appointment, old: Sequence[ClaimedTime], *, override: bool,
    offer_id: UUID | None,
) -> Sequence[ClaimedTime]:  # fmt: skip
    """Claim what is new, under an id of its own; then give both that and the old time back, and claim the whole.

    New time first, because it is waited for: who gave time away and then waited could lock others out, as two who exchange their times
    would. So this waits only as a booking does, with claims in everybody's order, and by the end nobody else can be on the time.
    """
    organization_id, interim = calendars.organization_id, ctx.ids.new()
    if override:
        claims: Sequence[ClaimedTime] = await claim_in_free_lanes(tx, organization_id, after, old, interim)
    else:
        claims = claims_of(after)
        await claim_new(tx, calendars, after, interim, beyond(claims, old))
    await store.release_claims(tx, organization_id, [after.id, interim, *([offer_id] if offer_id else [])])
    got = await store.claim_time(tx, organization_id, [(after.id, claim) for claim in claims], None)
    invariant(len(got) == len(claims), "time that is ours is claimed without contest")
    return claims


async def claim_new(tx: Session, calendars: Calendars, after: Appointment, interim: UUID, parts: Sequence[ClaimedTime]) -> None:
    organization_id = calendars.organization_id
    if not await store.lock_calendars(tx, organization_id, versions_of(calendars, after.participants)):
        raise CalendarMoved
    got = await store.claim_time(tx, organization_id, [(interim, part) for part in parts], after.id)
    ensure_all_got(parts, got, after.patient_id)


def moved(before: Appointment, slot: Slot, command: RescheduleAppointment, calendars: Calendars, now: datetime) -> Appointment:
    """The appointment at its new time, with whoever serves it there."""
    site = calendars.sites[slot.site_id]
    patient = next(each for each in before.participants if each.kind == "patient")
    return msgspec.structs.replace(
        before, site_id=slot.site_id, site_name=site.name, time_zone=site.zone.key, start=slot.start, end=slot.end,
        participants=(*slot.participants, msgspec.structs.replace(patient, claimed_from=slot.start, claimed_to=slot.end)),
        override_reason=command.override.reason if command.override else None, urgency=command.time.urgency, version=before.version + 1,
        updated_at=now,
    )  # fmt: skip


def _confirmed_by_patient(before: Appointment, now: datetime) -> Appointment:
    if before.status != "booked":
        raise IllegalStep(
            "Only a booked appointment can be confirmed.", appointment_id=str(before.id), appointment_status=before.status, wanted="booked"
        )
    return accepted_by_patient(before, now)


def _in_utc(query: ListAppointments) -> ListAppointments:
    return msgspec.structs.replace(
        query, from_at=utc(query.from_at) if query.from_at else None, until_at=utc(query.until_at) if query.until_at else None
    )
