"""What a token is good for, told to the client that has it, or to a system that may ask about every client's (RFC 7662)."""

from uuid import UUID

import msgspec

from carewright.access.context import AccessContext
from carewright.access.service.client_proof import ClientProof, ensure_client
from carewright.access.service.clients import speaking_for
from carewright.access.service.issued import GoodToken, find_good_token
from carewright.access.service.proofs import note
from carewright.access.service.sessions import SIGN_IN, actor_of
from carewright.contracts.access import ClientNotBelieved
from carewright.contracts.clients import BEARER
from carewright.kernel import audit, restraint_table
from carewright.kernel.authz import Actor, Quarantined
from carewright.kernel.errors import Refusal

INTROSPECT = "access.token.introspect"
"""The permission to ask about every client's tokens, and the deed in the audit log."""


class IntrospectToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token to be told of. Whoever asks proves itself as at the token endpoint, or shows a token of its own."""

    token: str
    by: ClientProof = ClientProof()
    bearer: str | None = None


class TokenTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of RFC 7662, section 2.2, with SMART's launch context. `exp` is in seconds since the epoch."""

    active: bool
    scope: str = ""
    client_id: UUID | None = None
    exp: int = 0
    sub: str = ""
    token_type: str = ""
    patient: UUID | None = None


async def introspect_token(ctx: AccessContext, command: IntrospectToken) -> TokenTold:
    """What a token is good for; that it is not, for one that is unknown, has ended, or is not for the asking client to know of.

    Raises `ClientNotBelieved`, also for an app that has no key, `Quarantined`, `Forbidden`, `SignInNotSetUp`.
    """
    ctx.actor.require(SIGN_IN)
    asker, client_id = await (_bearer(ctx, command.bearer) if command.bearer else _proved(ctx, command.by))
    asking = ctx.acting(asker.at(ctx.actor.address), trace=ctx.trace)
    async with asking.db.transaction() as tx:
        good = await find_good_token(asking, tx, command.token)
        if good and client_id in (None, good.client_id) and not await _is_held(asking, good.owner.subject):
            await audit.record(tx, audit.entry(asking, INTROSPECT, "E", patient_id=good.patient_id, entities=(good.about,)))
            return _told(good)
        await audit.record(tx, audit.entry(asking, INTROSPECT, "E"))
    return TokenTold(active=False)


async def _proved(ctx: AccessContext, by: ClientProof) -> tuple[Actor, UUID | None]:
    """Who proves itself by an assertion, and whose tokens it may ask about: its own, or with the scope for it everybody's."""
    known = await ensure_client(ctx, by, INTROSPECT)
    if by.assertion is None:
        refusal = ClientNotBelieved()
        await note(ctx, known, INTROSPECT, refusal)
        raise refusal
    asker = speaking_for(known)
    return asker, None if asker.may(INTROSPECT) else known.client.id


async def _bearer(ctx: AccessContext, token: str) -> tuple[Actor, None]:
    """Whose token this is: a system's that may ask about everybody's."""
    asker = await actor_of(ctx, token)
    try:
        if asker is None:
            raise ClientNotBelieved
        if await restraint_table.holds_client(ctx.db, asker.organization_id, asker.subject):
            raise Quarantined
        asker.require(INTROSPECT)
    except Refusal as refusal:
        await audit.note_refusal(ctx.acting((asker or audit.NOBODY).at(ctx.actor.address), trace=ctx.trace), INTROSPECT, {}, refusal)
        raise
    return asker, None


async def _is_held(ctx: AccessContext, subject: str) -> bool:
    return await restraint_table.holds_client(ctx.db, ctx.actor.organization_id, subject)


def _told(good: GoodToken) -> TokenTold:
    kind = BEARER if good.about.type == "Session" else ""
    return TokenTold(
        active=True, scope=" ".join(good.scopes), client_id=good.client_id, exp=int(good.ends_at.timestamp()), sub=good.owner.subject,
        token_type=kind, patient=good.patient_id,
    )  # fmt: skip
