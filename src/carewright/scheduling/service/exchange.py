"""Several appointments moved in one transaction, because each goes where another is: all of them, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from carewright.contracts.scheduling import Appointment, ClaimedTime, RescheduleAppointment
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext, ensure_version
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.appointment import beyond, claims_of, ensure_movable
from carewright.scheduling.service.change import claim_new, moved, moved_fact, new_slot, own_time, replace_stored
from carewright.scheduling.service.masters import ensure_master
from carewright.scheduling.service.paying import ensure_not_stopped
from carewright.scheduling.service.reserve import ensure_all_got, watched


@dataclass(frozen=True, slots=True)
class Going:
    """One of those that move: as it was, as it will be, and what it holds so far."""

    before: Appointment
    after: Appointment
    old: Sequence[ClaimedTime]


async def exchange(ctx: SchedulingContext, commands: Sequence[RescheduleAppointment]) -> list[Appointment]:
    """Move these together: the time that one leaves is free for the others. Raises what a move raises, and then nobody has moved."""
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    with watched(ctx, calendars) as about:
        async with ctx.db.transaction() as tx:
            going = await _going(ctx, tx, calendars, sorted(commands, key=lambda each: each.appointment_id))
            for one in going:
                about.extend((*one.old, *claims_of(one.after)))
            await _change_places(ctx, tx, calendars, going)
            for one in going:
                claims = claims_of(one.after)
                await replace_stored(ctx, tx, cipher, one.before, one.after)
                await outbox.publish(ctx, tx, moved_fact(one.before, one.after, calendars.organization_id, claims, one.old))
                await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.reschedule", "U", one.after))
        for one in going:
            calendars.give_back(one.old)
        for one in going:
            calendars.take(claims_of(one.after))
    ctx.wake()
    return [one.after for one in going]


async def _going(ctx: SchedulingContext, tx: Session, calendars: Calendars, commands: Sequence[RescheduleAppointment]) -> list[Going]:
    """Each, locked in one order, checked as for a move by itself."""
    cipher, now = await ctx.cipher(), ctx.clock.now()
    found: list[tuple[RescheduleAppointment, Appointment, Sequence[ClaimedTime], Sequence[ClaimedTime]]] = []
    for command in commands:
        kept, master = await store.appointment_for_change(tx, cipher, command.appointment_id)
        before = ctx.require_own(kept)
        ensure_master(ctx, calendars, before.visit_type_id, before.site_id, master)
        ensure_version(before, command.expected_version)
        ensure_movable(before, now)
        found.append((command, before, *await own_time(ctx, tx, calendars, before)))
    left = [claim for _, _, old, _ in found for claim in old]
    going = []
    for command, before, old, others in found:
        after = moved(before, new_slot(ctx, calendars, before, command, left, others, by_patient=ctx.by_patient), command, calendars, now)
        await ensure_not_stopped(ctx, tx, after)
        going.append(Going(before, after, old))
    return going


async def _change_places(ctx: SchedulingContext, tx: Session, calendars: Calendars, going: Sequence[Going]) -> None:
    """What is new to all of them is claimed first, as `change` does for one; then all that they left is given back, and claimed anew."""
    left = [claim for one in going for claim in one.old]
    interim: list[UUID] = []
    for one in going:
        interim.append(ctx.ids.new())
        await claim_new(tx, calendars, one.after, interim[-1], beyond(claims_of(one.after), left))
    await store.release_claims(tx, calendars.organization_id, [*(one.after.id for one in going), *interim])
    for one in going:
        claims = claims_of(one.after)
        got = await store.claim_time(tx, calendars.organization_id, [(one.after.id, claim) for claim in claims], None)
        ensure_all_got(claims, got, one.after.patient_id)
