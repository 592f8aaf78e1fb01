"""How HL7 v2 is wired."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.patients import PatientErased, Patients
from carewright.contracts.scheduling import Scheduling
from carewright.hl7 import handlers, mllp, store
from carewright.hl7.context import Hl7Context
from carewright.hl7.http import pages
from carewright.hl7.jobs import TIMERS
from carewright.hl7.service.keeping import reseal_messages
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running


async def start(base: Context, settings: Hl7Settings, resolve: Callable[[type], Any]) -> Running:
    """HL7 v2 needs whom it asks; and a listener that is set up, where there is one. Raises `StartFailed`."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = Hl7Context(
        **world, settings=settings, system=base.actor, access=resolve(Access), directory=resolve(Directory), patients=resolve(Patients),
        scheduling=resolve(Scheduling), flow=resolve(Flow), bearers=resolve(Bearers), tokens=resolve(Tokens),
    )  # fmt: skip
    listening = mllp.listening_of(settings) if settings.port else None
    return Running(context, follow=partial(mllp.serve, context, listening) if listening else None)


MODULE = Module(
    name="hl7",
    start=start,
    settings=Hl7Settings,
    needs=(Access, Directory, Patients, Scheduling, Flow),
    prefixes=("/hl7",),
    pages=pages,
    subscriptions={PatientErased: handlers.erase_patient},
    timers=TIMERS,
    sealed={store.TABLE: reseal_messages},
)
