"""Every start that patients may choose, free and taken: what a hospital shows of itself to everybody. Answered from the live copy alone."""

from datetime import timedelta

from carewright.contracts.starts import ListStarts, Start
from carewright.kernel.errors import BadInput
from carewright.kernel.values import utc
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model import rules
from carewright.scheduling.model.search import capacities, find_starts
from carewright.scheduling.model.ticks import grid_mask, set_ticks
from carewright.scheduling.service.masters import is_ours
from carewright.scheduling.service.picking import Wish, requirements_of, visit_kind, visit_site

DAYS_MAX = 62


async def list_starts(ctx: SchedulingContext, query: ListStarts) -> tuple[Start, ...]:
    """Starts by time, as patients may book them now, whoever asks; none of what is booked in another system.

    Raises `OutsideRules` for what patients do not book themselves.
    """
    ctx.actor.require("scheduling.find")
    ctx.require_site(query.site_id)
    now, until = ctx.clock.now(), utc(query.until_at)
    if until > now + timedelta(days=DAYS_MAX):
        raise BadInput(f"Ask for {DAYS_MAX} days at most.", parameter="until_at")
    calendars = await ctx.calendars()
    kind = visit_kind(calendars, query.visit_type_id)
    zone = visit_site(calendars, kind, query.site_id).zone
    if not kind.value.rules.patient_bookable:
        raise rules.refuse("patient")
    if not is_ours(calendars, kind, query.site_id):
        return ()
    index, requirements = calendars.index, requirements_of(calendars, kind, Wish(query.site_id))
    earliest, latest = rules.bookable_window(kind.value, now, by_patient=True, horizon_days=ctx.settings.horizon_days)
    ticks = index.horizon.inner(earliest, max(earliest, min(latest, until)))
    masks = [grid_mask(index.horizon, zone, kind.value.rules.grid_minutes)]
    free = set_ticks(find_starts(index, requirements, *ticks, masks))
    possible = set_ticks(find_starts(index.unclaimed(), requirements, *ticks, masks))
    room = dict(zip(free.tolist(), capacities(index, requirements, free).tolist(), strict=True))
    return tuple(Start(at=index.horizon.instant_of(tick), free=room.get(tick, 0)) for tick in possible.tolist())
