"""Tokens for other systems: OAuth 2.0 client credentials, proved by a signed assertion (`private_key_jwt`)."""

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import assertion as model
from carewright.access.model.assertion import Said
from carewright.access.model.oidc import NotBelieved
from carewright.access.model.sessions import Bounds
from carewright.access.service import proofs
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.store import KnownClient
from carewright.contracts import smart
from carewright.contracts.access import ClientNotBelieved, ScopeNotAllowed, SignInNotSetUp
from carewright.contracts.clients import IssuedToken, RequestToken
from carewright.kernel import telemetry
from carewright.kernel.authz import Quarantined
from carewright.kernel.errors import Refusal

EVENT = "access.token.grant"
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
        await proofs.note(ctx, known, EVENT, refusal)
        raise refusal from fault
    except (Quarantined, ScopeNotAllowed) as refused:
        await proofs.note(ctx, known, EVENT, refused)
        raise


async def _granted(ctx: AccessContext, known: KnownClient | None, said: Said, command: RequestToken) -> IssuedToken:
    if known is None or known.disabled or command.client_id not in (None, str(said.client_id)):
        raise NotBelieved("client")
    if known.client.redirect_uris:
        raise NotBelieved("grant")
    endpoint = ctx.settings.public_url.rstrip("/") + smart.TOKEN_PATH
    ends_at = model.ensure_holds(said, endpoint, known.client.keys_address, ctx.clock.now())
    await proofs.ensure_signed(ctx, known.client, said.head, command.assertion)
    tenant, scopes = acting_for(ctx, known.organization_id), model.scopes_granted(command.scope, known.client.scopes)
    async with tenant.db.transaction() as tx:
        fresh = await proofs.serves_once(tx, known, said.claims.jti, ends_at)
        started = await start(tenant, tx, known.owner, "private_key_jwt", bounds=Bounds(scopes=scopes)) if fresh and scopes else None
    if not fresh:
        raise NotBelieved("jti")
    if started is None or scopes is None:
        raise ScopeNotAllowed
    seconds = int((started.session.absolute_until - started.session.started_at).total_seconds())
    return IssuedToken(access_token=started.token, expires_in=seconds, scope=" ".join(scopes))
