"""From a visit type to actors: who could serve, and who does at a given start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np

from carewright.contracts.directory import Requirement as Need
from carewright.contracts.scheduling import Participant, PickedTime, Slot, TimeNotFree, UnknownSite, UnknownVisitType
from carewright.kernel.values import utc
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Bookable, Calendars, Kind, Site, place_of
from carewright.scheduling.model import rules
from carewright.scheduling.model.availability import Rows
from carewright.scheduling.model.search import Requirement, assign_all
from carewright.scheduling.model.ticks import TICK_MINUTES

POOLS_CACHED_MAX = 4096
_pools: dict[tuple[UUID, int, UUID, "Wish"], tuple[Requirement, ...]] = {}


@dataclass(frozen=True, slots=True)
class Wish:
    """How the caller narrows the choice: one practitioner, a language the practitioner speaks, named actors."""

    site_id: UUID
    practitioner_id: UUID | None = None
    language: str | None = None
    actor_ids: tuple[UUID, ...] = ()


def wish_of(time: PickedTime) -> Wish:
    return Wish(time.site_id, time.practitioner_id, time.language, time.actor_ids)


def visit_kind(calendars: Calendars, visit_type_id: UUID) -> Kind:
    """The visit type, or `UnknownVisitType`."""
    kind = calendars.visit_types.get(visit_type_id)
    if kind is None:
        raise UnknownVisitType(visit_type_id=str(visit_type_id))
    return kind


def known_site(calendars: Calendars, site_id: UUID) -> Site:
    """The site, or `UnknownSite`."""
    site = calendars.sites.get(site_id)
    if site is None:
        raise UnknownSite(site_id=str(site_id))
    return site


def visit_site(calendars: Calendars, kind: Kind, site_id: UUID) -> Site:
    """The site, or `UnknownSite` where there is none or the visit is not offered there."""
    site = known_site(calendars, site_id)
    rules.ensure_offered_at(kind.value, site_id)
    return site


def requirements_of(calendars: Calendars, kind: Kind, wish: Wish) -> tuple[Requirement, ...]:
    """The visit's requirements with the rows that could meet each. Kept until the catalogue changes."""
    key = (calendars.organization_id, calendars.generation, kind.value.id, wish)
    known = _pools.get(key)
    if known is None:
        if len(_pools) >= POOLS_CACHED_MAX:
            _pools.clear()
        known = _pools[key] = _requirements(calendars, kind, wish)
    return known


def pick(ctx: SchedulingContext, calendars: Calendars, kind: Kind, time: PickedTime) -> Slot:
    """Actors for a start that is free, by the rule of choice. Raises `TimeNotFree`."""
    slot = slot_at(ctx, calendars, kind, wish_of(time), calendars.index.horizon.tick_at(utc(time.start)))
    if slot is None:
        raise TimeNotFree
    return slot


def slot_at(ctx: SchedulingContext, calendars: Calendars, kind: Kind, wish: Wish, tick: int) -> Slot | None:
    """The visit at `tick` with the actors who would serve, or None when not everybody needed is free."""
    return slots_at(ctx, calendars, kind, wish, [tick])[0]


def slots_at(ctx: SchedulingContext, calendars: Calendars, kind: Kind, wish: Wish, ticks: Sequence[int]) -> list[Slot | None]:
    """`slot_at` for each of several starts, each by itself."""
    requirements = requirements_of(calendars, kind, wish)
    chosen = assign_all(calendars.index, requirements, ticks, ctx.choose, calendars.sites[wish.site_id].zone)
    return [
        None if rows is None else _slot(calendars, kind, wish, requirements, rows, tick) for tick, rows in zip(ticks, chosen, strict=True)
    ]


def _slot(calendars: Calendars, kind: Kind, wish: Wish, requirements: Sequence[Requirement], chosen: tuple[Rows, ...], tick: int) -> Slot:
    start = calendars.index.horizon.instant_of(tick)
    participants = (
        _participant(calendars, calendars.bookables[calendars.owners[row]], requirement, tick)
        for requirement, rows in zip(requirements, chosen, strict=True)
        for row in rows.tolist()
    )
    return Slot(
        visit_type_id=kind.value.id, site_id=wish.site_id, start=start, end=start + timedelta(minutes=kind.value.duration_minutes),
        participants=tuple(participants),
    )  # fmt: skip


def versions_of(calendars: Calendars, participants: Iterable[Participant]) -> dict[UUID, int]:
    """The calendar versions a choice was made on, in the order in which they are locked."""
    return {
        actor_id: calendars.bookables[actor_id].calendar_version
        for actor_id in sorted({each.actor_id for each in participants if each.kind != "patient"})
        if actor_id in calendars.bookables
    }


def _participant(calendars: Calendars, bookable: Bookable, requirement: Requirement, tick: int) -> Participant:
    first, end = requirement.interval(tick)
    horizon = calendars.index.horizon
    return Participant(
        kind=bookable.kind, actor_id=bookable.id, display=bookable.display,
        claimed_from=horizon.instant_of(first), claimed_to=horizon.instant_of(end),
    )  # fmt: skip


def _requirements(calendars: Calendars, kind: Kind, wish: Wish) -> tuple[Requirement, ...]:
    anybody = Wish(wish.site_id)
    if wish == anybody:
        pools = [_pool(calendars, need, wish.site_id) for need in kind.value.requirements]
    else:  # a wish only narrows: everybody is looked through once, and not for each wish
        pools = [each.candidates.tolist() for each in requirements_of(calendars, kind, anybody)]
    _narrow_to_practitioner(calendars, kind, pools, wish)
    for actor_id in wish.actor_ids:
        _narrow_to(calendars, pools, actor_id, wish.site_id)
    return tuple(_requirement(need, rows) for need, rows in zip(kind.value.requirements, pools, strict=True))


def _pool(calendars: Calendars, need: Need, site_id: UUID) -> list[int]:
    able = (each for each in calendars.bookables.values() if _meets(each, need))
    rows = (calendars.index.row_of(place_of(each.id, site_id)) for each in able if site_id in each.site_ids)
    return [row for row in rows if row is not None]


def _meets(bookable: Bookable, need: Need) -> bool:
    if need.actor_id is not None:
        return bookable.id == need.actor_id
    return bookable.kind == need.kind and bookable.codes.issuperset(need.codes)


def _narrow_to_practitioner(calendars: Calendars, kind: Kind, pools: list[list[int]], wish: Wish) -> None:
    """The wishes about the practitioner concern the first requirement for one."""
    first = next((number for number, need in enumerate(kind.value.requirements) if need.kind == "practitioner"), None)
    if first is None:
        if wish.practitioner_id is not None:
            pools[:] = [[] for _ in pools]
        return
    people = [(row, calendars.bookables[calendars.owners[row]]) for row in pools[first]]
    if wish.practitioner_id is not None:
        people = [(row, person) for row, person in people if person.id == wish.practitioner_id]
    if wish.language is not None:
        people = [(row, person) for row, person in people if wish.language.lower() in person.languages]
    pools[first] = [row for row, _ in people]


def _narrow_to(calendars: Calendars, pools: list[list[int]], actor_id: UUID, site_id: UUID) -> None:
    """A named actor takes the first requirement they can meet; one who can meet none leaves no time free."""
    row = calendars.index.row_of(place_of(actor_id, site_id))
    for number, pool in enumerate(pools):
        if row is not None and row in pool:
            pools[number] = [row]
            return
    pools[:] = [[] for _ in pools]


def _requirement(need: Need, rows: list[int]) -> Requirement:
    candidates: Rows = np.array(rows, np.intp)
    return Requirement(
        candidates=candidates, count=need.count,
        duration_ticks=need.duration_minutes // TICK_MINUTES, offset_ticks=need.offset_minutes // TICK_MINUTES,
        buffer_before_ticks=need.buffer_before_minutes // TICK_MINUTES, buffer_after_ticks=need.buffer_after_minutes // TICK_MINUTES,
    )  # fmt: skip
