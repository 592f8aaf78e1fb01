"""Searching for plans in the background: the job that does it, and whoever takes it up again where a process went away."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from carewright.contracts.planner import DayPlan, KeptPlan, PlanFault
from carewright.kernel.apart import RanOut
from carewright.kernel.errors import Refusal, Unavailable
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.plan import plan_day
from carewright.scheduling.service.plans import have_searched, publish
from carewright.scheduling.service.repairing import accept_by_itself, look_again
from carewright.scheduling.store import plans as store

LOOK_SECONDS = 0.5
"""Between two looks whether a search is wanted still: one that was given up ends as soon."""
SILENT = timedelta(seconds=30)
"""Whoever was not heard for so long is not at it any more."""
BEGUN_MAX = 3
TAKEN_UP_MAX = 100
TOO_LONG = frozenset({"TimeoutError", "Killed", "MemoryError"})


async def search_plan(ctx: SchedulingContext, plan_id: UUID) -> None:
    """Search, in the organization in which `ctx` works. What nobody waits for any more, or somebody else is at, is left alone."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    kept = await store.begin(ctx.db, organization_id, plan_id, now, now - SILENT)
    if kept is None:
        return
    found: DayPlan | None = None
    fault: PlanFault | None = None
    try:
        found = await _while_wanted(ctx, kept)
        if found is None:
            return
    except RanOut as ended:
        fault = "too-long" if ended.why in TOO_LONG else "broken"
    except Unavailable:
        raise
    except Refusal:
        fault = "broken"  # the site is closed meanwhile, or no calendar reaches so far
    except Exception:
        await end(ctx, plan_id, None, "broken")
        raise
    proposed = await end(ctx, plan_id, found, fault)
    if proposed is not None and proposed.cause == "outage":
        await accept_by_itself(ctx, proposed)


async def end(ctx: SchedulingContext, plan_id: UUID, found: DayPlan | None, fault: PlanFault | None) -> KeptPlan | None:
    """Keep what was found, or why nothing was; None where it was given up meanwhile."""
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        ended = await store.end(tx, organization_id, plan_id, "proposed" if found else "failed", ctx.clock.now(), found, fault)
        if ended is not None:
            await publish(ctx, tx, ended)
    ctx.wake()
    return ended


async def take_up(ctx: SchedulingContext) -> int:
    """Have searches begun anew whose process went away, a few times; the timer's turn, for every organization."""
    since = ctx.clock.now() - SILENT
    found = await store.silent(ctx.db, since, TAKEN_UP_MAX)
    for each in found:
        within = ctx.working_in(each.organization_id)
        if each.begun >= BEGUN_MAX:
            await end(within, each.id, None, "cut-off")
        else:
            async with within.db.transaction() as tx:
                await have_searched(within, tx, each.id, each.begun)
            ctx.wake()
    return len(found)


async def _while_wanted(ctx: SchedulingContext, kept: KeptPlan) -> DayPlan | None:
    """What is found; None as soon as nobody wants it any more. The search ends with whoever waits for it."""
    organization_id = ctx.actor.organization_id

    async def heard(percent: int, worth_minutes: float | None) -> bool:
        await store.advance(ctx.db, organization_id, kept.id, percent, worth_minutes)
        return True

    if kept.cause == "outage":
        await look_again(ctx, kept.site_id)
    search = asyncio.create_task(plan_day(ctx, kept.asked, heard))
    try:
        while not (await asyncio.wait((search,), timeout=LOOK_SECONDS))[0]:
            if not await store.hear_of(ctx.db, organization_id, kept.id, ctx.clock.now()):
                return None
        return await search
    finally:
        search.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await search
