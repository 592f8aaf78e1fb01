"""Memory of the whole idle system with the demonstration hospital, and of the index."""

from typing import Any

from bench.processes import family, pss
from bench.serving import server
from bench.world import Ground, context_of
from carewright.roles.lifecycle import System


async def measure(started: System, ground: Ground, dsn: str, organization_id: Any) -> list[dict[str, Any]]:
    """Proportional set sizes (PSS: shared pages counted once), from Linux's smaps_rollup, in MB."""
    base = context_of(started)
    calendars = await base.live.of(organization_id)
    async with server(ground, dsn) as (_, pid):
        return [
            {"what": "server process, all roles", "MB": pss([pid])},
            {"what": "PostgreSQL, all its processes", "MB": pss(family(ground.postgres.pid))},
            {"what": "availability index (bitmaps)", "MB": calendars.index.size_bytes / 1e6},
        ]
