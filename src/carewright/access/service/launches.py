"""Apps that the staff start about a patient (SMART App Launch 2.2, EHR launch): which there are, starting one, and what it may do then.

Nobody is asked once more when the app comes back with what it was started with: an administrator registered it, somebody of the staff
started it a moment ago in the same session, and it may do no more than they.
"""

from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import apps as model
from carewright.access.model.apps import START, Grant, Launch
from carewright.access.model.sessions import hash_of
from carewright.access.service.apps import Held, fhir_base, issue_code, known_app, scopes_asked
from carewright.contracts import smart
from carewright.contracts.access import AppAskedWrongly, SessionNeeded, UnknownApp
from carewright.contracts.apps import AppCode, AppStarted, AskApp, StartableApp, StartApp
from carewright.kernel import audit
from carewright.kernel.db import Session as Tx
from carewright.kernel.http.addresses import address_saying
from carewright.kernel.rng import new_secret

APPS_SHOWN_MAX = 100


async def startable_apps(ctx: AccessContext) -> tuple[StartableApp, ...]:
    """The apps that the actor may start, by name."""
    ctx.actor.require(START)
    found = await store.startable_apps(ctx.db, ctx.actor.organization_id, APPS_SHOWN_MAX)
    return tuple(StartableApp(id=each.id, name=each.name) for each in found)


async def start_app(ctx: AccessContext, command: StartApp) -> AppStarted:
    """Where an app begins that the actor starts about a patient. Raises `UnknownApp`, `SessionNeeded`, `SignInNotSetUp`."""
    ctx.actor.require(START)
    session_id, base = _session(ctx), fhir_base(ctx)
    found = await store.client_by_id(ctx.db, command.client_id)
    if found is None or found.disabled or found.client.launch_uri is None or found.organization_id != ctx.actor.organization_id:
        raise UnknownApp
    launch = model.LAUNCH_PREFIX + new_secret(model.SECRET_BYTES).hex()
    made = Launch(
        patient_id=command.patient_id, encounter_id=command.encounter_id, appointment_id=command.appointment_id,
        ends_at=ctx.clock.now() + model.LAUNCH_LIFETIME,
    )  # fmt: skip
    about = (("Client", command.client_id), ("Encounter", command.encounter_id), ("Appointment", command.appointment_id))
    entities = tuple(audit.Entity(type=kind, id=id_) for kind, id_ in about if id_)
    async with ctx.db.transaction() as tx:
        await store.insert_launch(tx, ctx.actor.organization_id, hash_of(launch), command.client_id, session_id, made)
        await audit.record(tx, audit.entry(ctx, "access.app.start", "E", patient_id=command.patient_id, entities=entities))
    return AppStarted(address=address_saying(found.client.launch_uri, iss=base, launch=launch))


async def answer_launch(ctx: AccessContext, command: AskApp) -> AppCode:
    """A code for an app that the actor started, by which it may do what was asked as far as the actor may do it.

    Raises `UnknownApp` where nobody may be sent back, `AppAskedWrongly` for what is told to the app, `SessionNeeded`, `SignInNotSetUp`.
    """
    ctx.actor.require(START)
    session_id, now = _session(ctx), ctx.clock.now()
    client = await known_app(ctx, command.client_id, command.redirect_uri)
    scopes = scopes_asked(ctx, command, client, ctx.actor.role)
    if smart.LAUNCH not in scopes:
        raise AppAskedWrongly(error="invalid_scope")
    async with ctx.db.transaction() as tx:
        taken = await store.take_launch(tx, ctx.actor.organization_id, hash_of(command.launch), client.id, session_id, now)
        if taken is None:
            raise AppAskedWrongly(error="invalid_request")
        made = await _grant(ctx, tx, client.id, scopes, taken)
        return await issue_code(ctx, tx, made, Held(command.redirect_uri, command.code_challenge, command.nonce))


async def _grant(ctx: AccessContext, tx: Tx, client_id: UUID, scopes: tuple[str, ...], taken: Launch) -> Grant:
    row = await store.account_by_subject(tx, ctx.actor.organization_id, ctx.actor.subject)
    if row is None:
        raise SessionNeeded
    if await store.practitioner_of_account(tx, ctx.actor.organization_id, row["id"]) is None:
        scopes = tuple(each for each in scopes if each != smart.FHIR_USER)
    return Grant(
        id=ctx.ids.new(), client_id=client_id, account_id=row["id"], consent_id=None, patient_id=taken.patient_id,
        encounter_id=taken.encounter_id, appointment_id=taken.appointment_id, scopes=scopes,
        authenticated_at=ctx.actor.authenticated_at or ctx.clock.now(), ends_at=taken.ends_at,
    )  # fmt: skip


def _session(ctx: AccessContext) -> UUID:
    if ctx.actor.session_id is None:
        raise SessionNeeded
    return ctx.actor.session_id
