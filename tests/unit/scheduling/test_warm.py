"""The kernel is compiled before anybody asks: once on a machine, apart, and said where it cannot be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from carewright.kernel.apart import RanOut
from carewright.scheduling.engines import compiled, warm
from carewright.scheduling.engines.warm import WarmUp, is_warm, warm_up


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """Nothing is kept on this machine yet; what is asked of a process apart is done in a thread of this one."""
    done: list[object] = []

    async def here(task: Any, question: WarmUp, *_: object) -> object:
        done.append(task)
        return await asyncio.to_thread(task, question, lambda *_: None)

    monkeypatch.setattr(warm, "PLACE", tmp_path)
    monkeypatch.setattr(warm, "reckon", here)
    return done


async def test_it_is_compiled_once_on_a_machine(asked: list[object]) -> None:
    assert not is_warm()
    for _ in range(2):
        await warm_up()
    assert asked == [warm.warm]
    assert is_warm()


async def test_whoever_waited_for_another_process_finds_it_done(asked: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    await warm_up()
    monkeypatch.setattr(warm, "_search", lambda _say: pytest.fail("compiled twice"))
    assert warm.warm(WarmUp(), lambda *_: None) == WarmUp()


async def test_a_process_that_ran_out_leaves_it_to_the_first_who_plans(asked: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    async def ran_out(*_: object) -> object:
        raise RanOut("MemoryError")

    monkeypatch.setattr(warm, "reckon", ran_out)
    with capture_logs() as logs:
        await warm_up()
    assert [(each["event"], each["error"]) for each in logs] == [("planner.not_compiled", "MemoryError")]
    assert not is_warm()


async def test_without_a_folder_to_keep_it_in_nothing_is_compiled(asked: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "PLACE", None)
    with capture_logs() as logs:
        await warm_up()
    assert [each["event"] for each in logs] == ["planner.not_kept"]
    assert asked == []


def test_machine_code_is_kept_in_the_first_folder_that_can_be_written_to(tmp_path: Path) -> None:
    blocked, home = tmp_path / "file", tmp_path / "home"
    blocked.touch()
    assert compiled._place([blocked]) is None
    place = compiled._place([blocked, home])
    assert place is not None
    assert (place.parent, place.stat().st_mode & 0o777) == (home, 0o700)
