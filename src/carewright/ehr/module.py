"""How EHR connections are wired."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory, LocationChanged, PractitionerChanged
from carewright.contracts.ehr import Ehrs
from carewright.contracts.patients import PatientChanged, PatientErased, PatientMerged, Patients
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentRescheduled,
    Scheduling,
)
from carewright.ehr import handlers, store
from carewright.ehr.context import EhrContext
from carewright.ehr.http.connections import ROUTES
from carewright.ehr.http.hooks import pages
from carewright.ehr.jobs import JOBS, TIMERS, follow
from carewright.ehr.service.connections import HOOKS
from carewright.ehr.service.ehrs import LocalEhrs
from carewright.ehr.service.keeping import reseal_connections, reseal_links, reseal_subscriptions
from carewright.ehr.settings import EhrSettings
from carewright.kernel.authz import Tokens
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running


async def start(base: Context, settings: EhrSettings, resolve: Callable[[type], Any]) -> Running:
    """EHR connections need whom they ask inside, and the one way out."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = EhrContext(
        **world, settings=settings, directory=resolve(Directory), patients=resolve(Patients), scheduling=resolve(Scheduling),
        coverages=resolve(Coverages), outgoing=resolve(Outgoing), tokens=resolve(Tokens),
    )  # fmt: skip
    return Running(context, {Ehrs: LocalEhrs(context)}, follow=partial(follow, context))


MODULE = Module(
    name="ehr",
    start=start,
    settings=EhrSettings,
    offers=(Ehrs,),
    needs=(Coverages, Directory, Patients, Scheduling),
    routes=ROUTES,
    prefixes=("/api/v1/ehr", HOOKS),
    pages=pages,
    subscriptions={
        PractitionerChanged: handlers.note_practitioner,
        LocationChanged: handlers.note_place,
        PatientChanged: handlers.note_patient,
        PatientErased: handlers.erase_patient,
        PatientMerged: handlers.take_over,
        AppointmentBooked: handlers.queue_push,
        AppointmentConfirmed: handlers.queue_push,
        AppointmentRescheduled: handlers.queue_push,
        AppointmentCancelled: handlers.queue_push,
        AppointmentAdvanced: handlers.queue_push,
    },
    jobs=JOBS,
    timers=TIMERS,
    sealed={store.CONNECTION: reseal_connections, store.SUBSCRIPTION: reseal_subscriptions, store.LINK: reseal_links},
)
