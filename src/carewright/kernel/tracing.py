"""The OpenTelemetry SDK and its exporter: imported only where tracing is on."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Tracer


def tracer_to(endpoint: str, ratio: float, name: str) -> Tracer:
    """A tracer that sends spans to an OTLP/HTTP endpoint, sampling `ratio` of the roots."""
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), resource=Resource({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    return provider.get_tracer("carewright")
