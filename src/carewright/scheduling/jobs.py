"""Scheduling's background work, in bounded batches."""

from datetime import datetime, timedelta

import msgspec

from carewright.contracts.records import days_kept
from carewright.kernel.jobs import Job, Timer
from carewright.kernel.keeping import Keeps, disposing, note_disposed
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import plans, repairing, searching
from carewright.scheduling.service.calendars import extend_openings
from carewright.scheduling.service.expire import expire_holds, expire_offers
from carewright.scheduling.service.following import MEND, ToMend
from carewright.scheduling.service.freed import OFFER_FREED, FreedHeard
from carewright.scheduling.service.freed import offer_freed_time as offer_freed
from carewright.scheduling.service.in_use import prolong
from carewright.scheduling.service.mending import mend_link
from carewright.scheduling.service.waitlist import end_overdue
from carewright.scheduling.store import freed
from carewright.scheduling.store import plans as kept

ARCHIVE_BATCH_MAX = 2000
BATCHES_PER_TURN_MAX = 50
PLANS_KEPT = timedelta(days=90)
PLANS_BATCH_MAX = 1_000


async def archive_past(ctx: SchedulingContext) -> int:
    """Move what is over into history, so that the live tables hold the horizon only. Plans of long ago are forgotten."""
    before = ctx.clock.now() - timedelta(days=ctx.settings.archive_after_days)
    moved = 0
    for _ in range(BATCHES_PER_TURN_MAX):
        async with ctx.db.transaction() as tx:
            batch = await store.archive_past(tx, before, ARCHIVE_BATCH_MAX)
        moved += batch
        if batch < ARCHIVE_BATCH_MAX:
            break
    await kept.forget_past(ctx.db, ctx.clock.now() - PLANS_KEPT, PLANS_BATCH_MAX)
    await store.forget_past_openings(ctx.db, ctx.clock.now() - timedelta(days=ctx.settings.openings_kept_days))
    await freed.forget(ctx.db, before)
    return moved


async def offer_freed_time(ctx: SchedulingContext, payload: msgspec.Raw) -> None:
    """Ask whoever is next about a time that fell free."""
    heard = msgspec.json.decode(payload, type=FreedHeard)
    await offer_freed(ctx.working_in(heard.organization_id), heard.freed_id)


async def dispose_appointments(ctx: SchedulingContext, before: datetime, limit: int) -> int:
    """End the appointments of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_appointments(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "scheduling.appointment.dispose", gone)


async def dispose_blocks(ctx: SchedulingContext, before: datetime, limit: int) -> int:
    """As `dispose_appointments`, for blocks."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_blocks(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "scheduling.block.dispose", gone)


async def search_plan(ctx: SchedulingContext, payload: msgspec.Raw) -> None:
    """The search for a better plan."""
    started = msgspec.json.decode(payload, type=plans.Started)
    await searching.search_plan(ctx.working_in(started.organization_id), started.plan_id)


async def propose_for_outage(ctx: SchedulingContext, payload: msgspec.Raw) -> None:
    """What is proposed by itself."""
    closed = msgspec.json.decode(payload, type=repairing.Closed)
    await repairing.propose_for_outage(ctx.working_in(closed.organization_id), closed)


async def mend(ctx: SchedulingContext, payload: msgspec.Raw) -> None:
    await mend_link(ctx, msgspec.json.decode(payload, type=ToMend))


KEEPS: tuple[Keeps[SchedulingContext], ...] = (Keeps("appointments", dispose_appointments), Keeps("calendar-blocks", dispose_blocks))
TIMERS: tuple[Timer[SchedulingContext], ...] = (
    Timer("scheduling.expire_holds", 5, expire_holds),
    Timer("scheduling.expire_offers", 5, expire_offers),
    Timer("scheduling.prolong_time_in_use", 20, prolong),
    Timer("scheduling.take_up_plans", 10, searching.take_up),
    Timer("scheduling.end_waiting", 600, end_overdue),
    Timer("scheduling.extend_openings", 600, extend_openings),
    Timer("scheduling.archive_past", 3600, archive_past),
    disposing("scheduling.dispose", KEEPS, days_kept),
)
JOBS: tuple[Job[SchedulingContext], ...] = (
    Job(plans.RUN, search_plan, is_long=True), Job(repairing.PROPOSE, propose_for_outage), Job(MEND, mend),
    Job(OFFER_FREED, offer_freed_time),
)  # fmt: skip
