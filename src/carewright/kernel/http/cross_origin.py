"""Which addresses may be read by scripts of other sites' pages, and of which sites (Fetch, "CORS protocol", https://fetch.spec.whatwg.org).

Never with cookies: what is read so takes a token in a header, or none. Whatever is not named here is read by nobody else's pages.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Literal

from starlette.types import Scope

from carewright.kernel.clock import Clock
from carewright.kernel.errors import Refusal
from carewright.kernel.http.headers import Header

SharedWith = Literal["anybody", "known"]
KNOWN_SECONDS = 5.0
"""How long a process remembers which origins are known. One that is new is let in within this time."""
VARIES: Header = (b"vary", b"Origin")
READABLE: Header = (b"access-control-expose-headers", b"Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate")
PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer",
    ),
    (b"access-control-max-age", b"600"),
)
ORIGIN, ASKED = b"origin", b"access-control-request-method"


async def nobody() -> Iterable[str]:
    """Where nobody registers apps, no origin is known."""
    return ()


class CrossOrigin:
    """`shared` names addresses with what lies below them, the longest that fits deciding; `ask` answers which origins are known."""

    def __init__(self, shared: Mapping[str, SharedWith], clock: Clock, ask: Callable[[], Awaitable[Iterable[str]]] = nobody) -> None:
        self._shared = shared
        self._clock = clock
        self._ask = ask
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    async def headers_for(self, scope: Scope) -> tuple[Header, ...]:
        """What an answer says so that the page that asks may read it; nothing at addresses that are not shared."""
        shared = self._shared_with(scope["path"])
        if shared is None:
            return ()
        if shared == "anybody":
            return ((b"access-control-allow-origin", b"*"), READABLE)
        origin = _header(scope, ORIGIN)
        if origin is None or not await self._is_known(origin.decode("latin-1")):
            return (VARIES,)
        return (VARIES, (b"access-control-allow-origin", origin), READABLE)

    def _shared_with(self, path: str) -> SharedWith | None:
        found = [each for each in self._shared if path == each or path.startswith(f"{each}/")]
        return self._shared[max(found, key=len)] if found else None

    async def _is_known(self, origin: str) -> bool:
        now = self._clock.monotonic_seconds()
        if now >= self._until:
            with suppress(Refusal):  # what was known stays known while nobody can be asked
                self._known = frozenset(await self._ask())
            self._until = now + KNOWN_SECONDS
        return origin in self._known


def is_preflight(scope: Scope, allowed: Iterable[Header]) -> bool:
    """Whether a browser asks on behalf of a page that may read the answer what it may send (Fetch, "CORS-preflight request")."""
    may_read = any(name == b"access-control-allow-origin" for name, _ in allowed)
    return scope["method"] == "OPTIONS" and may_read and _header(scope, ASKED) is not None


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for each, value in scope["headers"] if each == name), None)
