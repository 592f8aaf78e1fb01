"""A hospital of a handful of calendars, put straight into scheduling's tables, and processes that work on it.

Two sites in two time zones; two physicians (the second works at both), two nurses, two rooms, one device. `Kinds` lists the visit types.
A `Process` stands for one serving process: its own origin, live copy and wake, on a database that others may share. Its follower runs only
when asked (`settle`), so that a test decides how stale a copy is.
"""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from carewright.contracts.directory import (
    ActorKind,
    BookingRules,
    Coding,
    HealthcareService,
    Location,
    Prerequisite,
    Requirement,
    VisitType,
)
from carewright.contracts.hours import WeeklyHours
from carewright.contracts.permissions import ROLES
from carewright.contracts.scheduling import PickedTime
from carewright.kernel import authz
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Once
from carewright.kernel.db import Database
from carewright.kernel.ids import Ids
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.wake import Wake
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Live, place_of
from carewright.scheduling.model.actors import Actor
from carewright.scheduling.model.choice import LeastFragmentation
from carewright.scheduling.model.hours import Hours, openings_from
from carewright.scheduling.settings import Settings
from tests.keys import new_vault

MONDAY = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
HORIZON_DAYS = 8
CITY_ZONE, VILLAGE_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
PHYSICIAN, NURSE, CONSULTING, ECG = "specialty|gp", "skill|nursing", "room|consulting", "device|ecg"
REASON = "agreed by telephone"


@dataclass(frozen=True, slots=True)
class Kinds:
    """What can be booked. `solo` takes any physician; `team` all kinds with offsets and buffers; `pair` both nurses at once."""

    solo: VisitType
    consult: VisitType
    team: VisitType
    pair: VisitType
    request: VisitType
    referred: VisitType
    follow_up: VisitType

    @property
    def all(self) -> tuple[VisitType, ...]:
        return (self.solo, self.consult, self.team, self.pair, self.request, self.referred, self.follow_up)


@dataclass(frozen=True, slots=True)
class World:
    """One tenant as it was loaded. Everybody works 8 to 12 on every day of the week, in the time of their site."""

    organization_id: UUID
    city: Location
    village: Location
    actors: tuple[Actor, ...]
    hours: dict[UUID, Hours]
    kinds: Kinds
    patients: tuple[UUID, ...]

    def of(self, kind: ActorKind) -> list[Actor]:
        return [each for each in self.actors if each.kind == kind]

    @property
    def zones(self) -> dict[UUID, ZoneInfo]:
        return {self.city.id: CITY_ZONE, self.village.id: VILLAGE_ZONE}

    def at(self, kind: VisitType, start: datetime, practitioner_id: UUID | None = None, *actor_ids: UUID) -> PickedTime:
        """A start at the city site."""
        return PickedTime(
            visit_type_id=kind.id, site_id=self.city.id, start=start, practitioner_id=practitioner_id, actor_ids=actor_ids
        )  # fmt: skip


def invent(ids: Ids, *, physicians: int = 2, rooms: int = 2, patients: int = 4) -> World:
    """A new tenant, not yet stored."""
    city = _site(ids, "City", CITY_ZONE)
    village = _site(ids, "Village", VILLAGE_ZONE)
    both, here = (city.id, village.id), (city.id,)
    actors = (
        *(_actor(ids, "practitioner", PHYSICIAN, both if number == 1 else here) for number in range(physicians)),
        *(_actor(ids, "nurse", NURSE, here) for _ in range(2)),
        *(_actor(ids, "room", CONSULTING, here) for _ in range(rooms)),
        _actor(ids, "device", ECG, here),
    )
    hours = {each.id: Hours(weekly=every_day(each.site_ids)) for each in actors}
    return World(ids.new(), city, village, actors, hours, _kinds(ids), tuple(ids.new() for _ in range(patients)))


def every_day(site_ids: Iterable[UUID], start_minute: int = 480, end_minute: int = 720) -> tuple[WeeklyHours, ...]:
    """The same hours on each day of the week, at each of the sites."""
    return tuple(
        WeeklyHours(weekday=weekday, start_minute=start_minute, end_minute=end_minute, site_id=site_id)
        for weekday in range(7) for site_id in site_ids
    )  # fmt: skip


async def store_world(process: "Process", world: World) -> World:
    """Put the tenant into scheduling's tables, through its store."""
    ctx = process.acting("scheduler", world)
    today = ctx.clock.now().date()
    until = today + timedelta(days=HORIZON_DAYS + 1)
    service = HealthcareService(id=world.kinds.solo.healthcare_service_id, name="General practice", specialty=Coding(system="s", code="gp"))
    async with ctx.db.transaction() as tx:
        for site in (world.city, world.village):
            await store.put_site(tx, world.organization_id, site)
        for kind in world.kinds.all:
            await store.put_visit_type(tx, world.organization_id, kind, service)
        await store.copy_schedules(tx, world.organization_id, [(each, world.hours[each.id]) for each in world.actors], until)
        await store.copy_patients(tx, world.organization_id, world.patients)
        await store.copy_openings(tx, world.organization_id, _openings(world, today - timedelta(days=1), until))
    return world


@dataclass(slots=True)
class Process:
    """One serving process, without its web server."""

    db: Database
    clock: ManualClock
    ids: Ids
    rng: random.Random
    settings: Settings
    origin: UUID = field(init=False)
    wake: Wake = field(init=False)
    live: Live = field(init=False)
    vault: Vault = field(init=False)
    live_db: Database | None = None

    def __post_init__(self) -> None:
        self.origin, self.wake = self.ids.new(), Wake()
        self.live = self.fresh_copy()
        self.vault = new_vault(self.clock)

    def fresh_copy(self) -> Live:
        """A live copy as it would be loaded now."""
        return Live(self.live_db or self.db, self.clock, self.origin, self.wake, self.settings.horizon_days)

    def acting(
        self, role: str, world: World, *, patient_id: UUID | None = None, subject: str = "tester", once: Once | None = None,
        site_ids: Iterable[UUID] = (),
    ) -> SchedulingContext:  # fmt: skip
        actor = authz.Actor(
            subject=subject, organization_id=world.organization_id, role=role, permissions=ROLES[role], patient_id=patient_id,
            site_ids=frozenset(site_ids),
        )  # fmt: skip
        return self.system().acting(actor, once)

    def system(self) -> SchedulingContext:
        """What timers work in: every tenant's rows, in nobody's name."""
        return SchedulingContext(
            actor=authz.Actor(subject="system", organization_id=UUID(int=0), role="system"), clock=self.clock, ids=self.ids, rng=self.rng,
            db=self.db, wake=self.wake, vault=self.vault, origin=self.origin, settings=self.settings, live=self.live,
            choose=LeastFragmentation(),
        )  # fmt: skip

    async def settle(self) -> None:
        """Let the follower read the log to its end."""
        if not self.live.ready:
            await self.live._begin(self.live._db)
        await self.live._catch_up(self.live._db)

    def on(self, db: Database) -> "Process":
        """The same process through another door to the database; the live copy keeps its own."""
        other = Process(db, self.clock, self.ids, self.rng, self.settings, live_db=self.live_db or self.db)
        other.origin, other.live, other.wake, other.vault = self.origin, self.live, self.wake, self.vault
        return other


@asynccontextmanager
async def processes(url: str, count: int, *, seed: int = 0, pool_size: int = 6) -> AsyncIterator[list[Process]]:
    """Processes on one database that share a clock and the maker of ids."""
    db = await Database.connect(url, "carewright_scheduling", pool_size)
    try:
        yield processes_on(db, count, seed=seed)
    finally:
        await db.close()


def processes_on(db: Database, count: int, *, seed: int = 0, settings: Settings | None = None) -> list[Process]:
    clock, rng = ManualClock(MONDAY), random.Random(seed)
    ids = Ids(clock, rng)
    chosen = settings or Settings(horizon_days=HORIZON_DAYS, holds_per_patient_max=3)
    return [Process(db, clock, ids, rng, chosen) for _ in range(count)]


def free_time(calendars: Calendars) -> dict[tuple[UUID, UUID], tuple[bytes, bytes]]:
    """Open and free bits of every actor at every site: what two copies must agree on."""
    found = {}
    for each in calendars.bookables.values():
        for site_id in each.site_ids:
            row = calendars.index.row_of(place_of(each.id, site_id))
            assert row is not None
            found[each.id, site_id] = (calendars.index.open_bits[row].tobytes(), calendars.index.free[row].tobytes())
    return found


def versions(calendars: Calendars) -> dict[UUID, int]:
    return {each.id: each.calendar_version for each in calendars.bookables.values()}


async def same_as_fresh(process: Process, world: World) -> bool:
    """Whether the live copy shows what a copy loaded now would show."""
    mine = await process.live.of(world.organization_id)
    fresh = await process.fresh_copy().of(world.organization_id)
    return free_time(mine) == free_time(fresh) and versions(mine) == versions(fresh)


def _site(ids: Ids, name: str, zone: ZoneInfo) -> Location:
    site_id = ids.new()
    return Location(id=site_id, kind="site", name=name, site_id=site_id, time_zone=zone.key)


def _actor(ids: Ids, kind: ActorKind, code: str, site_ids: tuple[UUID, ...]) -> Actor:
    return Actor(
        id=ids.new(), kind=kind, display=kind, codes=(code,), languages=("en",), site_ids=tuple(sorted(site_ids)), active=True,
        source_version=1,
    )  # fmt: skip


def _kinds(ids: Ids) -> Kinds:
    service_id = ids.new()
    rules = BookingRules(grid_minutes=15, lead_minutes=60, horizon_days=HORIZON_DAYS)
    physician = Requirement(kind="practitioner", codes=(PHYSICIAN,), duration_minutes=30)
    room = Requirement(kind="room", codes=(CONSULTING,), duration_minutes=30, buffer_after_minutes=5)

    def kind(name: str, minutes: int, *requirements: Requirement, rules: BookingRules = rules) -> VisitType:
        return VisitType(
            id=ids.new(), healthcare_service_id=service_id, name=name, duration_minutes=minutes, requirements=requirements, rules=rules
        )  # fmt: skip

    solo = kind("Solo", 30, physician)
    return Kinds(
        solo=solo,
        consult=kind("Consultation", 30, physician, room),
        team=kind(
            "Team", 45,
            Requirement(kind="nurse", codes=(NURSE,), duration_minutes=20, buffer_before_minutes=5),
            Requirement(kind="practitioner", codes=(PHYSICIAN,), offset_minutes=20, duration_minutes=25, buffer_after_minutes=5),
            Requirement(kind="room", codes=(CONSULTING,), duration_minutes=45),
            Requirement(kind="device", codes=(ECG,), offset_minutes=10, duration_minutes=10),
        ),
        pair=kind("Pair", 30, Requirement(kind="nurse", codes=(NURSE,), count=2, duration_minutes=30)),
        request=kind("Request", 30, physician, room, rules=replace(rules, needs_confirmation=True)),
        referred=kind("Referred", 30, physician, rules=replace(rules, prerequisites=(Prerequisite(kind="referral"),))),
        follow_up=kind(
            "Follow-up", 15, Requirement(kind="practitioner", codes=(PHYSICIAN,), duration_minutes=15),
            rules=replace(rules, prerequisites=(Prerequisite(kind="earlier-visit", visit_type_id=solo.id),)),
        ),
    )  # fmt: skip


def _openings(world: World, first: date, last: date) -> list[tuple[UUID, UUID, datetime, datetime]]:
    return [
        (schedule_id, site_id, start, end)
        for schedule_id, hours in world.hours.items()
        for site_id, start, end in openings_from(hours, world.zones, first, last)
    ]
