"""Sessions: starting, using, listing and ending them."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import sessions as model
from carewright.access.model.sessions import Bounds, Owner
from carewright.contracts.access import Session, SignInMethod, StartedSession, UnknownAccount, UnknownSession
from carewright.kernel import audit
from carewright.kernel.authz import Actor, mark_of
from carewright.kernel.db import Session as Tx
from carewright.kernel.rng import new_secret

OWN = "access.session.own"
MANAGE = "access.account.manage"
RESOLVE = "access.session.resolve"
RESPOND = "oversight.respond"
SIGN_IN = "access.sign_in"
SESSIONS_SHOWN_MAX = 100
WHOLE = Bounds()


async def actor_of(ctx: AccessContext, token: str) -> Actor | None:
    """Whom a session's token speaks for; None for one that ended, ran out, or never was. Whoever asked refuses, and that is recorded."""
    ctx.actor.require(RESOLVE)
    if len(token) != model.TOKEN_LENGTH:
        return None
    now = ctx.clock.now()
    found = await store.session_by_token(ctx.db, model.hash_of(token), now)
    if found is None or not found[0].is_live(now):
        return None
    kept, glass_broken = found
    if kept.wants_touch(now):
        await store.touch_session(ctx.db, kept, now)
    return model.actor_of(kept, glass_broken=glass_broken)


async def find_live_sessions(ctx: AccessContext, session_ids: tuple[UUID, ...]) -> dict[UUID, str]:
    """Those of these sessions of one organization that live, each with the mark of what its actor may (`authz.mark_of`).

    To be asked about is not to be used: a screen that only watches does not keep anybody signed in.
    """
    ctx.actor.require(RESOLVE)
    now = ctx.clock.now()
    found = await store.sessions_by_id(ctx.db, ctx.actor.organization_id, session_ids, now)
    return {kept.id: mark_of(model.actor_of(kept, glass_broken=glass_broken)) for kept, glass_broken in found if kept.is_live(now)}


async def start(
    ctx: AccessContext, tx: Tx, owner: Owner, method: SignInMethod, authenticated_at: datetime | None = None,
    bounds: Bounds = WHOLE,
) -> StartedSession:  # fmt: skip
    """A new session within the caller's transaction, with its audit entry. The caller has made sure of who it is, now or earlier.

    Whoever has too many loses those they did not use for longest. The account's row is locked by the caller.
    """
    token = model.token_of(new_secret(model.TOKEN_BYTES))
    kept = model.new_session(owner, ctx.actor.organization_id, method, ctx.clock.now(), ctx.ids.new(), ctx.settings)
    kept = msgspec.structs.replace(
        kept,
        authenticated_at=authenticated_at or kept.authenticated_at,
        scopes=bounds.scopes,
        consent_id=bounds.consent_id,
        grant_id=bounds.grant_id,
        absolute_until=min(kept.absolute_until, bounds.absolute_until or kept.absolute_until),
    )
    await store.insert_session(tx, kept, model.hash_of(token))
    beyond = await store.end_sessions_beyond(tx, kept, ctx.clock.now(), ctx.settings.sessions_max)
    signed_in = ctx.acting(model.actor_of(kept, glass_broken=False).at(ctx.actor.address), trace=ctx.trace)
    began = (_entity(kept.id), *((audit.Entity(type="AppGrant", id=bounds.grant_id),) if bounds.grant_id else ()))
    await audit.record(
        tx,
        audit.entry(signed_in, "access.session.start", "E", patient_id=owner.patient_id, entities=began),
        *(audit.entry(signed_in, "access.session.end", "E", entities=(_entity(each),)) for each in beyond),
    )
    return StartedSession(token=token, session=model.shown(kept))


async def my_sessions(ctx: AccessContext) -> tuple[Session, ...]:
    """The actor's live sessions, oldest first."""
    ctx.actor.require(OWN)
    found = await store.sessions_of_subject(ctx.db, ctx.actor.organization_id, ctx.actor.subject, ctx.clock.now(), SESSIONS_SHOWN_MAX)
    return tuple(model.shown(kept) for kept in found)


async def end_session(ctx: AccessContext, session_id: UUID) -> Session:
    """End one of the actor's sessions; who manages accounts may end anybody's. It is gone everywhere within two seconds.

    Raises `UnknownSession` for one that is not there, not theirs, or ended already.
    """
    ctx.actor.require(OWN)
    subject = None if ctx.actor.may(MANAGE) else ctx.actor.subject
    async with ctx.db.transaction() as tx:
        ended = await store.end_session(tx, ctx.actor.organization_id, session_id, subject, ctx.clock.now(), "ended")
        if ended is None:
            raise UnknownSession
        await audit.record(tx, audit.entry(ctx, "access.session.end", "E", entities=(_entity(session_id),)))
    return model.shown(ended)


async def end_all_sessions(ctx: AccessContext, subject: str) -> int:
    """End every session of `subject` and say how many there were.

    One's own, or anybody's for whoever manages accounts or responds to an incident. Raises `UnknownAccount`.
    """
    if subject == ctx.actor.subject or not ctx.actor.may(RESPOND):
        ctx.actor.require(OWN if subject == ctx.actor.subject else MANAGE)
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        row = await store.account_by_subject(tx, organization_id, subject)
        if row is None:
            raise UnknownAccount
        ended = await store.end_sessions_of_account(tx, organization_id, row["id"], ctx.clock.now(), "ended")
        await audit.record(tx, audit.entry(ctx, "access.session.end_all", "E", entities=(audit.Entity(type="Person", id=row["id"]),)))
    return ended


def acting_for(ctx: AccessContext, organization_id: UUID) -> AccessContext:
    """The same system at work within one organization: for callers that come before anybody is signed in."""
    return ctx.working_in(organization_id, trace=ctx.trace)


def _entity(session_id: UUID) -> audit.Entity:
    return audit.Entity(type="Session", id=session_id)
