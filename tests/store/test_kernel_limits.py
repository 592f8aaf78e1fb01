"""Limits shared through a real Valkey, which is killed in between."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carewright.kernel import limits as limits_module
from carewright.kernel import valkey
from carewright.kernel.limits import Limits, Rate
from carewright.roles.embedded import EmbeddedSettings, Place, ValkeyServer, start_valkey

RATE = Rate(per_second=1 / 3600, most=20.0)
"""Nothing that counts comes back while a test runs."""


@pytest.fixture
async def place(servers_folder: Path) -> AsyncIterator[Place]:
    settings = EmbeddedSettings(root_home=servers_folder / "limits-home")
    opened = await Place.open(servers_folder / "limits", settings, say=lambda _: None)
    yield opened
    opened.close()


@pytest.fixture
async def server(place: Place) -> AsyncIterator[ValkeyServer]:
    started = await start_valkey(place)
    yield started
    await started.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "RETRY_SECONDS", 0.05)


class Processes:
    """The limits of several processes that share one Valkey."""

    def __init__(self, url: str, count: int) -> None:
        self.limits = [Limits() for _ in range(count)]
        self.tasks = [asyncio.create_task(valkey.share_limits(each, url)) for each in self.limits]

    async def until(self, *, shared: bool) -> None:
        async with asyncio.timeout(10):
            while any((each._ask is not None) != shared for each in self.limits):  # noqa: ASYNC110  (the task sets no event)
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def processes(server: ValkeyServer) -> AsyncIterator[Processes]:
    made = Processes(server.url, 3)
    await made.until(shared=True)
    yield made
    await made.end()


async def test_where_it_matters_all_processes_together_give_out_no_more_than_there_is(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_module, "ASK_SECONDS_MAX", 30.0)  # a busy machine is no fault: whoever waits too long decides alone

    async def ask(limits: Limits) -> bool:
        return await limits.take_shared("guessing", RATE) == 0.0

    asked = await asyncio.gather(*(ask(limits) for limits in processes.limits for _ in range(30)))
    assert sum(asked) == 20


async def test_what_one_process_gave_out_is_missing_in_the_others_a_moment_later(processes: Processes) -> None:
    first, second, third = processes.limits
    assert sum(first.take("pages", RATE) == 0.0 for _ in range(15)) == 15
    await asyncio.sleep(4 * limits_module.SHARE_SECONDS)
    assert second.take("pages", RATE) == 0.0
    await asyncio.sleep(4 * limits_module.SHARE_SECONDS)
    assert sum(second.take("pages", RATE) == 0.0 for _ in range(9)) == 4
    await asyncio.sleep(4 * limits_module.SHARE_SECONDS)
    assert third.take("pages", RATE) == 0.0, "it has not heard of them yet"
    await asyncio.sleep(4 * limits_module.SHARE_SECONDS)
    assert third.take("pages", RATE) > 0


async def test_valkey_is_killed_and_comes_back_and_limits_hold_all_the_while(
    processes: Processes, server: ValkeyServer, place: Place
) -> None:
    first = processes.limits[0]
    assert await first.take_shared("guessing", RATE) == 0.0
    os.kill(server.pid, signal.SIGKILL)
    given = 0
    async with asyncio.timeout(20):
        while first._ask is not None:
            first.take("pages", RATE)
            given += await first.take_shared("guessing", RATE) == 0.0
            await asyncio.sleep(0.01)
    assert limits_module.SHARED._value.get() == 0
    for _ in range(30):
        given += await first.take_shared("guessing", RATE) == 0.0
    assert given == 20, "alone, a process gives out what one bucket holds"
    again = await start_valkey(place)
    try:
        await processes.until(shared=True)
        assert limits_module.SHARED._value.get() == 1
        assert await first.take_shared("guessing", RATE) == 0.0
    finally:
        await again.stop()


async def test_a_bucket_that_nobody_uses_disappears_by_itself(processes: Processes, server: ValkeyServer) -> None:
    await processes.limits[0].take_shared("guessing", Rate(per_second=1000, most=1))
    await processes.limits[0].take_shared("pages", RATE)
    async with valkey.connection(server.url) as client:
        kept = [key.decode() async for key in client.scan_iter(f"{valkey.BUCKETS}*")]
        lives = {key: await client.pttl(key) for key in kept}
    assert 0 < lives[f"{valkey.BUCKETS}guessing"] <= 1001
    assert lives[f"{valkey.BUCKETS}pages"] > 3_600_000
