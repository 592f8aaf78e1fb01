"""Who or what is out of service: said from when to when, ended early, and listed with what it hits."""

from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.directory import ActorKind
from carewright.contracts.hours import BlockChange
from carewright.contracts.outages import (
    REPORT,
    ListOutages,
    Outage,
    OutageEnded,
    OutageReported,
    OutagesPage,
    ReportOutage,
    UnknownOutage,
    may_report,
)
from carewright.contracts.scheduling import CalendarChanged, UnknownSchedule
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.idempotency import once, remember
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.outages import fact_of
from carewright.scheduling.service.calendars import BLOCK_DAYS_MAX, period_of, read_back, reopen, shut
from carewright.scheduling.service.cursors import page_of
from carewright.scheduling.service.picking import known_site
from carewright.scheduling.store import outages as store

READ = "scheduling.calendar.read"


async def report_outage(ctx: SchedulingContext, command: ReportOutage) -> Outage:
    """Close the calendar of what is out of service. What is booked in it stays, and is named: somebody must decide about each.

    Raises `UnknownSchedule`; `BadInput` for a time that is over; `Forbidden` for another person, unless the actor runs people's time.
    """
    ctx.actor.require(REPORT)
    calendars, now = await ctx.calendars(), ctx.clock.now()
    known = calendars.bookables.get(command.schedule_id)
    if known is None:
        raise UnknownSchedule(schedule_id=str(command.schedule_id))
    _require_of(ctx, known.kind, known.id)
    start, end = period_of(command.start or now, command.end, BLOCK_DAYS_MAX)
    if end <= now:
        raise BadInput("That time is over.", parameter="end")

    async def work() -> Outage:
        outage_id = ctx.ids.new()
        async with ctx.db.transaction() as tx:
            site_ids = await shut(ctx, tx, command.schedule_id)
            await store.insert(tx, ctx.actor.organization_id, outage_id, command, (start, end), ctx.actor.subject, now)
            outage = await _known(ctx, tx, outage_id)
            change = CalendarChanged(schedule_id=outage.schedule_id, hit_appointment_ids=outage.hit_appointment_ids)
            closed = BlockChange(id=outage_id, start=start, end=end, is_open=False)
            await reopen(ctx, tx, change, site_ids, "scheduling.outage.report", closed)
            await outbox.publish(ctx, tx, fact_of(OutageReported, outage, ctx.actor.organization_id))
            await remember(ctx, tx, outage)
        await read_back(ctx, calendars, command.schedule_id)
        return outage

    return await once(ctx, Outage, work)


async def end_outage(ctx: SchedulingContext, outage_id: UUID) -> Outage:
    """In service again from now on. What is over already is answered as it is; what has not begun is withdrawn, and ends as it starts.

    Raises `UnknownOutage`, and `Forbidden` as `report_outage` does.
    """
    ctx.actor.require(REPORT)
    calendars, now = await ctx.calendars(), ctx.clock.now()

    async def work() -> Outage:
        async with ctx.db.transaction() as tx:
            found = await _known(ctx, tx, outage_id)
            _require_of(ctx, found.kind, found.schedule_id)
            site_ids = await shut(ctx, tx, found.schedule_id)
            before = await _known(ctx, tx, outage_id)
            if before.end <= now:
                await remember(ctx, tx, before)
                return before
            ended = replace(before, end=max(before.start, now), hit_appointment_ids=())
            await _save_end(ctx, tx, ended)
            opened = BlockChange(id=outage_id, start=before.start, end=before.end, is_open=True)
            await reopen(ctx, tx, CalendarChanged(schedule_id=before.schedule_id), site_ids, "scheduling.outage.end", opened)
            await outbox.publish(ctx, tx, fact_of(OutageEnded, ended, ctx.actor.organization_id))
            await remember(ctx, tx, ended)
        await read_back(ctx, calendars, ended.schedule_id)
        return ended

    return await once(ctx, Outage, work)


async def get_outage(ctx: SchedulingContext, outage_id: UUID) -> Outage:
    """One, with what it hits. Raises `UnknownOutage`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        outage = await _known(ctx, tx, outage_id)
        about = audit.Entity(type="Schedule", id=outage.schedule_id)
        await audit.record(tx, audit.entry(ctx, "scheduling.outage.read", "R", entities=(about,)))
    return outage


async def list_outages(ctx: SchedulingContext, query: ListOutages) -> OutagesPage:
    """What is out of service at a site, with what it hits, in pages by when it was reported. Raises `UnknownSite`."""
    ctx.actor.require(READ)
    ctx.require_site(query.site_id)
    calendars = await ctx.calendars()
    known_site(calendars, query.site_id)
    async with ctx.db.transaction() as tx:
        found = await store.page(tx, calendars.organization_id, query, ctx.clock.now(), ctx.actor.site_ids)
        about = audit.Entity(type="Location", id=query.site_id)
        await audit.record(tx, audit.entry(ctx, "scheduling.outage.list", "R", entities=(about,)))
    items, after = page_of(found, query.limit)
    return OutagesPage(items=items, next=after)


def _require_of(ctx: SchedulingContext, kind: ActorKind, schedule_id: UUID) -> None:
    if not may_report(ctx.actor, kind, schedule_id):
        raise Forbidden("You can say so of rooms and devices, and of yourself.")


async def _known(ctx: SchedulingContext, tx: Session, outage_id: UUID) -> Outage:
    found = await store.one(tx, ctx.actor.organization_id, outage_id, ctx.clock.now(), ctx.actor.site_ids)
    if found is None:
        raise UnknownOutage(outage_id=str(outage_id))
    return found


async def _save_end(ctx: SchedulingContext, tx: Session, ended: Outage) -> None:
    organization_id = ctx.actor.organization_id
    if ended.end == ended.start:
        await store.withdraw(tx, organization_id, ended.id)
    else:
        await store.end(tx, organization_id, ended.id, ended.end)
