"""How notifications are wired."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

from carewright.contracts.access import BreakGlassStarted
from carewright.contracts.notifications import (
    ListMessages,
    MessagesPage,
    Notice,
    Notifications,
    ReadInbox,
    SaidPage,
    SearchCommunications,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running
from carewright.kernel.settings import StartFailed
from carewright.notifications import handlers, model, service, store
from carewright.notifications.http import ROUTES
from carewright.notifications.jobs import JOBS, TIMERS
from carewright.notifications.senders import senders
from carewright.notifications.service import NotificationsContext
from carewright.notifications.settings import NotificationsSettings


class LocalNotifications:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: NotificationsContext) -> None:
        self._context = context

    async def notify(self, actor: Actor, notice: Notice, idempotency_key: str | None = None) -> UUID:
        return await service.notify(self._context.acting(actor, Once.of(idempotency_key, notice)), notice)

    async def read_inbox(self, actor: Actor, query: ReadInbox) -> MessagesPage:
        return await service.read_inbox(self._context.acting(actor), query)

    async def read_local_inbox(self, actor: Actor, query: ReadInbox) -> MessagesPage:
        return await service.read_local_inbox(self._context.acting(actor), query)

    async def list_messages(self, actor: Actor, query: ListMessages) -> SaidPage:
        return await service.list_messages(self._context.acting(actor), query)

    async def search_communications(self, actor: Actor, query: SearchCommunications) -> SaidPage:
        return await service.search_communications(self._context.acting(actor), query)


async def start(base: Context, settings: NotificationsSettings, _: Callable[[type], Any]) -> Running:
    """Notifications need their tables, a default language that is written, and a time zone that exists."""
    if settings.default_language not in store.languages():
        raise StartFailed(f"There are no messages in {settings.default_language!r}. Choose from: {', '.join(sorted(store.languages()))}.")
    if not model.is_zone(settings.staff_time_zone):
        raise StartFailed(f"There is no time zone {settings.staff_time_zone!r}. It looks like America/Chicago.")
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = NotificationsContext(**world, settings=settings, senders=senders(settings))
    return Running(context=context, offers={Notifications: LocalNotifications(context)})


MODULE = Module(
    name="notifications",
    start=start,
    settings=NotificationsSettings,
    offers=(Notifications,),
    routes=ROUTES,
    prefixes=("/api/v1/communications",),
    subscriptions={
        BreakGlassStarted: handlers.tell_privacy_officers,
        PatientErased: handlers.erase_patient,
        PatientMerged: handlers.take_over,
    },
    jobs=JOBS,
    timers=TIMERS,
    sealed={"notifications.communication": service.reseal_communications},
)
