"""How calendars are wired."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

from carewright.calendars import handlers, store
from carewright.calendars.context import CalendarsContext
from carewright.calendars.http import PRIORITIES, ROUTES, pages
from carewright.calendars.jobs import TIMERS
from carewright.calendars.service import feeds
from carewright.calendars.service.keeping import reseal_feeds, reseal_sources
from carewright.calendars.settings import CalendarsSettings
from carewright.contracts.access import Access, AccountChanged
from carewright.contracts.calendars import CalendarFeeds, Feed, FeedsList, MadeFeed, MakeFeed
from carewright.contracts.directory import Directory
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentRequested,
    AppointmentRescheduled,
    AppointmentTransferred,
    Scheduling,
)
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running


class LocalCalendarFeeds:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: CalendarsContext) -> None:
        self._context = context

    async def make_feed(self, actor: Actor, command: MakeFeed, idempotency_key: str | None = None) -> MadeFeed:
        return await feeds.make_feed(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_feeds(self, actor: Actor) -> FeedsList:
        return await feeds.list_feeds(self._context.acting(actor))

    async def end_feed(self, actor: Actor, feed_id: UUID) -> Feed:
        return await feeds.end_feed(self._context.acting(actor), feed_id)


async def start(base: Context, settings: CalendarsSettings, resolve: Callable[[type], Any]) -> Running:
    """Calendars need their tables, and those whose appointments they show."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = CalendarsContext(
        **world, settings=settings, access=resolve(Access), directory=resolve(Directory), scheduling=resolve(Scheduling),
        outgoing=resolve(Outgoing),
    )  # fmt: skip
    return Running(context, {CalendarFeeds: LocalCalendarFeeds(context)})


MODULE = Module(
    name="calendars",
    start=start,
    settings=CalendarsSettings,
    offers=(CalendarFeeds,),
    needs=(Access, Directory, Scheduling),
    routes=ROUTES,
    prefixes=("/api/v1/calendar-feeds", "/feeds"),
    subscriptions={
        AppointmentRequested: handlers.note_appointment,
        AppointmentBooked: handlers.note_appointment,
        AppointmentConfirmed: handlers.note_appointment,
        AppointmentRescheduled: handlers.note_appointment,
        AppointmentCancelled: handlers.note_appointment,
        AppointmentAdvanced: handlers.note_appointment,
        AppointmentTransferred: handlers.note_appointment,
        AccountChanged: handlers.note_account,
        PatientErased: handlers.erase_patient,
        PatientMerged: handlers.take_over,
    },
    timers=TIMERS,
    sealed={store.TABLE: reseal_feeds, store.SOURCE: reseal_sources},
    pages=pages,
    priorities=PRIORITIES,
)
