"""How HL7 v2 is wired."""

import asyncio
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.hl7 import Desk
from carewright.contracts.orders import Orders
from carewright.contracts.patients import PatientErased, PatientMerged, Patients
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentRescheduled,
    AppointmentTransferred,
    ScheduleChanged,
    Scheduling,
)
from carewright.hl7 import handlers, mllp, sending, store
from carewright.hl7.across import Across
from carewright.hl7.context import Hl7Context
from carewright.hl7.http.receiving import pages
from carewright.hl7.http.work_list import ROUTES
from carewright.hl7.jobs import TIMERS
from carewright.hl7.service.desk import LocalDesk
from carewright.hl7.service.keeping import reseal_links, reseal_messages, reseal_outgoing, reseal_partners
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.context import Context
from carewright.kernel.events import Event
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running

TOLD: tuple[type[Event], ...] = (
    AppointmentBooked,
    AppointmentConfirmed,
    AppointmentRescheduled,
    AppointmentCancelled,
    AppointmentAdvanced,
    AppointmentTransferred,
)
"""What partners may have to hear of appointments."""


async def start(base: Context, settings: Hl7Settings, resolve: Callable[[type], Any]) -> Running:
    """HL7 v2 needs whom it asks; a listener that is set up, where there is one; and its certificate. Raises `StartFailed`."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = Hl7Context(
        **world, settings=settings, system=base.actor, access=resolve(Access), directory=resolve(Directory), patients=resolve(Patients),
        scheduling=resolve(Scheduling), flow=resolve(Flow), orders=resolve(Orders), bearers=resolve(Bearers), tokens=resolve(Tokens),
        across=Across(base.db),
    )  # fmt: skip
    listening = mllp.listening_of(settings) if settings.port else None
    lines = sending.Lines(settings, resolve(Outgoing))
    return Running(context, {Desk: LocalDesk(context)}, stop=context.across.close, follow=partial(_follow, context, listening, lines))


async def _follow(context: Hl7Context, listening: mllp.Listening | None, lines: sending.Lines) -> None:
    """Hear, where there is a listener, and tell, until cancelled."""
    await asyncio.gather(sending.run(context, lines), *([mllp.serve(context, listening)] if listening else []))


MODULE = Module(
    name="hl7",
    start=start,
    settings=Hl7Settings,
    offers=(Desk,),
    needs=(Access, Directory, Patients, Scheduling, Flow, Orders),
    routes=ROUTES,
    prefixes=("/hl7", "/api/v1/hl7"),
    pages=pages,
    subscriptions={
        PatientErased: handlers.erase_patient,
        PatientMerged: handlers.take_over,
        **dict.fromkeys(TOLD, handlers.tell_partners),
        ScheduleChanged: handlers.tell_of_block,
    },
    timers=TIMERS,
    sealed={store.TABLE: reseal_messages, store.OUTGOING: reseal_outgoing, store.LINK: reseal_links, store.PARTNER: reseal_partners},
)
