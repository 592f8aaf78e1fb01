"""How migration is wired."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.contracts.directory import Directory
from carewright.contracts.patients import PatientErased, Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.migration import handlers
from carewright.migration.context import MigrationContext
from carewright.migration.settings import MigrationSettings


async def start(base: Context, _: MigrationSettings, resolve: Callable[[type], Any]) -> Running:
    """Migration needs its tables, and those who take what it brings."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    asked = {"directory": resolve(Directory), "patients": resolve(Patients), "scheduling": resolve(Scheduling)}
    return Running(MigrationContext(**world, **asked))


MODULE = Module(
    name="migration",
    start=start,
    settings=MigrationSettings,
    needs=(Directory, Patients, Scheduling),
    subscriptions={PatientErased: handlers.erase_patient},
)
