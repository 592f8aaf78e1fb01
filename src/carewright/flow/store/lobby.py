"""What everybody may see, from rows to values. One function runs one named query."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.lobby import CallShown, ShowCalls
from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.flow")


async def last_calls(db: Session, organization_id: UUID, query: ShowCalls, since: datetime, came_since: datetime) -> list[CallShown]:
    """The newest first: who was called since `since`, and who came since `came_since` and has a room already."""
    rows = await db.fetch(Q.last_calls, organization_id, query.site_id, list(query.queue_ids) or None, since, query.limit, came_since)
    return [CallShown(**row) for row in rows]


async def site(db: Session, organization_id: UUID, site_id: UUID) -> tuple[str, str]:
    """What a site is called, and its IANA zone; of one that we have not heard of yet, nothing and UTC."""
    row = await db.fetch_one(Q.site, organization_id, site_id)
    return (row["name"], row["time_zone"]) if row else ("", "UTC")
