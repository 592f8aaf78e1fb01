"""A nudge after a commit: the readers of the log need not wait for their next look."""

import asyncio

GATHER_SECONDS = 0.02
"""Whoever is woken waits so long for more: at a thousand commits a second a reader looks fifty times a second, not a thousand times."""


class Wake:
    """Wakes whoever waits in this process, and notes for `kernel.valkey` that others should hear of it.

    Losing a call costs only time: every reader also looks by itself now and then.
    """

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self.rung = 0
        """How often it has rung: who notes it before looking cannot miss what happens while looking."""
        self.committed = asyncio.Event()

    def __call__(self) -> None:
        """Something was committed here."""
        self.committed.set()
        self.ring()

    def ring(self) -> None:
        """Something was committed, here or elsewhere."""
        self.rung += 1
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float, seen: int | None = None) -> None:
        """Return shortly after the next ring, or after `seconds`; shortly after now when it has rung since the caller noted `seen`."""
        if seen is None or seen == self.rung:
            await self._next_ring(seconds)
        await asyncio.sleep(min(GATHER_SECONDS, seconds))

    async def _next_ring(self, seconds: float) -> None:
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)
