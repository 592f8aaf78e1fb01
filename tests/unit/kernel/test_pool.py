"""Lending connections: in the order of asking, never more than there may be, none lost, each standing in the tenant it was asked for."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from carewright.kernel import pool as pool_module
from carewright.kernel.errors import Unavailable
from carewright.kernel.pool import Pool
from carewright.kernel.priority import Priority, working_as
from tests.samples import known_id


class Line:
    """Stands for a connection: the pool asks it for nothing but its state, and ends it."""

    def __init__(self) -> None:
        self.closed = False
        self.in_transaction = False
        self.tenant: UUID | None = None

    def is_closed(self) -> bool:
        return self.closed

    def is_in_transaction(self) -> bool:
        return self.in_transaction

    def terminate(self) -> None:
        self.closed = True


class Lines:
    """Opens lines and moves them between tenants, or refuses to. `moves` counts; while `held` is clear, moving waits."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.refuses = False
        self.moves = 0
        self.held = asyncio.Event()
        self.held.set()

    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        if self.refuses:
            raise Unavailable
        self.opened.append(Line())
        return self.opened[-1]

    async def move(self, line: Any, tenant: UUID | None) -> None:
        await self.held.wait()
        if self.refuses:
            raise Unavailable
        line.tenant = tenant
        self.moves += 1

    def pool(self, size: int) -> Pool:
        return Pool(self, self.move, size)


@pytest.fixture
def lines() -> Lines:
    return Lines()


async def asking(pool: Pool, order: list[str], name: str) -> Any:
    line = await pool.take()
    order.append(name)
    return line


async def test_what_is_given_back_goes_to_whoever_waited_longest_not_to_whoever_asks_next(lines: Lines) -> None:
    pool = lines.pool(1)
    order: list[str] = []
    line = await pool.take()
    first, second = (asyncio.create_task(asking(pool, order, name)) for name in ("first", "second"))
    await asyncio.sleep(0)
    pool.give(line)
    late = asyncio.create_task(asking(pool, order, "late"))
    for waiting in (first, second, late):
        pool.give(await waiting)
    assert order == ["first", "second", "late"]
    assert len(lines.opened) == 1


async def test_the_place_of_a_closed_connection_goes_to_whoever_waits(lines: Lines) -> None:
    pool = lines.pool(1)
    line: Any = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    line.closed = True
    pool.give(line)
    assert await waiting is lines.opened[1]
    assert len(lines.opened) == 2


async def test_a_connection_that_cannot_be_opened_leaves_its_place_to_the_next(lines: Lines) -> None:
    pool = lines.pool(1)
    lines.refuses = True
    first = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.take())
    with pytest.raises(Unavailable):
        await first
    lines.refuses = False
    assert await asyncio.wait_for(second, 5) is lines.opened[0]


async def test_whoever_goes_away_while_waiting_takes_no_connection_along(lines: Lines) -> None:
    pool = lines.pool(1)
    line = await pool.take()
    gone, patient = (asyncio.create_task(pool.take()) for _ in range(2))
    await asyncio.sleep(0)
    pool.give(line)  # it is handed to the first, who is cancelled before taking it up
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await asyncio.wait_for(patient, 5) is line


async def test_nobody_waits_for_ever(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "WAIT_SECONDS_MAX", 0.01)
    pool = lines.pool(1)
    line = await pool.take()
    with pytest.raises(Unavailable):
        await pool.take()
    pool.give(line)
    assert await pool.take() is line


A, B = known_id(1), known_id(2)


async def test_who_asks_for_the_same_tenant_gets_the_connection_that_stands_in_it(lines: Lines) -> None:
    pool = lines.pool(2)
    first, second = await pool.take(A), await pool.take(B)
    pool.give(first)
    pool.give(second)
    for tenant, line in ((A, first), (B, second), (A, first)):
        assert await pool.take(tenant) is line
        assert line.tenant == tenant
        pool.give(line)
    assert lines.moves == 2


async def test_who_asks_for_another_tenant_gets_the_one_that_was_idle_longest(lines: Lines) -> None:
    pool = lines.pool(2)
    first, second = await pool.take(A), await pool.take(A)
    pool.give(second)
    pool.give(first)
    assert await pool.take(B) is second
    assert second.tenant == B


async def test_a_loan_for_no_tenant_stands_in_none_whatever_was_before(lines: Lines) -> None:
    pool = lines.pool(1)
    pool.give(await pool.take(A))
    line: Any = await pool.take()
    assert line.tenant is None


async def test_whoever_waited_gets_what_others_used_in_their_own_tenant(lines: Lines) -> None:
    pool = lines.pool(1)
    line: Any = await pool.take(A)
    waiting = asyncio.create_task(pool.take(B))
    await asyncio.sleep(0)
    pool.give(line)
    assert await waiting is line
    assert line.tenant == B


async def test_a_connection_that_could_not_be_moved_is_ended_and_its_place_used_again(lines: Lines) -> None:
    pool = lines.pool(1)
    line: Any = await pool.take(A)
    pool.give(line)
    lines.refuses = True
    with pytest.raises(Unavailable):
        await pool.take(B)
    assert line.closed
    lines.refuses = False
    assert await pool.take(A) is lines.opened[1]


async def test_whoever_goes_away_while_being_moved_leaves_nothing_half_moved(lines: Lines) -> None:
    pool = lines.pool(1)
    line: Any = await pool.take(A)
    pool.give(line)
    lines.held.clear()
    gone = asyncio.create_task(pool.take(B))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert line.closed
    lines.held.set()
    fresh: Any = await pool.take(B)
    assert (fresh is line, fresh.tenant) == (False, B)


async def test_a_connection_given_back_inside_a_transaction_is_not_lent_again(lines: Lines) -> None:
    pool = lines.pool(1)
    line: Any = await pool.take(A)
    line.in_transaction = True
    pool.give(line)
    assert line.closed
    assert await pool.take(A) is lines.opened[1]


async def taken_as(pool: Pool, priority: Priority | None) -> Any:
    with working_as(priority):
        return await pool.take()


async def test_whoever_only_looks_or_reports_never_has_the_last_connections(lines: Lines) -> None:
    pool = lines.pool(8)
    reports = [asyncio.create_task(taken_as(pool, Priority.REPORT)) for _ in range(20)]
    await asyncio.wait(reports, timeout=0.05)
    looks = [asyncio.create_task(taken_as(pool, Priority.LOOK)) for _ in range(20)]
    await asyncio.wait(looks, timeout=0.05)
    assert (sum(each.done() for each in reports), sum(each.done() for each in looks)) == (4, 2)
    changes = [asyncio.create_task(taken_as(pool, Priority.CHANGE)) for _ in range(20)]
    await asyncio.wait(changes, timeout=0.05)
    assert sum(each.done() for each in changes) == 2, "the rest of the pool's size"
    assert await asyncio.wait_for(taken_as(pool, Priority.PRESENCE), 5)
    assert await asyncio.wait_for(taken_as(pool, Priority.EMERGENCY), 5)
    assert len(lines.opened) == 10
    for waiting in (*reports, *looks, *changes):
        waiting.cancel()


async def test_what_is_given_back_goes_to_the_most_urgent_first(lines: Lines) -> None:
    pool = lines.pool(1)
    line, order = await pool.take(), []

    async def asking_as(priority: Priority | None) -> None:
        taken = await taken_as(pool, priority)
        order.append(priority)
        pool.give(taken)

    urgent = [await taken_as(pool, Priority.EMERGENCY) for _ in range(2)]
    wanted = (Priority.REPORT, Priority.LOOK, Priority.CHANGE, None, Priority.PRESENCE, Priority.EMERGENCY)
    waiting = [asyncio.create_task(asking_as(each)) for each in wanted]
    await asyncio.sleep(0)
    for each in (line, *urgent):
        pool.give(each)
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert order == [Priority.EMERGENCY, Priority.PRESENCE, None, Priority.CHANGE, Priority.LOOK, Priority.REPORT]


async def test_work_that_no_request_asked_for_has_all_of_a_pool(lines: Lines) -> None:
    pool = lines.pool(6)
    assert len({await asyncio.wait_for(pool.take(), 5) for _ in range(6)}) == 6


@pytest.mark.parametrize("priority", Priority)
async def test_the_smallest_pool_lends_to_everybody(lines: Lines, priority: Priority) -> None:
    assert await asyncio.wait_for(taken_as(lines.pool(1), priority), 5)


async def test_a_closed_pool_lends_to_nobody(lines: Lines) -> None:
    pool = lines.pool(1)
    await pool.close()
    for priority in (None, *Priority):
        with pytest.raises(Unavailable):
            await taken_as(pool, priority)
