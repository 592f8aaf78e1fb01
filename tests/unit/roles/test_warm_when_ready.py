"""What saves the first who asks a wait is done as soon as a process is ready, and not before."""

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from carewright.kernel.http.app import Health
from carewright.kernel.modules import Running
from carewright.kernel.wake import Wake
from carewright.roles import lifecycle
from carewright.roles.lifecycle import System


class Modules:
    """Two running modules, of which one warms up."""

    def __init__(self) -> None:
        self.wake, self.is_ready, self.warmed = Wake(), False, asyncio.Event()
        self.running = {"directory": Running(None), "scheduling": Running(None, ready=lambda: self.is_ready, warm=self._warm)}

    async def _warm(self) -> None:
        assert self.is_ready
        self.warmed.set()


async def test_a_process_warms_up_once_it_is_ready_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "set_aside", lambda: None)
    modules = Modules()
    health = Health(roles={}, ready={name: each.ready for name, each in modules.running.items()})
    work = asyncio.ensure_future(lifecycle._warmed_when_ready(cast("System", cast("Any", modules)), health))
    await asyncio.sleep(0)
    modules.is_ready = True
    modules.wake()
    done, _ = await asyncio.wait([work, asyncio.ensure_future(modules.warmed.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert work not in done
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
