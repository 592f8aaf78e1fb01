"""What a hospital sets: each site's rule, and about what kind of service payers are asked."""

from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from carewright.contracts.coverage import CoveragePolicy, SetPolicy, SetServiceType, VisitServiceType
from carewright.coverage import store
from carewright.coverage.service.stopping import tell_later
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput

POLICY_READ, POLICY_CHANGE = "coverage.policy.read", "coverage.policy.change"


async def get_policy(ctx: Context, site_id: UUID) -> CoveragePolicy:
    """A site's rule; the default where it set none."""
    ctx.actor.require(POLICY_READ)
    return await store.policy_of(ctx.db, ctx.actor.organization_id, site_id)


async def set_policy(ctx: Context, policy: SetPolicy) -> CoveragePolicy:
    """Set a site's rule. Raises `BadInput` for a zone that there is not."""
    ctx.actor.require(POLICY_CHANGE)
    try:
        ZoneInfo(policy.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise BadInput("There is no such time zone. It looks like America/Chicago.", parameter="time_zone") from fault
    async with ctx.db.transaction() as tx:
        await store.put_policy(tx, ctx.actor.organization_id, policy)
        await tell_later(ctx, tx)
        about = (audit.Entity(type="Location", id=policy.site_id),)
        await audit.record(tx, audit.entry(ctx, "coverage.policy.set", "U", entities=about))
    return CoveragePolicy(**msgspec.structs.asdict(policy))


async def get_service_type(ctx: Context, visit_type_id: UUID) -> VisitServiceType:
    """About what payers are asked for a visit type, and whether they authorise it before."""
    ctx.actor.require(POLICY_READ)
    return await service_type_of(ctx.db, ctx.actor.organization_id, visit_type_id)


async def set_service_type(ctx: Context, command: SetServiceType) -> VisitServiceType:
    """Set about what payers are asked for a visit type. Whether the directory knows it is not asked: an import may bring it later."""
    ctx.actor.require(POLICY_CHANGE)
    what = VisitServiceType(**msgspec.structs.asdict(command))
    async with ctx.db.transaction() as tx:
        await store.put_service_type(tx, ctx.actor.organization_id, what)
        await tell_later(ctx, tx)
        about = (audit.Entity(type="HealthcareService", id=what.visit_type_id),)
        await audit.record(tx, audit.entry(ctx, "coverage.service_type.set", "U", entities=about))
    return what


async def service_type_of(db: Session, organization_id: UUID, visit_type_id: UUID) -> VisitServiceType:
    """What is set for a visit type; a visit to an office that nobody authorises where nothing is."""
    found = await store.service_types_of(db, organization_id, (visit_type_id,))
    return found.get(visit_type_id, VisitServiceType(visit_type_id=visit_type_id))
