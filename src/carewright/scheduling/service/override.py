"""Booking against the calendar, knowingly: outside hours, inside a block, or beside another appointment. Staff only, with a reason."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import (
    Appointment,
    AppointmentBooked,
    BookAppointment,
    ClaimedTime,
    OutsideRules,
    OverrideExhausted,
    Participant,
    PickedTime,
    Slot,
    TimeNotFree,
    UnknownPatient,
)  # fmt: skip
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.idempotency import remember
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind
from carewright.scheduling.model import rules
from carewright.scheduling.model.appointment import Draft, beyond, claims_of, fact_of
from carewright.scheduling.model.search import Requirement, free_rows
from carewright.scheduling.service.expire import clear_the_way
from carewright.scheduling.service.masters import ask_master
from carewright.scheduling.service.picking import requirements_of, slot_at, visit_kind, visit_site, wish_of
from carewright.scheduling.service.reserve import watched

LANES = range(8)
ATTEMPTS_MAX = 5


async def book_override(ctx: SchedulingContext, time: PickedTime, command: BookAppointment) -> Appointment:
    """Book `time` whatever the calendar says, in the first lane that is not taken."""
    ctx.require_site(time.site_id)
    calendars = await ctx.calendars()
    kind = visit_kind(calendars, time.visit_type_id)
    site = visit_site(calendars, kind, time.site_id)
    rules.ensure_overridable(time, ctx.clock.now(), ctx.settings.horizon_days)
    drafted = Draft(
        visit_type=kind.value, service_name=kind.service_name, site_name=site.name, time_zone=site.zone.key,
        patient_id=command.patient_id, by_patient=False, urgency=time.urgency, created_at=ctx.clock.now(),
        based_on=command.based_on, override_reason=command.override.reason if command.override else None,
    )  # fmt: skip
    appointment = drafted.at(overridden_slot(ctx, calendars, kind, time), ctx.ids.new())
    await clear_the_way(ctx, claims_of(appointment))
    cipher = await ctx.cipher()
    with watched(ctx, calendars) as about:
        about.extend(claims_of(appointment))
        async with ctx.db.transaction() as tx:
            await ask_master(ctx, tx, calendars, kind.value.id, time.site_id)
            claims = await claim_in_free_lanes(tx, calendars.organization_id, appointment)
            if not await store.insert_one(tx, cipher, appointment, command.note):
                raise UnknownPatient
            await outbox.publish(ctx, tx, fact_of(AppointmentBooked, appointment, calendars.organization_id, claims))
            await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.override", "C", appointment))
            await remember(ctx, tx, appointment)
        calendars.take(claims)
    ctx.wake()
    return appointment


async def claim_in_free_lanes(
    tx: Session, organization_id: UUID, appointment: Appointment, old: Sequence[ClaimedTime] = (), holder: UUID | None = None
) -> list[ClaimedTime]:
    """Claim each participant's time in the lowest lane where nobody else holds it. Raises `OverrideExhausted` when all are taken.

    When an appointment moves, `old` is what it holds already; only what lies beyond is claimed, in the name of `holder`.
    """
    got: list[ClaimedTime] = []
    for wanted in claims_of(appointment):
        for _ in range(ATTEMPTS_MAX):
            taken = await store.taken_lanes(tx, organization_id, wanted, besides=appointment.id)
            lane = next((lane for lane in LANES if lane not in taken), None)
            if lane is None:
                raise OverrideExhausted(schedule_id=str(wanted.schedule_id))
            claim = msgspec.structs.replace(wanted, lane=lane)
            parts = beyond([claim], old)
            if len(await store.claim_time(tx, organization_id, [(holder or appointment.id, part) for part in parts], None)) == len(parts):
                got.append(claim)
                break
        else:
            raise TimeNotFree
    return got


def overridden_slot(ctx: SchedulingContext, calendars: Calendars, kind: Kind, time: PickedTime) -> Slot:
    """Free actors where there are any; otherwise those named, or else the first who could serve."""
    horizon = calendars.index.horizon
    tick = horizon.tick_at(utc(time.start))
    wish = wish_of(time)
    if (slot := slot_at(ctx, calendars, kind, wish, tick)) is not None:
        return slot
    taken: set[UUID] = set()
    participants = [
        participant
        for requirement in requirements_of(calendars, kind, wish)
        for participant in _serving(calendars, requirement, tick, taken)
    ]
    start = horizon.instant_of(tick)
    end = start + timedelta(minutes=kind.value.duration_minutes)
    return Slot(visit_type_id=kind.value.id, site_id=time.site_id, start=start, end=end, participants=tuple(participants))


def _serving(calendars: Calendars, requirement: Requirement, tick: int, taken: set[UUID]) -> Sequence[Participant]:
    """As many actors as the requirement asks for, free ones first, none twice."""
    free = free_rows(calendars.index, requirement, tick).tolist()
    ranked = free + [row for row in requirement.candidates.tolist() if row not in free]
    people = [calendars.bookables[calendars.owners[row]] for row in ranked]
    chosen = [person for person in people if person.id not in taken][: requirement.count]
    if len(chosen) < requirement.count:
        raise OutsideRules("Nobody here could serve this visit, not even against the calendar.", rule="staff")
    taken.update(person.id for person in chosen)
    first, end = requirement.interval(tick)
    horizon = calendars.index.horizon
    return [
        Participant(
            kind=person.kind, actor_id=person.id, display=person.display,
            claimed_from=horizon.instant_of(first), claimed_to=horizon.instant_of(end),
        )
        for person in chosen
    ]  # fmt: skip
