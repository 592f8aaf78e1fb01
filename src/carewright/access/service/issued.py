"""What a token that we gave a client is still good for: an access token, or an app's refresh token."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model.apps import REFRESH_PREFIX
from carewright.access.model.sessions import CLIENT_ROLE, Kept, Owner, hash_of
from carewright.access.service.app_tokens import owner_now
from carewright.kernel import audit
from carewright.kernel.db import Session as Tx


class GoodToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that is good now. `about` is what it is of: a session, or what a person lets an app do."""

    client_id: UUID
    owner: Owner
    scopes: tuple[str, ...]
    ends_at: datetime
    about: audit.Entity

    @property
    def patient_id(self) -> UUID | None:
        return self.owner.patient_id


async def find_good_token(ctx: AccessContext, tx: Tx, token: str) -> GoodToken | None:
    """What a token of this organization's clients is good for; None for one that is good for nothing, or a person's own sign-in.

    A refresh token stays as it is found until the caller's transaction ends: it is locked.
    """
    if token.startswith(REFRESH_PREFIX):
        return await _refreshing(ctx, tx, token)
    found = await store.session_by_token(ctx.db, hash_of(token), ctx.clock.now())
    kept = found[0] if found and found[0].is_live(ctx.clock.now()) else None
    client_id = await _client_of(ctx, kept) if kept else None
    if kept is None or client_id is None:
        return None
    return GoodToken(
        client_id=client_id, owner=kept.owner, scopes=kept.scopes or (), ends_at=kept.absolute_until,
        about=audit.Entity(type="Session", id=kept.id),
    )  # fmt: skip


async def _client_of(ctx: AccessContext, kept: Kept) -> UUID | None:
    """The client that a session is of; None for a person's own."""
    if kept.grant_id is not None:
        return await store.client_of_app_grant(ctx.db, kept.organization_id, kept.grant_id)
    return kept.owner.account_id if kept.owner.role == CLIENT_ROLE else None


async def _refreshing(ctx: AccessContext, tx: Tx, token: str) -> GoodToken | None:
    now = ctx.clock.now()
    found = await store.app_grant_by_refresh_token(tx, ctx.actor.organization_id, hash_of(token), now)
    if found is None or found.used_at is not None or not found.may_refresh or not found.is_live(now):
        return None
    owner = await owner_now(ctx, tx, found.grant)
    if owner is None:
        return None
    return GoodToken(
        client_id=found.grant.client_id, owner=owner, scopes=found.grant.scopes, ends_at=found.grant.ends_at,
        about=audit.Entity(type="AppGrant", id=found.grant.id),
    )  # fmt: skip
