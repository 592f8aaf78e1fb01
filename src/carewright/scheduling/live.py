"""The live copy: each organization's calendars and catalogue in this process, loaded by COPY and kept up by the event log.

Own changes are applied at once (read your writes). What other processes did arrives as events, and an event is an invalidation: the time
it touched is read again from the ledger. Log order is not commit order, so replaying claims could leave the index wrong for good; reading
again cannot. The copy may lag by a moment; the ledger decides.
"""

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from prometheus_client import Counter, Gauge

from carewright.contracts.directory import ActorKind, VisitType
from carewright.contracts.offers import OfferEnded, OfferFact, OfferMade
from carewright.contracts.permissions import SYSTEM
from carewright.contracts.scheduling import (
    AppointmentCancelled,
    AppointmentFact,
    CatalogueChanged,
    ClaimedTime,
    ScheduleChanged,
    TimeInUseChanged,
)
from carewright.kernel import outbox, telemetry
from carewright.kernel.clock import Clock
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.events import Delivered
from carewright.kernel.sql import load
from carewright.kernel.wake import Wake
from carewright.scheduling.model.availability import AvailabilityIndex, Placed
from carewright.scheduling.model.ticks import Horizon

Q = load("carewright.scheduling")
COPY_HEADER_BYTES = 19
"""PGCOPY signature (11), flags (4), extension length (4); the file ends with a 2-byte trailer of -1."""
COPY_TRAILER_BYTES = 2
COPY_ROW = np.dtype([
    ("fields", ">i2"), ("row_length", ">i4"), ("row", ">i4"), ("first_length", ">i4"), ("first", ">i4"),
    ("last_length", ">i4"), ("last", ">i4"),
])  # fmt: skip
POLL_SECONDS = 0.5
EVENTS_MAX = 1000
TOPICS = [
    CatalogueChanged.topic, ScheduleChanged.topic, TimeInUseChanged.topic, OfferMade.topic, OfferEnded.topic,
    *(kind.topic for kind in AppointmentFact.__subclasses__()),
]  # fmt: skip
RELOADS = Counter("carewright_scheduling_reloads_total", "Calendars read again from the ledger.")
LAG = Gauge("carewright_scheduling_live_lag_seconds", "Age of the last event that the live copy followed.")
INDEX_BYTES = Gauge("carewright_scheduling_index_bytes", "Memory of the availability bitmaps.")
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Kind:
    """A visit type as scheduling knows it."""

    value: VisitType
    service_name: str


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A service at a site that another system is master of: which one, and where people book instead."""

    source: str
    book_at: str


@dataclass(frozen=True, slots=True)
class Bookable:
    """One bookable actor: what it can do, where it works, and the version of its calendar that the index holds."""

    id: UUID
    kind: ActorKind
    display: str
    codes: frozenset[str]
    languages: frozenset[str]
    site_ids: tuple[UUID, ...]
    calendar_version: int


@dataclass(slots=True)
class Calendars:
    """One organization's live copy. An actor who works at two sites has a row for each; claims count in all of them."""

    organization_id: UUID
    index: AvailabilityIndex
    sites: dict[UUID, Site] = field(default_factory=dict)
    visit_types: dict[UUID, Kind] = field(default_factory=dict)
    mirrored: dict[tuple[UUID, UUID], Mirrored] = field(default_factory=dict)
    """By service and site."""
    bookables: dict[UUID, Bookable] = field(default_factory=dict)
    owners: dict[int, UUID] = field(default_factory=dict)
    rows_of: dict[UUID, tuple[int, ...]] = field(default_factory=dict)
    """The rows of each actor's calendar, one a site: `owners` the other way round."""
    holds: dict[UUID, tuple[ClaimedTime, ...]] = field(default_factory=dict)
    expiries: list[tuple[datetime, UUID]] = field(default_factory=list)
    overbooked: set[UUID] = field(default_factory=set)
    touched: dict[UUID, int] = field(default_factory=dict)
    stale: set[UUID] = field(default_factory=set)
    """Actors whose calendars are to be read again."""
    settling: asyncio.Lock = field(default_factory=asyncio.Lock)
    turn: int = 0
    """Counts readings as they begin and as they are entered, to tell which came first."""
    begun: dict[UUID, int] = field(default_factory=dict)
    """When the reading that each actor's time was last taken from began."""
    entered: dict[UUID, int] = field(default_factory=dict)
    """And when it was entered."""
    generation: int = 0
    """Counts changes of the catalogue, for caches made from it."""

    def rows(self, schedule_id: UUID) -> tuple[int, ...]:
        """The rows of an actor's calendar, one a site. None for a patient, whose time is claimed but not kept as bits."""
        return self.rows_of.get(schedule_id, ())

    def take(self, claims: Iterable[ClaimedTime]) -> None:
        """Mark claimed time busy. Patients' claims have no row and change nothing."""
        for claim in claims:
            self._touch(claim.schedule_id)
            if claim.lane:
                self.overbooked.add(claim.schedule_id)
            for row in self.rows(claim.schedule_id):
                self.index.set_busy(row, *self._ticks(claim))

    def keep(self, claims: Sequence[ClaimedTime], since: int) -> None:
        """What was taken at turn `since` was got: whatever was read meanwhile may not have seen it yet."""
        if self._overtaken(claims, since):
            self.take(claims)
            self.doubt(claims)
        else:
            for claim in claims:
                self._touch(claim.schedule_id)

    def give_back(self, claims: Iterable[ClaimedTime]) -> None:
        """Mark released time free where the actor is open. Where further lanes are in use the ledger is read again instead."""
        for claim in claims:
            self._touch(claim.schedule_id)
            if claim.schedule_id in self.overbooked:
                self.stale.add(claim.schedule_id)
                continue
            for row in self.rows(claim.schedule_id):
                self.index.set_free(row, *self._ticks(claim))

    @contextmanager
    def without(self, claims: Sequence[ClaimedTime], others: Sequence[ClaimedTime] = ()) -> Iterator[None]:
        """Look at the calendars as if `claims` were not there, but what `others` hold of their time. Nothing may be awaited inside."""
        here, beside = ([(row, *self._ticks(each)) for each in some for row in self.rows(each.schedule_id)] for some in (claims, others))
        for place in here:
            self.index.set_free(*place)
        for place in beside:
            self.index.set_busy(*place)
        try:
            yield
        finally:
            for place in here:
                self.index.set_busy(*place)

    def doubt(self, claims: Iterable[ClaimedTime]) -> None:
        """What became of these claims is not known: have the ledger read again."""
        self.stale.update(claim.schedule_id for claim in claims if claim.schedule_id in self.bookables)

    def recheck(self, claims: Iterable[ClaimedTime], since: int) -> None:
        """Have the ledger read again where a reading was entered after turn `since`: it may have known more than the caller, or less."""
        self.stale.update(self._overtaken(claims, since))

    def next_turn(self) -> int:
        self.turn += 1
        return self.turn

    def note_hold(self, appointment_id: UUID, expires_at: datetime | None, claims: tuple[ClaimedTime, ...]) -> None:
        """Remember when a hold's time comes free by itself; None forgets a hold that was booked or released."""
        if expires_at is None:
            for claim in self.holds.pop(appointment_id, ()):
                self._touch(claim.schedule_id)
        else:
            self.holds[appointment_id] = claims
            heapq.heappush(self.expiries, (expires_at, appointment_id))

    def free_expired(self, now: datetime) -> None:
        """Show the time of expired holds as free again."""
        while self.expiries and self.expiries[0][0] <= now:
            _, appointment_id = heapq.heappop(self.expiries)
            self.give_back(self.holds.pop(appointment_id, ()))

    def touches(self, schedule_ids: Iterable[UUID]) -> dict[UUID, int]:
        """How often each actor's time was changed here: a reading that began before a change is out of date."""
        return {schedule_id: self.touched.get(schedule_id, 0) for schedule_id in schedule_ids}

    def _overtaken(self, claims: Iterable[ClaimedTime], since: int) -> list[UUID]:
        return [claim.schedule_id for claim in claims if self.entered.get(claim.schedule_id, 0) > since]

    def _touch(self, schedule_id: UUID) -> None:
        if schedule_id in self.bookables:
            self.touched[schedule_id] = self.touched.get(schedule_id, 0) + 1

    def _ticks(self, claim: ClaimedTime) -> tuple[int, int]:
        return self.index.horizon.outer(claim.start, claim.end)


class Live:
    """The live copies of a process, one an organization. `db` is the system's: the log is read across tenants, calendars are not."""

    def __init__(self, db: Database, clock: Clock, origin: UUID, wake: Wake, horizon_days: int) -> None:
        self._db = db
        self._clock = clock
        self._origin = origin
        self._wake = wake
        self._horizon_days = horizon_days
        self._of: dict[UUID, Calendars] = {}
        self._arriving: dict[UUID, Calendars] = {}
        self._loading: dict[UUID, asyncio.Lock] = {}
        self._place: tuple[int, int] | None = None

    @property
    def ready(self) -> bool:
        return self._place is not None

    @property
    def known(self) -> list[Calendars]:
        return list(self._of.values())

    async def of(self, organization_id: UUID) -> Calendars:
        """An organization's calendars, with expired holds shown free. Loads them on the first question."""
        calendars = self._of.get(organization_id)
        if calendars is None:
            async with self._loading.setdefault(organization_id, asyncio.Lock()):
                calendars = self._of.get(organization_id) or await self._load(organization_id)
        if self._is_old(calendars):
            await self._roll(calendars)
        calendars.free_expired(self._clock.now())
        return calendars

    async def follow(self) -> None:
        """Load every organization, then follow the log until cancelled. A database that is away only delays it.

        A place in the log is worth as much as the connection it was read on: after a crash PostgreSQL gives out transaction ids again
        that had left nothing durable, and a fact may come to lie before a place read earlier. So a lost connection means reading anew.
        """
        while True:
            try:
                async with self._db.reserved() as session:
                    await self._begin(session)
                    while True:
                        seen = self._wake.rung
                        await self._catch_up(session)
                        await self._wake.wait(POLL_SECONDS, seen)
            except Unavailable:
                await asyncio.sleep(POLL_SECONDS)

    async def _begin(self, session: Session) -> None:
        """Take a place in the log, load who is not there yet, and doubt whatever was read before that place."""
        place = await outbox.end_of_log(session)
        early = [*self._of, *self._arriving]
        for row in await session.fetch(Q.organizations):
            await self.of(row["organization_id"])
        for calendars in (self._of[each] for each in early if each in self._of):
            await self.reload_catalogue(calendars)
            own = self._db.of(calendars.organization_id)
            calendars.overbooked |= await _overbooked(own, calendars.organization_id)
            calendars.stale.update(row["id"] for row in await own.fetch(Q.schedules, calendars.organization_id, None))
            calendars.holds.clear()  # those that still live come back with the reading
        self._place = place

    async def _catch_up(self, session: Session) -> None:
        """Read on to the end of the log."""
        await self._settle_all()
        more = self._place is not None
        while self._place is not None and more:
            end = await outbox.end_of_log(session)
            events = await outbox.read_between(session, self._place, end, EVENTS_MAX, TOPICS)
            await self._apply(events)
            await self._settle_all()
            more = len(events) == EVENTS_MAX
            self._place = events[-1].place() if more else end
            if events:
                LAG.set((self._clock.now() - events[-1].occurred_at).total_seconds())

    async def settle(self, calendars: Calendars) -> bool:
        """Read again now what is in doubt. Whether there was anything: if not, the copy is as good as it gets."""
        waited = calendars.settling.locked()
        async with calendars.settling:
            stale, calendars.stale = calendars.stale, set()
            try:
                await self.reload(calendars, stale)
            except BaseException:
                calendars.stale |= stale
                raise
        return waited or bool(stale)

    async def _settle_all(self) -> None:
        for calendars in self.known:
            await self.settle(calendars)

    async def reload(self, calendars: Calendars, schedule_ids: Iterable[UUID]) -> None:
        """Read these actors' calendars again, until no change of this process falls into the reading."""
        wanted = list(dict.fromkeys(schedule_ids))
        while wanted:
            before, began, horizon = calendars.touches(wanted), calendars.next_turn(), calendars.index.horizon
            reading = await _read(self._db.of(calendars.organization_id), calendars.organization_id, horizon, self._clock.now(), wanted)
            moved = horizon != calendars.index.horizon
            wanted = [each for each, count in calendars.touches(wanted).items() if moved or count != before[each]]
            overtaken = (each for each in before if calendars.begun.get(each, 0) > began)
            _enter(calendars, reading, began, skipping=frozenset((*wanted, *overtaken)))
            RELOADS.inc(len(before) - len(wanted))

    async def reload_catalogue(self, calendars: Calendars) -> None:
        """Read sites and visit types again."""
        await _read_catalogue(self._db.of(calendars.organization_id), calendars)

    async def _load(self, organization_id: UUID) -> Calendars:
        """Read everything. Events that arrive meanwhile are noted in the copy that is being made."""
        own, horizon = self._db.of(organization_id), self._horizon()
        calendars = self._arriving[organization_id] = Calendars(organization_id, AvailabilityIndex(horizon, capacity=1024))
        try:
            await _read_catalogue(own, calendars)
            began = calendars.next_turn()
            reading = await _read(own, organization_id, horizon, self._clock.now(), None)
            overbooked = await _overbooked(own, organization_id)
            _enter(calendars, reading, began)
            calendars.overbooked |= overbooked
            self._of[organization_id] = calendars
        finally:
            del self._arriving[organization_id]
        INDEX_BYTES.set(sum(each.index.size_bytes for each in self._of.values()))
        return calendars

    async def _roll(self, calendars: Calendars) -> None:
        """Move the horizon on where it stands: whoever is just booking keeps the same copy. The new days are read, in a second or so."""
        calendars.index.roll(self._horizon())
        everybody = list(calendars.bookables)
        try:
            await self.reload(calendars, everybody)
        except BaseException:
            calendars.stale.update(everybody)
            raise

    def _horizon(self) -> Horizon:
        today = self._clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return Horizon(origin=today - timedelta(days=1), days=self._horizon_days + 3)

    def _is_old(self, calendars: Calendars) -> bool:
        """Whether a day has passed since the horizon began."""
        return self._clock.now() - calendars.index.horizon.origin >= timedelta(days=2)

    async def _apply(self, events: Sequence[Delivered]) -> None:
        for delivered in events:
            arriving = self._arriving.get(delivered.organization_id)
            calendars = self._of.get(delivered.organization_id) or arriving
            if calendars is None:
                continue
            fact = delivered.fact()
            if isinstance(fact, CatalogueChanged):
                await self.reload_catalogue(calendars)
            elif isinstance(fact, ScheduleChanged):
                calendars.stale.add(fact.schedule_id)
            elif isinstance(fact, TimeInUseChanged):
                self._doubt(calendars, (*fact.claims, *fact.released), is_arriving=calendars is arriving)
            elif isinstance(fact, OfferFact):
                calendars.stale.update(fact.actor_ids)
            elif isinstance(fact, AppointmentFact) and not self._is_shown(delivered, fact):
                calendars.note_hold(fact.appointment_id, fact.expires_at, fact.claims)
                self._doubt(calendars, (*fact.claims, *fact.released), is_arriving=calendars is arriving)

    def _is_shown(self, delivered: Delivered, fact: AppointmentFact) -> bool:
        """Whether the use case that wrote it, in this process, showed it here. What a handler called off nobody has."""
        return delivered.origin == self._origin and not (isinstance(fact, AppointmentCancelled) and delivered.actor == SYSTEM)

    def _doubt(self, calendars: Calendars, claims: Sequence[ClaimedTime], *, is_arriving: bool) -> None:
        """What the ledger has of this time is to be read again."""
        calendars.overbooked |= {claim.schedule_id for claim in claims if claim.lane}
        calendars.doubt(claims)
        if is_arriving:  # whose calendars these are is not known yet
            calendars.stale.update(claim.schedule_id for claim in claims)


def place_of(schedule_id: UUID, site_id: UUID) -> UUID:
    """The name of an actor's row at one site."""
    return UUID(int=schedule_id.int ^ (site_id.int >> 1))


class Reading(msgspec.Struct, frozen=True):
    """Calendars as they lie in the ledger. Versions are read first: at worst they are older than the rest, and a booking is refused."""

    bookables: list[Bookable]
    gone: list[UUID]
    openings: Placed
    blocks: Placed
    claims: Placed
    holds: list[tuple[UUID, datetime, ClaimedTime]]


async def _read_catalogue(db: Database, calendars: Calendars) -> None:
    sites = await db.fetch(Q.sites, calendars.organization_id)
    visit_types = await db.fetch(Q.visit_types, calendars.organization_id)
    calendars.sites = {row["id"]: Site(row["name"], ZoneInfo(row["time_zone"])) for row in sites if row["active"]}
    calendars.visit_types = {
        row["id"]: Kind(msgspec.json.decode(row["value"], type=VisitType), row["service_name"]) for row in visit_types if row["active"]
    }
    mirrored = await db.fetch(Q.mirrored, calendars.organization_id)
    calendars.mirrored = {(row["service_id"], row["site_id"]): Mirrored(row["source"], row["book_at"]) for row in mirrored}
    calendars.generation += 1


async def _overbooked(db: Session, organization_id: UUID) -> set[UUID]:
    return {row["schedule_id"] for row in await db.fetch(Q.overbooked_schedules, organization_id)}


async def _read(db: Database, organization_id: UUID, horizon: Horizon, now: datetime, ids: list[UUID] | None) -> Reading:
    rows = await db.fetch(Q.schedules, organization_id, ids)
    bookables = [_bookable(row) for row in rows if row["active"]]
    schedules, sites = _places(bookables)
    window = (organization_id, horizon.origin, horizon.end, schedules)
    holds = [_held(row) for row in await db.fetch(Q.live_holds, organization_id, now, ids)]
    return Reading(
        bookables,
        [row["id"] for row in rows if not row["active"]],
        _placed(await db.copy_out(Q.openings_in_ticks, *window, sites), horizon),
        _placed(await db.copy_out(Q.blocks_in_ticks, *window), horizon),
        _placed(await db.copy_out(Q.claims_in_ticks, *window, now), horizon),
        holds,
    )


def _held(row: Row) -> tuple[UUID, datetime, ClaimedTime]:
    claim = ClaimedTime(schedule_id=row["schedule_id"], lane=0, start=row["starts_at"], end=row["ends_at"])
    return row["appointment_id"], row["expires_at"], claim


def _bookable(row: Row) -> Bookable:
    return Bookable(
        row["id"], row["kind"], row["display"], frozenset(row["codes"]), frozenset(row["languages"]), tuple(row["site_ids"]),
        row["calendar_version"],
    )  # fmt: skip


def _places(bookables: Iterable[Bookable]) -> tuple[list[UUID], list[UUID]]:
    """Schedule and site of every row, in one order: the number of a row in these lists is how a reading names it."""
    places = [(each.id, site) for each in bookables for site in each.site_ids]
    return [schedule for schedule, _ in places], [site for _, site in places]


def _placed(copied: bytes, horizon: Horizon) -> Placed:
    """Binary COPY rows of three int4 (row number, first tick, last tick) as an array: every row has the same places, nothing is parsed."""
    table = np.frombuffer(copied[COPY_HEADER_BYTES:-COPY_TRAILER_BYTES], COPY_ROW)
    placed = np.empty((len(table), 3), np.int64)
    placed[:, 0], placed[:, 1], placed[:, 2] = table["row"], table["first"], table["last"]
    placed[:, 1:] -= horizon.origin_tick
    return placed


def _enter(calendars: Calendars, reading: Reading, began: int, skipping: frozenset[UUID] = frozenset()) -> None:
    """Put a reading that began at turn `began` into the live copy, except for the actors in `skipping`.

    Those keep everything, their calendar's version too: the version says which calendar the bits beside it show.
    """
    turn = calendars.next_turn()
    for schedule_id in (each for each in reading.gone if each not in skipping):
        _forget(calendars, schedule_id)
    fresh = [each for each in reading.bookables if each.id not in skipping]
    for each in fresh:
        _enter_abilities(calendars, each)
        calendars.begun[each.id], calendars.entered[each.id] = began, turn
    schedules, sites = _places(reading.bookables)
    numbers = [number for number, schedule_id in enumerate(schedules) if schedule_id not in skipping]
    index = calendars.index
    index.load_many(
        [place_of(schedules[number], sites[number]) for number in numbers],
        *(_only(ranges, numbers, len(schedules)) for ranges in (reading.openings, reading.claims, reading.blocks)),
    )
    for each in fresh:
        rows = (index.row_of(place_of(each.id, site)) for site in each.site_ids)
        calendars.rows_of[each.id] = tuple(row for row in rows if row is not None)
        calendars.owners |= dict.fromkeys(calendars.rows_of[each.id], each.id)
    _enter_holds(calendars, reading.holds, {each.id for each in fresh})


def _only(ranges: Placed, numbers: list[int], places: int) -> Placed:
    """The ranges of the rows in `numbers`, renumbered to their order."""
    if len(numbers) == places:
        return ranges
    renumbered = np.full(places, -1, np.int64)
    renumbered[numbers] = np.arange(len(numbers))
    kept = ranges[renumbered[ranges[:, 0]] >= 0].copy()
    kept[:, 0] = renumbered[kept[:, 0]]
    return kept


def _enter_abilities(calendars: Calendars, fresh: Bookable) -> None:
    """Take over what an actor can do and where; only a real change makes caches of the catalogue out of date."""
    known = calendars.bookables.get(fresh.id)
    if known is None or replace(known, calendar_version=fresh.calendar_version) != fresh:
        _forget(calendars, fresh.id)
        calendars.generation += 1
    calendars.bookables[fresh.id] = fresh


def _enter_holds(calendars: Calendars, holds: list[tuple[UUID, datetime, ClaimedTime]], read: set[UUID]) -> None:
    """Of the actors in `read`, the holds found are all there are: what else was known of them is forgotten."""
    for appointment_id, known in list(calendars.holds.items()):
        if any(claim.schedule_id in read for claim in known):
            calendars.holds[appointment_id] = tuple(claim for claim in known if claim.schedule_id not in read)
    for appointment_id, expires_at, claim in holds:
        if claim.schedule_id in read:
            calendars.note_hold(appointment_id, expires_at, (*calendars.holds.get(appointment_id, ()), claim))


def _forget(calendars: Calendars, schedule_id: UUID) -> None:
    known = calendars.bookables.pop(schedule_id, None)
    calendars.rows_of.pop(schedule_id, None)
    for site in known.site_ids if known else ():
        row = calendars.index.row_of(place_of(schedule_id, site))
        if row is not None:
            calendars.owners.pop(row, None)
            calendars.index.remove(place_of(schedule_id, site))
            calendars.generation += 1
