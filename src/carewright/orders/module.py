"""The orders module's wiring."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts.orders import Orders, RecordRequest, RequestsPage, SearchRequests, ServiceRequest, UpdateRequest
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running
from carewright.orders import handlers, service, store
from carewright.orders.jobs import TIMERS
from carewright.orders.settings import OrdersSettings


class LocalOrders:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_request(self, actor: Actor, request_id: UUID) -> ServiceRequest:
        return await service.get_request(self._context.acting(actor), request_id)

    async def search_requests(self, actor: Actor, query: SearchRequests) -> RequestsPage:
        return await service.search_requests(self._context.acting(actor), query)

    async def record_request(self, actor: Actor, command: RecordRequest, idempotency_key: str | None = None) -> ServiceRequest:
        return await service.record_request(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def update_request(self, actor: Actor, command: UpdateRequest, idempotency_key: str | None = None) -> ServiceRequest:
        return await service.update_request(self._context.acting(actor, Once.of(idempotency_key, command)), command)


async def start(context: Context, _: OrdersSettings, __: Callable[[type], Any]) -> Running:
    """Orders need nothing but their tables."""
    return Running(context=context, offers={Orders: LocalOrders(context)})


MODULE = Module(
    name="orders",
    start=start,
    settings=OrdersSettings,
    offers=(Orders,),
    subscriptions={PatientErased: handlers.erase_patient, PatientMerged: handlers.take_over},
    timers=TIMERS,
    sealed={store.TABLE: service.reseal_requests},
)
