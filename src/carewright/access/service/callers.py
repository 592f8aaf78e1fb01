"""Other systems that sign every request instead of asking for a token (CDS Hooks, Trusting CDS Clients)."""

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import calling
from carewright.access.model.oidc import NotBelieved
from carewright.access.service import proofs
from carewright.access.service.clients import RESOLVE, speaking_for
from carewright.access.service.sessions import acting_for
from carewright.access.store import KnownClient
from carewright.contracts.access import ClientNotBelieved, SignInNotSetUp
from carewright.contracts.callers import ProveCaller
from carewright.kernel import telemetry
from carewright.kernel.authz import Actor, Quarantined

EVENT = "access.session.resolve"
log = telemetry.logger(__name__)


async def actor_of_caller(ctx: AccessContext, command: ProveCaller) -> Actor:
    """Whom the client is that signed a request. Those whom we believe are the clients that were registered with an issuer.

    Every refusal is recorded. Raises `ClientNotBelieved` for all that does not hold, `Quarantined`, `SignInNotSetUp`.
    """
    ctx.actor.require(RESOLVE)
    if not ctx.settings.public_url:
        raise SignInNotSetUp
    known = None
    try:
        call = calling.call_in(command.assertion)
        known = await store.client_by_issuer(ctx.db, call.claims.iss)
        return await _proved(ctx, known, call, command)
    except NotBelieved as fault:
        log.warning("caller.refused", check=fault.check)
        refusal = ClientNotBelieved()
        await proofs.note(ctx, known, EVENT, refusal)
        raise refusal from fault
    except Quarantined as refused:
        await proofs.note(ctx, known, EVENT, refused)
        raise


async def _proved(ctx: AccessContext, known: KnownClient | None, call: calling.Call, command: ProveCaller) -> Actor:
    if known is None or known.disabled:
        raise NotBelieved("client")
    here = ctx.settings.public_url.rstrip("/")
    ends_at = calling.ensure_holds(call, [here + path for path in command.paths], known.client.keys_address, ctx.clock.now())
    await proofs.ensure_signed(ctx, known.client, call.head, command.assertion)
    async with acting_for(ctx, known.organization_id).db.transaction() as tx:
        fresh = await proofs.serves_once(tx, known, call.claims.jti, ends_at)
    if not fresh:
        raise NotBelieved("jti")
    return speaking_for(known)
