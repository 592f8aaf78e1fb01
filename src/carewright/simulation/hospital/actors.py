"""Who and what can be booked, before anybody works."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import ActorKind
from carewright.simulation.hospital.codes import Roster, SiteKey


@dataclass(frozen=True, slots=True)
class Site:
    """A site with its own zone."""

    key: SiteKey
    id: UUID
    name: str
    zone: ZoneInfo


Sites = dict[SiteKey, Site]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A bookable person, place or thing: what it can do (`codes`, as requirements write them), where, and which hours suit it.

    `visits` is the clinic a practitioner goes to on some weekdays.
    """

    id: UUID
    kind: ActorKind
    display: str
    codes: frozenset[str]
    home: SiteKey
    visits: SiteKey | None = None
    hours: Roster | Literal["emergency"] = "clinic"
    weekend: bool = False
    days_most: int = 5

    @property
    def sites(self) -> tuple[SiteKey, ...]:
        return (self.home, self.visits) if self.visits else (self.home,)
