"""Wiring of CDS Hooks."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.cds.context import CdsContext
from carewright.cds.http import API, KEYS, PREFIX, PRIORITIES, ROUTES, pages, refused
from carewright.cds.service.connecting import reseal_services
from carewright.cds.settings import CdsSettings
from carewright.cds.store import TABLE
from carewright.contracts.access import Access
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running


async def start(base: Context, settings: CdsSettings, resolve: Callable[[type], Any]) -> Running:
    """The rim needs whom it asks, and the way out."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = CdsContext(
        **world, settings=settings, access=resolve(Access), directory=resolve(Directory), patients=resolve(Patients),
        scheduling=resolve(Scheduling), coverages=resolve(Coverages), outgoing=resolve(Outgoing),
    )  # fmt: skip
    return Running(context)


MODULE = Module(
    name="cds",
    start=start,
    settings=CdsSettings,
    needs=(Access, Directory, Patients, Scheduling, Coverages),
    routes=ROUTES,
    prefixes=(PREFIX, KEYS, API),
    pages=pages,
    priorities=PRIORITIES,
    speaking={PREFIX: refused},
    sealed={TABLE: reseal_services},
)
