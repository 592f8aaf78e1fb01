"""Responding to an incident: every step is taken, recorded and told, and one that fails stops no other."""

from dataclasses import fields
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.access.context import AccessContext
from carewright.access.module import LocalAccess
from carewright.access.service import sessions
from carewright.contracts.access import CodesGuessed, StepUpNeeded
from carewright.contracts.audit import Busy, FindBusy
from carewright.contracts.notifications import ReadInbox
from carewright.contracts.oversight import CloseIncident, Incident, ListIncidents, NotHeldBack, Respond, UnknownIncident
from carewright.contracts.permissions import ALL, SYSTEM
from carewright.kernel import restraint_table
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.jobs import run_due
from carewright.kernel.restraints import Restraints
from carewright.kernel.token_keys import TokenKeys
from carewright.notifications import service as notifications
from carewright.notifications.jobs import JOBS
from carewright.notifications.module import LocalNotifications
from carewright.notifications.senders import senders
from carewright.notifications.service import NotificationsContext
from carewright.notifications.settings import NotificationsSettings
from carewright.oversight import handlers
from carewright.oversight.context import OversightContext
from carewright.oversight.jobs import JOBS as OVERSIGHT_JOBS
from carewright.oversight.service import incidents as service
from carewright.oversight.settings import OversightSettings
from tests.access_world import access, recorded, staff
from tests.keys import new_vault
from tests.servers import Contexts
from tests.store.test_access import session_of

REASON = "A laptop was stolen"
FRESH_SECONDS = 15.0
CONTACT = "+1 312 555 0190"
STORED = "SELECT row_to_json(i)::text AS row FROM oversight.incident i"


class Watched:
    """An audit log in which somebody is as busy as a test says."""

    def __init__(self) -> None:
        self.busy: dict[str, list[Busy]] = {"patients": [], "bad_tokens": [], "wrong_codes": [], "guesses": []}
        self.asked: list[FindBusy] = []

    async def find_busy(self, _: Actor, query: FindBusy) -> tuple[Busy, ...]:
        self.asked.append(query)
        return tuple(one for one in self.busy[query.what] if one.count >= query.at_least)


@pytest.fixture
async def keeper(context: Contexts) -> AccessContext:
    return await access(context)


@pytest.fixture
async def messages(context: Contexts) -> NotificationsContext:
    base, settings = await context.system("notifications"), NotificationsSettings(local_inbox_organization_id=context.organization_id)
    return NotificationsContext(**world_of(base), settings=settings, senders=senders(settings))


@pytest.fixture
async def ctx(context: Contexts, keeper: AccessContext, messages: NotificationsContext, tmp_path: Path) -> OversightContext:
    (tmp_path / "token.key").write_bytes(b"k" * 32)
    watched: Any = Watched()
    world = world_of(await context.system("oversight")) | {"vault": new_vault(context.clock, FRESH_SECONDS)}
    made = OversightContext(
        **world, settings=OversightSettings(on_call_contact=CONTACT),
        system=Actor(subject="system", organization_id=context.organization_id, role=SYSTEM, permissions=ALL),
        keys=TokenKeys.of_file(tmp_path / "token.key"), access=LocalAccess(keeper), audit=watched,
        notifications=LocalNotifications(messages), patients=watched, scheduling=watched,
    )  # fmt: skip
    return made.acting(staff(context, "administrator"))


def world_of(base: Context) -> dict[str, Any]:
    return {field.name: getattr(base, field.name) for field in fields(Context)}


async def known(context: Contexts) -> Restraints:
    """What any process knows once it has looked."""
    restraints, system = Restraints(), await context.system("scheduling")
    await restraint_table.look(restraints, system.db, context.clock.now())
    return restraints


def said(incident: Incident) -> list[tuple[str, str, bool]]:
    return [(step.kind, step.name, step.done) for step in incident.steps]


async def test_one_command_does_everything_at_once(
    ctx: OversightContext, keeper: AccessContext, messages: NotificationsContext, context: Contexts
) -> None:
    started, before = await session_of(keeper, "nurse"), ctx.keys.keys
    command = Respond(
        reason=REASON, end_sessions_of=(started.session.subject,), quarantine_clients=("lab",), quarantine_peers=("LAB.example.org",),
        rotate_token_key=True, renew_field_key=True,
    )  # fmt: skip
    incident = await service.respond(ctx, command)
    assert said(incident) == [
        ("end_sessions", started.session.subject, True), ("quarantine_client", "lab", True), ("quarantine_peer", "lab.example.org", True),
        ("rotate_token_key", "", True), ("renew_field_key", "", True), ("notify", "", True),
    ]  # fmt: skip
    assert await sessions.actor_of(keeper, started.token) is None
    restraints = await known(context)
    now = context.clock.now().timestamp()
    assert not restraints.takes_token(context.organization_id, started.session.subject, now - 1)
    assert restraints.takes_token(context.organization_id, "somebody else", now - 1)
    assert restraints.holds_client(context.organization_id, "lab")
    assert not {each.id for each in ctx.keys.keys} & {each.id for each in before}
    assert (await service.list_incidents(ctx, ListIncidents())).items == (incident,)
    steps = [(event, outcome) for event, outcome, _ in await recorded(context) if event.startswith("oversight.")]
    assert steps == [
        ("oversight.incident.open", "success"), ("oversight.step.end_sessions", "success"), ("oversight.step.quarantine_client", "success"),
        ("oversight.step.quarantine_peer", "success"), ("oversight.step.rotate_token_key", "success"),
        ("oversight.step.renew_field_key", "success"), ("oversight.step.notify", "success"), ("oversight.incident.list", "success"),
    ]  # fmt: skip


async def test_whoever_is_on_call_hears_of_it_and_so_do_the_officers(
    ctx: OversightContext, messages: NotificationsContext, context: Contexts
) -> None:
    await service.respond(ctx, Respond(reason=REASON))
    await run_due(messages, JOBS)
    told = (await notifications.read_local_inbox(messages.acting(ctx.system), ReadInbox())).items
    assert {(one.contact, one.communication.recipient.id) for one in told} == {
        (CONTACT, "on-call"), (None, "administrator"), (None, "privacy-officer"),
    }  # fmt: skip
    assert not any(REASON in one.text for one in told)


async def test_a_step_that_fails_is_said_so_and_the_others_are_taken(ctx: OversightContext, context: Contexts, tmp_path: Path) -> None:
    (tmp_path / "token.key").unlink()
    (tmp_path / "token.new").mkdir()  # nothing can be written there now, whoever asks
    incident = await service.respond(ctx, Respond(reason=REASON, quarantine_clients=("lab",), rotate_token_key=True, notify=False))
    assert said(incident) == [("quarantine_client", "lab", True), ("rotate_token_key", "", False)]
    assert "carewright incident respond" in incident.steps[1].said
    assert ("oversight.step.rotate_token_key", "failed", "tester") in await recorded(context)
    assert (await known(context)).holds_client(context.organization_id, "lab")


async def test_what_breaks_in_another_module_stops_no_other_step(ctx: OversightContext, context: Contexts) -> None:
    class Broken:
        async def end_all_sessions(self, *_: object) -> int:
            raise RuntimeError

    broken: Any = Broken()
    world = {name: getattr(ctx, name) for name in OversightContext.__dataclass_fields__} | {"access": broken}
    incident = await service.respond(
        OversightContext(**world), Respond(reason=REASON, end_sessions_of=("anna",), quarantine_clients=("lab",))
    )
    assert said(incident) == [("end_sessions", "anna", False), ("quarantine_client", "lab", True), ("notify", "", True)]


async def test_a_client_without_an_account_loses_its_tokens(ctx: OversightContext, context: Contexts) -> None:
    incident = await service.respond(ctx, Respond(reason=REASON, end_sessions_of=("lab",), notify=False))
    assert said(incident) == [("end_sessions", "lab", True)]
    assert not (await known(context)).takes_token(context.organization_id, "lab", context.clock.now().timestamp() - 1)


async def test_what_is_held_back_is_released_once(ctx: OversightContext, context: Contexts) -> None:
    command = Respond(reason=REASON, quarantine_clients=("lab",), notify=False)
    await service.respond(ctx, command)
    await service.respond(ctx, command)
    (held,) = (await service.list_incidents(ctx, ListIncidents())).held_back
    assert (await service.release(ctx, held.id)).name == "lab"
    assert not (await known(context)).holds_client(context.organization_id, "lab")
    with pytest.raises(NotHeldBack):
        await service.release(ctx, held.id)
    await service.respond(ctx, command)
    assert (await known(context)).holds_client(context.organization_id, "lab")


async def test_an_incident_is_closed_once_and_its_words_lie_sealed(ctx: OversightContext, context: Contexts) -> None:
    incident = await service.respond(ctx, Respond(reason=REASON))
    closed = await service.close_incident(ctx, CloseIncident(incident_id=incident.id, finding="It was encrypted"))
    assert (closed.finding, closed.closed_by) == ("It was encrypted", "tester")
    with pytest.raises(UnknownIncident):
        await service.close_incident(ctx, CloseIncident(incident_id=incident.id, finding="Once more"))
    assert (await service.list_incidents(ctx, ListIncidents())).items == ()
    assert (await service.list_incidents(ctx, ListIncidents(closed=True))).items == (closed,)
    connection = await asyncpg.connect(context.pools.url)
    stored = "".join(row["row"] for row in await connection.fetch(STORED))
    await connection.close()
    assert str(incident.id) in stored
    for words in (REASON, "It was encrypted"):
        assert words not in stored
        assert words.encode().hex() not in stored


async def test_it_takes_a_role_a_fresh_sign_in_and_something_to_do(ctx: OversightContext, context: Contexts) -> None:
    with pytest.raises(Forbidden):
        await service.respond(ctx.acting(staff(context, "nurse")), Respond(reason=REASON))
    long_ago = msgspec.structs.replace(staff(context, "privacy-officer"), authenticated_at=None)
    with pytest.raises(StepUpNeeded):
        await service.respond(ctx.acting(long_ago), Respond(reason=REASON))
    with pytest.raises(BadInput):
        await service.respond(ctx, Respond(reason=REASON, notify=False))
    assert (await service.list_incidents(ctx, ListIncidents())).items == ()


async def test_another_hospital_sees_and_releases_nothing_of_it(ctx: OversightContext, context: Contexts) -> None:
    await service.respond(ctx, Respond(reason=REASON, quarantine_clients=("lab",), notify=False))
    (held,) = (await service.list_incidents(ctx, ListIncidents())).held_back
    there = ctx.acting(msgspec.structs.replace(ctx.actor, organization_id=context.ids.new()))
    page = await service.list_incidents(there, ListIncidents())
    assert (page.items, page.held_back) == ((), ())
    with pytest.raises(NotHeldBack):
        await service.release(there, held.id)


async def test_who_reads_too_fast_is_signed_out_once_and_may_sign_in_again(
    ctx: OversightContext, keeper: AccessContext, context: Contexts
) -> None:
    started, watched = await session_of(keeper, "nurse"), cast("Watched", ctx.audit)
    fast = Busy(organization_id=context.organization_id, agent=started.session.subject, role="nurse", purpose="TREAT", count=55)
    watched.busy["patients"] = [fast]
    assert await service.watch(ctx) == 1
    assert watched.asked[0].since == context.clock.now() - service.WATCHED
    assert await sessions.actor_of(keeper, started.token) is None
    (incident,) = (await service.list_incidents(ctx, ListIncidents())).items
    assert (incident.kind, incident.about, incident.opened_by) == ("reading_rate", started.session.subject, "system")
    assert said(incident) == [("end_sessions", started.session.subject, True), ("notify", "", True)]
    assert await service.watch(ctx) == 0, "it is the same incident for a while"
    again = await session_of(keeper, "nurse")
    assert await sessions.actor_of(keeper, again.token) is not None
    context.clock.advance(minutes=11)
    assert await service.watch(ctx) == 1, "it goes on, or began again"


async def test_bad_tokens_of_nobody_open_an_incident_where_a_hospital_is_named(ctx: OversightContext, context: Contexts) -> None:
    watched = cast("Watched", ctx.audit)
    watched.busy["bad_tokens"] = [Busy(organization_id=UUID(int=0), agent="unknown", role="none", purpose="", count=200)]
    assert await service.watch(ctx) == 0
    world = {name: getattr(ctx, name) for name in OversightContext.__dataclass_fields__}
    named = OversightContext(**world | {"settings": OversightSettings(organization_id=context.organization_id)})
    assert await service.watch(named) == 1
    (incident,) = (await service.list_incidents(ctx, ListIncidents())).items
    assert (incident.kind, said(incident)) == ("bad_tokens", [("notify", "", True)])


async def test_guessing_at_an_account_is_told_and_ends_nothing(ctx: OversightContext, context: Contexts) -> None:
    guessed = CodesGuessed(
        organization_id=context.organization_id, account_id=context.ids.new(), patient_id=context.ids.new(), failures=10
    )  # fmt: skip
    async with ctx.db.transaction() as tx:
        await handlers.open_incident_of_guessing(ctx, tx, guessed)
    assert await run_due(ctx, OVERSIGHT_JOBS) == 1
    (incident,) = (await service.list_incidents(ctx, ListIncidents())).items
    assert (incident.kind, said(incident)) == ("codes_guessed", [("notify", "", True)])
    assert "10 codes" in incident.reason


async def test_guessing_from_one_address_at_many_accounts_opens_one_incident(ctx: OversightContext, context: Contexts) -> None:
    watched = cast("Watched", ctx.audit)
    watched.busy["guesses"] = [Busy(organization_id=context.organization_id, address="198.51.100.7", count=29)]
    assert await service.watch(ctx) == 0
    watched.busy["guesses"] = [Busy(organization_id=context.organization_id, address="198.51.100.7", count=30)]
    assert await service.watch(ctx) == 1
    assert {one.since for one in watched.asked if one.what == "guesses"} == {context.clock.now() - service.GUESSES_WATCHED}
    assert await service.watch(ctx) == 0, "it is the same incident for a while"
    (incident,) = (await service.list_incidents(ctx, ListIncidents())).items
    assert (incident.about, said(incident)) == ("address/198.51.100.7", [("notify", "", True)])


async def test_a_failing_client_is_quarantined_where_the_settings_say_so(ctx: OversightContext, context: Contexts) -> None:
    watched = cast("Watched", ctx.audit)
    watched.busy["bad_tokens"] = [Busy(organization_id=context.organization_id, agent="client/lab", role="none", purpose="", count=12)]
    watched.busy["wrong_codes"] = [Busy(organization_id=context.organization_id, agent="system", role="system", purpose="", count=29)]
    world = {name: getattr(ctx, name) for name in OversightContext.__dataclass_fields__}
    strict = OversightContext(**world | {"settings": OversightSettings(client_steps="quarantine,notify")})
    assert await service.watch(strict) == 1
    assert (await known(context)).holds_client(context.organization_id, "client/lab")
    watched.busy["wrong_codes"] = [Busy(organization_id=context.organization_id, agent="system", role="system", purpose="", count=30)]
    assert await service.watch(strict) == 1
