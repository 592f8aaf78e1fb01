"""The limits of a site, from rows to values. One function runs one named query."""

from uuid import UUID

from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.flow")


async def limits_of(db: Session, organization_id: UUID, site_id: UUID) -> SiteLimits:
    """Of a site that we have not heard of yet, the usual ones."""
    row = await db.fetch_one(Q.limits_of, organization_id, site_id)
    return SiteLimits(site_id=site_id, **dict(row)) if row else SiteLimits(site_id=site_id)


async def set_limits(tx: Session, organization_id: UUID, command: SetLimits) -> bool:
    """Whether there is such a site."""
    row = await tx.fetch_one(Q.set_limits, organization_id, command.site_id, command.full_percent, command.long_minutes)
    return row is not None
