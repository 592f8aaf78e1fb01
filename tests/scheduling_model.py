"""What scheduling should do, in minutes: sets of them for each actor, and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import combinations, product
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import Requirement, VisitType
from carewright.contracts.scheduling import (
    Appointment,
    PickedTime,
)
from tests.scheduling_world import MONDAY, World

MINUTE = timedelta(minutes=1)
MIDNIGHT = MONDAY.replace(hour=0)
DAYS_KNOWN = 24
LIVE = ("pending", "booked", "arrived", "checked-in", "fulfilled")
MET = ("booked", "arrived", "checked-in", "fulfilled")


def minute_of(instant: datetime) -> int:
    return (instant - MIDNIGHT) // MINUTE


@lru_cache(maxsize=64)
def worked(zone: ZoneInfo, start_minute: int, end_minute: int) -> frozenset[int]:
    """The minutes of work under a shift on every day, read off the clock on the wall."""
    found = set()
    for minute in range(-2 * 1440, DAYS_KNOWN * 1440):
        local = (MIDNIGHT + minute * MINUTE).astimezone(zone)
        shown = local.hour * 60 + local.minute
        if start_minute <= shown < end_minute or start_minute <= shown + 1440 < end_minute:
            found.add(minute)
    return frozenset(found)


@dataclass
class Entry:
    """One appointment as the model has it. `taken` are the minutes it takes of each actor and of the patient."""

    kind: VisitType
    site_id: UUID
    patient_id: UUID
    status: str
    start: int
    taken: dict[UUID, set[int]]
    expires: int | None = None
    version: int = 1
    overridden: bool = False

    @property
    def end(self) -> int:
        return self.start + self.kind.duration_minutes


@dataclass
class Model:
    world: World
    now: int
    hours: dict[UUID, tuple[tuple[int, int], ...]]
    """The shifts of each actor, at each of their sites."""
    blocks: dict[UUID, tuple[UUID, set[int]]] = field(default_factory=dict)
    entries: dict[UUID, Entry] = field(default_factory=dict)
    calendar_changes: int = 0

    def takes_time(self, entry: Entry) -> bool:
        return entry.status in LIVE and (entry.expires is None or entry.expires > self.now)

    def busy(self, actor_id: UUID, besides: UUID | None = None) -> set[int]:
        found = set[int]()
        for each, entry in self.entries.items():
            if each != besides and self.takes_time(entry):
                found |= entry.taken.get(actor_id, set())
        return found

    def open(self, actor_id: UUID, site_id: UUID) -> set[int]:
        zone = self.world.zones[site_id]
        actor = next(each for each in self.world.actors if each.id == actor_id)
        shifts = self.hours[actor_id] if site_id in actor.site_ids else ()
        return set[int]().union(*(worked(zone, *shift) for shift in shifts))

    def free(self, actor_id: UUID, site_id: UUID, besides: UUID | None = None) -> set[int]:
        blocked = set[int]().union(*(minutes for actor, minutes in self.blocks.values() if actor == actor_id))
        return self.open(actor_id, site_id) - blocked - self.busy(actor_id, besides)

    def able(self, need: Requirement) -> list[UUID]:
        return [each.id for each in self.world.actors if each.kind == need.kind and set(need.codes) <= set(each.codes)]

    def staffed(self, time: PickedTime, start: int, besides: UUID | None = None, free: dict[UUID, set[int]] | None = None) -> bool:
        """Whether somebody can be found for everything the visit needs."""
        kind = self.kind_of(time)
        ways = []
        for number, need in enumerate(kind.requirements):
            wanted = span(need, start)
            able = self.able(need)
            if number == 0 and need.kind == "practitioner" and time.practitioner_id:
                able = [each for each in able if each == time.practitioner_id]
            pool = [each for each in able if wanted <= (free[each] if free else self.free(each, time.site_id, besides))]
            ways.append([(number, chosen) for chosen in combinations(pool, need.count)])
        return any(self._distinct(kind, way, start) for way in product(*ways))

    def _distinct(self, kind: VisitType, way: tuple[tuple[int, tuple[UUID, ...]], ...], start: int) -> bool:
        used: dict[UUID, set[int]] = {}
        for number, chosen in way:
            for each in chosen:
                minutes = span(kind.requirements[number], start)
                if used.setdefault(each, set()) & minutes:
                    return False
                used[each] |= minutes
        return True

    def kind_of(self, time: PickedTime) -> VisitType:
        return next(each for each in self.world.kinds.all if each.id == time.visit_type_id)

    def starts(self, kind: VisitType, site_id: UUID, first: int, last: int, *, by_patient: bool) -> list[int]:
        """Every minute on the grid from which the visit could be staffed."""
        time = PickedTime(visit_type_id=kind.id, site_id=site_id, start=MONDAY)
        free = {each.id: self.free(each.id, site_id) for each in self.world.actors}
        earliest = max(first, self.now + (kind.rules.lead_minutes if by_patient else 0))
        latest = min(last, self.now + kind.rules.horizon_days * 1440)
        return [
            start for start in range(earliest, latest + 1)
            if self.on_grid(kind, site_id, start) and self.staffed(time, start, free=free)
        ]  # fmt: skip

    def on_grid(self, kind: VisitType, site_id: UUID, start: int) -> bool:
        local = (MIDNIGHT + start * MINUTE).astimezone(self.world.zones[site_id])
        return (local.hour * 60 + local.minute) % kind.rules.grid_minutes == 0

    def rule_broken(self, time: PickedTime, *, by_patient: bool) -> bool:
        kind, start = self.kind_of(time), minute_of(time.start)
        lead = kind.rules.lead_minutes if by_patient else 0
        in_window = self.now + lead <= start <= self.now + kind.rules.horizon_days * 1440
        return not in_window or not self.on_grid(kind, time.site_id, start)

    def prerequisite_missing(self, kind: VisitType, patient_id: UUID, start: int, based_on: str | None) -> bool:
        for each in kind.rules.prerequisites:
            if each.kind == "referral" and not based_on:
                return True
            earlier = (e for e in self.entries.values() if e.patient_id == patient_id and e.kind.id == each.visit_type_id)
            if each.kind == "earlier-visit" and not any(e.status in MET and e.end <= start for e in earlier):
                return True
        return False

    def taking_refused(self, time: PickedTime, patient_id: UUID, besides: UUID | None = None) -> str | None:
        """The code with which a free choice of actors is refused, if it is."""
        start = minute_of(time.start)
        if not self.staffed(time, start, besides):
            return "scheduling.time_not_free"
        visit = set(range(start, start + self.kind_of(time).duration_minutes))
        return "scheduling.patient_busy" if visit & self.busy(patient_id, besides) else None

    def ensure_takes_only_free(self, made: Appointment, besides: UUID | None = None) -> None:
        """The actors chosen were free, each for all that is asked of them."""
        kind = next(each for each in self.world.kinds.all if each.id == made.visit_type_id)
        start = minute_of(made.start)
        people = [each for each in made.participants if each.kind != "patient"]
        assert sorted(each.kind for each in people) == sorted(need.kind for need in kind.requirements for _ in range(need.count))
        for each in people:
            minutes = set(range(minute_of(each.claimed_from), minute_of(each.claimed_to)))
            assert minutes in [span(need, start) for need in kind.requirements if need.kind == each.kind]
            assert minutes <= self.free(each.actor_id, made.site_id, besides), "an actor was not free"

    def enter(self, made: Appointment, *, overridden: bool = False) -> None:
        taken: dict[UUID, set[int]] = {}
        for each in made.participants:
            taken.setdefault(each.actor_id, set()).update(range(minute_of(each.claimed_from), minute_of(each.claimed_to)))
        kind = next(each for each in self.world.kinds.all if each.id == made.visit_type_id)
        expires = None if made.expires_at is None else minute_of(made.expires_at)
        version = self.entries[made.id].version + 1 if made.id in self.entries else 1
        self.entries[made.id] = Entry(
            kind, made.site_id, made.patient_id, made.status, minute_of(made.start), taken, expires, version, overridden
        )  # fmt: skip

    def step(self, appointment_id: UUID, status: str) -> None:
        entry = self.entries[appointment_id]
        entry.status, entry.expires, entry.version = status, None, entry.version + 1

    def clear_expired(self, minutes: dict[UUID, set[int]] | None = None) -> None:
        """Expired holds, all or those in the way of `minutes`, are cancelled."""
        for each, entry in self.entries.items():
            in_the_way = minutes is None or any(entry.taken.get(actor, set()) & wanted for actor, wanted in minutes.items())
            if entry.expires is not None and entry.expires <= self.now and in_the_way:
                self.step(each, "cancelled")


def span(need: Requirement, start: int) -> set[int]:
    first = start + need.offset_minutes - need.buffer_before_minutes
    return set(range(first, start + need.offset_minutes + need.duration_minutes + need.buffer_after_minutes))
