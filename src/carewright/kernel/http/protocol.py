"""HTTP/1.1 with limits on what comes before the body: nobody holds a connection by sending a request slowly, or for ever."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from prometheus_client import Counter
from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

CERTIFIED = "carewright.certified"
"""In the state of a scope: whether the caller is one of our own processes, by its certificate."""
BREAK_OFF = "carewright.break_off"
"""In the state of a scope: ends the connection at once, whatever still waits to be sent on it."""
HEAD_SECONDS_MAX = 10.0
"""From the first byte of a request, or from the connection, to the end of its headers."""
HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100
URL_BYTES_MAX = 16 * 1024
BROKEN = Counter("carewright_http_broken_total", "Requests that ended before they were one, by reason.", ["reason"])
CLOSING = b"content-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
STATUS = {
    "invalid": b"HTTP/1.1 400 Bad Request\r\n",
    "slow": b"HTTP/1.1 408 Request Timeout\r\n",
    "url": b"HTTP/1.1 414 URI Too Long\r\n",
    "head": b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}


def has_certificate(transport: asyncio.BaseTransport) -> bool:
    """Whether the caller showed a certificate, which TLS then checked against the authority of our own processes."""
    ssl_object = transport.get_extra_info("ssl_object")
    return bool(ssl_object and ssl_object.getpeercert())


def is_here(receive: Receive) -> bool:
    """Whether `receive` answers at once: what it tells has arrived, or nothing is known of how it waits."""
    cycle = getattr(receive, "__self__", None)
    return not isinstance(cycle, RequestResponseCycle) or cycle.message_event.is_set()


class HeadTooLarge(Exception):
    """`reason` says what was: `url` or `head`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


TurnAway = Callable[[Scope], bytes | None]
"""The whole answer to a request that is refused whatever else it says, as it goes over the wire; None for one that is to be looked at.

Of the scope it reads method, path, headers and scheme.
"""


class StrictProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which limits none of this by itself.

    What `turn_away` refuses is answered here: in a flood the many who are refused must cost so little that they take nothing from the few
    who are answered. That is a third of what an application costs that does nothing.
    """

    def __init__(self, *args: Any, turn_away: TurnAway | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn_away = turn_away
        self._turned_away: bytes | None = None
        """The answer to the request that is just coming in, where it is refused."""
        self._head_bytes = 0
        self._in_head = False
        self._broke = "invalid"
        self._certified = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._certified = has_certificate(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nobody."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand it to the parser, which keeps an unfinished header without a limit: count for it."""
        if self._patience is None and self._is_idle():
            self._wait()  # empty lines before a request begin none
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._end("head")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["state"][CERTIFIED] = self._certified
        self.scope["state"][BREAK_OFF] = self.transport.abort
        self._in_head, self._head_bytes = True, 0
        if self._patience is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """The head is whole: judge its size before anybody acts on it."""
        self._in_head = False
        if len(self.url) > URL_BYTES_MAX:
            self._broke = "url"
            raise HeadTooLarge(self._broke)
        if len(self.headers) > HEADERS_MAX or sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES_MAX:
            self._broke = "head"
            raise HeadTooLarge(self._broke)
        self._turned_away = self._looked_at()
        if self._turned_away is None:
            self._wait_no_longer()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Nobody reads the body of what is refused."""
        if self._turned_away is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole, within the time that its head had: say that it is refused."""
        if self._turned_away is None:
            super().on_message_complete()
            return
        self._wait_no_longer()
        self.transport.write(self._turned_away)
        self._turned_away = None
        self.on_response_complete()

    def _looked_at(self) -> bytes | None:
        """The answer to what is refused at once. What is not plain goes the long way, and is refused there in the same words."""
        path, _, query = self.url.partition(b"?")
        is_plain = path.startswith(b"/") and b"%" not in path and b"_format" not in query and self._is_idle()
        if self._turn_away is None or not is_plain or self.expect_100_continue or not self.parser.should_keep_alive():
            return None
        self.scope["method"], self.scope["path"] = self.parser.get_method().decode("ascii"), path.decode("ascii")
        return self._turn_away(cast("Scope", self.scope))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # what the parser says is not for the caller
        """Refuse what is no request, and close."""
        self._end(self._broke)

    def _is_idle(self) -> bool:
        """Whether nothing is being answered. uvicorn keeps None before the first request, whatever its types say."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        self._patience = self.loop.call_later(HEAD_SECONDS_MAX, self._end, "slow")

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _end(self, reason: str) -> None:
        self._in_head = False
        self._wait_no_longer()
        if self.transport.is_closing():
            return
        BROKEN.labels(reason).inc()
        if self._is_idle():
            self.transport.write(STATUS[reason] + CLOSING)
        self.transport.close()
