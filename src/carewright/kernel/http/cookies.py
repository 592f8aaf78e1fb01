"""A browser's cookies: closed to scripts, to other sites' forms, and over HTTPS to everybody but this very host.

There each name has the prefix `__Host-`, with which browsers take a cookie only from the host itself, over HTTPS and for all its paths
(RFC 6265bis, 4.1.3.2): no neighbour in the domain and nobody on plain HTTP can put one of theirs in its place. Browsers refuse the prefix
on plain HTTP, so that there the names are plain.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel.invariants import invariant

PREFIX = "__Host-"
BYTES_MAX = 4096
"""Name and value together; browsers drop a cookie that has more (RFC 6265bis, 5.7)."""
CLEAR = '"cache", "storage"'
"""Cookies are dropped by name: what is said about the signing out is one that comes with the same answer."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of one request. `secure` says that a proxy hides HTTPS from us; over HTTPS that we see ourselves they always are."""

    request: Request
    secure: bool = False

    def get(self, name: str) -> str:
        """What the browser keeps under `name`; nothing where it keeps none."""
        return self.request.cookies.get(self._full(name), "")

    def put(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Have the browser keep `value` for so long."""
        self._set(response, name, value, seconds)

    def drop(self, response: Response, *names: str) -> None:
        """Have the browser forget these. A prefixed one has to be dropped as it was set, or the browser keeps it."""
        for name in names:
            self._set(response, name, "", 0)

    def sign_out(self, response: Response, *names: str) -> None:
        """Drop these, and have the browser forget whatever else it keeps of us."""
        self.drop(response, *names)
        response.headers["Clear-Site-Data"] = CLEAR

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        full, is_secure = self._full(name), self._is_secure
        response.set_cookie(full, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_secure)
        pair = response.raw_headers[-1][1].partition(b";")[0]
        invariant(len(pair) <= BYTES_MAX, "a cookie fits into a browser")

    def _full(self, name: str) -> str:
        return PREFIX + name if self._is_secure else name

    @property
    def _is_secure(self) -> bool:
        return self.secure or self.request.url.scheme == "https"
