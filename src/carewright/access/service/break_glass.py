"""Breaking the glass: wider permissions for a while, with a reason, and a review that must be closed."""

from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.contracts.access import BreakGlassStarted, ReviewNotYours, SessionNeeded, UnknownReview
from carewright.contracts.break_glass import BreakGlass, CloseReview, ListReviews, ReviewsPage, StartBreakGlass
from carewright.kernel import audit, outbox
from carewright.kernel.idempotency import once, remember
from carewright.kernel.resealing import in_transaction

START = "access.break_glass.start"
REVIEW = "access.break_glass.review"


async def start_break_glass(ctx: AccessContext, command: StartBreakGlass) -> BreakGlass:
    """Widen what this session may read, for `command.minutes`. The privacy officer hears of it, and must close its review.

    Raises `StepUpNeeded` unless the person proved who they are a moment ago, `SessionNeeded` for whoever came without a session.
    """
    ctx.actor.require(START)
    ctx.require_recent()
    session_id = ctx.actor.session_id
    if session_id is None:
        raise SessionNeeded
    return await once(ctx, BreakGlass, lambda: _started(ctx, command, session_id))


async def _started(ctx: AccessContext, command: StartBreakGlass, session_id: UUID) -> BreakGlass:
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        account = await store.account_by_subject(tx, organization_id, ctx.actor.subject)
        if account is None:
            raise SessionNeeded
        broken = BreakGlass(
            id=ctx.ids.new(), subject=ctx.actor.subject, role=ctx.actor.role, purpose=command.purpose, reason=command.reason,
            started_at=now, until=now + timedelta(minutes=command.minutes),
        )  # fmt: skip
        await store.insert_break_glass(tx, cipher, broken, account["id"], session_id)
        await audit.record(tx, audit.entry(ctx, "access.break_glass.start", "E", entities=(_entity(broken.id),)))
        fact = BreakGlassStarted(
            organization_id=organization_id, break_glass_id=broken.id, account_id=account["id"], until=broken.until
        )  # fmt: skip
        await outbox.publish(ctx, tx, fact)
        await remember(ctx, tx, broken)
    ctx.wake()
    return broken


async def end_break_glass(ctx: AccessContext) -> int:
    """Mend the glass of this session before its time; says how many there were. The review stays open."""
    ctx.actor.require(START)
    session_id = ctx.actor.session_id
    if session_id is None:
        raise SessionNeeded
    async with ctx.db.transaction() as tx:
        ended = await store.end_break_glass(tx, ctx.actor.organization_id, session_id, ctx.clock.now())
        await audit.record(tx, audit.entry(ctx, "access.break_glass.end", "E", entities=tuple(_entity(each) for each in ended)))
    return len(ended)


async def active_break_glass(ctx: AccessContext) -> BreakGlass | None:
    """What is broken in the actor's session now."""
    if ctx.actor.session_id is None:
        return None
    return await store.active_break_glass(ctx.db, await ctx.cipher(), ctx.actor.session_id, ctx.clock.now())


async def list_reviews(ctx: AccessContext, query: ListReviews) -> ReviewsPage:
    """When the glass was broken, by whom, and why: what is still to be reviewed, oldest first."""
    ctx.actor.require(REVIEW)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.break_glass_reviews(tx, cipher, query)
        await audit.record(tx, audit.entry(ctx, "access.break_glass.list", "R"))
    return ReviewsPage(items=found)


async def close_review(ctx: AccessContext, command: CloseReview) -> BreakGlass:
    """Write down what was found. Raises `UnknownReview`, and `ReviewNotYours` for one's own or one that is closed already."""
    ctx.actor.require(REVIEW)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        before = await store.break_glass_for_change(tx, cipher, command.break_glass_id)
        if before is None:
            raise UnknownReview
        if before.closed_at is not None or before.subject == ctx.actor.subject:
            raise ReviewNotYours
        now = ctx.clock.now()
        await store.close_break_glass(tx, cipher, command, ctx.actor.subject, now)
        await audit.record(tx, audit.entry(ctx, "access.break_glass.close", "U", entities=(_entity(before.id),)))
    return msgspec.structs.replace(before, closed_at=now, closed_by=ctx.actor.subject, finding=command.finding)


reseal_break_glass = in_transaction(store.reseal_break_glass)
"""Seal anew what an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def _entity(break_glass_id: UUID) -> audit.Entity:
    return audit.Entity(type="Task", id=break_glass_id)
