"""A client gives a token back, so that it is good for nothing from now on (RFC 7009)."""

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.service.apps import end_grant
from carewright.access.service.client_proof import ClientProof, ensure_client
from carewright.access.service.clients import speaking_for
from carewright.access.service.issued import GoodToken, find_good_token
from carewright.access.service.proofs import note
from carewright.access.service.sessions import SIGN_IN
from carewright.contracts.access import GrantNotRight
from carewright.kernel import audit
from carewright.kernel.db import Session as Tx

REVOKE = "access.token.revoke"
GIVEN_BACK = "given-back"


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that a client does not want any more."""

    by: ClientProof
    token: str


async def revoke_token(ctx: AccessContext, command: RevokeToken) -> None:
    """End an access token alone, or with a refresh token all that the app may do. One that is good for nothing is no error.

    Shut out everywhere within two seconds. Raises `ClientNotBelieved`, `Quarantined`, `GrantNotRight` for a token of another client,
    `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    known = await ensure_client(ctx, command.by, REVOKE)
    asking = ctx.acting(speaking_for(known).at(ctx.actor.address), trace=ctx.trace)
    async with asking.db.transaction() as tx:
        good = await find_good_token(asking, tx, command.token)
        if good is not None and good.client_id == known.client.id:
            await _end(asking, tx, good)
            await audit.record(tx, audit.entry(asking, REVOKE, "U", patient_id=good.patient_id, entities=(good.about,)))
    if good is not None and good.client_id != known.client.id:
        refusal = GrantNotRight()
        await note(ctx, known, REVOKE, refusal)
        raise refusal


async def _end(ctx: AccessContext, tx: Tx, good: GoodToken) -> None:
    if good.about.type == "AppGrant":
        await end_grant(ctx, tx, good.about.id, None, GIVEN_BACK)
    else:
        await store.end_session(tx, ctx.actor.organization_id, good.about.id, None, ctx.clock.now(), GIVEN_BACK)
