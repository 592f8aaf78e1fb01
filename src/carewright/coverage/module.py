"""How coverage is wired."""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from carewright.contracts.coverage import (
    Authorisation,
    AuthorisationsPage,
    CheckEligibility,
    Coverage,
    Coverages,
    CoveragesPage,
    EligibilitiesPage,
    Eligibility,
    ListAuthorisations,
    ListCoverages,
    ListEligibilities,
    ListVisits,
    RecordAuthorisation,
    RecordCoverage,
    UpdateCoverage,
    VisitCoverage,
    VisitsPage,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentHeld,
    AppointmentRescheduled,
)
from carewright.coverage import handlers, store
from carewright.coverage.clearing.by_payer import houses_by_payer
from carewright.coverage.clearing.chosen import house_of
from carewright.coverage.context import CoverageContext
from carewright.coverage.http import ROUTES
from carewright.coverage.jobs import JOBS, TIMERS
from carewright.coverage.model.question import Provider
from carewright.coverage.service import authorisations, checking, coverages, keeping, visits
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running


class LocalCoverages:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: CoverageContext) -> None:
        self._context = context

    async def record_coverage(self, actor: Actor, command: RecordCoverage, idempotency_key: str | None = None) -> Coverage:
        return await coverages.record_coverage(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def update_coverage(self, actor: Actor, command: UpdateCoverage, idempotency_key: str | None = None) -> Coverage:
        return await coverages.update_coverage(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def get_coverage(self, actor: Actor, coverage_id: UUID) -> Coverage:
        return await coverages.get_coverage(self._context.acting(actor), coverage_id)

    async def list_coverages(self, actor: Actor, query: ListCoverages) -> CoveragesPage:
        return await coverages.list_coverages(self._context.acting(actor), query)

    async def check_eligibility(self, actor: Actor, command: CheckEligibility, idempotency_key: str | None = None) -> Eligibility:
        return await checking.check_eligibility(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def get_eligibility(self, actor: Actor, eligibility_id: UUID) -> Eligibility:
        return await checking.get_eligibility(self._context.acting(actor), eligibility_id)

    async def list_eligibilities(self, actor: Actor, query: ListEligibilities) -> EligibilitiesPage:
        return await checking.list_eligibilities(self._context.acting(actor), query)

    async def get_visit(self, actor: Actor, appointment_id: UUID) -> VisitCoverage:
        return await visits.get_visit(self._context.acting(actor), appointment_id)

    async def check_visit(self, actor: Actor, appointment_id: UUID) -> VisitCoverage:
        return await visits.check_visit(self._context.acting(actor), appointment_id)

    async def list_visits(self, actor: Actor, query: ListVisits) -> VisitsPage:
        return await visits.list_visits(self._context.acting(actor), query)

    async def record_authorisation(self, actor: Actor, command: RecordAuthorisation, idempotency_key: str | None = None) -> Authorisation:
        return await authorisations.record_authorisation(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_authorisations(self, actor: Actor, query: ListAuthorisations) -> AuthorisationsPage:
        return await authorisations.list_authorisations(self._context.acting(actor), query)


async def start(base: Context, settings: CoverageSettings, resolve: Callable[[type], Any]) -> Running:
    """Coverage needs its tables, and a way to payers where one is set. Raises `StartFailed`."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    outgoing: Outgoing = resolve(Outgoing)
    house = houses_by_payer(settings, lambda each: house_of(each, outgoing))
    context = CoverageContext(
        **world, clearing_house=house, reviewer_of=house.reviewer_of, drops=house.drops,
        provider=Provider(name=settings.provider_name, npi=settings.provider_npi), wait_for_files=timedelta(hours=settings.drop_hours),
    )  # fmt: skip
    return Running(context=context, offers={Coverages: LocalCoverages(context)})


MODULE = Module(
    name="coverage",
    start=start,
    settings=CoverageSettings,
    offers=(Coverages,),
    routes=ROUTES,
    prefixes=("/api/v1/coverages",),
    subscriptions={
        PatientErased: handlers.erase_patient,
        AppointmentHeld: handlers.ask_about_hold,
        PatientMerged: handlers.take_over,
        AppointmentBooked: handlers.ask_about_visit,
        AppointmentConfirmed: handlers.ask_about_visit,
        AppointmentRescheduled: handlers.ask_about_visit,
        AppointmentCancelled: handlers.end_visit,
        AppointmentAdvanced: handlers.end_visit,
    },
    jobs=JOBS,
    timers=TIMERS,
    sealed={
        store.COVERAGE: keeping.reseal_coverages,
        store.ELIGIBILITY: keeping.reseal_eligibilities,
        store.AUTHORISATION: keeping.reseal_authorisations,
    },
)
