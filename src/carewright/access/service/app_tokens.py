"""Tokens for apps that people let in: by the code of a launch, then by refresh tokens. Each serves once: a second time ends all."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import apps as model
from carewright.access.model.apps import Brought, Grant
from carewright.access.model.sessions import Bounds, Owner, hash_of
from carewright.access.service import proofs
from carewright.access.service.apps import end_grant
from carewright.access.service.client_proof import ClientProof, ensure_client
from carewright.access.service.consents import held_consent
from carewright.access.service.id_tokens import id_token
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.service.tokens import EVENT
from carewright.access.store import KnownClient
from carewright.contracts import smart
from carewright.contracts.access import GrantNotRight, ScopeNotAllowed, UnknownConsent
from carewright.contracts.clients import IssuedToken
from carewright.contracts.permissions import ROLES
from carewright.kernel import audit, restraint_table
from carewright.kernel.authz import Quarantined
from carewright.kernel.db import Session as Tx
from carewright.kernel.errors import Refusal
from carewright.kernel.rng import new_secret


class RedeemAppCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code, with the address it was sent to and the secret behind its challenge."""

    by: ClientProof
    code: str
    redirect_uri: str
    verifier: str


class RefreshAppToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token. `scope` narrows the next access token; empty for all that was let in."""

    by: ClientProof
    refresh_token: str
    scope: str = ""


class Mentioned(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that a launch is about, beside the patient and the encounter (SMART App Launch 2.2, `fhirContext`)."""

    reference: str


class AppToken(IssuedToken, frozen=True, kw_only=True):
    """The answer with SMART's launch context: whose record it is, and what the staff started the app about.

    `need_patient_banner`: an app that the staff start has the window to itself, so that it must say whose record it shows.
    """

    patient: UUID
    encounter: UUID | msgspec.UnsetType = msgspec.UNSET
    fhir_context: tuple[Mentioned, ...] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="fhirContext")
    need_patient_banner: bool | msgspec.UnsetType = msgspec.UNSET
    id_token: str | msgspec.UnsetType = msgspec.UNSET
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET


async def grant_app_token(ctx: AccessContext, command: RedeemAppCode | RefreshAppToken) -> AppToken:
    """A token for an app, for half an hour, in the name of whoever let it in. Every refusal is recorded.

    Raises `ClientNotBelieved`, `GrantNotRight` for all that does not hold, `ScopeNotAllowed`, `Quarantined`, `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    proved = await ensure_client(ctx, command.by, EVENT)
    answer = await _granted(acting_for(ctx, proved.organization_id), proved, command)
    if isinstance(answer, Refusal):
        await proofs.note(ctx, proved, EVENT, answer)
        raise answer
    return answer


async def _granted(ctx: AccessContext, known: KnownClient, command: RedeemAppCode | RefreshAppToken) -> AppToken | Refusal:
    """A refusal is an answer here, so that what it ended is committed."""
    async with ctx.db.transaction() as tx:
        if await restraint_table.holds_client(tx, known.organization_id, known.owner.subject):
            return Quarantined()
        if isinstance(command, RedeemAppCode):
            return await _redeemed(ctx, tx, known, command)
        return await _refreshed(ctx, tx, known, command)


async def _redeemed(ctx: AccessContext, tx: Tx, known: KnownClient, command: RedeemAppCode) -> AppToken | Refusal:
    found = await store.app_grant_by_code(tx, known.organization_id, hash_of(command.code))
    if refusal := await _why_not(ctx, tx, known, found):
        return refusal
    if found is None or command.redirect_uri != found.redirect_uri or not model.proves(command.verifier, found.challenge):
        return GrantNotRight()
    await store.use_app_code(tx, known.organization_id, found.grant.id, ctx.clock.now())
    return await _issued(ctx, tx, found.grant, found.grant.scopes, found.nonce)


async def _refreshed(ctx: AccessContext, tx: Tx, known: KnownClient, command: RefreshAppToken) -> AppToken | Refusal:
    now, brought = ctx.clock.now(), hash_of(command.refresh_token)
    found = await store.app_grant_by_refresh_token(tx, known.organization_id, brought, now)
    if refusal := await _why_not(ctx, tx, known, found):
        return refusal
    if found is None or not found.may_refresh:
        return GrantNotRight()
    scopes = tuple(dict.fromkeys(command.scope.split())) or found.grant.scopes
    if not model.clinical(scopes) or not smart.covered(scopes, found.grant.scopes):
        return ScopeNotAllowed()
    await store.use_refresh_token(tx, known.organization_id, found.grant.id, brought, now)
    return await _issued(ctx, tx, found.grant, scopes)


async def _why_not(ctx: AccessContext, tx: Tx, known: KnownClient, found: Brought | None) -> Refusal | None:
    """What is wrong with what an app brought. Whatever serves a second time was stolen from one of the two: neither goes on (RFC 9700)."""
    if found is None or found.grant.client_id != known.client.id:
        return GrantNotRight()
    if found.used_at is not None and await end_grant(ctx, tx, found.grant.id, None, "replayed"):
        about = (audit.Entity(type="AppGrant", id=found.grant.id),)
        ended = audit.entry_of_system(
            ctx, known.organization_id, "access.app.turn_off", "U", patient_id=found.grant.patient_id, entities=about
        )
        await audit.record(tx, ended)
    return None if found.used_at is None and found.is_live(ctx.clock.now()) else GrantNotRight()


async def _issued(ctx: AccessContext, tx: Tx, grant: Grant, scopes: Collection[str], nonce: str | None = None) -> AppToken | Refusal:
    """An access token in the name of whoever let the app in, unless they may not come in any more themselves.

    The first one comes with what the app asked to know of them, and with the `nonce` it said.
    """
    owner = await owner_now(ctx, tx, grant)
    if owner is None:
        return GrantNotRight()
    answer = await _started(ctx, tx, grant, owner, tuple(scopes))
    if nonce is None or smart.OPENID not in grant.scopes:
        return answer
    return msgspec.structs.replace(answer, id_token=await id_token(ctx, tx, grant, owner, nonce))


async def owner_now(ctx: AccessContext, tx: Tx, grant: Grant) -> Owner | None:
    """Who let an app in, as they may come in now, their account locked; None where they may not, or not to that record."""
    row = await store.account_for_change(tx, ctx.actor.organization_id, grant.account_id)
    if row is None or row["disabled_at"] is not None:
        return None
    owner = store.owner_of(row)
    if grant.is_launched:
        return msgspec.structs.replace(owner, patient_id=grant.patient_id) if model.START in ROLES[owner.role] else None
    if grant.consent_id is None:
        return owner
    try:
        await held_consent(ctx, tx, grant.consent_id, owner.patient_id)
    except UnknownConsent:
        return None
    return msgspec.structs.replace(owner, role="proxy", patient_id=grant.patient_id)


async def _started(ctx: AccessContext, tx: Tx, grant: Grant, owner: Owner, scopes: tuple[str, ...]) -> AppToken:
    bounds = Bounds(scopes=scopes, consent_id=grant.consent_id, grant_id=grant.id, absolute_until=grant.ends_at)
    started = await start(ctx, tx, owner, "app", grant.authenticated_at, bounds)
    refresh: str | msgspec.UnsetType = msgspec.UNSET
    if model.may_refresh(grant.scopes):
        refresh = model.REFRESH_PREFIX + new_secret(model.SECRET_BYTES).hex()
        await store.insert_refresh_token(tx, ctx.actor.organization_id, hash_of(refresh), grant.id, ctx.clock.now())
    seconds = int((started.session.absolute_until - started.session.started_at).total_seconds())
    return AppToken(
        access_token=started.token, expires_in=seconds, scope=" ".join(scopes), patient=grant.patient_id, refresh_token=refresh,
        encounter=grant.encounter_id or msgspec.UNSET, need_patient_banner=grant.is_launched or msgspec.UNSET,
        fhir_context=(Mentioned(reference=f"Appointment/{grant.appointment_id}"),) if grant.appointment_id else msgspec.UNSET,
    )  # fmt: skip
