"""Time that turns in queues take: beforehand, by their call, for longer than was thought; and given back.

The ledger decides, as for bookings: a turn's claims stand under the same constraint. What is called has the time as far as it is free; only
whoever takes it beforehand is refused.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.in_use import GivenBack, TakeTime, TimeInUse
from carewright.contracts.scheduling import ClaimedTime, NoTimeForTurn, TimeInUseChanged, UnknownSchedule
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.idempotency import once, remember
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model import in_use as rules
from carewright.scheduling.service.expire import clear_the_way
from carewright.scheduling.service.reserve import watched
from carewright.scheduling.store import in_use as rows

TAKE = "scheduling.time_in_use.take"
MINUTES_USUAL = 15.0
"""Where nothing is planned."""
SOON = timedelta(seconds=60)
"""So long before its end time is prolonged: nobody is to book it meanwhile."""
UNHEARD = timedelta(seconds=120)
"""Time that was taken for a call which never came goes back after this."""
FORGOTTEN = timedelta(hours=12)
"""No turn goes on for longer; its end was never noted."""
BATCH_MAX = 200
NONE_YET = (UUID(int=0), UUID(int=0))


async def take_time(ctx: SchedulingContext, command: TakeTime) -> TimeInUse:
    """Take time for a turn that is called next. Of two who want it at once one gets it, and so of a desk and somebody who books.

    Repeated for the same turn it answers with what the turn has. Raises `UnknownSchedule`, `NoTimeForTurn`.
    """
    ctx.actor.require(TAKE)
    ctx.require_site(command.site_id)
    calendars, now = await ctx.calendars(), ctx.clock.now()
    schedules = [each for each in (command.practitioner_id, command.location_id) if each is not None]
    for each in schedules:
        known = calendars.bookables.get(each)
        if known is None or command.site_id not in known.site_ids:
            raise UnknownSchedule(schedule_id=str(each))
    start, end = rules.from_tick(now), rules.until_tick(now + timedelta(minutes=command.minutes))
    wanted = [ClaimedTime(schedule_id=each, lane=0, start=start, end=end) for each in schedules]
    use = TimeInUse(
        entry_id=command.entry_id, site_id=command.site_id, practitioner_id=command.practitioner_id, location_id=command.location_id,
        start=start, end=end,
    )  # fmt: skip
    await clear_the_way(ctx, wanted)

    async def work() -> TimeInUse:
        with watched(ctx, calendars) as about:
            about.extend(wanted)
            async with ctx.db.transaction() as tx:
                taken, claims = await _take(ctx, tx, use, command)
                await audit.record(tx, audit.entry(ctx, "scheduling.time_in_use.take", "C", entities=_about(taken)))
                await remember(ctx, tx, taken)
            calendars.take(claims)
        ctx.wake()
        return taken

    return await once(ctx, TimeInUse, work)


async def _take(ctx: SchedulingContext, tx: Session, use: TimeInUse, command: TakeTime) -> tuple[TimeInUse, Sequence[ClaimedTime]]:
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    grace = timedelta(minutes=command.grace_minutes)
    if not await rows.begin(tx, organization_id, use, now):
        has = await rows.for_change(tx, organization_id, use.entry_id)
        if has is None or has.practitioner_id != use.practitioner_id:
            raise NoTimeForTurn(entry_id=str(use.entry_id), free_minutes=0)
        return has, await store.claims_of_appointment(tx, organization_id, use.entry_id)
    end = min([await _free_until(tx, organization_id, use, each, now, grace) for each in _schedules(use)])
    free_minutes = int((end - now).total_seconds() // 60)
    if end <= now or free_minutes < command.least_minutes:
        raise NoTimeForTurn(entry_id=str(use.entry_id), free_minutes=max(0, free_minutes))
    use = replace(use, end=end)
    asked = [await _claim(tx, organization_id, use, each, use.start, end, now, grace) for each in _schedules(use)]
    if not all(asked):
        raise NoTimeForTurn(entry_id=str(use.entry_id), free_minutes=0)
    await rows.save(tx, organization_id, use)
    return use, await _tell(ctx, tx, organization_id, use)


async def give_time_back(ctx: SchedulingContext, entry_id: UUID) -> GivenBack:
    """Give back what was taken for a call that did not come to be. What was called keeps it, and what is not known has none."""
    ctx.actor.require(TAKE)
    calendars = await ctx.calendars()
    async with ctx.db.transaction() as tx:
        use = await rows.for_change(tx, ctx.actor.organization_id, entry_id)
        if use is None or use.is_kept:
            return GivenBack(entry_id=entry_id, is_given_back=False)
        ctx.require_site(use.site_id)
        released = await _release(ctx, tx, ctx.actor.organization_id, use)
        await audit.record(tx, audit.entry(ctx, "scheduling.time_in_use.give_back", "D", entities=_about(use)))
    calendars.give_back(released)
    ctx.wake()
    return GivenBack(entry_id=entry_id, is_given_back=True)


async def follow_turn(ctx: Context, tx: Session, event: QueueEntryMoved) -> None:
    """Who is called without an appointment has the practitioner's time, as far as it is free; who is called no more gives it back."""
    use = await rows.for_change(tx, event.organization_id, event.entry_id)
    is_called = event.status in ("called", "in-service") and event.appointment_id is None
    practitioner_id = event.practitioner_id if is_called else None
    if use is not None and use.practitioner_id == practitioner_id:
        if not use.is_kept:
            await _keep(ctx, tx, event, use)
        return
    if use is not None and not use.is_kept and event.status == "waiting":
        return  # it was taken beforehand, and this tells how the turn was before
    if use is not None:
        await _release(ctx, tx, event.organization_id, use)
        await _note(ctx, tx, event, "D")
    if practitioner_id is not None and await rows.schedules_known(tx, event.organization_id, [practitioner_id]):
        await _begin(ctx, tx, event, practitioner_id)


async def _begin(ctx: Context, tx: Session, event: QueueEntryMoved, practitioner_id: UUID) -> None:
    now = ctx.clock.now()
    minutes = await rows.planned_minutes(tx, event.organization_id, event.service_id) or MINUTES_USUAL
    use = TimeInUse(
        entry_id=event.entry_id, site_id=event.site_id, practitioner_id=practitioner_id, location_id=await _room(tx, event),
        start=rules.from_tick(now), end=rules.until_tick(now + timedelta(minutes=minutes)), is_kept=True,
    )  # fmt: skip
    if not await rows.begin(tx, event.organization_id, use, now):
        await follow_turn(ctx, tx, event)  # somebody took it this very moment
        return
    for each in _schedules(use):
        until = await _free_until(tx, event.organization_id, use, each, now, rules.ASIDE_AFTER)
        await _claim(tx, event.organization_id, use, each, use.start, until, now, rules.ASIDE_AFTER)
    await _tell(ctx, tx, event.organization_id, use)
    await _note(ctx, tx, event, "C")


async def _keep(ctx: Context, tx: Session, event: QueueEntryMoved, use: TimeInUse) -> None:
    """What was taken beforehand was called; the room may be known only now."""
    room, now = use.location_id or await _room(tx, event), ctx.clock.now()
    kept = replace(use, is_kept=True, location_id=room)
    if room is not None and use.location_id is None:
        until = await _free_until(tx, event.organization_id, kept, room, now, rules.ASIDE_AFTER)
        await _claim(tx, event.organization_id, kept, room, rules.from_tick(now), until, now, rules.ASIDE_AFTER)
    await rows.save(tx, event.organization_id, kept)
    await _tell(ctx, tx, event.organization_id, kept)
    await _note(ctx, tx, event, "U")


async def prolong(ctx: SchedulingContext) -> int:
    """Prolong what goes on beyond its end, as far as it is free; give back what was never called, or is long over. The timer's turn.

    Each in a transaction of its own, which claims of one turn alone: whoever books several calendars is never waited for in a circle.
    """
    done, after = 0, NONE_YET
    while done < BATCH_MAX:
        now = ctx.clock.now()
        async with ctx.db.transaction() as tx:
            found = await rows.next_running_out(tx, now + SOON, now - UNHEARD, now - FORGOTTEN, after)
            if found is None:
                break
            organization_id, use = found
            await _go_on(ctx, tx, organization_id, use)
        done, after = done + 1, (organization_id, use.entry_id)
    if done:
        ctx.wake()
    return done


async def _go_on(ctx: Context, tx: Session, organization_id: UUID, use: TimeInUse) -> None:
    """End what is not to go on; of the rest the next minutes, where they are nobody's. What is not got is looked at again a while later."""
    now, about = ctx.clock.now(), _about(use)
    if not use.is_kept or use.start <= now - FORGOTTEN:
        await _release(ctx, tx, organization_id, use)
        await audit.record(tx, audit.entry_of_system(ctx, organization_id, "scheduling.time_in_use.give_back", "D", entities=about))
        return
    start, end = max(use.end, rules.from_tick(now)), rules.until_tick(now + SOON)
    longer, got = replace(use, end=max(use.end, end)), False
    for each in _schedules(use):
        until = await _free_until(tx, organization_id, replace(longer, start=start), each, now, rules.ASIDE_AFTER)
        got |= until > start and await _claim(tx, organization_id, use, each, start, until, now, rules.ASIDE_AFTER)
    await rows.save(tx, organization_id, longer)
    if got:
        await _tell(ctx, tx, organization_id, longer)
        await audit.record(tx, audit.entry_of_system(ctx, organization_id, "scheduling.time_in_use.prolong", "U", entities=about))


async def _free_until(tx: Session, organization_id: UUID, use: TimeInUse, schedule_id: UUID, now: datetime, grace: timedelta) -> datetime:
    others = await rows.held_by_others(tx, organization_id, schedule_id, use.start, use.end, use.entry_id, now)
    return rules.free_until(others, use.start, use.end, now, grace)


async def _claim(
    tx: Session, organization_id: UUID, use: TimeInUse, schedule_id: UUID, start: datetime, end: datetime, now: datetime, grace: timedelta
) -> bool:
    """Claim this time, beside those who are not expected. False where somebody was faster: then part of it may be the turn's."""
    if end <= start:
        return True
    others = await rows.held_by_others(tx, organization_id, schedule_id, start, end, use.entry_id, now)
    if any(rules.is_expected(each, now, grace) for each in others):
        return False  # since it was asked how long the time is free
    claims = rules.parts(schedule_id, start, end, others)
    return bool(claims) and len(await store.claim_time(tx, organization_id, [(use.entry_id, each) for each in claims], None)) == len(claims)


async def _release(ctx: Context, tx: Session, organization_id: UUID, use: TimeInUse) -> Sequence[ClaimedTime]:
    released = await store.release_claims(tx, organization_id, [use.entry_id])
    await rows.end(tx, organization_id, use.entry_id)
    fact = TimeInUseChanged(organization_id=organization_id, entry_id=use.entry_id, site_id=use.site_id, released=released)
    await outbox.publish(ctx, tx, fact)
    return released


async def _tell(ctx: Context, tx: Session, organization_id: UUID, use: TimeInUse) -> Sequence[ClaimedTime]:
    """Report what the turn has now."""
    claims = await store.claims_of_appointment(tx, organization_id, use.entry_id)
    fact = TimeInUseChanged(organization_id=organization_id, entry_id=use.entry_id, site_id=use.site_id, claims=claims)
    await outbox.publish(ctx, tx, fact)
    return claims


async def _note(ctx: Context, tx: Session, event: QueueEntryMoved, action: audit.Action) -> None:
    about = (audit.Entity(type="QueueEntry", id=event.entry_id),)
    name = "scheduling.time_in_use.follow"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, action, patient_id=event.patient_id, entities=about))


async def _room(tx: Session, event: QueueEntryMoved) -> UUID | None:
    """Where the patient was called to, if that has a calendar."""
    known = await rows.schedules_known(tx, event.organization_id, [event.location_id]) if event.location_id else ()
    return event.location_id if known else None


def _schedules(use: TimeInUse) -> list[UUID]:
    return sorted(each for each in (use.practitioner_id, use.location_id) if each is not None)


def _about(use: TimeInUse) -> tuple[audit.Entity, ...]:
    return (audit.Entity(type="QueueEntry", id=use.entry_id), audit.Entity(type="Schedule", id=use.practitioner_id))
