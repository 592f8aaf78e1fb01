"""The ground that the store tests stand on."""

from carewright.kernel.idempotency import Q
from tests.servers import MORNING, Contexts


async def test_a_context_speaks_to_a_migrated_database(context: Contexts) -> None:
    ctx = await context("kernel")
    assert await ctx.db.fetch(Q.consumer_places) == []


async def test_all_contexts_of_a_test_share_one_clock_and_one_tenant(context: Contexts) -> None:
    first, second = await context("kernel"), await context("kernel", role="patient")
    context.clock.advance(minutes=5)
    assert first.clock.now() == second.clock.now() != MORNING
    assert first.actor.organization_id == second.actor.organization_id
    assert not second.actor.may("patients.find")
