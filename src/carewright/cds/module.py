"""Wiring of CDS Hooks."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.cds.context import CdsContext
from carewright.cds.http import PREFIX, pages, refused
from carewright.cds.settings import CdsSettings
from carewright.contracts.access import Access
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running


async def start(base: Context, settings: CdsSettings, resolve: Callable[[type], Any]) -> Running:
    """The rim keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = CdsContext(
        **world, settings=settings, access=resolve(Access), directory=resolve(Directory), patients=resolve(Patients),
        scheduling=resolve(Scheduling), coverages=resolve(Coverages),
    )  # fmt: skip
    return Running(context)


MODULE = Module(
    name="cds",
    start=start,
    settings=CdsSettings,
    needs=(Access, Directory, Patients, Scheduling, Coverages),
    prefixes=(PREFIX,),
    pages=pages,
    speaking={PREFIX: refused},
    has_tables=False,
)
