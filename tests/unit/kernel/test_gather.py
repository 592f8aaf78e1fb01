"""Questions that come up together share a statement, and everybody gets their own answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from carewright.kernel import gather as gather_module
from carewright.kernel.errors import Unavailable
from carewright.kernel.gather import Gather


class Table:
    """Answers `key` with `rows[key]`, and counts the statements."""

    def __init__(self, **rows: int) -> None:
        self.rows = rows
        self.asked: list[list[str]] = []
        self.fault: BaseException | None = None

    async def __call__(self, keys: list[str]) -> Sequence[dict[str, Any]]:
        self.asked.append(keys)
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return [{"number": number, "value": self.rows[key]} for number, key in enumerate(keys, 1) if key in self.rows]


async def test_questions_of_one_moment_share_a_statement() -> None:
    table = Table(a=1, b=2)
    gather = Gather(table)
    rows = await asyncio.gather(*(gather.ask(key) for key in ("b", "x", "a", "b")))
    assert [row and row["value"] for row in rows] == [2, None, 1, 2]
    assert table.asked == [["b", "x", "a", "b"]]


async def test_a_later_question_asks_anew() -> None:
    table = Table(a=1)
    gather = Gather(table)
    assert await gather.ask("b") is None
    table.rows["b"] = 2
    row = await gather.ask("b")
    assert row is not None
    assert row["value"] == 2


async def test_a_fault_reaches_everybody_who_asked_and_nobody_after_them() -> None:
    table = Table(a=1)
    gather = Gather(table)
    table.fault = Unavailable()
    answers = await asyncio.gather(gather.ask("a"), gather.ask("b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    table.fault = None
    assert await gather.ask("a") is not None


async def test_whoever_goes_away_spoils_nobody_elses_answer() -> None:
    gather = Gather(Table(a=1))
    gone, stays = asyncio.create_task(gather.ask("a")), asyncio.create_task(gather.ask("a"))
    await asyncio.sleep(0)
    gone.cancel()
    row = await stays
    assert row is not None
    assert row["value"] == 1


async def test_a_crowd_is_asked_for_in_several_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather_module, "TOGETHER_MAX", 3)
    table = Table(a=1)
    gather = Gather(table)
    rows = await asyncio.gather(*(gather.ask("a") for _ in range(8)))
    assert all(row is not None for row in rows)
    assert [len(keys) for keys in table.asked] == [3, 3, 2]
