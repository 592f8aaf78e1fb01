"""Whether a client is who it says it is: by a signed assertion, or, an app that can keep no secret, by its id alone."""

from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import assertion as model
from carewright.access.model.oidc import NotBelieved
from carewright.access.service import proofs
from carewright.access.store import KnownClient
from carewright.contracts import smart
from carewright.contracts.access import ClientNotBelieved, SignInNotSetUp
from carewright.kernel import telemetry
from carewright.kernel.authz import Quarantined
from carewright.kernel.errors import Refusal

log = telemetry.logger(__name__)


class ClientProof(msgspec.Struct, frozen=True, kw_only=True):
    """Who a client says it is: by its id alone, or by an assertion too, if it has keys."""

    client_id: str | None = None
    assertion: str | None = None


async def ensure_client(ctx: AccessContext, by: ClientProof, event: str) -> KnownClient:
    """The client, enabled and proved: one that has keys signs an assertion, which serves once, and one that has none sends none.

    Whoever is refused is recorded with the name `event`. Raises `ClientNotBelieved`, `Quarantined`, `SignInNotSetUp`.
    """
    if not ctx.settings.public_url:
        raise SignInNotSetUp
    known = None
    try:
        known = await _known(ctx, by)
        await _ensure_proved(ctx, known, by)
    except Quarantined as refused:
        await proofs.note(ctx, known, event, refused)
        raise
    except NotBelieved as fault:
        log.warning("token.refused", check=fault.check)
        refusal: Refusal = ClientNotBelieved()
        await proofs.note(ctx, known, event, refusal)
        raise refusal from fault
    return known


async def _known(ctx: AccessContext, by: ClientProof) -> KnownClient:
    """The client of this id, or of this assertion. Raises `NotBelieved` where there is none."""
    try:
        wanted = model.said_in(by.assertion).client_id if by.assertion else UUID(by.client_id or "")
    except ValueError as fault:
        raise NotBelieved("client") from fault
    known = await store.client_by_id(ctx.db, wanted)
    if known is None:
        raise NotBelieved("client")
    return known


async def _ensure_proved(ctx: AccessContext, known: KnownClient, by: ClientProof) -> None:
    if known.disabled or by.client_id not in (None, str(known.client.id)):
        raise NotBelieved("client")
    has_keys = bool(known.client.keys or known.client.keys_address)
    if has_keys != (by.assertion is not None):
        raise NotBelieved("proof")
    if by.assertion is not None:
        said = model.said_in(by.assertion)
        endpoint = ctx.settings.public_url.rstrip("/") + smart.TOKEN_PATH
        ends_at = model.ensure_holds(said, endpoint, known.client.keys_address, ctx.clock.now())
        await proofs.ensure_signed(ctx, known.client, said.head, by.assertion)
        if not await proofs.serves_once(ctx.db, known, said.claims.jti, ends_at):
            raise NotBelieved("jti")
