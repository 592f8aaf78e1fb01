"""What is free? Answered from the live copy alone: no database is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast
from uuid import UUID

import numpy as np
import numpy.typing as npt

from carewright.contracts.scheduling import Slot, TimesPage
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import BadInput
from carewright.kernel.invariants import invariant
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind
from carewright.scheduling.model import rules
from carewright.scheduling.model.search import find_starts
from carewright.scheduling.model.ticks import TICK, BitRow, grid_mask, set_ticks, window_mask
from carewright.scheduling.service.masters import ensure_writes, is_ours
from carewright.scheduling.service.picking import Wish, requirements_of, slots_at, visit_kind, visit_site

MINUTES_PER_DAY = 1440
Ticks = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the tick since 1970, and the number of the site within it."""

    tick: int
    site: int

    @classmethod
    def read(cls, text: str) -> "Cursor":
        tick, _, site = text.partition(".")
        if not (tick.isascii() and tick.isdigit() and site.isascii() and site.isdigit() and len(text) < 20):
            raise BadInput("`after` is not a cursor of an earlier page.", parameter="after")
        return cls(int(tick), int(site))

    def __str__(self) -> str:
        return f"{self.tick}.{self.site}"


async def find_times(ctx: SchedulingContext, query: FindTimes) -> TimesPage:
    """Times at which the visit could start, earliest first, each with the actors who would serve."""
    ctx.actor.require("scheduling.find")
    calendars = await ctx.calendars()
    kind = visit_kind(calendars, query.visit_type_id)
    if query.urgency not in kind.value.rules.urgency_tiers:
        raise rules.refuse("urgency")
    if ctx.by_patient and not kind.value.rules.patient_bookable:
        raise rules.refuse("patient")
    return _page(ctx, calendars, kind, query)


def _page(ctx: SchedulingContext, calendars: Calendars, kind: Kind, query: FindTimes) -> TimesPage:
    sites = _sites(ctx, calendars, kind, query.site_id)
    after = Cursor.read(query.after) if query.after else None
    origin = calendars.index.horizon.origin_tick
    ticks = [_starts_at(ctx, calendars, kind, query, site) for site in sites]
    found = list(islice(_in_order(calendars, ticks, after), query.limit + 1))
    shown = found[: query.limit]
    last = Cursor(shown[-1][0] + origin, shown[-1][1]) if len(found) > len(shown) else None
    return TimesPage(
        items=_staffed(ctx, calendars, kind, query, sites, shown), next=str(last) if last else None,
        total=sum(map(len, ticks)) if query.count else None,
    )  # fmt: skip


def _staffed(
    ctx: SchedulingContext, calendars: Calendars, kind: Kind, query: FindTimes, sites: list[UUID], shown: list[tuple[int, int]]
) -> tuple[Slot, ...]:
    """The slots of a page, site by site: choosing for many starts at once costs little more than for one."""
    slots: dict[tuple[int, int], Slot] = {}
    for number, site_id in enumerate(sites):
        ticks = [tick for tick, at in shown if at == number]
        for tick, slot in zip(ticks, slots_at(ctx, calendars, kind, _wish(query, site_id), ticks), strict=True):
            invariant(slot is not None, "every start found can be staffed")
            slots[tick, number] = cast(Slot, slot)
    return tuple(slots[each] for each in shown)


def _sites(ctx: SchedulingContext, calendars: Calendars, kind: Kind, site_id: UUID | None) -> list[UUID]:
    """The sites to look at, the actor's own that we are master at, in a fixed order, which cursors rely on.

    Raises `BookedElsewhere` where that leaves none.
    """
    if site_id is not None:
        visit_site(calendars, kind, site_id)
        ctx.require_site(site_id)
        ensure_writes(ctx, calendars, kind, site_id)
        return [site_id]
    sites = sorted(each for each in kind.value.rules.site_ids or calendars.sites if each in calendars.sites and ctx.actor.works_at(each))
    ours = [each for each in sites if is_ours(calendars, kind, each)]
    if sites and not ours:
        ensure_writes(ctx, calendars, kind, sites[0])
    return ours


def _in_order(calendars: Calendars, ticks: list[Ticks], after: Cursor | None) -> Iterator[tuple[int, int]]:
    """(tick, number of the site) of every free start, earliest first, beyond the cursor. `ticks` are those of each site."""
    numbers = np.repeat(np.arange(len(ticks)), [len(each) for each in ticks])
    joined = np.concatenate(ticks) if ticks else np.empty(0, np.intp)
    order = np.lexsort((numbers, joined))
    begin = 0
    if after is not None:
        place = (joined[order] + calendars.index.horizon.origin_tick) * (len(ticks) + 1) + numbers[order]
        begin = int(np.searchsorted(place, after.tick * (len(ticks) + 1) + after.site, side="right"))
    return zip(joined[order][begin:].tolist(), numbers[order][begin:].tolist(), strict=True)


def _starts_at(ctx: SchedulingContext, calendars: Calendars, kind: Kind, query: FindTimes, site_id: UUID) -> Ticks:
    """The free starts at one site, as ticks of the index."""
    horizon = calendars.index.horizon
    earliest, latest = rules.bookable_window(
        kind.value, ctx.clock.now(), by_patient=ctx.by_patient, horizon_days=ctx.settings.horizon_days
    )  # fmt: skip
    start, end = rules.search_window(query, earliest, latest)
    first, last = -((horizon.origin - start) // TICK), horizon.tick_at(end) + 1
    requirements = requirements_of(calendars, kind, _wish(query, site_id))
    return set_ticks(find_starts(calendars.index, requirements, first, last, _masks(calendars, kind, query, site_id)))


def _masks(calendars: Calendars, kind: Kind, query: FindTimes, site_id: UUID) -> list[BitRow]:
    """The grid, and the part of the day and of the week the visit must lie within, on the site's wall clock."""
    horizon, zone = calendars.index.horizon, calendars.sites[site_id].zone
    masks = [grid_mask(horizon, zone, kind.value.rules.grid_minutes)]
    if query.earliest_minute is not None or query.latest_minute is not None or query.weekdays:
        from_minute = query.earliest_minute or 0
        last_start = (query.latest_minute or MINUTES_PER_DAY + kind.value.duration_minutes) - kind.value.duration_minutes
        weekdays = frozenset(query.weekdays or range(7))
        masks.append(window_mask(horizon, zone, from_minute, max(from_minute, last_start + 1), weekdays))
    return masks


def _wish(query: FindTimes, site_id: UUID) -> Wish:
    return Wish(site_id, query.practitioner_id, query.language)
