"""Visits: who pays for them, asked when they are booked, shown to the desk by the site's rule."""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from carewright.contracts.coverage import (
    OFFICE_VISIT,
    Coverage,
    CoveragePolicy,
    Eligibility,
    Missing,
    SetPolicy,
    UnknownVisit,
    VisitCoverage,
)
from carewright.coverage import store
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import deciding, rules
from carewright.coverage.service.checking import CHECK, asked
from carewright.coverage.service.coverages import READ, may_see
from carewright.coverage.store import Visit
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.privacy.cipher import FieldCipher

CHECK_VISIT = "coverage.check_visit"
"""The job that asks about one visit."""
POLICY_READ, POLICY_CHANGE = "coverage.policy.read", "coverage.policy.change"


class Booked(msgspec.Struct, frozen=True):
    """The payload of `CHECK_VISIT`."""

    organization_id: UUID
    appointment_id: UUID


async def check_visit(ctx: CoverageContext, appointment_id: UUID, *, again: bool = True) -> VisitCoverage:
    """Ask the payer of the coverage that pays first on the day of the visit. Raises `UnknownVisit`."""
    ctx.actor.require(CHECK)
    cipher, visit = await ctx.cipher(), await _visit(ctx, appointment_id)
    policy = await store.policy_of(ctx.db, cipher.organization_id, visit.site_id)
    day = visit.starts_at.astimezone(ZoneInfo(policy.time_zone)).date()
    coverage = await _paying(ctx, cipher, visit.patient_id, day)
    if coverage is None:
        return await _nobody_to_ask(ctx, visit, policy)
    eligibility = await asked(ctx, coverage, OFFICE_VISIT, day, again=again, visit_id=visit.id)
    return _shown(visit, policy, coverage, eligibility)


async def get_visit(ctx: CoverageContext, appointment_id: UUID) -> VisitCoverage:
    """What the desk is shown of a visit. Raises `UnknownVisit`, for somebody else's too."""
    ctx.actor.require(READ)
    cipher, visit = await ctx.cipher(), await _visit(ctx, appointment_id)
    async with ctx.db.transaction() as tx:
        policy = await store.policy_of(tx, cipher.organization_id, visit.site_id)
        eligibility = await store.eligibility_by_id(tx, cipher, visit.eligibility_id) if visit.eligibility_id else None
        coverage = await store.coverage_by_id(tx, cipher, eligibility.coverage_id) if eligibility else None
        await audit.record(tx, _entry(ctx, "coverage.visit.read", "R", visit))
    return _shown(visit, policy, coverage, eligibility)


async def get_policy(ctx: CoverageContext, site_id: UUID) -> CoveragePolicy:
    """A site's rule; the default where it set none."""
    ctx.actor.require(POLICY_READ)
    return await store.policy_of(ctx.db, ctx.actor.organization_id, site_id)


async def set_policy(ctx: CoverageContext, policy: SetPolicy) -> CoveragePolicy:
    """Set a site's rule. Raises `BadInput` for a zone that there is not."""
    ctx.actor.require(POLICY_CHANGE)
    try:
        ZoneInfo(policy.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise BadInput("There is no such time zone. It looks like America/Chicago.", parameter="time_zone") from fault
    async with ctx.db.transaction() as tx:
        await store.put_policy(tx, ctx.actor.organization_id, policy)
        about = (audit.Entity(type="Location", id=policy.site_id),)
        await audit.record(tx, audit.entry(ctx, "coverage.policy.set", "U", entities=about))
    return CoveragePolicy(site_id=policy.site_id, rule=policy.rule, time_zone=policy.time_zone)


async def _paying(ctx: CoverageContext, cipher: FieldCipher, patient_id: UUID, day: date) -> Coverage | None:
    """The coverage that pays first on a day."""
    held = [each for each in await store.coverages_of_patient(ctx.db, cipher, patient_id) if rules.holds_on(each, day)]
    return min(held, key=lambda each: (each.order, each.id), default=None)


async def _nobody_to_ask(ctx: CoverageContext, visit: Visit, policy: CoveragePolicy) -> VisitCoverage:
    async with ctx.db.transaction() as tx:
        await store.ask_about_visit(tx, ctx.actor.organization_id, visit.id, None)
        await audit.record(tx, _entry(ctx, "coverage.visit.check", "E", visit))
    return _shown(visit, policy, None, None)


async def _visit(ctx: CoverageContext, appointment_id: UUID) -> Visit:
    found = await store.visit_by_id(ctx.db, ctx.actor.organization_id, appointment_id)
    if found is None or not may_see(ctx, found.patient_id):
        raise UnknownVisit(appointment_id=str(appointment_id))
    return found


def _shown(visit: Visit, policy: CoveragePolicy, coverage: Coverage | None, eligibility: Eligibility | None) -> VisitCoverage:
    missing: tuple[Missing, ...] = eligibility.missing if eligibility else ("coverage",)
    standing = eligibility.standing if eligibility else "unknown"
    return VisitCoverage(
        appointment_id=visit.id, patient_id=visit.patient_id, site_id=visit.site_id, missing=missing, coverage=coverage,
        eligibility=eligibility, decision=deciding.decide(policy.rule, visit.urgency, standing, missing),
    )  # fmt: skip


def _entry(ctx: CoverageContext, event: str, action: audit.Action, visit: Visit) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=visit.patient_id, entities=(audit.Entity(type="Appointment", id=visit.id),))
