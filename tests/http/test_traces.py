"""Traces reach a collector over OTLP/HTTP when they are switched on, follow the caller's trace, and are off otherwise."""

import threading
from collections.abc import Iterator

import pytest

from carewright.kernel import telemetry
from carewright.kernel.errors import Forbidden
from tests.collector import Collector

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


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


@pytest.mark.parametrize("fault", [ValueError, Forbidden])
def test_of_a_fault_a_span_has_the_kind_and_neither_message_nor_traceback(collector: Collector, fault: type[Exception]) -> None:
    with pytest.raises(fault), telemetry.span("book_appointment"):
        raise fault("Quokkaline")
    assert collector.arrived.wait(10)
    sent = b"".join(collector.bodies)
    assert fault.__name__.encode() in sent
    assert b"Quokkaline" not in sent
    assert b"test_traces.py" not in sent


def test_without_an_endpoint_a_span_only_hands_its_parent_on() -> None:
    telemetry.configure_traces(None, 1.0, "carewright test")
    with telemetry.span("book_appointment", PARENT) as trace:
        assert trace == PARENT
