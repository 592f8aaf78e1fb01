"""Ids: UUIDv7 (RFC 9562 section 5.7), made by the context and by nothing else."""

import random
import secrets
from uuid import UUID

from carewright.kernel.clock import Clock


class Ids:
    """Makes UUIDv7 values: 48 bits of milliseconds, then 74 random bits (12 of them a counter within a millisecond)."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._last_ms = -1
        self._counter = 0

    def new(self) -> UUID:
        """A new id, larger than every earlier one of this maker even when the clock steps back."""
        ms = max(int(self._clock.now().timestamp() * 1000), self._last_ms)
        self._counter = self._counter + 1 if ms == self._last_ms else 0
        if self._counter > 0xFFF:
            ms, self._counter = ms + 1, 0
        self._last_ms = ms
        return UUID(int=(ms << 80) | (7 << 76) | (self._counter << 64) | (0b10 << 62) | self._bits62())

    def _bits62(self) -> int:
        return self._rng.getrandbits(62) if self._rng else secrets.randbits(62)
