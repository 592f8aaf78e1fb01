"""The flow module's wiring."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts.flow import (
    ChangeEncounter,
    Encounter,
    EncountersPage,
    Flow,
    PutEncounters,
    PutEncountersResult,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.flow import handlers, service, store
from carewright.flow.jobs import TIMERS
from carewright.flow.settings import FlowSettings
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running


class LocalFlow:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_encounter(self, actor: Actor, encounter_id: UUID) -> Encounter:
        return await service.get_encounter(self._context.acting(actor), encounter_id)

    async def search_encounters(self, actor: Actor, query: SearchEncounters) -> EncountersPage:
        return await service.search_encounters(self._context.acting(actor), query)

    async def record_encounter(self, actor: Actor, command: RecordEncounter, idempotency_key: str | None = None) -> Encounter:
        return await service.record_encounter(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def change_encounter(self, actor: Actor, command: ChangeEncounter, idempotency_key: str | None = None) -> Encounter:
        return await service.change_encounter(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def put_encounters(self, actor: Actor, command: PutEncounters) -> PutEncountersResult:
        return await service.put_encounters(self._context.acting(actor), command)


async def start(context: Context, _: FlowSettings, __: Callable[[type], Any]) -> Running:
    """Flow needs nothing but its tables."""
    return Running(context=context, offers={Flow: LocalFlow(context)})


MODULE = Module(
    name="flow",
    start=start,
    settings=FlowSettings,
    offers=(Flow,),
    subscriptions={PatientErased: handlers.erase_patient, PatientMerged: handlers.take_over},
    timers=TIMERS,
    sealed={store.TABLE: service.reseal_encounters},
)
