"""Taking time: hold, book, book a series, book against the calendar."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import (
    Appointment,
    AppointmentBooked,
    AppointmentFact,
    AppointmentHeld,
    AppointmentRequested,
    AppointmentStatus,
    BookAppointment,
    CalendarMoved,
    ClaimedTime,
    HoldExpired,
    HoldLimitReached,
    HoldTime,
    IllegalStep,
    PatientBusy,
    PickedTime,
    SeriesNotFree,
    Slot,
    TimeNotFree,
    UnknownAppointment,
    UnknownPatient,
)
from carewright.contracts.series import BookSeries, Series
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput
from carewright.kernel.idempotency import once, remember
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind, Site
from carewright.scheduling.model import rules
from carewright.scheduling.model.appointment import Draft, claims_of, ensure_step, fact_of, hold_until, is_hold, is_live_hold
from carewright.scheduling.service.expire import clear_the_way
from carewright.scheduling.service.known import when_known
from carewright.scheduling.service.masters import ask_master, ensure_master, ensure_writes
from carewright.scheduling.service.override import book_override
from carewright.scheduling.service.paying import ensure_not_stopped
from carewright.scheduling.service.picking import pick, slot_at, versions_of, visit_kind, visit_site, wish_of
from carewright.scheduling.service.reserve import Beaten, ensure_all_got, reserved, watched

T = TypeVar("T")
ATTEMPTS_MAX = 5
"""How often another combination is tried when others are faster each time."""


async def hold_time(ctx: SchedulingContext, command: HoldTime) -> Appointment:
    """Keep a time for the patient until it expires. Raises `TimeNotFree`, `PatientBusy`, `OutsideRules`, `HoldLimitReached`."""
    ctx.actor.require("scheduling.appointment.hold")
    ctx.require_patient(command.patient_id)
    calendars = await ctx.calendars()

    async def work() -> Appointment:
        kind, _ = _checked(ctx, calendars, command.time)
        expires_at = hold_until(ctx.clock.now(), ctx.settings.hold_seconds)
        drafted = draft_of(ctx, calendars, kind, command.time, command.patient_id)
        held = msgspec.structs.replace(drafted, status="pending", expires_at=expires_at)
        return await _take(ctx, calendars, command.time, held, AppointmentHeld)

    return await once(ctx, Appointment, when_known(work))


async def book_appointment(ctx: SchedulingContext, command: BookAppointment) -> Appointment:
    """Book a held time or a free one, with everybody it needs, or nothing.

    A repeated call under the same key returns the first answer. Raises `TimeNotFree` when another caller was faster.
    """
    ctx.actor.require("scheduling.appointment.book")
    ctx.require_patient(command.patient_id)
    if command.override is not None:
        ctx.actor.require("scheduling.appointment.override")
    hold_id, time = command.hold_id, command.time
    if hold_id is not None and time is None:
        return await once(ctx, Appointment, lambda: _book_hold(ctx, hold_id, command))
    if hold_id is not None or time is None:
        raise BadInput("Give either `hold_id` or `time`.")
    if command.override is not None:
        return await once(ctx, Appointment, when_known(lambda: book_override(ctx, time, command)))
    calendars = await ctx.calendars()

    async def work() -> Appointment:
        kind, _ = _checked(ctx, calendars, time)
        await ensure_prerequisites(ctx, ctx.db, kind, command.patient_id, command.based_on, time.start)
        return await _book_free(ctx, calendars, kind, time, command)

    return await once(ctx, Appointment, when_known(work), look_first=False)


async def book_series(ctx: SchedulingContext, command: BookSeries) -> Series:
    """Book every visit of a series or none. `SeriesNotFree` names the dates that stand in the way."""
    ctx.actor.require("scheduling.appointment.book")
    ctx.require_patient(command.patient_id)
    calendars = await ctx.calendars()

    async def work() -> Series:
        kind, site = _checked(ctx, calendars, command.first)
        await ensure_prerequisites(ctx, ctx.db, kind, command.patient_id, command.based_on, command.first.start)
        return await _retrying(ctx, calendars, lambda: _book_visits(ctx, calendars, kind, site, command))

    return await once(ctx, Series, when_known(work))


def _checked(ctx: SchedulingContext, calendars: Calendars, time: PickedTime) -> tuple[Kind, Site]:
    """The visit type and site of a time that keeps every rule, at a site of the actor's."""
    ctx.require_site(time.site_id)
    kind = visit_kind(calendars, time.visit_type_id)
    site = visit_site(calendars, kind, time.site_id)
    ensure_writes(ctx, calendars, kind, time.site_id)
    rules.ensure_bookable(kind.value, time, site.zone, ctx.clock.now(), by_patient=ctx.by_patient, horizon_days=ctx.settings.horizon_days)
    return kind, site


async def ensure_prerequisites(
    ctx: SchedulingContext, db: Session, kind: Kind, patient_id: UUID, based_on: str | None, start: datetime
) -> None:
    """Raise `PrerequisiteMissing` where a referral, or an earlier visit, has to come first."""
    met = [
        await store.has_earlier_visit(db, ctx.actor.organization_id, patient_id, each.visit_type_id, start)
        for each in kind.value.rules.prerequisites
        if each.kind == "earlier-visit" and each.visit_type_id is not None
    ]
    rules.ensure_prerequisites(kind.value, based_on=based_on, met_visits=met)


async def _book_free(ctx: SchedulingContext, calendars: Calendars, kind: Kind, time: PickedTime, command: BookAppointment) -> Appointment:
    status, fact = _booked_as(ctx, kind)
    drafted = msgspec.structs.replace(draft_of(ctx, calendars, kind, time, command.patient_id), status=status, based_on=command.based_on)
    return await _take(ctx, calendars, time, drafted, fact, command.note)


def draft_of(ctx: SchedulingContext, calendars: Calendars, kind: Kind, time: PickedTime, patient_id: UUID) -> Draft:
    """What is to be booked, but for who serves."""
    site = calendars.sites[time.site_id]
    return Draft(
        visit_type=kind.value, service_name=kind.service_name, site_name=site.name, time_zone=site.zone.key, patient_id=patient_id,
        by_patient=ctx.by_patient, urgency=time.urgency, created_at=ctx.clock.now(),
    )  # fmt: skip


def _booked_as(ctx: SchedulingContext, kind: Kind) -> tuple[AppointmentStatus, type[AppointmentFact]]:
    """A patient's booking of a visit that needs the practice's consent is a request."""
    if ctx.by_patient and kind.value.rules.needs_confirmation:
        return "pending", AppointmentRequested
    return "booked", AppointmentBooked


async def _take(
    ctx: SchedulingContext, calendars: Calendars, time: PickedTime, drafted: Draft, fact: type[AppointmentFact], note: str | None = None
) -> Appointment:
    """Pick actors and claim their time; where somebody was faster, pick again."""
    kind = visit_kind(calendars, time.visit_type_id)

    async def attempt() -> Appointment:
        appointment = drafted.at(pick(ctx, calendars, kind, time), ctx.ids.new())
        return await _claim(ctx, calendars, appointment, fact, note)

    return await _retrying(ctx, calendars, attempt)


async def _claim(
    ctx: SchedulingContext, calendars: Calendars, appointment: Appointment, fact: type[AppointmentFact], note: str | None
) -> Appointment:
    """Ask the ledger. The live copy shows the time as taken meanwhile, so that others of this process choose differently."""
    claims = claims_of(appointment)
    versions = versions_of(calendars, appointment.participants)
    event = fact_of(fact, appointment, calendars.organization_id, claims)
    booking = store.Booking(appointment, claims, versions, event, note, ctx.mirrors)
    cipher = await ctx.cipher()
    with reserved(ctx, calendars, claims):
        if appointment.expires_at is None:
            await store.book_appointment(ctx, ctx.db, cipher, booking)
        else:
            async with ctx.db.transaction() as tx:
                await _ensure_may_hold(ctx, tx, appointment.patient_id)
                await store.book_appointment(ctx, tx, cipher, booking)
    calendars.note_hold(appointment.id, appointment.expires_at, claims)
    ctx.wake()
    return appointment


async def _ensure_may_hold(ctx: SchedulingContext, tx: Session, patient_id: UUID) -> None:
    """Raise `HoldLimitReached` for a patient who holds as much as one person may. Their row is locked: holds are counted in turn."""
    organization_id, limit = ctx.actor.organization_id, ctx.settings.holds_per_patient_max
    await store.lock_patient(tx, organization_id, patient_id)
    if await store.live_holds_of_patient(tx, organization_id, patient_id, ctx.clock.now()) >= limit:
        raise HoldLimitReached(limit=limit)


async def _retrying(ctx: SchedulingContext, calendars: Calendars, attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again while the ledger knows better than the live copy: clear expired holds away, read again, choose again."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await attempt()
        except Beaten as beaten:
            cleared = await clear_the_way(ctx, beaten.claims)
            await ctx.live.reload(calendars, [claim.schedule_id for claim in beaten.claims])
            if isinstance(beaten.refusal, PatientBusy) and not cleared:
                raise beaten.refusal from None
        except (TimeNotFree, SeriesNotFree):  # the copy says so: is it sure?
            if not await ctx.live.settle(calendars):
                raise
    try:
        return await attempt()
    except Beaten as beaten:
        calendars.doubt(beaten.claims)
        raise beaten.refusal from None


async def _book_hold(ctx: SchedulingContext, hold_id: UUID, command: BookAppointment) -> Appointment:
    """Turn a live hold into a booking. Its time was claimed when it was held."""
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    with watched(ctx, calendars) as about:
        async with ctx.db.transaction() as tx:
            found, master = await store.appointment_for_change(tx, cipher, hold_id)
            hold = ctx.require_own(found)
            ensure_master(ctx, calendars, hold.visit_type_id, hold.site_id, master)
            _ensure_bookable_hold(hold, command, ctx.clock.now())
            about.extend(claims_of(hold))
            kind = visit_kind(calendars, hold.visit_type_id)
            await ensure_prerequisites(ctx, tx, kind, hold.patient_id, command.based_on, hold.start)
            await ensure_not_stopped(ctx, tx, hold)
            status, fact = _booked_as(ctx, kind)
            booked = msgspec.structs.replace(
                hold, status=status, expires_at=None, version=hold.version + 1, updated_at=ctx.clock.now(), based_on=command.based_on
            )
            claims = await store.claims_of_appointment(tx, calendars.organization_id, hold.id)
            await store.keep_claims(tx, calendars.organization_id, hold.id)
            await store.save_appointment(tx, cipher, booked, command.note)
            await outbox.publish(ctx, tx, fact_of(fact, booked, calendars.organization_id, claims))
            await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.book", "U", booked))
            await remember(ctx, tx, booked)
        calendars.note_hold(hold.id, None, ())
        calendars.take(claims)
    ctx.wake()
    return booked


def _ensure_bookable_hold(hold: Appointment, command: BookAppointment, now: datetime) -> None:
    if hold.patient_id != command.patient_id:
        raise UnknownAppointment("This time is not held for that patient.")
    if hold.status == "pending" and hold.expires_at is None:
        raise IllegalStep("This request was sent already.", appointment_id=str(hold.id), appointment_status=hold.status)
    if hold.status == "cancelled" or (is_hold(hold) and not is_live_hold(hold, now)):
        raise HoldExpired(appointment_id=str(hold.id))
    ensure_step(hold, "booked")


async def _book_visits(ctx: SchedulingContext, calendars: Calendars, kind: Kind, site: Site, command: BookSeries) -> Series:
    """One attempt at a whole series, in one transaction."""
    series_id = ctx.ids.new()
    common = draft_of(ctx, calendars, kind, command.first, command.patient_id)
    drafted = msgspec.structs.replace(common, series_id=series_id, based_on=command.based_on)
    visits = [drafted.at(slot, ctx.ids.new()) for slot in _slots_of_series(ctx, calendars, kind, site, command)]
    claims = [(visit.id, claim) for visit in visits for claim in claims_of(visit)]
    versions = versions_of(calendars, [each for visit in visits for each in visit.participants])
    series = Series(id=series_id, appointments=tuple(visits))
    cipher = await ctx.cipher()
    with reserved(ctx, calendars, [claim for _, claim in claims]):
        async with ctx.db.transaction() as tx:
            await ask_master(ctx, tx, calendars, kind.value.id, command.first.site_id)
            await _store_series(ctx, tx, cipher, series, claims, versions)
    ctx.wake()
    return series


async def _store_series(
    ctx: SchedulingContext, tx: Session, cipher: FieldCipher, series: Series, claims: Sequence[tuple[UUID, ClaimedTime]],
    versions: dict[UUID, int],
) -> None:  # fmt: skip
    organization_id = ctx.actor.organization_id
    if not await store.lock_calendars(tx, organization_id, versions):
        raise CalendarMoved
    for visit in series.appointments:
        await ensure_not_stopped(ctx, tx, visit)
    got = await store.claim_time(tx, organization_id, claims, series.id)
    ensure_all_got([claim for _, claim in claims], got, series.appointments[0].patient_id)
    if not await store.insert_series(tx, cipher, series.appointments):
        raise UnknownPatient
    facts = (fact_of(AppointmentBooked, visit, organization_id, claims_of(visit)) for visit in series.appointments)
    await outbox.publish(ctx, tx, *facts)
    await audit.record(tx, *(store.entry_of(ctx, "scheduling.appointment.book", "C", visit) for visit in series.appointments))
    await remember(ctx, tx, series)


def _slots_of_series(ctx: SchedulingContext, calendars: Calendars, kind: Kind, site: Site, command: BookSeries) -> list[Slot]:
    """A slot for each visit, or `SeriesNotFree` with the local dates that have none."""
    slots: list[Slot] = []
    missing: list[str] = []
    time = command.first
    for number in range(command.count):
        start = rules.same_wall_time(utc(command.first.start), site.zone, number * command.every_days)
        time = msgspec.structs.replace(time, start=start)
        _checked(ctx, calendars, time)
        slot = slot_at(ctx, calendars, kind, wish_of(time), calendars.index.horizon.tick_at(start))
        if slot is None:
            missing.append(start.astimezone(site.zone).date().isoformat())
        else:
            slots.append(slot)
            time = _kept_practitioner(time, slot) if command.same_practitioner else time
    if missing:
        raise SeriesNotFree(dates=missing)
    return slots


def _kept_practitioner(time: PickedTime, slot: Slot) -> PickedTime:
    first = next((each.actor_id for each in slot.participants if each.kind == "practitioner"), None)
    return msgspec.structs.replace(time, practitioner_id=first)
