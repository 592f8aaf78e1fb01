"""Wiring of oversight."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

from carewright.contracts import oversight as c
from carewright.contracts.access import Access, CodesGuessed
from carewright.contracts.audit import AuditTrail
from carewright.contracts.notifications import Notifications
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.kernel.settings import StartFailed
from carewright.kernel.token_keys import TokenKeys
from carewright.oversight import handlers, store
from carewright.oversight.context import OversightContext
from carewright.oversight.http import ROUTES
from carewright.oversight.jobs import JOBS, TIMERS
from carewright.oversight.model.triggers import steps_of
from carewright.oversight.service import incidents, unusual
from carewright.oversight.settings import OversightSettings


class LocalOversight:
    """The `Oversight` Protocol in this process."""

    def __init__(self, context: OversightContext) -> None:
        self._context = context

    async def respond(self, actor: Actor, command: c.Respond) -> c.Incident:
        return await incidents.respond(self._context.acting(actor), command)

    async def list_incidents(self, actor: Actor, query: c.ListIncidents) -> c.IncidentsPage:
        return await incidents.list_incidents(self._context.acting(actor), query)

    async def release(self, actor: Actor, restraint_id: UUID) -> c.HeldBack:
        return await incidents.release(self._context.acting(actor), restraint_id)

    async def close_incident(self, actor: Actor, command: c.CloseIncident) -> c.Incident:
        return await incidents.close_incident(self._context.acting(actor), command)

    async def list_unusual(self, actor: Actor, query: c.ListUnusual) -> c.UnusualPage:
        return await unusual.list_unusual(self._context.acting(actor), query)

    async def close_unusual(self, actor: Actor, command: c.CloseUnusual) -> c.Unusual:
        return await unusual.close_unusual(self._context.acting(actor), command)


async def start(base: Context, settings: OversightSettings, resolve: Callable[[type], Any]) -> Running:
    """Oversight needs its table, and those whom it asks to act. A step that there is none of stops the start."""
    try:
        for steps in (settings.reading_steps, settings.guessing_steps, settings.client_steps):
            steps_of(steps)
    except ValueError as fault:
        raise StartFailed(f"Among the settings of oversight, {fault}") from fault
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = OversightContext(
        **world, settings=settings, system=base.actor, keys=resolve(TokenKeys), access=resolve(Access), audit=resolve(AuditTrail),
        notifications=resolve(Notifications), patients=resolve(Patients), scheduling=resolve(Scheduling),
    )  # fmt: skip
    return Running(context, {c.Oversight: LocalOversight(context)})


MODULE = Module(
    name="oversight",
    start=start,
    settings=OversightSettings,
    offers=(c.Oversight,),
    needs=(Access, AuditTrail, Notifications, Patients, Scheduling),
    routes=ROUTES,
    prefixes=("/api/v1/unusual-access",),
    subscriptions={CodesGuessed: handlers.open_incident_of_guessing},
    jobs=JOBS,
    timers=TIMERS,
    sealed={store.INCIDENT: incidents.reseal_incidents, store.UNUSUAL: unusual.reseal_unusual},
)
