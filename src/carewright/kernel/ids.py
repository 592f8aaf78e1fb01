"""Ids: UUIDv7 (RFC 9562 section 5.7), made by the context and by nothing else."""

import os
import random
from uuid import UUID

from carewright.kernel.clock import Clock

VERSION_AND_VARIANT = (7 << 76) | (0b10 << 62)
COUNTER_MAX = 2**12 - 1


class Ids:
    """Makes UUIDv7 values: 48 bits of milliseconds, then 74 random bits (12 of them a counter within a millisecond)."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._last_ms = -1
        self._counter = 0

    def new(self) -> UUID:
        """A new id, larger than every earlier one of this maker even when the clock steps back."""
        ms = int(self._clock.now().timestamp() * 1000)
        if ms > self._last_ms:
            self._last_ms, self._counter = ms, 0
        elif self._counter < COUNTER_MAX:
            self._counter += 1
        else:
            self._last_ms, self._counter = self._last_ms + 1, 0
        return UUID(int=self._last_ms << 80 | VERSION_AND_VARIANT | self._counter << 64 | self._bits62())

    def _bits62(self) -> int:
        return self._rng.getrandbits(62) if self._rng else int.from_bytes(os.urandom(8)) >> 2
