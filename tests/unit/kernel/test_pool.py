"""Lending connections: in the order of asking, never more than there may be, none lost."""

import asyncio
from typing import Any

import pytest

from carewright.kernel import pool as pool_module
from carewright.kernel.errors import Unavailable
from carewright.kernel.pool import Pool


class Line:
    """Stands for a connection: the pool asks it for nothing but whether it is closed."""

    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed


class Lines:
    """Opens lines, or refuses to."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.refuses = False

    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        if self.refuses:
            raise Unavailable
        self.opened.append(Line())
        return self.opened[-1]


@pytest.fixture
def lines() -> Lines:
    return Lines()


async def asking(pool: Pool, order: list[str], name: str) -> Any:
    line = await pool.take()
    order.append(name)
    return line


async def test_what_is_given_back_goes_to_whoever_waited_longest_not_to_whoever_asks_next(lines: Lines) -> None:
    pool = Pool(lines, 1)
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
    pool = Pool(lines, 1)
    line: Any = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    line.closed = True
    pool.give(line)
    assert await waiting is lines.opened[1]
    assert len(lines.opened) == 2


async def test_a_connection_that_cannot_be_opened_leaves_its_place_to_the_next(lines: Lines) -> None:
    pool = Pool(lines, 1)
    lines.refuses = True
    first = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.take())
    with pytest.raises(Unavailable):
        await first
    lines.refuses = False
    assert await asyncio.wait_for(second, 5) is lines.opened[0]


async def test_whoever_goes_away_while_waiting_takes_no_connection_along(lines: Lines) -> None:
    pool = Pool(lines, 1)
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
    pool = Pool(lines, 1)
    line = await pool.take()
    with pytest.raises(Unavailable):
        await pool.take()
    pool.give(line)
    assert await pool.take() is line
