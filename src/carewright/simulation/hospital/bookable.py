"""Visits at sites, in ticks: the table that packing works on."""

from collections.abc import Sequence
from dataclasses import dataclass

from carewright.simulation.hospital.arrays import TICK_MINUTES, Ints, ints
from carewright.simulation.hospital.codes import SITE_KEYS, SiteKey
from carewright.simulation.hospital.plan import Need
from carewright.simulation.hospital.services import Offer, Pool, Pools, minutes_of


@dataclass(frozen=True, slots=True)
class Place:
    """One actor to find: from which pool, and the ticks to claim, buffers included, counted from the visit's start.

    Members of a pool that `turns` share the work evenly.
    """

    pool: Pool
    first: int
    length: int
    turns: bool


@dataclass(frozen=True, slots=True)
class Bookable:
    """One visit at one site. `lead` is the place whose calendar the visits are laid out on; `others` are found for each visit."""

    offer: int
    site: int
    minutes: int
    grid_minutes: int
    share: float
    horizon_days: int
    lead: Place
    others: tuple[Place, ...]


@dataclass(frozen=True)
class BookableColumns:
    """The same rows as columns, times in ticks."""

    offer: Ints
    site: Ints
    ticks: Ints
    grid: Ints
    lead_first: Ints
    lead_length: Ints
    horizon_days: Ints


def bookables(offers: Sequence[Offer], pools: Pools) -> list[Bookable]:
    """Every offer at every site that serves it."""
    return [_bookable(number, offer, key, pools) for number, offer in enumerate(offers) for key in offer.visit.sites]


def columns_of(rows: Sequence[Bookable]) -> BookableColumns:
    """Rows as columns."""
    return BookableColumns(
        offer=ints([row.offer for row in rows]),
        site=ints([row.site for row in rows]),
        ticks=ints([row.minutes // TICK_MINUTES for row in rows]),
        grid=ints([row.grid_minutes // TICK_MINUTES for row in rows]),
        lead_first=ints([row.lead.first for row in rows]),
        lead_length=ints([row.lead.length for row in rows]),
        horizon_days=ints([row.horizon_days for row in rows]),
    )


def _bookable(number: int, offer: Offer, key: SiteKey, pools: Pools) -> Bookable:
    visit = offer.visit
    lead, *others = [_place(need, minutes_of(need, visit), pools.of(need, key)) for need in visit.needs for _ in range(need.count)]
    return Bookable(
        offer=number,
        site=SITE_KEYS.index(key),
        minutes=visit.minutes,
        grid_minutes=visit.grid,
        share=visit.share,
        horizon_days=visit.horizon_days,
        lead=lead,
        others=tuple(others),
    )


def _place(need: Need, minutes: int, pool: Pool) -> Place:
    return Place(
        pool=pool,
        first=(need.offset - need.before) // TICK_MINUTES,
        length=(need.before + minutes + need.after) // TICK_MINUTES,
        turns=need.kind in {"practitioner", "nurse", "technician"},
    )
