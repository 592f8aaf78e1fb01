"""Memory of the whole idle system with the demonstration hospital, and of the index."""

from pathlib import Path
from typing import Any

from bench.serving import server
from bench.world import Ground, context_of
from carewright.roles.lifecycle import System


async def measure(started: System, ground: Ground, dsn: str, organization_id: Any) -> list[dict[str, Any]]:
    """Proportional set sizes (PSS: shared pages counted once), from Linux's smaps_rollup, in MB."""
    base = context_of(started)
    calendars = await base.live.of(organization_id)
    async with server(ground, dsn) as (_, pid):
        return [
            {"what": "server process, all roles", "MB": _pss([pid])},
            {"what": "PostgreSQL, all its processes", "MB": _pss(_family(ground.postgres.pid))},
            {"what": "availability index (bitmaps)", "MB": calendars.index.size_bytes / 1e6},
        ]


def _family(parent: int) -> list[int]:
    children = [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text().split()]
    return [parent, *(member for child in children for member in _family(child))]


def _pss(pids: list[int]) -> float:
    kilobytes = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1000
