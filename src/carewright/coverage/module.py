"""How coverage is wired."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts.coverage import Coverage, Coverages, CoveragesPage, ListCoverages, RecordCoverage, UpdateCoverage
from carewright.contracts.patients import PatientErased
from carewright.coverage import handlers, store
from carewright.coverage.http import ROUTES
from carewright.coverage.jobs import TIMERS
from carewright.coverage.service import coverages, keeping
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running


class LocalCoverages:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def record_coverage(self, actor: Actor, command: RecordCoverage, idempotency_key: str | None = None) -> Coverage:
        return await coverages.record_coverage(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def update_coverage(self, actor: Actor, command: UpdateCoverage, idempotency_key: str | None = None) -> Coverage:
        return await coverages.update_coverage(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def get_coverage(self, actor: Actor, coverage_id: UUID) -> Coverage:
        return await coverages.get_coverage(self._context.acting(actor), coverage_id)

    async def list_coverages(self, actor: Actor, query: ListCoverages) -> CoveragesPage:
        return await coverages.list_coverages(self._context.acting(actor), query)


async def start(context: Context, _: CoverageSettings, __: Callable[[type], Any]) -> Running:
    """Coverage needs nothing but its tables."""
    return Running(context=context, offers={Coverages: LocalCoverages(context)})


MODULE = Module(
    name="coverage",
    start=start,
    settings=CoverageSettings,
    offers=(Coverages,),
    routes=ROUTES,
    prefixes=("/api/v1/coverages",),
    subscriptions={PatientErased: handlers.erase_patient},
    timers=TIMERS,
    sealed={store.COVERAGE: keeping.reseal_coverages},
)
