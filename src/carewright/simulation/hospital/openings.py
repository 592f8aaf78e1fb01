"""Working rules become openings, through scheduling's own rules of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from carewright.scheduling.model.hours import Hours, openings_from
from carewright.scheduling.model.ticks import Horizon
from carewright.simulation.hospital.actors import Sites
from carewright.simulation.hospital.arrays import Ints, ints
from carewright.simulation.hospital.codes import SITE_KEYS
from carewright.simulation.hospital.hours import Period

SiteTicks = tuple[int, int, int]
"""Site number, first tick, tick after the last."""


@dataclass(frozen=True)
class Openings:
    """Working time as columns, sorted by actor, site and start: numbers of actor and site, first tick and the tick after the last."""

    actor: Ints
    site: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.actor)

    @cached_property
    def ticks(self) -> Ints:
        return self.end - self.start


def build_openings(calendars: Sequence[Hours], sites: Sites, period: Period, horizon: Horizon) -> Openings:
    """The openings of all actors over the period. Actors with the same hours are worked out once."""
    known: dict[Hours, list[SiteTicks]] = {}
    rows: list[tuple[int, int, int, int]] = []
    for number, hours in enumerate(calendars):
        if hours not in known:
            known[hours] = _in_ticks(hours, sites, period, horizon)
        rows += [(number, *ticks) for ticks in known[hours]]
    columns = ints([value for row in rows for value in row]).reshape(-1, 4)
    return Openings(*(columns[:, at].copy() for at in range(4)))


def _in_ticks(hours: Hours, sites: Sites, period: Period, horizon: Horizon) -> list[SiteTicks]:
    zones = {site.id: site.zone for site in sites.values()}
    numbers = {sites[key].id: number for number, key in enumerate(SITE_KEYS)}
    spans = openings_from(hours, zones, period.first, period.last)
    return sorted((numbers[site_id], horizon.tick_at(start), horizon.tick_at(end)) for site_id, start, end in spans)
