"""Wiring of the portal."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.portal.http.pages import pages
from carewright.portal.service import PortalContext
from carewright.portal.settings import PortalSettings


async def start(base: Context, settings: PortalSettings, resolve: Callable[[type], Any]) -> Running:
    """The portal keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = PortalContext(
        **world,
        settings=settings,
        tokens=resolve(Tokens),
        bearers=resolve(Bearers),
        directory=resolve(Directory),
        patients=resolve(Patients),
        scheduling=resolve(Scheduling),
    )
    return Running(context)


MODULE = Module(
    name="portal",
    start=start,
    settings=PortalSettings,
    needs=(Directory, Patients, Scheduling),
    prefixes=("/services", "/visits", "/holds", "/appointments", "/sign-in", "/sign-out", "/static", "/"),
    has_tables=False,
    pages=pages,
)
