"""Signing staff in at the hospital's identity provider: authorization code with PKCE, state and nonce."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import oidc as model
from carewright.access.model.oidc import Expected, IdToken, NotBelieved
from carewright.access.model.sessions import Owner, hash_of
from carewright.access.service.provider import authorization_address
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.store import Begun
from carewright.contracts.access import (
    AccountChanged,
    AccountDisabled,
    CompleteSignIn,
    NoRole,
    SignedIn,
    SignInFailed,
    SignInNotSetUp,
    SignInStarted,
    StartSignIn,
)
from carewright.kernel import audit, outbox, telemetry
from carewright.kernel.db import Session as Tx
from carewright.kernel.rng import new_secret

CALLBACK = "/staff/callback"
log = telemetry.logger(__name__)


async def start_sign_in(ctx: AccessContext, command: StartSignIn) -> SignInStarted:
    """Begin, and say where to send the browser. Raises `SignInNotSetUp`, `SignInFailed`, `Unavailable`."""
    ctx.actor.require(SIGN_IN)
    settings, tenant = ctx.settings, _tenant(ctx)
    try:
        provider = await ctx.provider.discovered()
    except NotBelieved as fault:
        raise _failed(fault) from fault
    state, nonce, verifier = (new_secret(32).hex() for _ in range(3))
    now = ctx.clock.now()
    begun = Begun(
        binding_hash=hash_of(command.binding), nonce=nonce, verifier=verifier, next=command.next, again=command.again, started_at=now
    )
    await store.insert_sign_in(tenant.db, tenant.actor.organization_id, hash_of(state), begun, now + model.SIGN_IN_LIFETIME)
    asked = {
        "response_type": "code", "client_id": settings.oidc_client_id, "redirect_uri": settings.public_url.rstrip("/") + CALLBACK,
        "scope": settings.oidc_scopes, "state": state, "nonce": nonce, "code_challenge": model.challenge_of(verifier),
        "code_challenge_method": "S256", "max_age": "0" if command.again else str(3600 * settings.staff_hours_max),
    }  # fmt: skip
    return SignInStarted(address=authorization_address(provider, asked | ({"prompt": "login"} if command.again else {})))


async def complete_sign_in(ctx: AccessContext, command: CompleteSignIn) -> SignedIn:
    """A session for whoever the provider vouches for. Raises `SignInFailed` for all that does not hold, `NoRole`, `AccountDisabled`."""
    ctx.actor.require(SIGN_IN)
    tenant = _tenant(ctx)
    try:
        begun = await _taken(tenant, command)
        model.ensure_answer(await ctx.provider.discovered(), command.iss)
        redirect_uri = ctx.settings.public_url.rstrip("/") + CALLBACK
        claims = await ctx.provider.claims_for(command.code, begun.verifier, redirect_uri)
        token = model.believed(claims, _expected(ctx, begun), ctx.clock.now())
    except NotBelieved as fault:
        raise _failed(fault) from fault
    async with tenant.db.transaction() as tx:
        owner = await _account(tenant, tx, token, claims)
        practitioner_id = model.practitioner_among(claims, ctx.settings.oidc_practitioner_claim)
        await store.set_practitioner_of_account(tx, tenant.actor.organization_id, owner.account_id, practitioner_id)
        if command.earlier is not None:
            await store.end_session_by_token(tx, tenant.actor.organization_id, hash_of(command.earlier), owner.account_id, ctx.clock.now())
        started = await start(tenant, tx, owner, "oidc", _proved_at(ctx, token))
        if command.earlier is not None:
            await store.carry_app_grants(tx, tenant.actor.organization_id, hash_of(command.earlier), owner.account_id, started.session.id)
    ctx.wake()
    return SignedIn(token=started.token, session=started.session, next=begun.next)


async def _taken(ctx: AccessContext, command: CompleteSignIn) -> Begun:
    """What was begun under this state, taken out: it serves once. From another browser it is gone all the same."""
    begun = await store.take_sign_in(ctx.db, ctx.actor.organization_id, hash_of(command.state), ctx.clock.now())
    if begun is None or begun.binding_hash != hash_of(command.binding):
        raise NotBelieved("state")
    return begun


async def _account(ctx: AccessContext, tx: Tx, token: IdToken, claims: Mapping[str, object]) -> Owner:
    """The person's account, made at their first sign-in, with the role that the provider gives them now."""
    settings, organization_id = ctx.settings, ctx.actor.organization_id
    role = model.role_among(claims, settings.oidc_role_claim, settings.oidc_roles)
    if role is None:
        raise NoRole
    sites = model.sites_among(claims, settings.oidc_site_claim) if settings.oidc_site_claim else ()
    display = token.name[:200]
    account_id = ctx.ids.new()
    made = Owner(account_id=account_id, subject=f"staff/{account_id}", role=role, display=display, site_ids=sites)
    await store.insert_staff_account(tx, organization_id, made, token.iss, token.sub, ctx.clock.now())
    row = await store.account_by_issuer(tx, organization_id, token.iss, token.sub)
    if row is None or row["disabled_at"] is not None:
        raise AccountDisabled
    owner = store.owner_of(row)
    if owner.account_id == account_id:
        await _tell(ctx, tx, owner, "access.account.create", "C")
    elif (owner.role, owner.site_ids, owner.display) != (role, sites, display):
        changed = Owner(account_id=owner.account_id, subject=owner.subject, role=role, display=display, site_ids=sites)
        await store.update_staff_account(tx, organization_id, changed)
        if (owner.role, owner.site_ids) != (role, sites):
            await _tell(ctx, tx, changed, "access.account.change_role", "U")
        owner = changed
    return owner


async def _tell(ctx: AccessContext, tx: Tx, owner: Owner, event: str, action: audit.Action) -> None:
    await audit.record(tx, audit.entry(ctx, event, action, entities=(audit.Entity(type="Person", id=owner.account_id),)))
    fact = AccountChanged(organization_id=ctx.actor.organization_id, account_id=owner.account_id, role=owner.role, disabled=False)
    await outbox.publish(ctx, tx, fact)


def _expected(ctx: AccessContext, begun: Begun) -> Expected:
    again = begun.started_at if begun.again else None
    return Expected(issuer=ctx.settings.oidc_issuer, client_id=ctx.settings.oidc_client_id, nonce=begun.nonce, again=again)


def _proved_at(ctx: AccessContext, token: IdToken) -> datetime:
    """When they proved who they are; for a provider that does not say, too long ago for anything sensitive."""
    now = ctx.clock.now()
    return model.proved_at(token, now - timedelta(minutes=ctx.settings.step_up_minutes, seconds=1), now)


def _tenant(ctx: AccessContext) -> AccessContext:
    settings = ctx.settings
    organization_id: UUID | None = settings.organization_id
    if organization_id is None or not (settings.oidc_issuer and settings.oidc_client_id and settings.public_url):
        raise SignInNotSetUp
    return acting_for(ctx, organization_id)


def _failed(fault: NotBelieved) -> SignInFailed:
    log.warning("sign_in.failed", check=fault.check)
    return SignInFailed()
