"""What is planned by itself when something goes out of service: searched for, proposed, and accepted as far as the site allows."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.outages import ListOutages, Outage, OutageEnded, OutageReported
from carewright.contracts.planner import KeptPlan, MoveMade, PlanDay, PlannedMove, PlanningRules
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.plan import accept_moves
from carewright.scheduling.service.plans import about, begin, give_up, note_made
from carewright.scheduling.store import outages as blocks
from carewright.scheduling.store import plans as store

PROPOSE = "scheduling.propose_for_outage"
"""The job that has a plan searched for by itself."""
GATHER = timedelta(seconds=1)
"""A whole wing goes out of service one by one, and is planned for at once."""
WAIT = timedelta(seconds=5)
"""While another search runs at the site."""
SECONDS = 5.0
"""How long is searched by itself."""
OUTAGES_MAX = 200
HOUR = timedelta(hours=1)


class Closed(msgspec.Struct, frozen=True):
    """The payload of the job that has a plan searched for by itself; `turn` counts how often it waited."""

    organization_id: UUID
    site_id: UUID
    outage_id: UUID
    turn: int = 0


async def propose_plans(ctx: Context, tx: Session, event: OutageReported) -> None:
    """Have a plan proposed wherever it hits appointments."""
    if event.hit_appointment_ids:
        for site_id in event.site_ids:
            await _have_proposed(ctx, tx, Closed(event.organization_id, site_id, event.outage_id), GATHER)


async def give_up_plans(ctx: Context, tx: Session, event: OutageEnded) -> None:
    """Give up what is searched for or proposed because of it, unless something of it was accepted; what else is out is planned for anew."""
    for kept in await store.for_outage(tx, event.organization_id, event.outage_id):
        await give_up(ctx, tx, event.organization_id, kept)
        deed = audit.entry_of_system(ctx, event.organization_id, "scheduling.plan.give_up", "U", entities=about(kept))
        await audit.record(tx, deed)
        for other in await _standing(ctx.working_in(event.organization_id), tx, kept.site_id):
            if other.id != event.outage_id and other.hit_appointment_ids:
                await _have_proposed(ctx, tx, Closed(event.organization_id, kept.site_id, other.id), GATHER)


async def propose_for_outage(ctx: SchedulingContext, closed: Closed) -> None:
    """Have a plan searched for by itself, if the site wants it, for the day on which the first appointment is that the outage hits.

    `ctx` works in its organization. One that is searched for by itself since serves this outage too; while another search runs, it waits.
    """
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    rules = await store.rules_of(ctx.db, organization_id, closed.site_id)
    outage = await blocks.one(ctx.db, organization_id, closed.outage_id, now, (closed.site_id,))
    if rules is None or not rules.proposes or outage is None or outage.end <= now:
        return
    calendars = await ctx.calendars()
    first = await store.first_start(ctx.db, organization_id, closed.site_id, outage.hit_appointment_ids)
    if first is None or closed.site_id not in calendars.sites:
        return
    if await store.is_covered(ctx.db, organization_id, closed.site_id, first, outage.reported_at):
        return
    asked = rest_of_day(closed.site_id, max(first, now), now, calendars.sites[closed.site_id].zone)
    with suppress(BadInput):  # no calendar reaches so far
        async with ctx.db.transaction() as tx:
            if await begin(ctx, tx, store.Wanted(asked, "outage", outage_id=outage.id)) is None:
                await _have_proposed(ctx, tx, msgspec.structs.replace(closed, turn=closed.turn + 1), WAIT)
        ctx.wake()


def rest_of_day(site_id: UUID, moment: datetime, now: datetime, zone: ZoneInfo) -> PlanDay:
    """A plan for the day of a moment by the clock of its site, of today for what is left of it: in whole hours, at least to its end."""
    day = moment.astimezone(zone).date()
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    left = end.timestamp() - max(start, now).timestamp()
    return PlanDay(site_id=site_id, from_at=max(start, now), hours=max(1, -int(-left // HOUR.total_seconds())), seconds=SECONDS)


def within(rules: PlanningRules, moves: Iterable[PlannedMove]) -> list[PlannedMove]:
    """The moves that a site has made by itself: of visits that cannot take place and are no emergencies, not by too much, not too many."""
    most = timedelta(minutes=rules.minutes_most)
    small = [
        each for each in moves
        if each.reason == "cannot-take-place" and each.urgency != "P0" and abs(each.start - each.booked_start) <= most
    ]  # fmt: skip
    return sorted(small, key=lambda each: each.booked_start)[: rules.moves_most] if rules.accepts else []


async def accept_by_itself(ctx: SchedulingContext, kept: KeptPlan) -> None:
    """Make the moves that the site allows. What cannot be made by itself waits for a person, as everything else does."""
    rules = await store.rules_of(ctx.db, ctx.actor.organization_id, kept.site_id)
    moves = within(rules, kept.plan.moves) if rules and kept.plan else []
    outcomes = await accept_moves(ctx, moves)
    made = [MoveMade(appointment_id=id_, outcome="moved", by_itself=True) for id_, outcome in outcomes.items() if outcome is True]
    if made:
        async with ctx.db.transaction() as tx:
            await note_made(ctx, tx, kept.id, made)
        ctx.wake()


async def look_again(ctx: SchedulingContext, site_id: UUID) -> None:
    """Read the calendars again that are closed: the live copy may not have heard of it yet."""
    calendars = await ctx.calendars()
    calendars.stale.update(each.schedule_id for each in await _standing(ctx, ctx.db, site_id) if each.schedule_id in calendars.bookables)
    await ctx.live.settle(calendars)


async def _have_proposed(ctx: Context, tx: Session, closed: Closed, later: timedelta) -> None:
    key = f"{closed.outage_id}:{closed.site_id}:{closed.turn}"
    await jobs.enqueue(ctx, tx, PROPOSE, closed, run_at=ctx.clock.now() + later, unique_key=key)


async def _standing(ctx: Context, db: Session, site_id: UUID) -> list[Outage]:
    """What is out of service at a site, now and later."""
    return await blocks.page(db, ctx.actor.organization_id, ListOutages(site_id=site_id, limit=OUTAGES_MAX), ctx.clock.now(), (site_id,))
