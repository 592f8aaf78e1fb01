"""Waking: whoever waits hears of a commit, and nobody waits for ever."""

import asyncio

from carewright.kernel.wake import Wake


async def waiting(wake: Wake, seconds: float = 60) -> "asyncio.Task[None]":
    task = asyncio.create_task(wake.wait(seconds))
    await asyncio.sleep(0)
    return task


async def test_everybody_who_waits_is_woken_by_a_commit_here() -> None:
    wake = Wake()
    tasks = [await waiting(wake) for _ in range(3)]
    wake()
    await asyncio.gather(*tasks)
    assert wake.committed.is_set(), "other processes are to hear of it"


async def test_a_ring_from_elsewhere_is_not_passed_on() -> None:
    wake = Wake()
    task = await waiting(wake)
    wake.ring()
    await task
    assert not wake.committed.is_set()


async def test_nobody_waits_longer_than_asked() -> None:
    await Wake().wait(0.001)


async def test_who_was_cancelled_is_forgotten() -> None:
    wake = Wake()
    task = await waiting(wake)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert not wake._waiting


async def test_a_ring_while_somebody_was_looking_is_not_missed() -> None:
    wake = Wake()
    seen = wake.rung
    wake.ring()
    async with asyncio.timeout(1):
        await wake.wait(60, seen)


async def test_who_has_seen_every_ring_waits_for_the_next() -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait(60, wake.rung))
    await asyncio.sleep(0)
    assert not waiting.done()
    wake.ring()
    async with asyncio.timeout(1):
        await waiting
