"""A feed as somebody fetches it who knows its address, and nothing else about themselves.

It is written anew after whatever changed it, and once a day, since what it shows begins some days ago. Between, it is shown as it stands,
and nobody's appointments are read. The first fetch of a day is in the journal; so is, each time it is written, the reading for it.
"""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from carewright.calendars import store
from carewright.calendars.context import CalendarsContext
from carewright.calendars.model.feed import entries_for_patient, entries_for_staff
from carewright.calendars.service.feeds import MANAGE, TOKEN, entry_of, hash_of
from carewright.calendars.store import Standing
from carewright.contracts.calendars import UnknownFeed
from carewright.contracts.icalendar import Entry, calendar
from carewright.contracts.permissions import ROLES
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.kernel import audit
from carewright.kernel.authz import Actor

READS_OWN = frozenset({"scheduling.appointment.read", "directory.read"})
READS_CALENDAR = frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient", "scheduling.calendar.read"})
"""What calendars may while they write a feed."""
PAGE, PAGES_MAX = 500, 10


async def show_feed(base: CalendarsContext, token: str, asked_from: str | None) -> bytes:
    """The feed at an address. Raises `UnknownFeed` for one that was never there, was turned off, or whose maker may no longer."""
    found = await store.feed_by_token(base.db, hash_of(token)) if TOKEN.fullmatch(token) else None
    if found is None:
        raise UnknownFeed
    ctx = base.working_in(found.organization_id).at(asked_from)
    cipher, today = await ctx.cipher(), ctx.clock.now().date()
    content = store.content_of(cipher, found)
    if content is None or (found.written_changes, found.written_on) != (found.changes, today):
        await _ensure_maker(ctx, found)
        content = await _written(ctx, found)
        await store.write_feed(ctx.db, cipher, found, content, today)
    async with ctx.db.transaction() as tx:
        if await store.note_fetched(tx, found, today):
            await audit.record(tx, entry_of(ctx, "calendars.feed.read", "R", found.id, found.of.patient_id))
    return content


async def _ensure_maker(ctx: CalendarsContext, feed: Standing) -> None:
    """End the feed of an account that is disabled, or whose role may have none any more."""
    account = await ctx.access.account_of(ctx.actor, feed.made_by)
    if account is None or (not account.disabled and MANAGE in ROLES.get(account.role, frozenset())):
        return
    async with ctx.db.transaction() as tx:
        if await store.delete_feed(tx, feed.organization_id, feed.id, feed.made_by):
            await audit.record(tx, entry_of(ctx, "calendars.feed.delete", "D", feed.id, feed.of.patient_id))
    raise UnknownFeed


async def _written(ctx: CalendarsContext, feed: Standing) -> bytes:
    refresh = timedelta(minutes=ctx.settings.refresh_minutes)
    if feed.of.schedule_id is None:
        return calendar(await _of_patient(ctx, feed), name="My appointments", refresh=refresh)
    actor = replace(ctx.actor, permissions=READS_CALENDAR, site_ids=feed.site_ids)
    schedules = (await ctx.scheduling.list_schedules(actor, ListSchedules(ids=(feed.of.schedule_id,)))).items
    entries = await _of_schedule(ctx, actor, feed.of.schedule_id) if schedules else []
    return calendar(entries, name=schedules[0].display if schedules else "", refresh=refresh)


async def _of_patient(ctx: CalendarsContext, feed: Standing) -> list[Entry]:
    now, actor = ctx.clock.now(), replace(ctx.actor, permissions=READS_OWN, patient_id=feed.of.patient_id)
    asked = SearchAppointments(start_from=now - timedelta(days=ctx.settings.past_days), limit=PAGE)
    sites = {site.id: site for site in (await ctx.directory.find_sites(actor)).items}
    return entries_for_patient(await _found(ctx, actor, asked), sites, now, timedelta(days=ctx.settings.cancelled_days))


async def _of_schedule(ctx: CalendarsContext, actor: Actor, schedule_id: UUID) -> list[Entry]:
    now, settings = ctx.clock.now(), ctx.settings
    asked = SearchAppointments(
        actor_ids=(schedule_id,), limit=PAGE,
        start_from=now - timedelta(days=settings.past_days), start_until=now + timedelta(days=settings.ahead_days),
    )  # fmt: skip
    return entries_for_staff(await _found(ctx, actor, asked), now, timedelta(days=settings.cancelled_days))


async def _found(ctx: CalendarsContext, actor: Actor, asked: SearchAppointments) -> list[Appointment]:
    """The first `PAGE` times `PAGES_MAX` of them, by start."""
    found: list[Appointment] = []
    for _ in range(PAGES_MAX):
        page = await ctx.scheduling.search_appointments(actor, asked)
        found += page.items
        if page.next is None:
            break
        asked = replace(asked, after=page.next)
    return found
