"""How records are wired."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import msgspec

from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.flow import Flow, Queues, Rooms
from carewright.contracts.hl7 import Desk
from carewright.contracts.notifications import Notifications
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.records import ExportPage, ExportRecord, Records
from carewright.contracts.scheduling import Offers, Scheduling
from carewright.contracts.vitals import Vitals
from carewright.kernel import keeping
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.records.context import RecordsContext
from carewright.records.http import ROUTES
from carewright.records.service import export
from carewright.records.settings import RecordsSettings


class LocalRecords:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: RecordsContext) -> None:
        self._context = context

    async def export_record(self, actor: Actor, command: ExportRecord) -> ExportPage:
        return await export.export_record(self._context.acting(actor), command)


async def start(base: Context, _: RecordsSettings, resolve: Callable[[type], Any]) -> Running:
    """Records need the kernel's tables, and for an export those who hold something about a patient."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = RecordsContext(
        **world, gatherer=msgspec.structs.replace(base.actor, permissions=base.actor.permissions & export.GATHER),
        patients=resolve(Patients), scheduling=resolve(Scheduling), offers=resolve(Offers), flow=resolve(Flow),
        queues=resolve(Queues), rooms=resolve(Rooms),
        orders=resolve(Orders), vitals=resolve(Vitals),
        notifications=resolve(Notifications), audit=resolve(AuditTrail), coverages=resolve(Coverages),
        desk=resolve(Desk), access=resolve(Access),
    )  # fmt: skip
    return Running(context, {Records: LocalRecords(context)})


MODULE = Module(
    name="records",
    start=start,
    settings=RecordsSettings,
    offers=(Records,),
    needs=(Patients, Coverages, Scheduling, Offers, Flow, Queues, Rooms, Orders, Vitals, Notifications, AuditTrail, Desk, Access),
    routes=ROUTES,
    prefixes=("/api/v1/records",),
    has_tables=False,
    sealed={keeping.TABLE: keeping.reseal_holds},
)
