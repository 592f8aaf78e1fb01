"""How subscriptions are wired."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any
from uuid import UUID

from carewright.contracts import subscriptions as c
from carewright.contracts.access import Access
from carewright.contracts.patients import PatientChanged, PatientErased, Patients
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
from carewright.subscriptions import handlers, jobs, store
from carewright.subscriptions.context import SubscriptionsContext
from carewright.subscriptions.service import changing, recalling, subscribing
from carewright.subscriptions.service.keeping import reseal_subscriptions
from carewright.subscriptions.settings import SubscriptionsSettings


class LocalSubscriptions:
    """The `Subscriptions` Protocol in this process."""

    def __init__(self, context: SubscriptionsContext) -> None:
        self._context = context

    async def subscribe(self, actor: Actor, command: c.Subscribe, idempotency_key: str | None = None) -> c.Subscribed:
        return await subscribing.subscribe(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def change_subscription(self, actor: Actor, command: c.ChangeSubscription, idempotency_key: str | None = None) -> c.Subscription:
        return await changing.change_subscription(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def rotate_secret(self, actor: Actor, subscription_id: UUID, idempotency_key: str | None = None) -> c.Subscribed:
        return await changing.rotate_secret(self._context.acting(actor, Once.of(idempotency_key, subscription_id)), subscription_id)

    async def list_events(self, actor: Actor, query: c.ListEvents) -> c.EventsFound:
        return await recalling.list_events(self._context.acting(actor), query)

    async def list_subscriptions(self, actor: Actor) -> tuple[c.Subscription, ...]:
        return await subscribing.list_subscriptions(self._context.acting(actor))

    async def end_subscription(self, actor: Actor, subscription_id: UUID) -> None:
        await subscribing.end_subscription(self._context.acting(actor), subscription_id)


async def start(base: Context, settings: SubscriptionsSettings, resolve: Callable[[type], Any]) -> Running:
    """Subscriptions need whom they ask, and the way out."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = SubscriptionsContext(
        **world, settings=settings, access=resolve(Access), patients=resolve(Patients), scheduling=resolve(Scheduling),
        outgoing=resolve(Outgoing),
    )  # fmt: skip
    return Running(context, {c.Subscriptions: LocalSubscriptions(context)}, follow=partial(jobs.follow, context))


MODULE = Module(
    name="subscriptions",
    start=start,
    settings=SubscriptionsSettings,
    offers=(c.Subscriptions,),
    needs=(Access, Patients, Scheduling),
    subscriptions={
        AppointmentRequested: handlers.tell_of_appointment,
        AppointmentBooked: handlers.tell_of_appointment,
        AppointmentConfirmed: handlers.tell_of_appointment,
        AppointmentRescheduled: handlers.tell_of_appointment,
        AppointmentCancelled: handlers.tell_of_appointment,
        AppointmentAdvanced: handlers.tell_of_appointment,
        AppointmentTransferred: handlers.tell_of_appointment,
        PatientChanged: handlers.tell_of_patient,
        PatientErased: handlers.erase_patient,
    },
    timers=jobs.TIMERS,
    sealed={store.TABLE: reseal_subscriptions},
)
