"""Links open one thing, once, for a while; whatever else is tried gets one answer."""

import asyncio
from datetime import timedelta

import pytest

from carewright.kernel import links
from carewright.kernel.context import Context
from carewright.kernel.housekeeping import forget_old
from carewright.kernel.invariants import InvariantBroken
from carewright.kernel.links import Link, LinkRefused
from carewright.kernel.sql import Query
from tests.samples import known_id
from tests.servers import Contexts

PURPOSE = "scheduling.appointment.cancel"
DAY = timedelta(days=1)
ROWS = Query("test.links", "SELECT l::text AS row FROM kernel.link l WHERE organization_id = $1")


@pytest.fixture
async def ctx(context: Contexts) -> Context:
    return await context("scheduling")


async def made(ctx: Context, purpose: str = PURPOSE, lifetime: timedelta = DAY, holder: str | None = None) -> str:
    async with ctx.db.transaction() as tx:
        return await links.make_link(ctx, tx, purpose, known_id(1), lifetime, holder=holder)


async def used(ctx: Context, token: str, purpose: str = PURPOSE, holder: str | None = None) -> Link:
    async with ctx.db.transaction() as tx:
        return await links.use_link(ctx, tx, purpose, token, holder=holder)


async def refused(ctx: Context, token: str, purpose: str = PURPOSE, holder: str | None = None) -> tuple[str, object]:
    """The one answer, to looking and to using."""
    with pytest.raises(LinkRefused) as looked:
        await links.look_at_link(ctx, ctx.db, purpose, token, holder=holder)
    with pytest.raises(LinkRefused) as tried:
        await used(ctx, token, purpose, holder)
    assert (looked.value.detail, looked.value.facts) == (tried.value.detail, tried.value.facts)
    return tried.value.detail, tried.value.facts


async def test_a_link_opens_its_target_once(ctx: Context) -> None:
    token = await made(ctx)
    opened = await used(ctx, token)
    assert (opened.organization_id, opened.target) == (ctx.actor.organization_id, known_id(1))
    await refused(ctx, token)


async def test_looking_at_a_link_does_not_use_it_up(ctx: Context) -> None:
    token = await made(ctx)
    for _ in range(3):
        assert (await links.look_at_link(ctx, ctx.db, PURPOSE, token)).target == known_id(1)
    await used(ctx, token)


async def test_of_many_who_use_it_at_once_one_is_let_through(ctx: Context) -> None:
    token = await made(ctx)
    answers = await asyncio.gather(*(used(ctx, token) for _ in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Link"] + ["LinkRefused"] * 7


async def test_a_use_that_rolled_back_was_none(ctx: Context) -> None:
    token = await made(ctx)
    with pytest.raises(ValueError, match="no"):
        await use_and_fail(ctx, token)
    await used(ctx, token)


async def use_and_fail(ctx: Context, token: str) -> None:
    async with ctx.db.transaction() as tx:
        await links.use_link(ctx, tx, PURPOSE, token)
        raise ValueError("no")


async def test_everything_that_does_not_open_gets_the_same_answer(ctx: Context, context: Contexts) -> None:
    spent, own, other, old = await made(ctx), await made(ctx, holder="anna"), await made(ctx, "telehealth.visit.join"), await made(ctx)
    await used(ctx, spent)
    context.clock.advance(days=1)
    answers = [
        await refused(ctx, spent),
        await refused(ctx, old),
        await refused(ctx, "cwl_" + "0" * 32),
        await refused(ctx, own, holder="bo"),
        await refused(ctx, own),
        await refused(ctx, other),
    ]
    assert all(answer == answers[0] for answer in answers)


async def test_a_link_for_somebody_opens_for_them_alone(ctx: Context) -> None:
    token = await made(ctx, holder="anna")
    await refused(ctx, token, holder="bo")
    assert (await used(ctx, token, holder="anna")).holder == "anna"


async def test_a_link_for_nobody_in_particular_opens_for_whoever_has_it(ctx: Context) -> None:
    assert (await used(ctx, await made(ctx), holder="anna")).holder is None


async def test_a_link_is_of_no_use_once_its_time_is_over(ctx: Context, context: Contexts) -> None:
    token = await made(ctx, lifetime=timedelta(minutes=5))
    context.clock.advance(minutes=5)
    await refused(ctx, token)


async def test_a_link_that_was_taken_back_does_not_open(ctx: Context) -> None:
    first, second, other = await made(ctx), await made(ctx), await made(ctx, "telehealth.visit.join")
    async with ctx.db.transaction() as tx:
        assert await links.revoke_links(ctx, tx, PURPOSE, known_id(1)) == 2
    await refused(ctx, first)
    await refused(ctx, second)
    await used(ctx, other, "telehealth.visit.join")


@pytest.mark.parametrize("forged", ["", "cwl_", "x" * 5000, "cwl_" + "g" * 32, "CWL_" + "0" * 32, "cwl_" + "0" * 33, "\0", "é", "%00", "'"])
async def test_what_is_no_token_is_refused(ctx: Context, forged: str) -> None:
    await refused(ctx, forged)


async def test_a_token_with_anything_changed_is_refused(ctx: Context) -> None:
    token = await made(ctx)
    for place in range(len(token)):
        await refused(ctx, token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :])
        await refused(ctx, token[:place])
    for around in (f" {token}", f"{token} ", f"{token}\n", token.upper(), token * 2):
        await refused(ctx, around)
    await used(ctx, token)


async def test_the_database_does_not_know_the_token(ctx: Context) -> None:
    token = await made(ctx)
    rows = [row["row"] for row in await ctx.db.fetch(ROWS, ctx.actor.organization_id)]
    assert rows
    assert not any(token in row or token.removeprefix("cwl_") in row for row in rows)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(days=31)])
async def test_no_link_lives_for_ever(ctx: Context, lifetime: timedelta) -> None:
    with pytest.raises(InvariantBroken):
        await made(ctx, lifetime=lifetime)


async def test_old_links_are_forgotten(ctx: Context, context: Contexts) -> None:
    await made(ctx)
    context.clock.advance(days=9)
    kept = await made(ctx)
    await forget_old(ctx)
    assert len(await ctx.db.fetch(ROWS, ctx.actor.organization_id)) == 1
    await used(ctx, kept)
