"""The audit log of a running system, as the privacy officer reads it: an entry is there a second after the deed."""

import asyncio
from typing import Any

from tests.clinic import ok
from tests.system import System

SEALED_SECONDS_MAX = 30
OFFICER = "privacy-officer"


async def found(system: System, **query: str) -> list[dict[str, Any]]:
    """What the log says, once it says anything."""
    async with asyncio.timeout(SEALED_SECONDS_MAX):
        while not (items := ok(await system.request(OFFICER, "GET", "/api/v1/audit/events", params=query))["items"]):  # noqa: ASYNC110  (no Event)
            await asyncio.sleep(0.05)  # another process sets no asyncio.Event
    events: list[dict[str, Any]] = items
    return events
