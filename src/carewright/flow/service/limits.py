"""From when on something at a site is to be looked at: read by whoever looks, set by operations."""

from uuid import UUID

from carewright.contracts.delays import AtSite
from carewright.contracts.flow import UnknownSite
from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.flow.store import limits as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.idempotency import once_committed

READ = "flow.limits.read"
CHANGE = "flow.queue.change"


async def get_limits(ctx: Context, query: AtSite) -> SiteLimits:
    """The limits of one of the actor's sites."""
    ctx.actor.require(READ)
    _ensure_at(ctx, query.site_id)
    return await store.limits_of(ctx.db, ctx.actor.organization_id, query.site_id)


async def set_limits(ctx: Context, command: SetLimits) -> SiteLimits:
    """Set both limits of one of the actor's sites. Raises `UnknownSite`."""
    ctx.actor.require(CHANGE)
    _ensure_at(ctx, command.site_id)

    async def work(tx: Session) -> SiteLimits:
        if not await store.set_limits(tx, ctx.actor.organization_id, command):
            raise UnknownSite(site_id=str(command.site_id))
        about = (audit.Entity(type="Location", id=command.site_id),)
        await audit.record(tx, audit.entry(ctx, "flow.limits.set", "U", entities=about))
        return SiteLimits(site_id=command.site_id, full_percent=command.full_percent, long_minutes=command.long_minutes)

    return await once_committed(ctx, SiteLimits, work)


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("You look at your own sites only.")
