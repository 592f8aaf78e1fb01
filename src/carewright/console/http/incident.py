"""The page for incidents: everything that must happen at once, in one form, and what came of it."""

from typing import Any
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.console.http.page import Ask
from carewright.contracts.oversight import CloseIncident, Incident, ListIncidents, NotHeldBack, Respond
from carewright.kernel.errors import BadInput

INCIDENT = "/staff/incident"
RESPOND = "oversight.respond"
LISTS = ("end_sessions_of", "quarantine_clients", "quarantine_peers")
CHOICES = ("rotate_token_key", "renew_field_key", "notify")


async def show_incident(ask: Ask) -> Response:
    """The form, the incidents that are open, and what is held back."""
    return await _shown(ask)


async def respond(ask: Ask) -> Response:
    """Take the steps and show what came of each: a page of its own answer, since a reload must not lose what failed."""
    given: dict[str, Any] = {name: [line.strip() for line in ask.form.get(name, "").splitlines() if line.strip()] for name in LISTS}
    given |= {name: ask.form.get(name) == "yes" for name in CHOICES} | {"reason": ask.form.get("reason", "").strip()}
    try:
        command = msgspec.convert(given, Respond)
    except msgspec.ValidationError:
        return await _shown(ask, 422, error="Give a reason of 3 to 500 letters. Names stand a line each, hosts without https://.")
    try:
        incident = await ask.ctx.oversight.respond(ask.ctx.actor, command)
    except BadInput as refusal:
        return await _shown(ask, 422, error=refusal.detail)
    return await _shown(ask, incident=incident)


async def release(ask: Ask) -> Response:
    """Release one client or host."""
    try:
        restraint_id = UUID(ask.form.get("restraint_id", ""))
    except ValueError as fault:
        raise NotHeldBack from fault
    await ask.ctx.oversight.release(ask.ctx.actor, restraint_id)
    return ask.go(INCIDENT)


async def close_incident(ask: Ask) -> Response:
    """Close an incident with what was found."""
    given = {name: ask.form.get(name) for name in ("incident_id", "finding")}
    try:
        command = msgspec.convert(given, CloseIncident)
    except msgspec.ValidationError:
        return await _shown(ask, 422, close_error="Say what you found, in 3 to 500 letters.")
    await ask.ctx.oversight.close_incident(ask.ctx.actor, command)
    return ask.go(INCIDENT)


async def _shown(ask: Ask, status: int = 200, *, error: str = "", close_error: str = "", incident: Incident | None = None) -> Response:
    ask.ctx.actor.require(RESPOND)
    page = await ask.ctx.oversight.list_incidents(ask.ctx.actor, ListIncidents())
    steps = [step for one in (*page.items, *([incident] if incident else [])) for step in one.steps]
    agents = (*(one.opened_by for one in page.items), *(step.name for step in steps if step.name))
    kept = {name: ask.form.get(name, "") for name in (*LISTS, "reason")} if error else dict.fromkeys((*LISTS, "reason"), "")
    return ask.show(
        "incident.html", status, error=error, close_error=close_error, taken=incident, incidents=page.items, held_back=page.held_back,
        kept=kept, called=await ask.called(agents),
    )  # fmt: skip
