"""Busy times of a calendar that others keep, as blocks of one of ours: made, moved and removed as that calendar changes.

A block cancels nothing: appointments that stand there are conflicts, and listed. What cannot be understood whole changes nothing. What will
be blocked is noted before it is, under the key of the block: the next read goes on with one that ended midway, and makes no block twice.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.calendars import store
from carewright.calendars.context import CalendarsContext
from carewright.calendars.model.busy import Stretch, busy_in, changed
from carewright.calendars.service.sources import CHANGE, entry_of, get_source, zone_of
from carewright.calendars.store import Blocked, Source
from carewright.contracts.calendars import CalendarNotFetched
from carewright.contracts.hours import BlockTime
from carewright.contracts.permissions import SYSTEM
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import UnknownBlock
from carewright.kernel import audit, telemetry
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal, Unavailable, UpstreamRefused
from carewright.kernel.values import Instant, utc

REASON = "Busy in another calendar"
POLL_MINUTES = 15
SOURCES_A_TURN = 20
LOOK_DAYS = 31
"""What scheduling shows of a calendar at once."""
log = telemetry.logger(__name__)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a read changed, and how many appointments stand in what it blocked."""

    blocked: int
    opened: int
    unchanged: int
    hit: int


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that stands where the other calendar is busy."""

    appointment_id: UUID
    start: Instant
    end: Instant


async def read_source(ctx: CalendarsContext, source_id: UUID, content: bytes | None = None) -> Outcome:
    """Bring the blocks of a source to what its calendar says: the file in `content`, or what stands at its address.

    Raises `UnknownSource`, `CalendarNotUnderstood`, `CalendarNotFetched`; the code is kept with the source, and every block stays.
    """
    ctx.actor.require(CHANGE)
    return await _read(ctx, await get_source(ctx, source_id), content)


async def drop_source(ctx: CalendarsContext, source_id: UUID) -> Outcome:
    """Forget a source, and open what it had closed."""
    ctx.actor.require(CHANGE)
    source = await get_source(ctx, source_id)
    outcome = await _brought(ctx, source, [])
    async with ctx.db.transaction() as tx:
        await store.delete_source(tx, source)
        await audit.record(tx, entry_of(ctx, "calendars.source.delete", "D", source))
    return outcome


async def list_conflicts(ctx: CalendarsContext, source_id: UUID) -> list[Conflict]:
    """The appointments that stand in what a source closed and did not end yet, by start: somebody must decide about each."""
    ctx.actor.require(CHANGE)
    source, now = await get_source(ctx, source_id), ctx.clock.now()
    closed = [each.stretch for each in await store.blocked_by(ctx.db, source) if each.stretch.end > now]
    if not closed:
        return []
    standing = await _standing(ctx, source, closed[0].start, max(each.end for each in closed))
    return [each for each in standing if any(each.start < stretch.end and stretch.start < each.end for stretch in closed)]


async def read_due(base: CalendarsContext) -> int:
    """Read the sources whose turn it is, a bounded number of them. One that cannot be read waits for its next turn."""
    for done in range(SOURCES_A_TURN):
        now = base.clock.now()
        due = await store.claim_source(base.db, now, now + timedelta(minutes=POLL_MINUTES))
        if due is None:
            return done
        organization_id, source_id = due
        ctx = base.working_in(organization_id)
        try:
            source = await get_source(ctx, source_id)
            await _read(ctx.acting(_hand(source)), source, None)
        except Unavailable:
            raise
        except Refusal as refusal:
            log.info("calendars.source.waits", source_id=str(source_id), code=refusal.code)
    return SOURCES_A_TURN


async def _read(ctx: CalendarsContext, source: Source, content: bytes | None) -> Outcome:
    try:
        read = content if content is not None else await _fetched(ctx, source)
        wanted = await asyncio.to_thread(busy_in, read, zone_of(source.time_zone), _window(ctx))
        outcome = await _brought(ctx, source, wanted)
    except Refusal as refusal:
        async with ctx.db.transaction() as tx:
            await store.note_read(tx, source, ctx.clock.now(), refusal.code)
            await audit.record(tx, entry_of(ctx, "calendars.source.read", "U", source, refusal.code))
        raise
    async with ctx.db.transaction() as tx:
        await store.note_read(tx, source, ctx.clock.now(), None)
        if outcome.blocked or outcome.opened:
            await audit.record(tx, entry_of(ctx, "calendars.source.read", "U", source))
    return outcome


async def _fetched(ctx: CalendarsContext, source: Source) -> bytes:
    if source.address is None:
        raise CalendarNotFetched(reason="no-address")
    try:
        answer = await ctx.outgoing.fetch("GET", source.address, headers={"Accept": "text/calendar"})
    except (Unavailable, UpstreamRefused) as fault:
        raise CalendarNotFetched(reason=fault.code) from fault
    if answer.status_code != 200:
        raise CalendarNotFetched(reason=f"status-{answer.status_code}")
    return answer.content


async def _brought(ctx: CalendarsContext, source: Source, wanted: list[Stretch]) -> Outcome:
    """New blocks before old ones go, so that no moment is open that is busy in both. What an earlier read began is finished first."""
    now, began = ctx.clock.now(), _window(ctx).start
    before = [each.stretch for each in await store.blocked_by(ctx.db, source)]
    fresh, gone = changed((each for each in before if each.end > began), wanted)
    await store.plan_blocked(ctx.db, source, [ctx.ids.new() for _ in fresh], fresh)
    hit, opened = set[UUID](), 0
    for each in await store.blocked_by(ctx.db, source):
        if each.stretch.end <= began:
            await store.delete_blocked(ctx.db, source, each.id)
            continue
        if each.block_id is None:
            hit |= await _block(ctx, source, each)
    for each in await store.blocked_by(ctx.db, source):
        if each.stretch in gone:
            await _open(ctx, source, each, ended=each.stretch.end <= now)
            opened += 1
    return Outcome(blocked=len(fresh), opened=opened, unchanged=len(wanted) - len(fresh), hit=len(hit))


async def _block(ctx: CalendarsContext, source: Source, blocked: Blocked) -> set[UUID]:
    """Close the time under the row's id as its key, and return the appointments that stand in it."""
    start, end = blocked.stretch
    command = BlockTime(schedule_id=source.schedule_id, start=start, end=end, reason=REASON)
    made = await ctx.scheduling.block_time(_hand(source), command, f"calendars-{blocked.id}")
    await store.note_blocked(ctx.db, source, blocked.id, made.block_id)
    return set(made.hit_appointment_ids)


async def _open(ctx: CalendarsContext, source: Source, blocked: Blocked, *, ended: bool) -> None:
    if not ended and blocked.block_id is not None:
        with suppress(UnknownBlock):  # somebody opened it already
            await ctx.scheduling.unblock_time(_hand(source), blocked.block_id, f"calendars-open-{blocked.id}")
    await store.delete_blocked(ctx.db, source, blocked.id)


async def _standing(ctx: CalendarsContext, source: Source, start: datetime, until: datetime) -> list[Conflict]:
    """What is booked in the calendar, each appointment once."""
    found: dict[UUID, Conflict] = {}
    while start < until:
        end = min(start + timedelta(days=LOOK_DAYS), until)
        shown = await ctx.scheduling.get_calendar(ctx.actor, GetCalendar(schedule_id=source.schedule_id, from_at=start, until_at=end))
        for each in shown.busy:
            if each.status == "busy" and each.appointment_id:
                found.setdefault(each.appointment_id, Conflict(appointment_id=each.appointment_id, start=each.start, end=each.end))
        start = end
    return sorted(found.values(), key=lambda each: each.start)


def _hand(source: Source) -> Actor:
    """Who blocks and opens: the system, within what whoever added the source may change. So the next read goes on by the same keys."""
    return Actor(
        subject=SYSTEM, organization_id=source.organization_id, role=SYSTEM, purpose="HOPERAT", permissions=frozenset({CHANGE}),
        site_ids=source.site_ids,
    )  # fmt: skip


def _window(ctx: CalendarsContext) -> Stretch:
    """From the beginning of yesterday, so that it moves once a day, to as far ahead as calendars may be booked."""
    today = utc(ctx.clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return Stretch(today - timedelta(days=1), today + timedelta(days=ctx.settings.busy_days))
