"""Visits: who pays for them, asked when they are booked, shown to the desk by the site's rule."""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from carewright.contracts.coverage import (
    Coverage,
    CoveragePolicy,
    Eligibility,
    ListVisits,
    Missing,
    UnknownVisit,
    VisitCoverage,
    VisitsPage,
)
from carewright.coverage import store
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import deciding, rules
from carewright.coverage.service.checking import CHECK, asked
from carewright.coverage.service.coverages import READ, may_see
from carewright.coverage.store import Visit
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.privacy.cipher import FieldCipher


async def check_visit(ctx: CoverageContext, appointment_id: UUID, *, again: bool = True) -> VisitCoverage:
    """Ask the payer of the coverage that pays first on the day of the visit. Raises `UnknownVisit`, for one that was called off too."""
    ctx.actor.require(CHECK)
    cipher, visit = await ctx.cipher(), await _visit(ctx, appointment_id)
    if visit.has_ended:
        raise UnknownVisit(appointment_id=str(appointment_id))
    policy = await store.policy_of(ctx.db, cipher.organization_id, visit.site_id)
    day = visit.starts_at.astimezone(ZoneInfo(policy.time_zone)).date()
    coverage = await _paying(ctx, cipher, visit.patient_id, day)
    if coverage is None:
        return await _nobody_to_ask(ctx, visit, policy)
    service_type = await store.service_type_of(ctx.db, cipher.organization_id, visit.visit_type_id)
    eligibility = await asked(ctx, coverage, service_type, day, again=again, visit=visit)
    return _shown(replace(visit, is_asked=True), policy, coverage, eligibility)


async def get_visit(ctx: CoverageContext, appointment_id: UUID) -> VisitCoverage:
    """What the desk is shown of a visit. Raises `UnknownVisit`, for somebody else's too."""
    ctx.actor.require(READ)
    cipher, visit = await ctx.cipher(), await _visit(ctx, appointment_id)
    async with ctx.db.transaction() as tx:
        policy = await store.policy_of(tx, cipher.organization_id, visit.site_id)
        (found,) = await _all_shown(tx, cipher, [visit], policy)
        await audit.record(tx, _entry(ctx, "coverage.visit.read", "R", visit))
    return found


async def list_visits(ctx: CoverageContext, query: ListVisits) -> VisitsPage:
    """Visits of a day at a site that nobody said they pay for. Raises `Forbidden` for a site where the actor does not work."""
    ctx.actor.require(CHECK)
    if ctx.actor.site_ids and query.site_id not in ctx.actor.site_ids:
        raise Forbidden("You can act for your own sites only.")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        policy = await store.policy_of(tx, cipher.organization_id, query.site_id)
        span = _day_of(query.day, ZoneInfo(policy.time_zone), ctx.clock.now())
        visits = await store.visits_of_site(tx, cipher.organization_id, query.site_id, span, query.after, query.limit + 1)
        looked_at = visits[: query.limit]
        shown = [each for each in await _all_shown(tx, cipher, looked_at, policy) if each.decision != "proceed"]
        await audit.record(tx, *audit.entries_for_patients(ctx, "coverage.visit.list", "R", [each.patient_id for each in shown]))
    return VisitsPage(items=tuple(shown), next=looked_at[-1].id if len(visits) > len(looked_at) else None)


def _day_of(day: date | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """From when till when a day lasts there."""
    begins = day or now.astimezone(zone).date()
    return datetime.combine(begins, time(), zone), datetime.combine(begins + timedelta(days=1), time(), zone)


async def _all_shown(tx: Session, cipher: FieldCipher, visits: list[Visit], policy: CoveragePolicy) -> list[VisitCoverage]:
    """Visits of one site, with what was asked about each and of whom."""
    asked_last = [each.eligibility_id for each in visits if each.eligibility_id]
    answers = {each.id: each for each in await store.eligibilities_by_id(tx, cipher, asked_last)}
    ids = {each.coverage_id for each in answers.values()}
    payers = {each.id: each for each in await store.coverages_by_id(tx, cipher, list(ids), store.FIRST_ID, len(ids))}
    asked_about = [(visit, answers.get(visit.eligibility_id) if visit.eligibility_id else None) for visit in visits]
    return [_shown(visit, policy, payers.get(one.coverage_id) if one else None, one) for visit, one in asked_about]


async def _paying(ctx: CoverageContext, cipher: FieldCipher, patient_id: UUID, day: date) -> Coverage | None:
    """The coverage that pays first on a day."""
    held = [each for each in await store.coverages_of_patient(ctx.db, cipher, patient_id) if rules.holds_on(each, day)]
    return min(held, key=lambda each: (each.order, each.id), default=None)


async def _nobody_to_ask(ctx: CoverageContext, visit: Visit, policy: CoveragePolicy) -> VisitCoverage:
    async with ctx.db.transaction() as tx:
        await store.ask_about_visit(tx, ctx.actor.organization_id, visit, None)
        await audit.record(tx, _entry(ctx, "coverage.visit.check", "E", visit))
    return _shown(replace(visit, is_asked=True), policy, None, None)


async def _visit(ctx: CoverageContext, appointment_id: UUID) -> Visit:
    found = await store.visit_by_id(ctx.db, ctx.actor.organization_id, appointment_id)
    if found is None or not may_see(ctx, found.patient_id):
        raise UnknownVisit(appointment_id=str(appointment_id))
    return found


def _shown(visit: Visit, policy: CoveragePolicy, coverage: Coverage | None, eligibility: Eligibility | None) -> VisitCoverage:
    """A visit that moved, or is new, waits to be asked about; what was said of another day is not shown."""
    answer = eligibility if visit.is_asked else None
    missing: tuple[Missing, ...] = answer.missing if answer else (("coverage",) if visit.is_asked else ("waiting",))
    standing = answer.standing if answer else "unknown"
    return VisitCoverage(
        appointment_id=visit.id, patient_id=visit.patient_id, site_id=visit.site_id, starts_at=visit.starts_at, missing=missing,
        coverage=coverage if answer else None, eligibility=answer,
        decision=deciding.decide(policy.rule, visit.urgency, standing, missing),
    )  # fmt: skip


def _entry(ctx: CoverageContext, event: str, action: audit.Action, visit: Visit) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=visit.patient_id, entities=(audit.Entity(type="Appointment", id=visit.id),))
