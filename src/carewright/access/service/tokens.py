"""Tokens for other systems: OAuth 2.0 client credentials, proved by a signed assertion (`private_key_jwt`)."""

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import assertion as model
from carewright.access.model.assertion import Said
from carewright.access.model.oidc import NotBelieved
from carewright.access.model.sessions import hash_of
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.store import KnownClient
from carewright.contracts.access import ClientNotBelieved, IssuedToken, PublicKey, RequestToken, ScopeNotAllowed, SignInNotSetUp
from carewright.kernel import audit, restraint_table, telemetry
from carewright.kernel.authz import Quarantined
from carewright.kernel.errors import Refusal

PATH = "/oauth/token"
log = telemetry.logger(__name__)


async def grant_token(ctx: AccessContext, command: RequestToken) -> IssuedToken:
    """A token for a system that proves itself: for five minutes, and for the scopes it asks for. Every refusal is recorded.

    Raises `ClientNotBelieved` for all that does not hold, `Quarantined`, `ScopeNotAllowed`, `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    if not ctx.settings.public_url:
        raise SignInNotSetUp
    known = None
    try:
        said = model.said_in(command.assertion)
        known = await store.client_by_id(ctx.db, said.client_id)
        return await _granted(ctx, known, said, command)
    except NotBelieved as fault:
        log.warning("token.refused", check=fault.check)
        refusal: Refusal = ClientNotBelieved()
        await _note(ctx, known, refusal)
        raise refusal from fault
    except (Quarantined, ScopeNotAllowed) as refused:
        await _note(ctx, known, refused)
        raise


async def _granted(ctx: AccessContext, known: KnownClient | None, said: Said, command: RequestToken) -> IssuedToken:
    if known is None or known.disabled or command.client_id not in (None, str(said.client_id)):
        raise NotBelieved("client")
    endpoint = ctx.settings.public_url.rstrip("/") + PATH
    ends_at = model.ensure_holds(said, endpoint, known.client.keys_address, ctx.clock.now())
    address = known.client.keys_address
    keys = known.client.keys if address is None else await ctx.published.at(address, said.head.kid)
    _ensure_signed(command.assertion, model.key_among(keys, said.head), said.head.alg)
    tenant, scopes = acting_for(ctx, known.organization_id), model.scopes_granted(command.scope, known.client.scopes)
    async with tenant.db.transaction() as tx:
        if await restraint_table.holds_client(tx, known.organization_id, known.owner.subject):
            raise Quarantined
        fresh = await store.note_assertion(tx, known.organization_id, said.client_id, hash_of(said.claims.jti), ends_at)
        started = await start(tenant, tx, known.owner, "private_key_jwt", scopes=scopes) if fresh and scopes else None
    if not fresh:
        raise NotBelieved("jti")
    if started is None or scopes is None:
        raise ScopeNotAllowed
    seconds = int((started.session.absolute_until - started.session.started_at).total_seconds())
    return IssuedToken(access_token=started.token, expires_in=seconds, scope=" ".join(scopes))


def _ensure_signed(assertion: str, key: PublicKey, algorithm: str) -> None:
    try:
        jwt.decode(assertion, import_key(msgspec.to_builtins(key)), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise NotBelieved("signature") from fault


async def _note(ctx: AccessContext, known: KnownClient | None, refusal: Refusal) -> None:
    """Record whom somebody said to be, where there is such a client; what came besides is kept nowhere."""
    if known is None:
        await audit.note_refusal(ctx.acting(audit.NOBODY.at(ctx.actor.address), trace=ctx.trace), "access.token.grant", {}, refusal)
        return
    tried = msgspec.structs.replace(
        audit.NOBODY, subject=known.owner.subject, organization_id=known.organization_id, address=ctx.actor.address
    )
    await audit.note_refusal(ctx.acting(tried, trace=ctx.trace), "access.token.grant", {"client_id": known.client.id}, refusal)
