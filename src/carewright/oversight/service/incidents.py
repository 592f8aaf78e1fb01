"""Incidents: responding to one, reported or noticed, and looking back at it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec

from carewright.contracts.access import CodesGuessed, UnknownAccount
from carewright.contracts.audit import Busy, FindBusy
from carewright.contracts.notifications import Channel, Moment, Notice, Recipient
from carewright.contracts.oversight import (
    CloseIncident,
    HeldBack,
    Incident,
    IncidentsPage,
    ListIncidents,
    NotHeldBack,
    Respond,
    Step,
    StepKind,
    UnknownIncident,
)
from carewright.kernel import audit, restraint_table, telemetry
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput, Refusal
from carewright.kernel.resealing import in_transaction
from carewright.kernel.restraints import Kind, Restraint
from carewright.oversight import store
from carewright.oversight.context import OversightContext
from carewright.oversight.model import triggers as model
from carewright.oversight.model.triggers import Trigger

RESPOND = "oversight.respond"
GUESSED = "oversight.guessed"
"""The job that responds to guessing."""
WATCHED = timedelta(minutes=1)
GUESSES_WATCHED = timedelta(minutes=10)
TOLD = ("administrator", "privacy-officer")
"""The roles that hear of an incident in their inbox."""
BY_HAND = "Do it from the command line on the machine: carewright incident respond."
log = telemetry.logger(__name__)
Act = Callable[[OversightContext, UUID, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step before it is taken."""

    kind: StepKind
    act: Act
    name: str = ""


async def respond(ctx: OversightContext, command: Respond) -> Incident:
    """Open an incident and take every step that was asked for. One that fails is said so, and stops no other.

    Raises `StepUpNeeded`, and `BadInput` for a command that asks for nothing.
    """
    ctx.actor.require(RESPOND)
    ctx.require_recent()
    wanted = list(_wanted(command))
    if not wanted:
        raise BadInput("Say what is to be done: whose sessions end, what is quarantined, which key is new, or whom to tell.")
    incident = Incident(id=ctx.ids.new(), opened_at=ctx.clock.now(), opened_by=ctx.actor.subject, reason=command.reason)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        await store.insert_incident(tx, cipher, incident)
        await audit.record(tx, _opened(ctx, incident))
    return await _with_steps(ctx, incident, wanted)


async def watch(ctx: OversightContext) -> int:
    """Look at the last minute of the audit log, and respond to what no person does; how many incidents were opened."""
    settings = ctx.settings
    exempt = frozenset(settings.reading_exempt_roles.split(","))
    triggers = model.fast_readers(
        await _busy(ctx, "patients", settings.reading_patients_per_minute), exempt, model.steps_of(settings.reading_steps)
    )  # fmt: skip
    refused = await _busy(ctx, "bad_tokens", min(settings.client_failures_per_minute, settings.bad_tokens_per_minute))
    triggers += model.failing_clients(refused, model.steps_of(settings.client_steps))
    if settings.organization_id is not None:
        triggers += model.bad_tokens(refused, settings.organization_id, settings.bad_tokens_per_minute)
    triggers += model.guessing_around(await _busy(ctx, "wrong_codes", settings.wrong_codes_per_minute))
    triggers += model.guessing_from(await _busy(ctx, "guesses", settings.address_guesses_per_ten_minutes, GUESSES_WATCHED))
    return sum([await _triggered(ctx, each) for each in triggers])


async def _busy(
    ctx: OversightContext, what: Literal["patients", "bad_tokens", "wrong_codes", "guesses"], at_least: int, within: timedelta = WATCHED
) -> tuple[Busy, ...]:
    """Whoever did something so often lately."""
    return await ctx.audit.find_busy(ctx.system, FindBusy(what=what, since=ctx.clock.now() - within, at_least=at_least))


async def respond_to_guessing(ctx: OversightContext, event: CodesGuessed) -> None:
    """Open an incident for an account that is guessed at."""
    steps = model.steps_of(ctx.settings.guessing_steps)
    await _triggered(ctx, model.guessed(event.organization_id, event.patient_id, event.failures, steps))


async def _triggered(ctx: OversightContext, trigger: Trigger) -> bool:
    """Open the incident that a trigger stands for and take its steps, in the name of the system, unless there was one a moment ago."""
    acting = ctx.acting(ctx.within(trigger.organization_id))
    now, cipher = ctx.clock.now(), await acting.cipher()
    incident = Incident(
        id=ctx.ids.new(), kind=trigger.kind, about=trigger.about, opened_at=now, opened_by=acting.actor.subject, reason=trigger.reason
    )  # fmt: skip
    async with acting.db.transaction() as tx:
        if not await store.insert_triggered(tx, cipher, incident, now - model.QUIET):
            return False
        await audit.record(tx, _opened(acting, incident))
    await _with_steps(acting, incident, list(_wanted(model.response_to(trigger))))
    return True


async def _with_steps(ctx: OversightContext, incident: Incident, wanted: Sequence[Wanted]) -> Incident:
    steps = tuple([await _taken(ctx, incident.id, each) for each in wanted])
    await store.set_steps(ctx.db, ctx.actor.organization_id, incident.id, steps)
    return msgspec.structs.replace(incident, steps=steps)


def _opened(ctx: OversightContext, incident: Incident) -> audit.Entry:
    return audit.entry(ctx, "oversight.incident.open", "C", entities=(_about(incident.id),))


async def list_incidents(ctx: OversightContext, query: ListIncidents) -> IncidentsPage:
    """Incidents, newest first, and everything that is held back."""
    ctx.actor.require(RESPOND)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.incidents(tx, cipher, query)
        held = await restraint_table.in_force(tx, cipher.organization_id)
        await audit.record(tx, audit.entry(ctx, "oversight.incident.list", "R"))
    return IncidentsPage(items=found, held_back=tuple(_held(each) for each in held))


async def release(ctx: OversightContext, restraint_id: UUID) -> HeldBack:
    """Let a client in, or connections out, again. Raises `NotHeldBack`, `StepUpNeeded`."""
    ctx.actor.require(RESPOND)
    ctx.require_recent()
    async with ctx.db.transaction() as tx:
        lifted = await restraint_table.let_go(tx, ctx.actor.organization_id, restraint_id, ctx.clock.now())
        if lifted is None:
            raise NotHeldBack
        await audit.record(tx, audit.entry(ctx, "oversight.restraint.lift", "U", entities=(_restraint(lifted.id),)))
    return _held(lifted)


async def close_incident(ctx: OversightContext, command: CloseIncident) -> Incident:
    """Write down what was found. Raises `UnknownIncident` for one that is not there, or closed already."""
    ctx.actor.require(RESPOND)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        closed = await store.close_incident(tx, cipher, command, ctx.actor.subject, ctx.clock.now())
        if closed is None:
            raise UnknownIncident
        await audit.record(tx, audit.entry(ctx, "oversight.incident.close", "U", entities=(_about(closed.id),)))
    return closed


reseal_incidents = in_transaction(store.reseal)
"""Seal anew what an older key sealed: one batch of a rotation."""


def _wanted(command: Respond) -> Iterator[Wanted]:
    """The steps in their order: who may still act is shut out first, and whoever is told can be told of all of it."""
    yield from (Wanted("end_sessions", _end_sessions, name) for name in command.end_sessions_of)
    yield from (Wanted("quarantine_client", _quarantine_client, name) for name in command.quarantine_clients)
    yield from (Wanted("quarantine_peer", _quarantine_peer, name.lower()) for name in command.quarantine_peers)
    if command.rotate_token_key:
        yield Wanted("rotate_token_key", _rotate_token_key)
    if command.renew_field_key:
        yield Wanted("renew_field_key", _renew_field_key)
    if command.notify:
        yield Wanted("notify", _notify)


async def _taken(ctx: OversightContext, incident_id: UUID, wanted: Wanted) -> Step:
    try:
        said = await wanted.act(ctx, incident_id, wanted.name)
    except Refusal as refusal:
        return await _failed(ctx, incident_id, wanted, refusal.code, f"{refusal.detail} {BY_HAND}")
    except Exception as fault:  # noqa: BLE001  # whatever broke one step, the next must be taken
        log.error("incident.step_failed", step=wanted.kind, error=type(fault).__name__, where=telemetry.where(fault))
        return await _failed(ctx, incident_id, wanted, "kernel.internal_fault", f"Something broke here, and it was not done. {BY_HAND}")
    return Step(kind=wanted.kind, name=wanted.name, done=True, said=said)


async def _failed(ctx: OversightContext, incident_id: UUID, wanted: Wanted, code: str, said: str) -> Step:
    about = (_about(incident_id),)
    await audit.record(ctx.db, audit.entry(ctx, f"oversight.step.{wanted.kind}", "E", entities=about, outcome="failed", code=code))
    return Step(kind=wanted.kind, name=wanted.name, done=False, said=said)


async def _end_sessions(ctx: OversightContext, incident_id: UUID, name: str) -> str:
    await _hold_back(ctx, incident_id, "end_sessions", "tokens", name)
    try:
        ended = await ctx.access.end_all_sessions(ctx.actor, name)
    except UnknownAccount:
        return (
            "Tokens that were signed for them are refused within two seconds. There is no account of this name, so there were no sessions."
        )
    return f"{ended} sessions ended, and tokens that were signed for them are refused, everywhere within two seconds."


async def _quarantine_client(ctx: OversightContext, incident_id: UUID, name: str) -> str:
    await _hold_back(ctx, incident_id, "quarantine_client", "client", name)
    return "Nothing comes in from it any more, everywhere within two seconds, until it is released."


async def _quarantine_peer(ctx: OversightContext, incident_id: UUID, name: str) -> str:
    await _hold_back(ctx, incident_id, "quarantine_peer", "peer", name)
    return "Nothing goes out to it any more, everywhere within two seconds, until it is released."


async def _rotate_token_key(ctx: OversightContext, incident_id: UUID, _: str) -> str:
    async with ctx.db.transaction() as tx:
        await _note(ctx, tx, incident_id, "rotate_token_key")
        ctx.keys.revoke(ctx.clock.now())
    return "Tokens are signed by a new key, and everything that older ones signed is refused within two seconds. Sessions go on."


async def _renew_field_key(ctx: OversightContext, incident_id: UUID, _: str) -> str:
    version = await ctx.vault.renew(ctx.db, ctx.actor.organization_id)
    async with ctx.db.transaction() as tx:
        await _note(ctx, tx, incident_id, "renew_field_key")
    seconds = ctx.vault.grace.total_seconds()
    return (
        f"Version {version} of the field key seals in {seconds:.0f} seconds. Now run: carewright keys rotate. It seals anew what is stored."
    )


async def _notify(ctx: OversightContext, incident_id: UUID, _: str) -> str:
    system = ctx.within(ctx.actor.organization_id)
    values: dict[str, str | Moment] = {"when": Moment(at=ctx.clock.now(), zone="UTC")}
    for role in TOLD:
        told = Notice(template="incident_opened", recipient=Recipient(kind="role", id=role), channel="inbox", values=values)
        await ctx.notifications.notify(system, told, f"oversight.incident:{incident_id}:{role}")
    async with ctx.db.transaction() as tx:
        await _note(ctx, tx, incident_id, "notify")
    contact = ctx.settings.on_call_contact
    if not contact:
        return "Told administrators and privacy officers in their inbox. Nobody is on call: set CAREWRIGHT_OVERSIGHT_ON_CALL_CONTACT."
    on_call = Recipient(kind="account", id="on-call")
    channel: Channel = "email" if "@" in contact else "sms"
    notice = Notice(template="incident_opened", recipient=on_call, channel=channel, contact=contact, values=values)
    await ctx.notifications.notify(system, notice, f"oversight.incident:{incident_id}:on-call")
    return "Told administrators and privacy officers in their inbox, and a message to the contact on call is on its way."


async def _hold_back(ctx: OversightContext, incident_id: UUID, step: StepKind, kind: Kind, name: str) -> None:
    held = Restraint(organization_id=ctx.actor.organization_id, id=ctx.ids.new(), kind=kind, name=name, since=ctx.clock.now())
    async with ctx.db.transaction() as tx:
        await restraint_table.hold_back(tx, held)
        await _note(ctx, tx, incident_id, step, _restraint(held.id))


async def _note(ctx: OversightContext, tx: Session, incident_id: UUID, step: StepKind, *more: audit.Entity) -> None:
    await audit.record(tx, audit.entry(ctx, f"oversight.step.{step}", "E", entities=(_about(incident_id), *more)))


def _about(incident_id: UUID) -> audit.Entity:
    return audit.Entity(type="Incident", id=incident_id)


def _restraint(restraint_id: UUID) -> audit.Entity:
    return audit.Entity(type="Restraint", id=restraint_id)


def _held(restraint: Restraint) -> HeldBack:
    return HeldBack(
        id=restraint.id, kind="client" if restraint.kind == "client" else "peer", name=restraint.name, since=restraint.since
    )  # fmt: skip
