"""`carewright incident`: responding beside the database, whether or not any server runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.oversight import CloseIncident, HeldBack, Incident, IncidentsPage, ListIncidents, NotHeldBack, Oversight, Respond
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput
from carewright.kernel.jobs import run_due
from carewright.roles.lifecycle import NOBODY, System, running
from carewright.roles.registry import MODULES

NEEDED = ("access", "patients", "scheduling", "audit", "notifications", "oversight")


async def respond(sections: Mapping[str, Any], organization_id: UUID, operator: str, command: Respond) -> Incident:
    """Take every step, and bring the messages away that follow, as nobody else may be running who would."""
    async with _running(sections) as system:
        incident = await _oversight(system).respond(_actor(system, organization_id, operator), command)
        notifications = next(module for module in MODULES if module.name == "notifications")
        await run_due(system.context("notifications"), notifications.jobs)
    return incident


async def list_all(sections: Mapping[str, Any], organization_id: UUID, operator: str) -> IncidentsPage:
    """Open incidents, and what is held back."""
    async with _running(sections) as system:
        return await _oversight(system).list_incidents(_actor(system, organization_id, operator), ListIncidents())


async def release(sections: Mapping[str, Any], organization_id: UUID, operator: str, name: str) -> list[HeldBack]:
    """Release what is held back under a name. Raises `NotHeldBack`."""
    async with _running(sections) as system:
        actor = _actor(system, organization_id, operator)
        held = (await _oversight(system).list_incidents(actor, ListIncidents(limit=1))).held_back
        wanted = [each for each in held if each.name == name]
        if not wanted:
            raise NotHeldBack("Nothing is held back under this name. See: carewright incident list.")
        return [await _oversight(system).release(actor, each.id) for each in wanted]


async def close(sections: Mapping[str, Any], organization_id: UUID, operator: str, incident_id: UUID, finding: str) -> Incident:
    """Write down what was found."""
    async with _running(sections) as system:
        command = msgspec.convert({"incident_id": incident_id, "finding": finding}, CloseIncident)
        return await _oversight(system).close_incident(_actor(system, organization_id, operator), command)


def command_of(**given: object) -> Respond:
    """The command that the arguments make. Raises `BadInput` for one that does not fit."""
    try:
        return msgspec.convert(given, Respond)
    except msgspec.ValidationError as fault:
        raise BadInput(f"This cannot be done: {fault}.") from fault


def lines_of(incident: Incident) -> list[str]:
    """An incident and what came of each step, to be read on a terminal."""
    steps = [f"  {'done  ' if step.done else 'FAILED'} {step.kind} {step.name}".rstrip() + f": {step.said}" for step in incident.steps]
    return [f"incident {incident.id}, {incident.opened_at:%Y-%m-%d %H:%M} UTC, by {incident.opened_by}: {incident.reason}", *steps]


def lines_of_all(page: IncidentsPage) -> list[str]:
    """Every open incident, and behind them what is held back."""
    held = [f"held back since {each.since:%Y-%m-%d %H:%M} UTC: {each.kind} {each.name}" for each in page.held_back]
    return [line for incident in page.items for line in lines_of(incident)] + (held or ["nothing is held back"])


@asynccontextmanager
async def _running(sections: Mapping[str, Any]) -> AsyncIterator[System]:
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        yield system


def _oversight(system: System) -> Oversight:
    oversight: Oversight = system.offer(Oversight)
    return oversight


def _actor(system: System, organization_id: UUID, operator: str) -> Actor:
    """Whoever may log in to the machine may do this: the journal names the login."""
    now = system.context("oversight").clock.now()
    return msgspec.structs.replace(NOBODY, subject=f"operator/{operator}", organization_id=organization_id, authenticated_at=now)
