"""Apps that people let in: what one asks, letting it in, seeing which are in, and turning one off."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import apps as model
from carewright.access.model.apps import Grant, IssuedAppCode
from carewright.access.model.sessions import APP_SECONDS, hash_of
from carewright.access.service.consents import held_consent
from carewright.access.service.sessions import OWN, SIGN_IN
from carewright.contracts import smart
from carewright.contracts.access import (
    AppAskedWrongly,
    SessionNeeded,
    SignInNotSetUp,
    UnknownApp,
    UnknownGrant,
)  # fmt: skip
from carewright.contracts.apps import AppAsked, AppCode, AppGrantsPage, AppLetIn, AskApp, LetAppIn, ListAppGrants
from carewright.contracts.clients import Client
from carewright.contracts.consents import Consent
from carewright.kernel import audit
from carewright.kernel.db import Session as Tx
from carewright.kernel.rng import new_secret

LET_IN, READ = "access.app.let_in", "access.app.read"
FIRST_ID = UUID(int=0)


class Held(NamedTuple):
    """What the code is held against when the app brings it, and what its token must say."""

    redirect_uri: str
    challenge: str
    nonce: str


async def look_at_app(ctx: AccessContext, command: AskApp) -> AppAsked:
    """The app that asks, and what it may be given, before anybody signs in.

    Raises `UnknownApp` where nobody may be sent back, `AppAskedWrongly` for what is told to the app, `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    client = await known_app(ctx, command.client_id, command.redirect_uri)
    scopes = scopes_asked(ctx, command, client, model.PATIENT)
    return AppAsked(
        client_id=client.id, name=client.name, redirect_uri=command.redirect_uri, scopes=scopes, challenge=command.code_challenge,
        nonce=command.nonce,
    )  # fmt: skip


async def let_app_in(ctx: AccessContext, command: LetAppIn) -> AppCode:
    """A code for the app, by which it may do what the actor ticked: with their own record, or by a consent with somebody else's.

    Raises `UnknownApp`, `AppAskedWrongly` where nothing is left to do, `UnknownConsent`, `SessionNeeded`.
    """
    ctx.actor.require(LET_IN)
    if ctx.actor.session_id is None:
        raise SessionNeeded
    client = await known_app(ctx, str(command.client_id), command.redirect_uri)
    async with ctx.db.transaction() as tx:
        made = await _grant(ctx, tx, client, command)
        return await issue_code(ctx, tx, made, Held(command.redirect_uri, command.challenge, command.nonce))


async def my_apps(ctx: AccessContext) -> tuple[AppLetIn, ...]:
    """The apps that the actor let in, and those that others let in to the actor's record."""
    ctx.actor.require(OWN)
    row = await store.account_by_subject(ctx.db, ctx.actor.organization_id, ctx.actor.subject)
    if row is None:
        return ()
    return await store.app_grants(ctx.db, ctx.actor.organization_id, row["id"], row["patient_id"], ctx.clock.now())


async def list_app_grants(ctx: AccessContext, query: ListAppGrants) -> AppGrantsPage:
    """What apps may do, or might, with one record by the word of a patient; for the export of the record."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        found = await store.app_grants_of_patient(
            tx, ctx.actor.organization_id, query, query.after or FIRST_ID, ctx.clock.now(), query.limit + 1
        )
        items = found[: query.limit]
        await _record(ctx, tx, "access.app.read", "E", query.patient_id, *(_entity(each.id) for each in items))
    return AppGrantsPage(items=items, next=items[-1].id if len(found) > len(items) else None)


async def turn_app_off(ctx: AccessContext, grant_id: UUID) -> None:
    """End what an app may do. It is shut out everywhere within two seconds. Raises `UnknownGrant` for one that is not the actor's."""
    ctx.actor.require(OWN)
    async with ctx.db.transaction() as tx:
        row = await store.account_by_subject(tx, ctx.actor.organization_id, ctx.actor.subject)
        by = (row["id"], row["patient_id"]) if row else None
        ended = await end_grant(ctx, tx, grant_id, by, "turned-off") if by else None
        if ended is None:
            raise UnknownGrant
        await _record(ctx, tx, "access.app.turn_off", "U", ended, _entity(grant_id))


async def end_grant(ctx: AccessContext, tx: Tx, grant_id: UUID, by: tuple[UUID, UUID | None] | None, reason: str) -> UUID | None:
    """End an app's access; whose record it was. None where there is none to end."""
    return await store.end_app_grant(tx, ctx.actor.organization_id, grant_id, by, ctx.clock.now(), reason)


async def issue_code(ctx: AccessContext, tx: Tx, made: Grant, held: Held) -> AppCode:
    """Keep what an app may do, in the actor's session, and make the code for it. Raises `SessionNeeded`."""
    if ctx.actor.session_id is None:
        raise SessionNeeded
    now, code = ctx.clock.now(), model.CODE_PREFIX + new_secret(model.SECRET_BYTES).hex()
    issued = IssuedAppCode(
        code_hash=hash_of(code), issued_at=now, until=now + model.CODE_LIFETIME, redirect_uri=held.redirect_uri, challenge=held.challenge,
        nonce=held.nonce, session_id=ctx.actor.session_id,
    )  # fmt: skip
    await store.insert_app_grant(tx, ctx.actor.organization_id, made, issued)
    await _record(ctx, tx, "access.app.let_in", "C", made.patient_id, audit.Entity(type="Client", id=made.client_id), _entity(made.id))
    return AppCode(code=code)


def scopes_asked(ctx: AccessContext, command: AskApp, client: Client, role: str) -> tuple[str, ...]:
    """What an app that asked as it should may be given by somebody with this role. Raises `AppAskedWrongly`, `SignInNotSetUp`."""
    model.ensure_asked(command, fhir_base(ctx))
    scopes = model.grantable(command.scope.split(), client.scopes, role)
    if not model.clinical(scopes):
        raise AppAskedWrongly(error="invalid_scope")
    return scopes


def fhir_base(ctx: AccessContext) -> str:
    """The address of FHIR as apps know it. Raises `SignInNotSetUp` where none is said."""
    if not ctx.settings.public_url:
        raise SignInNotSetUp
    return ctx.settings.public_url.rstrip("/") + smart.FHIR_PATH


async def known_app(ctx: AccessContext, client_id: str, redirect_uri: str) -> Client:
    """The app of this tenant that may send people to exactly this address. Raises `UnknownApp`."""
    try:
        known = await store.client_by_id(ctx.db, UUID(client_id))
    except ValueError as fault:
        raise UnknownApp from fault
    if known is None or known.disabled or known.organization_id != ctx.actor.organization_id:
        raise UnknownApp
    if redirect_uri not in known.client.redirect_uris:
        raise UnknownApp
    return known.client


async def _grant(ctx: AccessContext, tx: Tx, client: Client, command: LetAppIn) -> Grant:
    row = await store.account_by_subject(tx, ctx.actor.organization_id, ctx.actor.subject)
    if row is None or row["patient_id"] is None:
        raise SessionNeeded
    consent = await held_consent(ctx, tx, command.consent_id, row["patient_id"]) if command.consent_id else None
    scopes = model.within(model.grantable(command.scopes, client.scopes, model.PATIENT), consent.scope if consent else "book")
    if not model.clinical(scopes):
        raise AppAskedWrongly(error="invalid_scope")
    return Grant(
        id=ctx.ids.new(), client_id=client.id, account_id=row["id"], consent_id=command.consent_id,
        patient_id=consent.patient_id if consent else row["patient_id"], scopes=scopes,
        authenticated_at=ctx.actor.authenticated_at or ctx.clock.now(), ends_at=_ends_at(ctx, scopes, consent),
    )  # fmt: skip


def _ends_at(ctx: AccessContext, scopes: tuple[str, ...], consent: Consent | None) -> datetime:
    """When the app's access ends at the latest: with its token, where it gets no other, and never after the consent."""
    lasting = model.LONGEST if model.may_refresh(scopes) else model.CODE_LIFETIME + timedelta(seconds=APP_SECONDS)
    ends_at = ctx.clock.now() + lasting
    return min(ends_at, consent.ends_at) if consent else ends_at


def _entity(grant_id: UUID) -> audit.Entity:
    return audit.Entity(type="AppGrant", id=grant_id)


async def _record(ctx: AccessContext, tx: Tx, event: str, action: audit.Action, patient_id: UUID, *about: audit.Entity) -> None:
    await audit.record(tx, audit.entry(ctx, event, action, patient_id=patient_id, entities=about))
