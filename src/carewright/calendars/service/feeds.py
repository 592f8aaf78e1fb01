"""Making, seeing and turning off feeds: each maker their own."""

import hashlib
import re
from uuid import UUID

from carewright.calendars import store
from carewright.calendars.context import CalendarsContext
from carewright.calendars.store import Whose
from carewright.contracts.calendars import Feed, FeedPatientGone, FeedsList, MadeFeed, MakeFeed, TooManyFeeds, UnknownFeed
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import UnknownSchedule
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.idempotency import once, remember
from carewright.kernel.rng import new_secret

MANAGE = "calendars.feed.manage"
READ_CALENDAR = "scheduling.calendar.read"
PREFIX = "cwf_"
"""So that whoever finds an address in the wrong place, a secret scanner for one, knows what it is."""
TOKEN_BYTES = 24
TOKEN = re.compile(PREFIX + "[0-9a-f]{48}")
FEEDS_MAX = 10
ADDRESS = "/feeds/{}.ics"


async def make_feed(ctx: CalendarsContext, command: MakeFeed) -> MadeFeed:
    """A new feed: a patient's of their own appointments, staff's of a calendar that they may read.

    Raises `UnknownSchedule`, `TooManyFeeds`, and `FeedPatientGone` for somebody who was erased.
    """
    ctx.actor.require(MANAGE)
    of = await _whose(ctx, command)

    async def work() -> MadeFeed:
        token, now = PREFIX + new_secret(TOKEN_BYTES).hex(), ctx.clock.now()
        async with ctx.db.transaction() as tx:
            if of.patient_id and not await store.lock_patient(tx, ctx.actor.organization_id, of.patient_id):
                raise FeedPatientGone(patient_id=str(of.patient_id))
            made = await store.insert_feed(tx, ctx.actor, ctx.ids.new(), hash_of(token), of, now, FEEDS_MAX)
            if made is None:
                raise TooManyFeeds(limit=FEEDS_MAX)
            await audit.record(tx, entry_of(ctx, "calendars.feed.create", "C", made.id, of.patient_id))
            await remember(ctx, tx, MadeFeed(feed=made))
        return MadeFeed(feed=made, path=ADDRESS.format(token))

    return await once(ctx, MadeFeed, work)


async def list_feeds(ctx: CalendarsContext) -> FeedsList:
    """The actor's own, oldest first, without their addresses: nobody knows those any more."""
    ctx.actor.require(MANAGE)
    return FeedsList(items=tuple(await store.feeds_of_maker(ctx.db, ctx.actor)))


async def end_feed(ctx: CalendarsContext, feed_id: UUID) -> Feed:
    """Turn a feed off, at once and for everybody who has its address. Raises `UnknownFeed`, for somebody else's too."""
    ctx.actor.require(MANAGE)
    async with ctx.db.transaction() as tx:
        ended = await store.delete_feed(tx, ctx.actor.organization_id, feed_id, ctx.actor.subject)
        if ended is None:
            raise UnknownFeed
        await audit.record(tx, entry_of(ctx, "calendars.feed.delete", "D", feed_id, ctx.actor.patient_id))
    return ended


def hash_of(token: str) -> bytes:
    """What is stored of an address."""
    return hashlib.sha256(token.encode()).digest()


def entry_of(ctx: CalendarsContext, event: str, action: audit.Action, feed_id: UUID, patient_id: UUID | None) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=patient_id, entities=(audit.Entity(type="Feed", id=feed_id),))


async def _whose(ctx: CalendarsContext, command: MakeFeed) -> Whose:
    """Patients get their own appointments and nothing else; a calendar must be one that the actor reads."""
    if command.schedule_id is None:
        if ctx.actor.patient_id is None:
            raise BadInput("Say whose calendar: `schedule_id` is missing.", parameter="schedule_id")
        return Whose(patient_id=ctx.actor.patient_id)
    ctx.actor.require(READ_CALENDAR)
    asked = ListSchedules(ids=(command.schedule_id,))
    if not (await ctx.scheduling.list_schedules(ctx.actor, asked)).items:
        raise UnknownSchedule(schedule_id=str(command.schedule_id))
    return Whose(schedule_id=command.schedule_id)
