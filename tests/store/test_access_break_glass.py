"""Breaking the glass: who may, what it opens, for how long, and the review that follows."""

from uuid import UUID

import asyncpg
import pytest

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.service import accounts, break_glass, sessions
from carewright.contracts.access import BreakGlassStarted, ReviewNotYours, SessionNeeded, StepUpNeeded, UnknownReview
from carewright.contracts.break_glass import BreakGlass, CloseReview, ListReviews, StartBreakGlass
from carewright.contracts.permissions import BREAK_GLASS
from carewright.kernel.authz import BREAKING_GLASS
from carewright.kernel.errors import Forbidden
from tests.access_world import access, recorded, staff
from tests.servers import Contexts, facts_of
from tests.store.test_access import session_of, signed_in

ROWS = "SELECT g::text AS row FROM access.break_glass g WHERE id = $1"
REASON = StartBreakGlass(purpose="ETREAT", reason="Unconscious in the emergency room", minutes=30)


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context)


async def broken_by(ctx: AccessContext, role: str = "nurse") -> tuple[str, BreakGlass]:
    started = await session_of(ctx, role)
    return started.token, await break_glass.start_break_glass(ctx.acting(await signed_in(ctx, started)), REASON)


async def test_it_widens_what_one_session_may_read_until_its_time_is_up(ctx: AccessContext, context: Contexts) -> None:
    other = await session_of(ctx, "technician")
    token, broken = await broken_by(ctx, "technician")
    actor = await sessions.actor_of(ctx, token)
    assert actor is not None
    assert actor.permissions == context.actor("technician").permissions | BREAK_GLASS
    assert actor.purpose == BREAKING_GLASS
    assert (await signed_in(ctx, other)).permissions == context.actor("technician").permissions
    assert (await accounts.who_am_i(ctx.acting(actor))).break_glass == broken
    for _ in range(3):
        context.clock.advance(minutes=10)
        actor = await sessions.actor_of(ctx, token)
    assert actor is not None
    assert actor.permissions == context.actor("technician").permissions
    assert await facts_of(ctx) == [
        BreakGlassStarted(
            organization_id=context.organization_id, break_glass_id=broken.id, until=broken.until,
            account_id=await account_id(ctx, broken.subject),
        )
    ]  # fmt: skip
    assert ("access.break_glass.start", "success", broken.subject) in await recorded(context)


async def account_id(ctx: AccessContext, subject: str) -> UUID:
    page = await accounts.list_accounts(ctx.acting(ctx.actor))
    return next(each.id for each in page.items if each.subject == subject)


async def test_it_opens_reading_and_nothing_else() -> None:
    assert all(permission.endswith(("read", "find", "any_patient")) or ".read_" in permission for permission in BREAK_GLASS)


async def test_it_ends_when_its_owner_says_so(ctx: AccessContext, context: Contexts) -> None:
    token, _ = await broken_by(ctx)
    actor = await sessions.actor_of(ctx, token)
    assert actor is not None
    context.clock.advance(seconds=5)
    assert await break_glass.end_break_glass(ctx.acting(actor)) == 1
    ended = await sessions.actor_of(ctx, token)
    assert ended is not None
    assert ended.purpose != BREAKING_GLASS


async def test_it_needs_a_role_a_session_and_a_fresh_sign_in(ctx: AccessContext, context: Contexts) -> None:
    with pytest.raises(Forbidden):
        await broken_by(ctx, "scheduler")
    with pytest.raises(SessionNeeded):
        await break_glass.start_break_glass(ctx.acting(staff(context, "nurse")), REASON)
    actor = await signed_in(ctx, await session_of(ctx, "nurse"))
    context.clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepUpNeeded):
        await break_glass.start_break_glass(ctx.acting(actor), REASON)


async def test_a_review_is_closed_once_by_somebody_else(ctx: AccessContext, context: Contexts) -> None:
    _, broken = await broken_by(ctx)
    officer = ctx.acting(context.actor("privacy-officer", subject="staff/officer"))
    assert (await break_glass.list_reviews(officer, ListReviews())).items == (broken,)
    closing = CloseReview(break_glass_id=broken.id, outcome="justified", finding="The patient was in the emergency room")
    with pytest.raises(Forbidden):
        await break_glass.close_review(ctx.acting(context.actor("nurse")), closing)
    with pytest.raises(ReviewNotYours):
        await break_glass.close_review(ctx.acting(context.actor("privacy-officer", subject=broken.subject)), closing)
    elsewhere = context.actor("privacy-officer", organization_id=UUID(int=4))
    with pytest.raises(UnknownReview):
        await break_glass.close_review(ctx.acting(elsewhere), closing)
    closed = await break_glass.close_review(officer, closing)
    assert (closed.closed_by, closed.closed_at, closed.finding) == ("staff/officer", context.clock.now(), closing.finding)
    with pytest.raises(ReviewNotYours):
        await break_glass.close_review(officer, closing)
    assert (await break_glass.list_reviews(officer, ListReviews())).items == ()
    assert (await break_glass.list_reviews(officer, ListReviews(closed=True))).items == (closed,)


async def test_what_people_write_about_it_lies_sealed(ctx: AccessContext, context: Contexts, database_url: str) -> None:
    _, broken = await broken_by(ctx)
    closing = CloseReview(break_glass_id=broken.id, outcome="justified", finding="The patient was in the emergency room")
    await break_glass.close_review(ctx.acting(context.actor("privacy-officer", subject="staff/officer")), closing)
    connection = await asyncpg.connect(database_url)
    try:
        row: str = await connection.fetchval(ROWS, broken.id)
    finally:
        await connection.close()
    assert broken.subject not in row, "the account is named by its id"
    for words in (REASON.reason, closing.finding):
        assert words not in row
        assert words.encode().hex() not in row
    assert await store.reseal_break_glass(ctx.db, await ctx.cipher(), UUID(int=0), 10) == [], "nothing here is due for rotation"
