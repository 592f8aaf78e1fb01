"""Whether an app is who it says it is: by a signed assertion, or, where it can keep no secret, by its id alone."""

from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import assertion as model
from carewright.access.model.oidc import NotBelieved
from carewright.access.service import proofs
from carewright.access.service.tokens import PATH
from carewright.access.store import KnownClient


async def find_app(ctx: AccessContext, client_id: str | None, assertion: str | None) -> KnownClient | None:
    """The app of this id, or of this assertion; None for one that there is not. Raises `NotBelieved` for what is no id."""
    try:
        wanted = model.said_in(assertion).client_id if assertion else UUID(client_id or "")
    except ValueError as fault:
        raise NotBelieved("client") from fault
    return await store.client_by_id(ctx.db, wanted)


async def ensure_app(ctx: AccessContext, known: KnownClient | None, client_id: str | None, assertion: str | None) -> KnownClient:
    """The app, enabled and proved: one that has keys signs an assertion, which serves once, and one that has none sends none.

    Raises `NotBelieved`.
    """
    if known is None or known.disabled or not known.client.redirect_uris or client_id not in (None, str(known.client.id)):
        raise NotBelieved("client")
    has_keys = bool(known.client.keys or known.client.keys_address)
    if has_keys != (assertion is not None):
        raise NotBelieved("proof")
    if assertion is not None:
        said = model.said_in(assertion)
        endpoint = ctx.settings.public_url.rstrip("/") + PATH
        ends_at = model.ensure_holds(said, endpoint, known.client.keys_address, ctx.clock.now())
        await proofs.ensure_signed(ctx, known.client, said.head, assertion)
        if not await proofs.serves_once(ctx.db, known, said.claims.jti, ends_at):
            raise NotBelieved("jti")
    return known
