"""One name for this machine.

Browsers make passkeys for names alone, and keep the cookies of 127.0.0.1 and of localhost apart: whoever comes under the number in the
middle of signing in would be somebody else to us. So a browser that opens a page there is sent on.
"""

from starlette.datastructures import URL, Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NAME = "localhost"
NUMBERS = ("127.0.0.1", "[::1]")


class UnderOneName:
    """An application that browsers use under `localhost`. Programs are answered under any name: they do not say that they navigate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = _under_its_name(scope) if scope["type"] == "http" else None
        await (RedirectResponse(place, 307) if place else self._app)(scope, receive, send)


def _under_its_name(scope: Scope) -> str | None:
    """Where a browser that opens a page under a number is to go instead (Fetch Metadata, section 2.2: `Sec-Fetch-Mode`)."""
    headers = Headers(scope=scope)
    name, _, port = headers.get("host", "").rpartition(":")
    if scope["method"] != "GET" or headers.get("sec-fetch-mode") != "navigate" or name not in NUMBERS:
        return None
    return str(URL(scope=scope).replace(netloc=f"{NAME}:{port}"))
