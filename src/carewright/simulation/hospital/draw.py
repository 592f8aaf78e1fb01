"""Everything random in the hospital: one generator, handed in, asked in a fixed order."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import numpy as np

from carewright.simulation.hospital.arrays import Bytes, Floats, Ints

T = TypeVar("T")

_COUNTERS_PER_MS = 4_096


class Draw:
    """Draws numbers, choices and ids.

    Only `Generator.random` and `Generator.integers` are used, so the stream depends on nothing but the bit generator.
    Ids are UUIDv7 (RFC 9562 section 5.7): milliseconds from `at` on, a counter within the millisecond, 62 random bits; they rise.
    """

    def __init__(self, rng: np.random.Generator, at: datetime) -> None:
        self._rng = rng
        self._ms = int(at.timestamp() * 1000)
        self._made = 0

    def units(self, count: int) -> Floats:
        """`count` numbers in [0, 1)."""
        return self._rng.random(count)

    def below(self, limits: Ints) -> Ints:
        """One whole number in [0, limit) for each limit."""
        return (self._rng.random(len(limits)) * limits).astype(np.int64)

    def order(self, count: int) -> Ints:
        """The numbers 0 to `count` - 1 in random order."""
        return np.argsort(self._rng.random(count), kind="stable")

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return int(self._rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return float(self._rng.random()) < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, each as likely."""
        return items[self.between(0, len(items) - 1)]

    def weighted(self, weights: Sequence[float], count: int) -> Ints:
        """`count` indexes into `weights`, in proportion to them."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(edges / edges[-1], self.units(count), side="right").astype(np.int64)

    def ids(self, count: int) -> Bytes:
        """`count` new ids as rows of 16 bytes."""
        serial = np.arange(self._made, self._made + count, dtype=np.uint64)
        self._made += count
        ms = np.uint64(self._ms) + serial // np.uint64(_COUNTERS_PER_MS)
        high = (ms << np.uint64(16)) | np.uint64(0x7000) | (serial % np.uint64(_COUNTERS_PER_MS))
        low = np.uint64(1 << 63) | self._rng.integers(0, 1 << 62, count, dtype=np.uint64)
        return np.stack([high, low], axis=1).astype(">u8").view(np.uint8).reshape(count, 16)

    def uuids(self, count: int) -> list[UUID]:
        """`count` new ids."""
        return [UUID(bytes=row.tobytes()) for row in self.ids(count)]

    def uuid(self) -> UUID:
        return self.uuids(1)[0]
