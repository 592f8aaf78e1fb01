"""The HTTP server of a process: a socket, the application, and signals that drain before they stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from carewright.kernel.http.app import Health
from carewright.kernel.http.protocol import StrictProtocol
from carewright.kernel.http.tls import ListenerTls
from carewright.kernel.settings import StartFailed

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or `StartFailed` with what to do about it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as fault:
        listener.close()
        reason = getattr(fault, "strerror", None) or "ports end at 65535"
        raise StartFailed(f"Cannot listen on {host}:{port} ({reason}). Choose another with --port.") from fault
    return listener


async def serve(
    application: ASGIApp, listener: socket.socket, health: Health, *, drain_seconds: float, stop_seconds_max: int, tls: ListenerTls | None,
    leaving: Callable[[], object] = bool,
) -> None:  # fmt: skip
    """Answer until SIGTERM or SIGINT; then say "not ready", keep answering for `drain_seconds`, finish what is in flight and return.

    `leaving` is called when it stops to answer: whatever goes on by itself, as streams do, would be waited for otherwise.
    With `tls` it speaks TLS only, and SIGHUP makes it read its certificate again.
    """
    protocol = cast("type[asyncio.Protocol]", partial(StrictProtocol, turn_away=getattr(application, "turn_away", None)))
    server = _Server(
        uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="off", http=protocol, loop="uvloop", ws="none",
            server_header=False, backlog=4096, timeout_keep_alive=30, timeout_graceful_shutdown=stop_seconds_max, proxy_headers=False,
            ssl_context_factory=(lambda *_: tls.context) if tls else None,
        )
    )  # fmt: skip
    with _signals(server, health, drain_seconds, leaving), _reloading(tls):
        await server.serve([listener])


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: ours know how to drain."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _reloading(tls: ListenerTls | None) -> Iterator[None]:
    """SIGHUP reads the certificate again. Without one it is ignored: it would end the process."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, tls.reload if tls else bool)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@contextlib.contextmanager
def _signals(server: uvicorn.Server, health: Health, drain_seconds: float, leaving: Callable[[], object]) -> Iterator[None]:
    """The first signal drains, the second ends at once."""
    loop = asyncio.get_running_loop()

    def leave() -> None:
        if health.draining:
            server.force_exit = True
        health.draining = True
        loop.call_later(drain_seconds, stop)

    def stop() -> None:
        leaving()
        server.should_exit = True

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, leave)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
