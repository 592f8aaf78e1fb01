"""Wiring of the FHIR rim."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.notifications import Notifications
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.contracts.subscriptions import Subscriptions
from carewright.contracts.vitals import Vitals
from carewright.fhir.context import FhirContext
from carewright.fhir.http.interaction import PREFIX, refused
from carewright.fhir.http.routes import PRIORITIES, PUBLIC, pages
from carewright.fhir.jobs import TIMERS
from carewright.fhir.settings import FhirSettings
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.kernel.sealed import Sealer
from carewright.kernel.together import Together


async def start(base: Context, settings: FhirSettings, resolve: Callable[[type], Any]) -> Running:
    """The rim keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = FhirContext(
        **world, settings=settings, bearers=resolve(Bearers), sealer=resolve(Sealer), directory=resolve(Directory),
        patients=resolve(Patients), scheduling=resolve(Scheduling), subscriptions=resolve(Subscriptions), flow=resolve(Flow),
        orders=resolve(Orders), vitals=resolve(Vitals), coverages=resolve(Coverages), access=resolve(Access),
        notifications=resolve(Notifications), audit=resolve(AuditTrail), together=resolve(Together),
    )  # fmt: skip
    return Running(context)


MODULE = Module(
    name="fhir",
    start=start,
    settings=FhirSettings,
    needs=(Directory, Patients, Scheduling, Flow, Orders, Vitals, Coverages, Access, Notifications, AuditTrail, Subscriptions),
    prefixes=(PREFIX,),
    pages=pages,
    priorities=PRIORITIES,
    timers=TIMERS,
    speaking={PREFIX: refused},
    shared={PREFIX: "known", **dict.fromkeys(PUBLIC, "anybody")},
)
