"""Use cases of several modules as one transaction: whose role each statement has, what is undone, and who gives way to whom."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from carewright.kernel import audit, together
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, Forbidden, Unavailable
from carewright.kernel.sql import Query
from carewright.kernel.together import Settle, Together
from tests.servers import Contexts

WHO = Query("test.who", "SELECT current_user AS role, kernel.tenant() AS tenant, pg_current_xact_id()::text AS xid")
KEEP = Query("test.keep", "INSERT INTO kernel.retention (organization_id, what, days, set_at) VALUES ($1, $2, 1, $3)")
KEPT = Query("test.kept", "SELECT what FROM kernel.retention WHERE organization_id = $1 ORDER BY what")
CHANGE = Query("test.change", "UPDATE kernel.retention SET days = days + 1 WHERE organization_id = $1 AND what = $2")
DAYS = Query("test.days", "SELECT sum(days) AS days FROM kernel.retention WHERE organization_id = $1")
OTHERS_TABLE = Query("test.others_table", "SELECT count(*) FROM patients.patient")
REFUSE = Query("test.refuse", "SELECT kernel.refuse('kernel.bad_input')")
TURNED_AWAY = Query("test.turned_away", "SELECT count(*) AS count FROM kernel.audit_entry WHERE organization_id = $1")
TOGETHER_WITH_OTHERS = Query(
    "test.together_with_others",
    "SELECT w.number, pg_current_xact_id()::text AS xid FROM unnest($1::text[]) WITH ORDINALITY AS w(asked, number)",
)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def nobody(_: UUID) -> None:
    """No module has anything to catch up with."""


TOGETHER = Together(lambda _: True, nobody)


async def keep(ctx: Context, what: str) -> None:
    """A use case of its own: one transaction, one row."""
    async with ctx.db.transaction() as tx:
        await tx.execute(KEEP, ctx.actor.organization_id, what, NOW)


async def keep_and_refuse(ctx: Context, what: str) -> None:
    async with ctx.db.transaction() as tx:
        await tx.execute(KEEP, ctx.actor.organization_id, what, NOW)
        await tx.execute(REFUSE)


async def kept(ctx: Context) -> list[str]:
    return [row["what"] for row in await ctx.db.fetch(KEPT, ctx.actor.organization_id)]


async def test_each_module_acts_as_itself_in_one_transaction(context: Contexts) -> None:
    """Invariants 9 and 12: whose tables, and whose rows."""
    fhir, patients, orders = [await context(each) for each in ("fhir", "patients", "orders")]

    async def work(_: Settle) -> set[str]:
        first = await patients.db.fetch_one(WHO)
        async with orders.db.transaction() as tx:
            second = await tx.fetch_one(WHO)
            inner = await patients.db.fetch_one(WHO)
            again = await tx.fetch_one(WHO)
        with pytest.raises(Exception, match="permission denied"):
            await orders.db.fetch_one(OTHERS_TABLE)
        rows = [each for each in (first, second, inner, again) if each]
        assert [each["role"] for each in rows] == [f"carewright_{each}" for each in ("patients", "orders", "patients", "orders")]
        assert {each["tenant"] for each in rows} == {context.organization_id}
        return {each["xid"] for each in rows}

    assert len(await TOGETHER.all_or_nothing(fhir, work)) == 1


async def test_all_of_it_stays_or_none(context: Contexts) -> None:
    fhir, patients, orders = [await context(each) for each in ("fhir", "patients", "orders")]

    async def work(_: Settle) -> None:
        await keep(patients, "one")
        with pytest.raises(BadInput):
            await orders.db.execute(REFUSE)
        with pytest.raises(BadInput):
            await keep_and_refuse(orders, "undone")
        await asyncio.gather(keep(orders, "two"), keep(patients, "three"))

    await TOGETHER.all_or_nothing(fhir, work)
    assert await kept(fhir) == ["one", "three", "two"], "what a use case undoes by itself is undone alone"

    async def broken(_: Settle) -> None:
        await keep(patients, "four")
        raise Forbidden

    with pytest.raises(Forbidden):
        await TOGETHER.all_or_nothing(fhir, broken)
    assert await kept(fhir) == ["one", "three", "two"]


async def test_nobody_else_takes_part(context: Contexts) -> None:
    """Another tenant, another task, and whoever goes on after the end have connections of their own."""
    fhir, orders = await context("fhir"), await context("orders")
    other = await context("orders", organization_id=context.ids.new())
    later: list[asyncio.Task[None]] = []
    over = asyncio.Event()

    async def after_the_end() -> None:
        await over.wait()
        await keep(orders, "later")

    async def work(_: Settle) -> None:
        own, theirs = await orders.db.fetch_one(WHO), await other.db.fetch_one(WHO)
        assert own
        assert theirs
        assert own["xid"] != theirs["xid"]
        later.append(asyncio.create_task(after_the_end()))
        raise BadInput

    outside = asyncio.create_task(keep(orders, "outside"))
    with pytest.raises(BadInput):
        await TOGETHER.all_or_nothing(fhir, work)
    over.set()
    await asyncio.gather(outside, *later)
    assert await kept(fhir) == ["later", "outside"]


async def test_what_is_asked_together_with_others_is_asked_alone(context: Contexts) -> None:
    """A question that callers share is none of a joint transaction's."""
    fhir, orders = await context("fhir"), await context("orders")
    now = asyncio.Event()

    async def another() -> object:
        await now.wait()
        row = await orders.db.fetch_gathered(TOGETHER_WITH_OTHERS, "outside")
        return row and row["xid"]

    async def work(_: Settle) -> object:
        now.set()
        row = await orders.db.fetch_gathered(TOGETHER_WITH_OTHERS, "inside")
        return row and row["xid"]

    outside, inside = await asyncio.gather(another(), TOGETHER.all_or_nothing(fhir, work))
    assert outside
    assert inside
    assert outside != inside


async def test_who_is_turned_away_is_noted_though_all_is_undone(context: Contexts) -> None:
    fhir, orders = await context("fhir"), await context("orders")

    async def work(_: Settle) -> None:
        refusal = Forbidden()
        await audit.note_refusal(orders, "orders.request.record", {}, refusal)
        raise refusal

    with pytest.raises(Forbidden):
        await TOGETHER.all_or_nothing(fhir, work)
    journal = await (await context("audit")).db.fetch_one(TURNED_AWAY, context.organization_id)
    assert journal is not None
    assert journal["count"] == 1


async def test_it_gives_way_instead_of_waiting_and_begins_anew(context: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that lock in opposite orders, and a use case that waits for them: nobody is a deadlock's victim."""
    monkeypatch.setattr(together, "PAUSE_SECONDS_MAX", 0.05)
    fhir, orders = await context("fhir"), await context("orders")
    await keep(orders, "one")
    await keep(orders, "two")
    turns = 0

    def changing(*names: str) -> Callable[[Settle], Awaitable[None]]:
        async def work(_: Settle) -> None:
            nonlocal turns
            turns += 1
            for each in names:
                await orders.db.execute(CHANGE, orders.actor.organization_id, each)
                await asyncio.sleep(0.02)

        return work

    await asyncio.gather(
        *(TOGETHER.all_or_nothing(fhir, changing(*names)) for names in (("one", "two"), ("two", "one"))),
        orders.db.execute(CHANGE, orders.actor.organization_id, "one"),
    )
    row = await fhir.db.fetch_one(DAYS, fhir.actor.organization_id)
    assert row is not None
    assert row["days"] == 2 + 2 * 2 + 1, "each change once"
    assert turns > 2, "somebody began anew"


async def test_what_is_held_for_good_is_refused_and_nothing_is_changed(context: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "PAUSE_SECONDS_MAX", 0.0)
    fhir, orders, patients = [await context(each) for each in ("fhir", "orders", "patients")]
    await keep(orders, "one")
    turns = 0

    async def work(_: Settle) -> None:
        nonlocal turns
        turns += 1
        await keep(orders, "two")
        await orders.db.execute(CHANGE, orders.actor.organization_id, "one")

    async with patients.db.transaction() as tx:
        await tx.execute(CHANGE, orders.actor.organization_id, "one")
        with pytest.raises(Unavailable):
            await TOGETHER.all_or_nothing(fhir, work)
    assert (await kept(fhir), turns) == (["one"], together.ATTEMPTS_MAX)
