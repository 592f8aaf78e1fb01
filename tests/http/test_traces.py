"""Traces reach a collector over OTLP/HTTP when they are switched on, follow the caller's trace, and are off otherwise."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from carewright.kernel import telemetry

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(http.server.ThreadingHTTPServer):
    """Takes what an OTLP collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []
        self.arrived = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.server.arrived.set()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    telemetry.configure_traces(f"http://127.0.0.1:{server.server_port}/v1/traces", 1.0, "carewright test")
    yield server
    telemetry.configure_traces(None, 1.0, "carewright test")
    server.shutdown()
    server.server_close()


def test_a_span_reaches_the_collector_within_its_callers_trace(collector: Collector) -> None:
    with telemetry.span("book_appointment", PARENT) as trace:
        assert trace is not None
        assert trace.split("-")[1] == PARENT.split("-")[1]
        assert trace != PARENT
    assert collector.arrived.wait(10)
    sent = b"".join(collector.bodies)
    assert b"book_appointment" in sent
    assert bytes.fromhex(PARENT.split("-")[1]) in sent


def test_without_an_endpoint_a_span_only_hands_its_parent_on() -> None:
    telemetry.configure_traces(None, 1.0, "carewright test")
    with telemetry.span("book_appointment", PARENT) as trace:
        assert trace == PARENT
