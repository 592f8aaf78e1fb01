"""Tokens for other systems: OAuth 2.0 client credentials, proved by a signed assertion (`private_key_jwt`)."""

from carewright.access.context import AccessContext
from carewright.access.model import assertion as model
from carewright.access.model.sessions import Bounds
from carewright.access.service import proofs
from carewright.access.service.client_proof import ClientProof, ensure_client
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.store import KnownClient
from carewright.contracts.access import ClientNotBelieved, ScopeNotAllowed
from carewright.contracts.clients import IssuedToken, RequestToken
from carewright.kernel.errors import Refusal

EVENT = "access.token.grant"


async def grant_token(ctx: AccessContext, command: RequestToken) -> IssuedToken:
    """A token for a system that proves itself: for five minutes, and for the scopes it asks for. Every refusal is recorded.

    Raises `ClientNotBelieved` for all that does not hold, `Quarantined`, `ScopeNotAllowed`, `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    known = await ensure_client(ctx, ClientProof(client_id=command.client_id, assertion=command.assertion), EVENT)
    scopes = model.scopes_granted(command.scope, known.client.scopes)
    if known.client.redirect_uris:
        return await _refused(ctx, known, ClientNotBelieved())
    if scopes is None:
        return await _refused(ctx, known, ScopeNotAllowed())
    tenant = acting_for(ctx, known.organization_id)
    async with tenant.db.transaction() as tx:
        started = await start(tenant, tx, known.owner, "private_key_jwt", bounds=Bounds(scopes=scopes))
    seconds = int((started.session.absolute_until - started.session.started_at).total_seconds())
    return IssuedToken(access_token=started.token, expires_in=seconds, scope=" ".join(scopes))


async def _refused(ctx: AccessContext, known: KnownClient, refusal: Refusal) -> IssuedToken:
    await proofs.note(ctx, known, EVENT, refusal)
    raise refusal
