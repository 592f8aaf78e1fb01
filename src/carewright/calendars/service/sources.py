"""Calendars of others for ours: added and listed by whoever may change the calendar that each closes."""

from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from carewright.calendars import store
from carewright.calendars.context import CalendarsContext
from carewright.calendars.store import Source
from carewright.contracts.calendars import UnknownSource
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import UnknownSchedule
from carewright.kernel import audit
from carewright.kernel.errors import BadInput

CHANGE = "scheduling.calendar.change"
HTTPS, WEBCAL = "https://", "webcal://"


async def add_source(ctx: CalendarsContext, schedule_id: UUID, time_zone: str, address: str | None) -> Source:
    """A calendar of others for one of ours, fetched at `address` (https, which `webcal` stands for) or, without one, brought as files.

    `time_zone` is that of whole days, and of times that name none. Raises `UnknownSchedule`, `AddressRefused`, `BadInput`.
    """
    ctx.actor.require(CHANGE)
    zone_of(time_zone)
    asked = _asked(ctx, address) if address is not None else None
    if not (await ctx.scheduling.list_schedules(ctx.actor, ListSchedules(ids=(schedule_id,)))).items:
        raise UnknownSchedule(schedule_id=str(schedule_id))
    source = Source(ctx.actor.organization_id, ctx.ids.new(), schedule_id, time_zone, ctx.actor.site_ids, asked)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        await store.insert_source(tx, cipher, source, ctx.clock.now())
        await audit.record(tx, entry_of(ctx, "calendars.source.create", "C", source))
    return source


async def list_sources(ctx: CalendarsContext) -> list[Source]:
    """All of them, oldest first."""
    ctx.actor.require(CHANGE)
    return await store.sources(ctx.db, await ctx.cipher())


async def get_source(ctx: CalendarsContext, source_id: UUID) -> Source:
    """Raises `UnknownSource`."""
    found = await store.source_by_id(ctx.db, await ctx.cipher(), source_id)
    if found is None:
        raise UnknownSource(source_id=str(source_id))
    return found


def zone_of(name: str) -> ZoneInfo:
    """Raises `BadInput` for what is no zone of IANA's."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise BadInput("The time zone is not an IANA time zone name, such as America/Chicago.", parameter="time_zone") from fault


def entry_of(ctx: CalendarsContext, event: str, action: audit.Action, source: Source, code: str | None = None) -> audit.Entry:
    about = (audit.Entity(type="Schedule", id=source.schedule_id),)
    return audit.entry(ctx, event, action, entities=about, outcome="failed" if code else "success", code=code)


def _asked(ctx: CalendarsContext, address: str) -> str:
    asked = HTTPS + address[len(WEBCAL) :] if address.lower().startswith(WEBCAL) else address
    if not asked.lower().startswith(HTTPS):
        raise BadInput("The address of a calendar begins with https://.", parameter="address")
    ctx.outgoing.ensure_asked(asked)
    return asked
