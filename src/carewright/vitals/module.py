"""The vitals module's wiring."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.vitals import Observation, ObservationsPage, PutObservations, PutObservationsResult, SearchObservations, Vitals
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.vitals import handlers, service, store
from carewright.vitals.jobs import TIMERS
from carewright.vitals.settings import VitalsSettings


class LocalVitals:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_observation(self, actor: Actor, observation_id: UUID) -> Observation:
        return await service.get_observation(self._context.acting(actor), observation_id)

    async def search_observations(self, actor: Actor, query: SearchObservations) -> ObservationsPage:
        return await service.search_observations(self._context.acting(actor), query)

    async def put_observations(self, actor: Actor, command: PutObservations) -> PutObservationsResult:
        return await service.put_observations(self._context.acting(actor), command)


async def start(context: Context, _: VitalsSettings, __: Callable[[type], Any]) -> Running:
    """Vitals need nothing but their tables."""
    return Running(context=context, offers={Vitals: LocalVitals(context)})


MODULE = Module(
    name="vitals",
    start=start,
    settings=VitalsSettings,
    offers=(Vitals,),
    subscriptions={PatientErased: handlers.erase_patient, PatientMerged: handlers.take_over},
    timers=TIMERS,
    sealed={store.TABLE: service.reseal_observations},
)
