"""How often somebody may ask: token buckets, decided in this process within a microsecond and shared with the others through Valkey.

A request takes its token here. What was taken is told to Valkey a moment later, one call for all buckets together, and its answer says
how much is left for everybody. So a limit may be passed by what all processes give out within `SHARE_SECONDS`. Where that would be too much
(signing in), `take_shared` asks Valkey first. Without Valkey each process counts by itself, and says so in a metric.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

from prometheus_client import Gauge

SHARE_SECONDS = 0.05
ASK_SECONDS_MAX = 0.25
"""Somebody who signs in waits no longer for Valkey than this; then this process decides."""
BUCKETS_MAX = 100_000
BUCKETS_SHARED_AT_ONCE_MAX = 500
SHARED = Gauge("carewright_limits_shared", "1 while limits are shared between processes, 0 while each counts by itself.")


class Rate(NamedTuple):
    """Tokens a second, and how many a bucket holds."""

    per_second: float
    most: float

    @classmethod
    def per_minute(cls, count: int) -> "Rate":
        """A bucket that holds a minute's worth."""
        return cls(count / 60, float(count))


class Take(NamedTuple):
    """Tokens to take from a shared bucket: always, or only `if_there`."""

    key: str
    rate: Rate
    tokens: float
    if_there: bool


Ask = Callable[[Sequence[Take]], Awaitable[Sequence[float]]]
"""Takes tokens from shared buckets and answers what is left in each. Raises `OSError` or `TimeoutError` when nobody answers."""


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    tokens: float
    at: float
    untold: int = 0


class Limits:
    """The buckets of one process. `now` is a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._buckets: dict[str, _Bucket] = {}
        self._untold: set[str] = set()
        self._told = asyncio.Event()
        self._ask: Ask | None = None

    def take(self, key: str, rate: Rate) -> float:
        """Take a token of `key`. Answers 0, or the seconds after which there is one again."""
        bucket = self._filled(key, rate)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate.per_second
        bucket.tokens -= 1
        if self._ask is not None:
            bucket.untold += 1
            self._untold.add(key)
            self._told.set()
        return 0.0

    def wait_for(self, key: str, rate: Rate) -> float:
        """As `take`, but only look. A key that nothing was taken of is not kept."""
        if key not in self._buckets:
            return 0.0
        bucket = self._filled(key, rate)
        return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / rate.per_second

    async def take_shared(self, key: str, rate: Rate) -> float:
        """As `take`, but no process gives out what another has given already."""
        if self._ask is None:
            return self.take(key, rate)
        try:
            async with asyncio.timeout(ASK_SECONDS_MAX):
                (left,) = await self._ask([Take(key, rate, 1, if_there=True)])
        except OSError:  # TimeoutError is one
            return self.take(key, rate)
        return 0.0 if left >= 0 else -left / rate.per_second

    async def share(self, ask: Ask) -> None:
        """Tell `ask` what was taken, and hear what is left, until nobody answers any more: then raise what it raised."""
        self._ask = ask
        SHARED.set(1)
        try:
            while True:
                await self._told.wait()
                self._told.clear()
                await self._tell(ask)
                await asyncio.sleep(SHARE_SECONDS)
        finally:
            self._ask = None
            SHARED.set(0)

    async def _tell(self, ask: Ask) -> None:
        keys = list(self._untold)
        self._untold.clear()
        for start in range(0, len(keys), BUCKETS_SHARED_AT_ONCE_MAX):
            takes = [self._telling(key) for key in keys[start : start + BUCKETS_SHARED_AT_ONCE_MAX] if key in self._buckets]
            for take, left in zip(takes, await ask(takes), strict=True):
                self._hear(take, left)

    def _telling(self, key: str) -> Take:
        bucket = self._buckets[key]
        take = Take(key, bucket.rate, bucket.untold, if_there=False)
        bucket.untold = 0
        return take

    def _hear(self, take: Take, left: float) -> None:
        """What is left for everybody, less what was given out here while we asked."""
        bucket = self._buckets.get(take.key)
        if bucket is not None:
            bucket.tokens, bucket.at = left - bucket.untold, self._now()

    def _filled(self, key: str, rate: Rate) -> _Bucket:
        """The bucket of `key` as it is now."""
        now = self._now()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._forget_full(now)
            bucket = self._buckets[key] = _Bucket(rate, rate.most, now)
        else:
            bucket.tokens = min(rate.most, bucket.tokens + (now - bucket.at) * rate.per_second)
            bucket.at = now
        return bucket

    def _forget_full(self, now: float) -> None:
        """Drop the buckets that would be full again, or the oldest half where most are in use: a new one starts full in any case."""
        kept = {
            key: bucket for key, bucket in self._buckets.items()
            if bucket.untold or bucket.tokens + (now - bucket.at) * bucket.rate.per_second < bucket.rate.most
        }  # fmt: skip
        excess = max(0, len(kept) - BUCKETS_MAX // 2)
        self._buckets = dict(list(kept.items())[excess:])


def whole_seconds(wait: float) -> int:
    """Retry-After for a wait: whole seconds, one at least (RFC 9110, 10.2.3)."""
    return max(1, math.ceil(wait))
