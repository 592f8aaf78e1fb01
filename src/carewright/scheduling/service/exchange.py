"""Several appointments moved in one transaction, because each goes where another is: all of them, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from carewright.contracts.scheduling import Appointment, RescheduleAppointment
from carewright.kernel.db import Session
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.appointment import beyond, claims_of
from carewright.scheduling.service.change import Moved, claim_new, for_move, moved, new_slot, note_move, own_time
from carewright.scheduling.service.paying import ensure_not_stopped
from carewright.scheduling.service.reserve import ensure_all_got, watched


@dataclass(frozen=True, slots=True)
class Going:
    """One of those that move: as it was, and as it will be."""

    before: Appointment
    done: Moved


async def exchange(ctx: SchedulingContext, commands: Sequence[RescheduleAppointment]) -> list[Appointment]:
    """Move these together: the time that one leaves is free for the others. Raises what a move raises, and then nobody has moved."""
    calendars = await ctx.calendars()
    await ctx.cipher()  # before the transaction, which is not to wait for keys
    with watched(ctx, calendars) as about:
        async with ctx.db.transaction() as tx:
            going = await _going(ctx, tx, calendars, sorted(commands, key=lambda each: each.appointment_id))
            for one in going:
                about.extend((*one.done.released, *one.done.claims))
            await _change_places(ctx, tx, calendars, [one.done for one in going])
            for one in going:
                await note_move(ctx, tx, one.before, one.done)
        for one in going:
            calendars.give_back(one.done.released)
        for one in going:
            calendars.take(one.done.claims)
    ctx.wake()
    return [one.done.appointment for one in going]


async def _going(ctx: SchedulingContext, tx: Session, calendars: Calendars, commands: Sequence[RescheduleAppointment]) -> list[Going]:
    """Each, locked in one order, checked as for a move by itself."""
    found = []
    for command in commands:
        before = await for_move(ctx, tx, calendars, command)
        found.append((command, before, *await own_time(ctx, tx, calendars, before)))
    left = [claim for _, _, old, _ in found for claim in old]
    going = []
    for command, before, old, others in found:
        slot = new_slot(ctx, calendars, before, command, left, others, by_patient=ctx.by_patient)
        after = moved(before, slot, command, calendars, ctx.clock.now())
        await ensure_not_stopped(ctx, tx, after)
        going.append(Going(before, Moved(after, claims_of(after), old)))
    return going


async def _change_places(ctx: SchedulingContext, tx: Session, calendars: Calendars, done: Sequence[Moved]) -> None:
    """What is new to all of them is claimed first, as `change` does for one; then all that they left is given back, and claimed anew."""
    left = [claim for one in done for claim in one.released]
    interim: list[UUID] = []
    for one in done:
        interim.append(ctx.ids.new())
        await claim_new(tx, calendars, one.appointment, interim[-1], beyond(one.claims, left))
    await store.release_claims(tx, calendars.organization_id, [*(one.appointment.id for one in done), *interim])
    for one in done:
        got = await store.claim_time(tx, calendars.organization_id, [(one.appointment.id, claim) for claim in one.claims], None)
        ensure_all_got(one.claims, got, one.appointment.patient_id)
