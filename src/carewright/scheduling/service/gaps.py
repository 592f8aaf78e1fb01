"""Gaps of a day that is under way: whose time is free now or soon, and whose patient has not come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.in_use import Gap, GapKind, Gaps, ListGaps
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model import in_use as rules
from carewright.scheduling.service.picking import Wish, known_site, requirements_of
from carewright.scheduling.store import in_use as rows

WITHIN, LOOKED_AT = timedelta(minutes=60), timedelta(hours=3)
"""A gap begins so soon, and is followed so far."""
PEOPLE = ("practitioner", "nurse", "technician")
"""To whom patients are called: the first of these that the service's kinds of visits ask for."""


async def list_gaps(ctx: SchedulingContext, query: ListGaps) -> Gaps:
    """Gaps of those who serve a service at a site, by their start; of one that nobody serves there are none. Raises `UnknownSite`."""
    ctx.actor.require("scheduling.calendar.read")
    ctx.require_site(query.site_id)
    calendars, now = await ctx.calendars(), ctx.clock.now()
    known_site(calendars, query.site_id)
    row_of = _serving(calendars, query.site_id, query.service_id)
    missed_before = now - timedelta(minutes=query.grace_minutes)
    not_used = await rows.not_used(ctx.db, calendars.organization_id, list(row_of), query.site_id, now, missed_before)
    gaps = [gap for who, row in row_of.items() for gap in _gaps(calendars, who, row, not_used.get(who), now)]
    return Gaps(items=tuple(sorted(gaps, key=lambda gap: (gap.start, gap.display, gap.practitioner_id))), as_of=now)


def _serving(calendars: Calendars, site_id: UUID, service_id: UUID) -> dict[UUID, int]:
    """Who sees patients for the service at the site, with their row there."""
    kinds = [
        kind
        for kind in calendars.visit_types.values()
        if kind.value.healthcare_service_id == service_id and site_id in (kind.value.rules.site_ids or (site_id,))
    ]
    needs = [each for kind in kinds for each in zip(kind.value.requirements, requirements_of(calendars, kind, Wish(site_id)), strict=True)]
    wanted = next((each for each in PEOPLE if any(need.kind == each for need, _ in needs)), None)
    candidates = (row for need, requirement in needs if need.kind == wanted for row in requirement.candidates.tolist())
    return {calendars.owners[row]: row for row in candidates}


def _gaps(calendars: Calendars, who: UUID, row: int, not_used: tuple[datetime, UUID | None] | None, now: datetime) -> Iterator[Gap]:
    """Of one practitioner: what is not used now, with what is free right after it, then what is free within the hour."""
    horizon, display = calendars.index.horizon, calendars.bookables[who].display
    runs = [
        (horizon.instant_of(first), horizon.instant_of(last))
        for first, last in rules.free_runs(calendars.index.free[row], horizon.tick_at(now), horizon.tick_at(now + LOOKED_AT))
    ]
    if not_used is not None:
        end, missing = not_used
        end = next((last for first, last in runs if first == end), end)
        runs = [each for each in runs if each[0] >= end]
        if end - now >= rules.GAP_MIN:
            kind: GapKind = "idle" if missing is None else "no-show"
            yield Gap(practitioner_id=who, display=display, kind=kind, start=rules.from_tick(now), end=end, appointment_id=missing)
    for first, last in runs:
        if first < now + WITHIN and last - max(first, now) >= rules.GAP_MIN:
            yield Gap(practitioner_id=who, display=display, kind="idle", start=first, end=last)
