"""Idempotency keys: a retry gets the first answer and does nothing twice, in one process and in several."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from carewright.kernel import idempotency
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import IdempotencyInFlight, IdempotencyKeyReused, NotFound, OutcomeUnknown, Unavailable
from carewright.kernel.housekeeping import forget_old
from carewright.kernel.idempotency import KEEP_DAYS, once, remember
from carewright.kernel.sql import Query
from tests.servers import Contexts

EFFECTS = Query("test.effects", "SELECT count(*) AS count FROM kernel.timer WHERE name LIKE $1 || '%'")
EFFECT = Query("test.effect", "INSERT INTO kernel.timer (name, next_at) VALUES ($1, now())")


class Answer(msgspec.Struct, frozen=True):
    number: int


@dataclass
class Desk:
    """A use case with one visible effect a run, asked under a key."""

    ctx: Context
    name: str
    runs: int = 0
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    async def ask(self, key: str | None, payload: str = "a", *, look_first: bool = True, subject: str | None = None) -> Answer:
        actor = self.ctx.actor if subject is None else msgspec.structs.replace(self.ctx.actor, subject=subject)
        ctx = self.ctx.acting(actor, Once.of(key, payload))
        return await once(ctx, Answer, lambda: self._work(ctx), look_first=look_first)

    async def _work(self, ctx: Context) -> Answer:
        self.runs += 1
        answer = Answer(self.runs)
        await self.may_go_on.wait()
        async with ctx.db.transaction() as tx:
            await tx.execute(EFFECT, f"{self.name} {ctx.ids.new()}")
            await remember(ctx, tx, answer)
        return answer

    async def effects(self) -> int:
        row = await self.ctx.db.fetch_one(EFFECTS, self.name)
        return int(row["count"]) if row else 0


@pytest.fixture
async def desk(context: Contexts, request: pytest.FixtureRequest) -> Desk:
    return Desk(await context("scheduling"), request.node.name)


@pytest.fixture
def several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call finds the note of what is in flight empty, as in a process of its own."""

    class Forgetful(set[object]):
        def __contains__(self, _: object) -> bool:
            return False

        def __iter__(self) -> Iterator[object]:
            return iter(())

    monkeypatch.setattr(idempotency, "_in_flight", Forgetful())


@pytest.mark.parametrize("look_first", [True, False])
async def test_a_repeat_gets_the_first_answer(desk: Desk, look_first: bool) -> None:
    first = await desk.ask("k1", look_first=look_first)
    assert await desk.ask("k1", look_first=look_first) == first
    assert await desk.effects() == 1


async def test_without_a_key_every_call_works(desk: Desk) -> None:
    assert await desk.ask(None) != await desk.ask(None)
    assert await desk.effects() == 2


@pytest.mark.parametrize("look_first", [True, False])
async def test_another_payload_under_the_same_key_is_refused(desk: Desk, look_first: bool) -> None:
    await desk.ask("k1", look_first=look_first)
    with pytest.raises(IdempotencyKeyReused):
        await desk.ask("k1", "b", look_first=look_first)
    assert await desk.effects() == 1


async def test_a_key_belongs_to_its_subject_and_tenant(desk: Desk, context: Contexts) -> None:
    await desk.ask("k1")
    await desk.ask("k1", subject="somebody else")
    elsewhere = Desk(await context("scheduling", organization_id=context.ids.new()), desk.name)
    await elsewhere.ask("k1")
    assert await desk.effects() == 3


async def test_a_second_click_while_the_first_is_in_flight_is_told_so(desk: Desk) -> None:
    desk.may_go_on.clear()
    first = asyncio.create_task(desk.ask("k1"))
    while desk.runs == 0:  # noqa: ASYNC110  # the first call is on its way
        await asyncio.sleep(0)
    with pytest.raises(IdempotencyInFlight):
        await desk.ask("k1")
    desk.may_go_on.set()
    assert await desk.ask("k2") == Answer(2)
    assert await first == await desk.ask("k1") == Answer(1)


@pytest.mark.usefixtures("several_processes")
@pytest.mark.parametrize("look_first", [True, False])
async def test_of_many_processes_one_does_it_and_all_give_its_answer(desk: Desk, look_first: bool) -> None:
    desk.may_go_on.clear()
    asked = [asyncio.create_task(desk.ask("k1", look_first=look_first)) for _ in range(4)]
    while desk.runs < 4:  # noqa: ASYNC110  # all of them have looked, and found nothing
        await asyncio.sleep(0.001)
    desk.may_go_on.set()
    answers = await asyncio.gather(*asked)
    assert len(set(answers)) == 1
    assert await desk.effects() == 1


async def test_a_refusal_is_not_kept(desk: Desk) -> None:
    async def refuse() -> Answer:
        raise NotFound

    ctx = desk.ctx.acting(desk.ctx.actor, Once.of("k1", "a"))
    with pytest.raises(NotFound):
        await once(ctx, Answer, refuse)
    assert await desk.ask("k1") == Answer(1)


async def test_what_is_unknown_is_found_out_by_looking(desk: Desk) -> None:
    """The commit went through, its answer got lost: the caller need not even repeat."""
    ctx = desk.ctx.acting(desk.ctx.actor, Once.of("k1", "a"))

    async def work() -> Answer:
        await desk._work(ctx)
        raise OutcomeUnknown

    assert await once(ctx, Answer, work) == Answer(1)


async def test_what_stays_unknown_is_called_unknown(desk: Desk) -> None:
    """While the database is away nobody may say that nothing was changed."""
    ctx = desk.ctx.acting(desk.ctx.actor, Once.of("k1", "a"))

    await ctx.cipher()

    class Away:
        async def fetch_gathered(self, *_: object) -> None:
            raise Unavailable

    async def work() -> Answer:
        raise OutcomeUnknown

    away = replace(ctx, db=Away())  # type: ignore[arg-type]  # as much of a database as is asked for
    with pytest.raises(OutcomeUnknown):
        await once(away, Answer, work, look_first=False)


async def test_answers_are_kept_for_their_days(desk: Desk, context: Contexts) -> None:
    await desk.ask("k1")
    context.clock.advance(days=KEEP_DAYS, hours=-1)
    await forget_old(desk.ctx)
    assert await desk.ask("k1") == Answer(1)
    context.clock.advance(hours=2)
    assert await forget_old(desk.ctx) > 0
    assert await desk.ask("k1") == Answer(2)
