"""Wiring of the console."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.console.http.pages import PRIORITIES, pages
from carewright.console.service import ConsoleContext
from carewright.console.settings import ConsoleSettings
from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.ehr import Ehrs
from carewright.contracts.flow import Delays, Flow, Kiosks, Queues, Rooms
from carewright.contracts.hl7 import Desk
from carewright.contracts.oversight import Oversight
from carewright.contracts.patients import Patients
from carewright.contracts.records import Records
from carewright.contracts.scheduling import Offers, Scheduling
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.feed import Feed
from carewright.kernel.modules import Module, Running


async def start(base: Context, settings: ConsoleSettings, resolve: Callable[[type], Any]) -> Running:
    """The console keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = ConsoleContext(
        **world, settings=settings, bearers=resolve(Bearers), access=resolve(Access), audit=resolve(AuditTrail),
        records=resolve(Records), oversight=resolve(Oversight), directory=resolve(Directory), desk=resolve(Desk),
        ehrs=resolve(Ehrs), coverages=resolve(Coverages), patients=resolve(Patients), scheduling=resolve(Scheduling),
        flow=resolve(Flow), queues=resolve(Queues), rooms=resolve(Rooms), delays=resolve(Delays),
        kiosks=resolve(Kiosks), offers=resolve(Offers), feed=resolve(Feed),
    )  # fmt: skip
    return Running(context)


MODULE = Module(
    name="console",
    start=start,
    settings=ConsoleSettings,
    needs=(
        Access,
        AuditTrail,
        Coverages,
        Delays,
        Desk,
        Directory,
        Ehrs,
        Flow,
        Kiosks,
        Offers,
        Oversight,
        Patients,
        Queues,
        Records,
        Rooms,
        Scheduling,
    ),
    prefixes=("/staff",),
    has_tables=False,
    pages=pages,
    priorities=PRIORITIES,
)
