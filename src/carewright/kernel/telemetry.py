"""Logs, metrics and traces. Person data cannot reach them: only known-safe fields pass, everything else is redacted.

Logs are JSON lines (or short lines on a terminal). Traces are off unless an OTLP endpoint is set.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SAFE_TEXT_FIELDS = frozenset({
    "event", "level", "timestamp", "logger", "code", "role", "roles", "module", "job", "timer", "consumer", "topic",
    "query", "method", "route", "error", "where", "program", "socket", "version", "phase", "outcome", "signal",
})  # fmt: skip
"""Fields whose text is ours by construction. Text in any other field is replaced; ids, numbers and flags always pass."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
"""A UUID or a trace id. Nothing looser: a card's number or a telephone's is made of digits and dashes too."""
INTERNAL = frozenset({"_record", "_from_structlog"})
"""What structlog hands itself; never written."""
REDACTED = "[redacted]"
TRACEBACKS = frozenset({"exc_info", "exception", "stack_info", "stack"})
"""Tracebacks quote messages, and messages quote what a person typed. `where` gives the place instead."""
_PROPAGATOR = TraceContextTextMapPropagator()
_tracers: list[trace.Tracer] = []
"""The process's tracer, or nothing while tracing is off."""


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that writes `event` with fields; see `SAFE_TEXT_FIELDS` for what may be text."""
    return structlog.stdlib.get_logger(name)


def configure_logs(*, pretty: bool, level: str = "INFO") -> None:
    """Set up logging for the process. Libraries' own records go through the same redaction, at WARNING and above."""
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=[_foreign, *shared]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("carewright").setLevel(level)


def redact(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep ids, numbers and known-safe text; replace the rest."""
    return {key: value if key in INTERNAL else _safe(key, value) for key, value in record.items() if key not in TRACEBACKS}


def where(fault: BaseException) -> str:
    """File and line of a fault, without its message, which could quote what a person typed."""
    frames = traceback.extract_tb(fault.__traceback__)[-3:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def configure_traces(endpoint: str | None, ratio: float, name: str) -> None:
    """Send spans to an OTLP/HTTP endpoint, sampling `ratio` of the roots. None leaves tracing off."""
    _tracers.clear()
    if endpoint is not None:
        from carewright.kernel.tracing import tracer_to  # noqa: PLC0415  (a sixth of the start-up time, for what is off by default)

        _tracers.append(tracer_to(endpoint, ratio, name))


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[str | None]:
    """A span around the block; yields its W3C traceparent, or `parent` unchanged while tracing is off.

    Of a fault it carries the kind alone: what OpenTelemetry would record by itself is the message and the traceback that quotes it.
    """
    if not _tracers:
        yield parent
        return
    context = _PROPAGATOR.extract({"traceparent": parent} if parent else {})
    with _tracers[0].start_as_current_span(name, context=context, record_exception=False, set_status_on_exception=False) as current:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        try:
            yield carrier.get("traceparent")
        except Exception as fault:
            current.set_status(trace.StatusCode.ERROR, type(fault).__name__)
            raise


def _safe(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float) or (key in SAFE_TEXT_FIELDS and isinstance(value, str)):
        return value
    if isinstance(value, list | tuple):
        return [_safe(key, item) for item in value]
    text = str(value)
    return text if ID.fullmatch(text.lower()) else REDACTED


def _foreign(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's record keeps its logger's name only: its message may hold anything."""
    source = record.get("_record")
    record["logger"] = source.name if source else "library"
    record["error"] = source.exc_info[0].__name__ if source and source.exc_info and source.exc_info[0] else None
    record["event"] = "library.message"
    record.pop("exc_info", None)
    if source:
        source.exc_info, source.exc_text = None, None
    return record
