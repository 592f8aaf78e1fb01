"""Use cases of late running: what is said of a calendar, what is seen of it, and what both mean for everything that is booked after.

One transaction works a delay out for an organization at a time, so that no two write what each other has not read. It is short: only
calendars to which the delay passes are read.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple, Self
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.delays import AtSite, Delay, DelayHistory, DelaysPage, ExpectedStarts, ListExpected, SetDelay, SetTelling
from carewright.contracts.flow import AppointmentExpected, DelayChanged, QueueEntryMoved, UnknownCalendar
from carewright.contracts.scheduling import AppointmentFact
from carewright.flow.model import lateness as rules
from carewright.flow.store import delays as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.idempotency import once_committed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher

READ = "flow.delay.read"
LIST = "flow.delay.list"
CHANGE = "flow.delay.change"
SET_TELLING = "flow.queue.change"
BEHIND, AHEAD = timedelta(hours=12), timedelta(hours=14)
"""What belongs to one working day, whatever midnight says: nobody's delay outlasts a night."""
ROUNDS_MAX = 8
"""A delay passes from a practitioner to a room, from there to another practitioner, and so on: no farther than this."""
WATCHED_MAX = 2_000
FOLLOW = "flow.follow_delay"
"""The job that works out anew how late the calendars of an appointment or a turn run."""


class Moved(msgspec.Struct, frozen=True):
    """The payload of that job: these calendars are meant, and those of the appointment."""

    organization_id: UUID
    calendar_ids: tuple[UUID, ...]
    appointment_id: UUID | None = None

    @classmethod
    def of_appointment(cls, event: AppointmentFact) -> Self:
        """Those that it takes, and those that it took before."""
        return cls(event.organization_id, tuple(sorted({each.schedule_id for each in (*event.claims, *event.released)})))

    @classmethod
    def of_turn(cls, event: QueueEntryMoved) -> Self:
        """Those of who sees the patient and of the room, and those of what they came for."""
        here = tuple(each for each in (event.practitioner_id, event.location_id) if each is not None)
        return cls(event.organization_id, here, event.appointment_id)


class Worked(NamedTuple):
    """A day as it goes on: whose appointments, what is known of each, and how late they are."""

    visits: Mapping[UUID, rules.Visit]
    by_calendar: Mapping[UUID, Sequence[rules.Visit]]
    ripple: rules.Ripple
    known: Mapping[UUID, store.Known]


async def list_delays(ctx: Context, query: AtSite) -> DelaysPage:
    """Every calendar with appointments at a site today, those that are late first. Raises `UnknownCalendar` for what is no site."""
    ctx.actor.require(LIST)
    _ensure_at(ctx, query.site_id)
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        site = await _site(ctx, tx, query.site_id)
        found = await store.calendars_at(tx, organization_id, query.site_id, *_today(site, now))
        known = await store.delays_of(tx, organization_id, found, site.day(now))
        items = [_shown(each, query.site_id, site, now, known.get(each), affected) for each, affected in found.items()]
    return DelaysPage(items=tuple(sorted(items, key=lambda each: (-each.minutes, each.calendar_id))), tell_minutes=site.tell_minutes)


async def get_delay(ctx: Context, calendar_id: UUID, query: AtSite) -> DelayHistory:
    """How late one calendar is, and was since the morning. Raises `UnknownCalendar`."""
    ctx.actor.require(LIST)
    _ensure_at(ctx, query.site_id)
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        site = await _site(ctx, tx, query.site_id)
        affected = await _affected(ctx, tx, calendar_id, query.site_id, site)
        known = await store.delays_of(tx, organization_id, [calendar_id], site.day(now))
        steps = await store.delay_steps(tx, organization_id, calendar_id, site.day(now))
    return DelayHistory(delay=_shown(calendar_id, query.site_id, site, now, known.get(calendar_id), affected), steps=tuple(steps))


async def set_delay(ctx: Context, command: SetDelay) -> Delay:
    """A calendar runs late, or on time again, and so does everything after. Raises `UnknownCalendar`, `PreconditionFailed`."""
    ctx.actor.require(CHANGE)
    _ensure_at(ctx, command.site_id)
    organization_id, calendar_id, now = ctx.actor.organization_id, command.calendar_id, ctx.clock.now()
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Delay:
        site = (await store.sites_in_turn(tx, organization_id)).get(command.site_id)
        if site is None:
            raise UnknownCalendar(calendar_id=str(calendar_id))
        await _affected(ctx, tx, calendar_id, command.site_id, site)
        before = (await store.delays_of(tx, organization_id, [calendar_id], site.day(now))).get(calendar_id)
        if command.expected_version is not None and (before is None or before.version != command.expected_version):
            raise PreconditionFailed(version=before.version if before else 0)
        said = Delay(
            calendar_id=calendar_id, site_id=command.site_id, day=site.day(now), minutes=command.minutes, source="entered",
            reason=command.reason, said_at=now,
        )  # fmt: skip
        coming = await store.visits_of(tx, cipher, [calendar_id], now - BEHIND, now + AHEAD)
        said = await _write(ctx, tx, said, rules.next_from(coming, calendar_id, now), ctx.actor.subject)
        about = (audit.Entity(type="Schedule", id=calendar_id),)
        await audit.record(tx, audit.entry(ctx, "flow.delay.set", "U", entities=about))
        await _follow(ctx, tx, cipher, [calendar_id], is_said=True)
        affected = await _affected(ctx, tx, calendar_id, command.site_id, site)
        return _shown(calendar_id, command.site_id, site, now, said, affected)

    return await once_committed(ctx, Delay, work)


async def set_telling(ctx: Context, command: SetTelling) -> SetTelling:
    """From how many minutes on the patients of a site are told. Raises `UnknownCalendar` for what is no site."""
    ctx.actor.require(SET_TELLING)
    _ensure_at(ctx, command.site_id)

    async def work(tx: Session) -> SetTelling:
        if not await store.set_telling(tx, ctx.actor.organization_id, command.site_id, command.tell_minutes):
            raise UnknownCalendar(site_id=str(command.site_id))
        about = (audit.Entity(type="Location", id=command.site_id),)
        await audit.record(tx, audit.entry(ctx, "flow.delay.set_telling", "U", entities=about))
        return command

    return await once_committed(ctx, SetTelling, work)


async def list_expected(ctx: Context, query: ListExpected) -> ExpectedStarts:
    """What begins later than booked today: at one of the actor's sites, or of the one patient they act for."""
    ctx.actor.require(READ)
    now, patient_id = ctx.clock.now(), ctx.actor.patient_id
    if query.site_id is not None:
        ctx.actor.require(LIST)
        _ensure_at(ctx, query.site_id)
        patient_id = None
    elif patient_id is None:
        return ExpectedStarts(items=())
    async with ctx.db.transaction() as tx:
        organization_id = ctx.actor.organization_id
        items = await store.expected_late(tx, organization_id, query.site_id, patient_id, now - BEHIND, now + AHEAD)
        about = tuple(audit.Entity(type="Appointment", id=each.appointment_id) for each in items) if patient_id else ()
        await audit.record(tx, audit.entry(ctx, "flow.delay.expected", "R", patient_id=patient_id, entities=about))
    return ExpectedStarts(items=tuple(items))


async def follow(ctx: Context, calendars: Iterable[UUID]) -> None:
    """Work out anew how late these calendars run, in a transaction of its own, for the organization in which `ctx` works."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        await store.sites_in_turn(tx, ctx.actor.organization_id)
        await _follow(ctx, tx, cipher, calendars)
    ctx.wake()


async def follow_moved(ctx: Context, moved: Moved) -> None:
    """`follow` for all that a job names."""
    calendars = {*moved.calendar_ids}
    if moved.appointment_id is not None:
        calendars |= await store.calendars_of(ctx.db, moved.organization_id, moved.appointment_id)
    if calendars:
        await follow(ctx, calendars)


async def watch(ctx: Context) -> int:
    """What time alone changes: who should have begun by now, and what takes longer than booked. The timer's turn; how many calendars."""
    now = ctx.clock.now()
    found = await store.calendars_to_watch(ctx.db, now - BEHIND, now + AHEAD, now, WATCHED_MAX)
    for organization_id, calendars in found.items():
        await follow(ctx.working_in(organization_id), calendars)
    return sum(map(len, found.values()))


async def _follow(ctx: Context, tx: Session, cipher: FieldCipher, calendars: Iterable[UUID], *, is_said: bool = False) -> None:
    """Keep and tell what changes. The caller holds the organization's sites."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    worked = await _work_out(tx, cipher, set(calendars), now)
    sites = await store.sites_in_turn(tx, organization_id)
    changes = [
        change
        for visit_id, found in worked.ripple.late.items()
        if (change := _change(worked, visit_id, found, sites, is_said=is_said)) is not None
    ]
    if changes:
        await store.update_expected(tx, organization_id, changes)
        await publish(ctx, tx, *(_expected(organization_id, each) for each in changes))
    for calendar_id, minutes in worked.ripple.calendars.items():
        await _detect(ctx, tx, worked, calendar_id, minutes, sites)


async def _work_out(tx: Session, cipher: FieldCipher, calendars: set[UUID], now: datetime) -> Worked:
    """The ripple on these calendars and on all to which it passes."""
    worked, reached = await _round(tx, cipher, calendars, now)
    for _ in range(ROUNDS_MAX):
        if reached <= calendars:
            break
        calendars = calendars | reached
        worked, reached = await _round(tx, cipher, calendars, now)
    return worked


async def _round(tx: Session, cipher: FieldCipher, calendars: set[UUID], now: datetime) -> tuple[Worked, set[UUID]]:
    """The ripple on these calendars alone, and all calendars of what is late by it."""
    found = await store.visits_of(tx, cipher, calendars, now - BEHIND, now + AHEAD)
    known = await store.latest_delays(tx, cipher.organization_id, calendars, now - BEHIND)
    said = {calendar_id: each.said for calendar_id, each in known.items() if each.said is not None}
    within = [each._replace(times=tuple(one for one in each.times if one.calendar_id in calendars)) for each in found]
    ripple = rules.ripple(within, said, now)
    late = [each for each in found if each.late or ripple.late.get(each.id, 0) >= rules.STEP_MINUTES]
    worked = Worked({each.id: each for each in found}, _by_calendar(found), ripple, known)
    return worked, {times.calendar_id for each in late for times in each.times}


def _by_calendar(visits: Iterable[rules.Visit]) -> dict[UUID, list[rules.Visit]]:
    found: dict[UUID, list[rules.Visit]] = {}
    for visit in visits:
        for calendar_id in {each.calendar_id for each in visit.times}:
            found.setdefault(calendar_id, []).append(visit)
    return found


def _change(worked: Worked, visit_id: UUID, found: int, sites: Mapping[UUID, store.Site], *, is_said: bool) -> store.Change | None:
    visit = worked.visits[visit_id]
    site = sites.get(visit.site_id)
    late = rules.settled(visit.late, found, is_said=is_said)
    by_emergency = late > 0 and visit_id in worked.ripple.by_emergency
    tell = rules.telling(late, visit.told, site.tell_minutes) if site else None
    if (late, by_emergency) == (visit.late, visit.by_emergency) and tell is None:
        return None
    return store.Change(visit, late, visit.told if tell is None else late, tell, by_emergency)


def _expected(organization_id: UUID, change: store.Change) -> AppointmentExpected:
    visit = change.visit
    return AppointmentExpected(
        organization_id=organization_id, appointment_id=visit.id, site_id=visit.site_id, patient_id=visit.patient_id, start=visit.start,
        late_minutes=change.late, by_emergency=change.by_emergency, version=change.version, tell=change.tell,
    )  # fmt: skip


async def _detect(ctx: Context, tx: Session, worked: Worked, calendar_id: UUID, minutes: int, sites: Mapping[UUID, store.Site]) -> None:
    """Note what is seen of a practitioner, unless somebody's word still stands, or it is what was known.

    A room or a device does not run late by itself: it waits for people.
    """
    before = worked.known.get(calendar_id)
    own = worked.by_calendar[calendar_id]
    if not any(calendar_id in each.people for each in own):
        return
    if before is not None and before.said is not None and rules.stands(own, calendar_id, before.said):
        return
    known = before.minutes if before else 0
    seen = rules.settled(known, minutes)
    site_id = before.site_id if before else next((each.site_id for each in own), None)
    if seen == known or site_id is None or site_id not in sites:
        return
    now = ctx.clock.now()
    found = Delay(calendar_id=calendar_id, site_id=site_id, day=sites[site_id].day(now), minutes=seen, said_at=now)
    await _write(ctx, tx, found, now, "system")
    about = (audit.Entity(type="Schedule", id=calendar_id),)
    await audit.record(tx, audit.entry_of_system(ctx, ctx.actor.organization_id, "flow.delay.detect", "U", entities=about))


async def _write(ctx: Context, tx: Session, delay: Delay, from_at: datetime, by: str) -> Delay:
    organization_id = ctx.actor.organization_id
    written = replace(delay, version=await store.put_delay(tx, organization_id, delay, from_at, by))
    fact = DelayChanged(
        organization_id=organization_id, calendar_id=written.calendar_id, site_id=written.site_id, day=written.day, minutes=written.minutes,
        source=written.source, version=written.version,
    )  # fmt: skip
    await publish(ctx, tx, fact)
    return written


async def _affected(ctx: Context, tx: Session, calendar_id: UUID, site_id: UUID, site: store.Site) -> store.Affected:
    """How many of a calendar's appointments there today are expected late. Raises `UnknownCalendar` where it has none."""
    today = _today(site, ctx.clock.now())
    found = await store.calendars_at(tx, ctx.actor.organization_id, site_id, *today, calendar_id)
    if calendar_id not in found:
        raise UnknownCalendar(calendar_id=str(calendar_id))
    return found[calendar_id]


async def _site(ctx: Context, db: Session, site_id: UUID) -> store.Site:
    site = await store.site_of(db, ctx.actor.organization_id, site_id)
    if site is None:
        raise UnknownCalendar(site_id=str(site_id))
    return site


def _shown(calendar_id: UUID, site_id: UUID, site: store.Site, now: datetime, known: Delay | None, affected: store.Affected) -> Delay:
    known = known or Delay(calendar_id=calendar_id, site_id=site_id, day=site.day(now))
    return replace(known, affected=affected.late, by_emergency=affected.by_emergency)


def _today(site: store.Site, now: datetime) -> tuple[datetime, datetime]:
    begins = datetime.combine(site.day(now), time.min, site.zone)
    return begins, datetime.combine(site.day(now) + timedelta(days=1), time.min, site.zone)


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("You work with calendars at your own sites only.")
