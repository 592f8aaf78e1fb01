"""The answer that goes on: a feed's events to one browser, for as long as it listens, keeps up and is signed in."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from carewright.kernel.feed import Viewer
from carewright.kernel.http.protocol import BREAK_OFF
from carewright.kernel.server_sent import MEDIA_TYPE, retry

SEND_SECONDS_MAX = 30.0
"""Who takes nothing for so long is cut off: what lies between us and them is full."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second keeps nginx from gathering what should go out at once."""


class EventStream(Response):
    """`viewer`'s events as `text/event-stream`. The browser comes again by itself `retry_milliseconds` after a break."""

    def __init__(self, viewer: Viewer, retry_milliseconds: int) -> None:
        self.status_code, self.media_type, self.background = 200, MEDIA_TYPE, None
        self.init_headers(HEADERS)
        self._viewer, self._retry = viewer, retry(retry_milliseconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it is over, and tell the feed when the browser is gone."""
        viewer = self._viewer
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda done: None if done.cancelled() else viewer.end(b"", "gone"))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            chunk = self._retry
            while chunk:
                async with asyncio.timeout(SEND_SECONDS_MAX):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await viewer.next()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            viewer.end(b"", "stuck")
            scope["state"][BREAK_OFF]()
            await gone
        finally:
            gone.cancel()
            viewer.leave()


async def _gone(receive: Receive) -> None:
    """Return when the browser has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
