"""`carewright verify` and `carewright events`: what must hold on a live database, and what the consumers have parked."""

from collections.abc import Callable, Mapping
from typing import Any

from carewright.kernel import outbox
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES
from carewright.scheduling import checks

Q = load("carewright.kernel")
LOOKED_AT = [module for module in MODULES if module.has_tables or module.subscriptions or module.offers]
"""Whatever keeps something, or follows the events of others (the portal does that alone), and whom they ask."""
PARKED_SHOWN_MAX = 1000


async def verify(sections: Mapping[str, Any], told: Callable[[str], None]) -> list[str]:
    """Findings in plain sentences; an empty list means that everything holds."""
    findings: list[str] = []
    async with running(LOOKED_AT, sections) as system:
        db = system.context("scheduling").db
        for name, check in checks.CHECKS.items():
            told(f"checking: {name}")
            findings += [f"{name}: {found}" for found in await check(system.context("scheduling"))]
        told("checking: every event was handled")
        parked = await db.fetch(Q.parked_events, None, PARKED_SHOWN_MAX)
        findings += [f"parked event {row['id']} of {row['consumer']}: {row['reason']}" for row in parked]
        end = await outbox.end_of_log(db)
        for name, relay in system.relays.items():
            place = await relay.place()
            waiting = await outbox.read_between(db, place, end, 1, relay.topics)
            findings += [f"consumer {name} has events to handle from {event.topic} on" for event in waiting]
            if place > end:
                findings.append(f"consumer {name} stands beyond the end of the log: see docs/runbooks/events-late.md, on restoring a dump")
    return findings


async def events(sections: Mapping[str, Any], replay: str | None) -> list[str]:
    """Where each consumer stands and what it has parked; with `replay`, after handling one consumer's parked events again."""
    async with running(LOOKED_AT, sections) as system:
        db = system.context("scheduling").db
        if replay is not None:
            if replay not in system.relays:
                raise StartFailed(f"There is no consumer called {replay}. Choose from: {', '.join(system.relays)}.")
            await system.relays[replay].replay()
        places = await db.fetch(Q.consumer_places)
        parked = await db.fetch(Q.parked_events, None, PARKED_SHOWN_MAX)
        return [
            *(f"{row['name']:<24} read up to {row['xid']}.{row['position']}, moved {row['moved_at']:%Y-%m-%d %H:%M:%S}" for row in places),
            *(f"{row['consumer']:<24} parked {row['topic']} {row['id']}: {row['reason']}" for row in parked),
        ]
