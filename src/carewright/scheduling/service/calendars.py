"""Working hours, blocks, and one actor's calendar. A change never drops an appointment: it returns those it hits."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.hours import BlockChange, BlockTime, Busy, SetWorkingHours
from carewright.contracts.schedules import Calendar, GetCalendar, ListSchedules, SchedulesPage
from carewright.contracts.scheduling import (
    Appointment,
    CalendarChanged,
    ScheduleChanged,
    UnknownBlock,
    UnknownSchedule,
    UnknownSite,
)  # fmt: skip
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput
from carewright.kernel.idempotency import once, remember
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.hours import Hours, openings_from
from carewright.scheduling.service.cursors import page_of

PERIOD_DAYS_MAX = 31
BLOCK_DAYS_MAX = 366
EXTEND_BATCH_MAX = 50
EXTEND_EVERY_DAYS = 1


async def block_time(ctx: SchedulingContext, command: BlockTime) -> CalendarChanged:
    """Close an actor's calendar for a period, and return the appointments inside: somebody must decide about each."""
    ctx.actor.require("scheduling.calendar.change")
    start, end = period_of(command.start, command.end, BLOCK_DAYS_MAX)
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    now = ctx.clock.now()

    async def work() -> CalendarChanged:
        block_id = ctx.ids.new()
        async with ctx.db.transaction() as tx:
            site_ids = await shut(ctx, tx, command.schedule_id)
            await store.insert_block(tx, cipher, block_id, command, start, end, ctx.actor.subject, now)
            hit = await store.appointments_hit(tx, cipher, command.schedule_id, start, end, now)
            answer = _answer(ctx, command.schedule_id, hit, block_id)
            blocked = BlockChange(id=block_id, start=start, end=end, is_open=False)
            await reopen(ctx, tx, answer, site_ids, "scheduling.calendar.block", blocked)
            await remember(ctx, tx, answer)
        await read_back(ctx, calendars, command.schedule_id)
        return answer

    return await once(ctx, CalendarChanged, work)


async def unblock_time(ctx: SchedulingContext, block_id: UUID) -> CalendarChanged:
    """Open a blocked period again."""
    ctx.actor.require("scheduling.calendar.change")
    calendars = await ctx.calendars()

    async def work() -> CalendarChanged:
        async with ctx.db.transaction() as tx:
            schedule_id = await store.block_schedule(tx, calendars.organization_id, block_id)
            if schedule_id is None:
                raise UnknownBlock(block_id=str(block_id))
            site_ids = await shut(ctx, tx, schedule_id)
            period = await store.delete_block(tx, calendars.organization_id, block_id)
            if period is None:
                raise UnknownBlock(block_id=str(block_id))
            answer = CalendarChanged(schedule_id=schedule_id, block_id=block_id)
            opened = BlockChange(id=block_id, start=period[0], end=period[1], is_open=True)
            await reopen(ctx, tx, answer, site_ids, "scheduling.calendar.unblock", opened)
            await remember(ctx, tx, answer)
        await read_back(ctx, calendars, schedule_id)
        return answer

    return await once(ctx, CalendarChanged, work)


async def set_working_hours(ctx: SchedulingContext, command: SetWorkingHours) -> CalendarChanged:
    """Replace an actor's working rules from now on, and return the appointments that no longer lie within them."""
    ctx.actor.require("scheduling.calendar.change")
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    organization_id, now = calendars.organization_id, ctx.clock.now()
    hours = Hours(weekly=command.weekly, exceptions=command.exceptions, leave=command.leave)
    zones = _zones(calendars, hours)
    for site_id in zones:
        ctx.require_site(site_id)

    async def work() -> CalendarChanged:
        until = _last_day(now, ctx.settings.horizon_days)
        async with ctx.db.transaction() as tx:
            site_ids = await shut(ctx, tx, command.schedule_id)
            await store.save_hours(tx, organization_id, command.schedule_id, hours, until)
            openings = openings_from(hours, zones, now.date() - timedelta(days=1), until)
            await store.replace_openings(tx, organization_id, command.schedule_id, openings, _day(now.date() - timedelta(days=1)))
            hit = await store.appointments_outside_hours(tx, cipher, command.schedule_id, now)
            answer = _answer(ctx, command.schedule_id, hit)
            await reopen(ctx, tx, answer, site_ids, "scheduling.calendar.set_hours")
            await remember(ctx, tx, answer)
        await read_back(ctx, calendars, command.schedule_id)
        return answer

    return await once(ctx, CalendarChanged, work)


async def get_calendar(ctx: SchedulingContext, query: GetCalendar) -> Calendar:
    """One actor's openings and what is taken, over at most 31 days."""
    ctx.actor.require("scheduling.calendar.read")
    start, end = period_of(query.from_at, query.until_at, PERIOD_DAYS_MAX)
    calendars = await ctx.calendars()
    known = calendars.bookables.get(query.schedule_id)
    if known is None or not ctx.reaches(known.site_ids):
        raise UnknownSchedule(schedule_id=str(query.schedule_id))
    async with ctx.db.transaction() as tx:
        window = (tx, calendars.organization_id, known.id, start, end)
        openings = tuple(each for each in await store.openings_of_schedule(*window) if ctx.actor.works_at(each.site_id))
        claims = await store.claims_of_schedule(*window, ctx.clock.now(), ctx.actor.site_ids)
        blocks = await store.blocks_of_schedule(*window)
        about = audit.Entity(type="Schedule", id=known.id)
        await audit.record(tx, audit.entry(ctx, "scheduling.calendar.read", "R", entities=(about,)))
    busy: Iterable[Busy] = sorted((*claims, *blocks), key=lambda each: each.start)
    return Calendar(schedule_id=known.id, kind=known.kind, display=known.display, openings=openings, busy=tuple(busy))


async def list_schedules(ctx: SchedulingContext, query: ListSchedules) -> SchedulesPage:
    """Whose calendars there are at the actor's sites, in pages by id. It tells no more than the directory does of who works where."""
    ctx.actor.require("scheduling.calendar.read")
    found = await store.schedules_page(ctx.db, ctx.actor.organization_id, query, ctx.actor.site_ids)
    items, after = page_of(found, query.limit)
    return SchedulesPage(items=items, next=after)


async def extend_openings(ctx: SchedulingContext) -> int:
    """Materialise calendars further, batch by batch, so that they always reach the horizon. The timer's turn."""
    extended = 0
    while count := await _extend_batch(ctx):
        extended += count
    return extended


async def _extend_batch(ctx: SchedulingContext) -> int:
    now = ctx.clock.now()
    until, yesterday = _last_day(now, ctx.settings.horizon_days), now.date() - timedelta(days=1)
    async with ctx.db.transaction() as tx:
        schedules = await store.schedules_to_extend(tx, until, EXTEND_BATCH_MAX)
        for organization_id, schedule_id, hours, reached in schedules:
            zones = {each: zone for each, zone in (await store.zones(tx, organization_id)).items() if each in hours.site_ids}
            openings = openings_from(hours, zones, max(reached + timedelta(days=1), yesterday), until)
            await store.add_openings(tx, organization_id, schedule_id, openings)
            version = await store.extend_materialised(tx, organization_id, schedule_id, until)
            event = ScheduleChanged(organization_id=organization_id, schedule_id=schedule_id, calendar_version=version)
            await outbox.publish(ctx, tx, event)
            about = audit.Entity(type="Schedule", id=schedule_id)
            await audit.record(tx, audit.entry_of_system(ctx, organization_id, "scheduling.calendar.extend", "U", entities=(about,)))
    if schedules:
        ctx.wake()
    return len(schedules)


def _answer(
    ctx: SchedulingContext, schedule_id: UUID, hit: tuple[Appointment, ...], block_id: UUID | None = None
) -> CalendarChanged:  # fmt: skip
    """What a change hit. Appointments say whose they are, so who runs the system and sees no patients learns of their ids alone."""
    reads = ctx.actor.may("scheduling.appointment.read") and not ctx.by_patient
    return CalendarChanged(
        schedule_id=schedule_id, block_id=block_id, hit_appointment_ids=tuple(each.id for each in hit), hit=hit if reads else ()
    )


async def shut(ctx: SchedulingContext, tx: Session, schedule_id: UUID) -> Sequence[UUID]:
    """Lock the calendar against bookings until the transaction ends, and say which sites it belongs to.

    Who has sites named changes what lies within them alone.
    """
    site_ids = await store.lock_schedule(tx, ctx.actor.organization_id, schedule_id)
    if site_ids is None or not ctx.reaches(site_ids):
        raise UnknownSchedule(schedule_id=str(schedule_id))
    for site_id in site_ids:
        ctx.require_site(site_id)
    return site_ids


async def reopen(
    ctx: SchedulingContext, tx: Session, change: CalendarChanged, site_ids: Sequence[UUID], deed: str, block: BlockChange | None = None
) -> None:
    """Raise the version, so that bookings decided on the old calendar are refused, and report the change.

    Each appointment that the change shows was listed, which is not opening it: who calls off a full day reads nothing too fast. `deed` is
    what the journal calls the change.
    """
    organization_id = ctx.actor.organization_id
    version = await store.raise_calendar_version(tx, organization_id, change.schedule_id)
    event = ScheduleChanged(
        organization_id=organization_id, schedule_id=change.schedule_id, calendar_version=version,
        site_ids=tuple(site_ids), hit_appointment_ids=change.hit_appointment_ids, block=block,
    )  # fmt: skip
    await outbox.publish(ctx, tx, event)
    about = audit.Entity(type="Schedule", id=change.schedule_id)
    changed = audit.entry(ctx, deed, "U", entities=(about,))
    await audit.record(tx, changed, *(store.entry_of(ctx, "scheduling.appointment.list", "E", each) for each in change.hit))


async def read_back(ctx: SchedulingContext, calendars: Calendars, schedule_id: UUID) -> None:
    """Look again at a calendar that was just changed here, and have others look."""
    await ctx.live.reload(calendars, [schedule_id])
    ctx.wake()


def _zones(calendars: Calendars, hours: Hours) -> dict[UUID, ZoneInfo]:
    """The time zone of every site the hours name."""
    wanted = hours.site_ids
    missing = [str(site_id) for site_id in wanted if site_id not in calendars.sites]
    if missing:
        raise UnknownSite("Working hours name a site that we do not know.", site_ids=missing)
    return {site_id: calendars.sites[site_id].zone for site_id in wanted}


def period_of(start: datetime, end: datetime, days_max: int) -> tuple[datetime, datetime]:
    """The same in UTC. Raises `BadInput` where it does not end after it begins, or is too long."""
    start, end = utc(start), utc(end)
    if end <= start:
        raise BadInput("The period must end after it begins.", parameter="end")
    if end - start > timedelta(days=days_max):
        raise BadInput(f"The period may span at most {days_max} days.", parameter="end")
    return start, end


def _last_day(now: datetime, horizon_days: int) -> date:
    """One day beyond the horizon, so that the far end is whole in every zone."""
    return (now + timedelta(days=horizon_days + EXTEND_EVERY_DAYS)).date()


def _day(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)
