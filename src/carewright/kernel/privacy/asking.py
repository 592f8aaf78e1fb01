"""Asking a key service: through the guard of outgoing requests, within a time, and again when it is busy."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import httpx
import msgspec

from carewright.kernel.clock import Clock
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.privacy.kek import KeyRefused, KeysUnavailable
from carewright.kernel.retries import RetryBudget
from carewright.kernel.rng import new_rng

TRIES = 4
TRY_SECONDS_MAX = 2.5
ALL_SECONDS_MAX = 5.0
PAUSE_SECONDS = 0.2
EARLY = timedelta(minutes=5)
"""So long before their end credentials are renewed: a service that is away for a moment costs nothing."""
AWAY = frozenset({429, 500, 502, 503, 504})
T = TypeVar("T")


class Reach(Protocol):
    """A transport that reaches the public internet, these origins, and the machine's own `credentials` where they lie."""

    def __call__(self, *origins: str, credentials: str = "") -> httpx.AsyncBaseTransport: ...


def nothing_more(_: httpx.Response) -> bool:
    """No answer is busy but those that HTTP says so of."""
    return False


def read(answer: httpx.Response, kind: type[T]) -> T:
    """What a service answered. Raises `KeysUnavailable` for what is not of its form: something between us answered."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as fault:
        raise KeysUnavailable from fault


class Asking:
    """One service's client. `busy` says which further answers mean "later" (AWS throttles with 400).

    No connection stays open between requests, so there is nothing to close.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, busy: Callable[[httpx.Response], bool] = nothing_more,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=TRY_SECONDS_MAX)
        self._busy = busy
        self._pause = pause
        self._rng = new_rng()
        self._budget = RetryBudget("keys")

    async def ask(self, method: str, url: str, headers: dict[str, str], content: bytes = b"") -> httpx.Response:
        """One answer that is not "later". Raises `KeysUnavailable` after some tries, and `KeyRefused` for an address that is closed.

        Between tries it waits a random part of a time that doubles (Brooker, "Exponential backoff and jitter", 2015).
        """
        try:
            async with asyncio.timeout(ALL_SECONDS_MAX):
                for turn in self._budget.turns(TRIES):
                    if turn:
                        await self._pause(self._rng.uniform(0, PAUSE_SECONDS * 2**turn))
                    if (answer := await self._once(method, url, headers, content)) is not None:
                        return answer
        except TimeoutError as fault:
            raise KeysUnavailable from fault
        raise KeysUnavailable

    async def _once(self, method: str, url: str, headers: dict[str, str], content: bytes) -> httpx.Response | None:
        try:
            answer = await self._client.request(method, url, headers=headers, content=content)
        except (httpx.HTTPError, OSError, Unavailable):
            return None
        except Refusal as fault:
            raise KeyRefused(reason="address") from fault
        return None if answer.status_code in AWAY or self._busy(answer) else answer


class Renewed(Generic[T]):
    """Credentials that end. They are asked for anew some minutes before; what is still good serves while none are given."""

    def __init__(self, clock: Clock, fetch: Callable[[], Awaitable[tuple[T, datetime]]]) -> None:
        self._clock = clock
        self._fetch = fetch
        self._kept: tuple[T, datetime] | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> T:
        """Credentials that are good now. Raises what asking for them raises."""
        async with self._asking:
            if self._kept is None or self._kept[1] - EARLY <= self._clock.now():
                try:
                    self._kept = await self._fetch()
                except (KeysUnavailable, KeyRefused):
                    if self._kept is None or self._kept[1] <= self._clock.now():
                        raise
            return self._kept[0]

    def forget(self) -> None:
        """The service does not take them any more."""
        self._kept = None
