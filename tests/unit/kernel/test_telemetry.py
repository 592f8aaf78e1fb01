"""Logs hold no person data, whoever writes them and however."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel import telemetry
from carewright.kernel.telemetry import REDACTED, SAFE_TEXT_FIELDS, redact, where

PERSON = "Zoë Quenneville-Ødegård"
UNSAFE_NAMES = st.text(min_size=1).filter(lambda name: name not in SAFE_TEXT_FIELDS | telemetry.INTERNAL | telemetry.TRACEBACKS)
ANYTHING = st.recursive(
    st.text(min_size=1) | st.binary(min_size=1) | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1) | st.tuples(inner),
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process logs, as JSON lines; what was set up before is set up again afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("carewright")
    before = root.handlers, root.level, ours.level, structlog.get_config()
    telemetry.configure_logs(pretty=False, level="DEBUG")
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers, root.level, ours.level = before[0], before[1], before[2]
    structlog.configure(**before[3])


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def kept(**fields: object) -> dict[str, Any]:
    return dict(redact(None, "info", fields))


@given(UNSAFE_NAMES, ANYTHING.filter(lambda value: not isinstance(value, str) or not telemetry.ID.fullmatch(value.lower())))
def test_text_in_any_other_field_is_replaced(name: str, value: object) -> None:
    passed = kept(**{name: value})[name]
    assert json.dumps(passed).replace(json.dumps(REDACTED), "").strip("[], ") == ""


@given(st.sampled_from(sorted(SAFE_TEXT_FIELDS)), ANYTHING.filter(lambda value: not isinstance(value, str)))
def test_a_field_for_words_of_ours_takes_no_object(name: str, value: object) -> None:
    """An exception given as `error` would be written out with its message."""
    passed = kept(**{name: ValueError(PERSON)})[name]
    assert passed == REDACTED
    assert isinstance(kept(**{name: value})[name], str | list)


def test_ids_numbers_and_flags_pass() -> None:
    made = uuid4()
    passed = kept(event="x", patient_id=made, count=3, ratio=0.5, ok=True, nothing=None, trace="0af7651916cd43dd8448eb211c80319c")
    assert passed == {
        "event": "x", "patient_id": str(made), "count": 3, "ratio": 0.5, "ok": True, "nothing": None,
        "trace": "0af7651916cd43dd8448eb211c80319c",
    }  # fmt: skip


@pytest.mark.parametrize("number", ["4111111111111111", "0151-23456789-0123", "123-45-6789-1234567", "deadbeefdeadbeef", "1" * 33])
def test_what_merely_looks_like_an_id_is_replaced(number: str) -> None:
    assert kept(seen=number)["seen"] == REDACTED


@pytest.mark.parametrize("name", ["name", "address", "_name", "display", "note", "detail", "email", "birth_on"])
def test_no_field_that_a_person_might_fill_is_trusted(name: str) -> None:
    assert kept(**{name: PERSON})[name] == REDACTED


def test_our_own_lines_are_json_with_time_and_level(written: io.StringIO) -> None:
    telemetry.logger("carewright.exam").warning("exam.done", patient=PERSON, count=1, code="exam.ok")
    (line,) = lines(written)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert line == {"event": "exam.done", "patient": REDACTED, "count": 1, "code": "exam.ok", "level": "warning"}


def test_a_traceback_never_quotes_its_message(written: io.StringIO) -> None:
    log = telemetry.logger("carewright.exam")
    place = ""
    try:
        int(PERSON)
    except ValueError as fault:
        place = where(fault)
        log.exception("exam.failed", error=type(fault).__name__, where=place)
        log.error("exam.failed", exc_info=fault, stack_info=True)
        logging.getLogger("some.library").exception("failed for %s", PERSON)
    assert re.fullmatch(r"test_telemetry\.py:\d+", place)
    assert place in written.getvalue()
    assert "Quenneville" not in written.getvalue()


def test_a_librarys_record_keeps_its_name_and_the_kind_of_fault_only(written: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.warning("cannot reach %s", PERSON)
    try:
        _ = dict[str, str]()[PERSON]
    except KeyError:
        library.exception("odd: %s", PERSON, extra={"person": PERSON})
    first, second = lines(written)
    assert (first["event"], first["logger"], first["error"]) == ("library.message", "some.library", None)
    assert second["error"] == "KeyError"
    assert PERSON not in written.getvalue()


def test_libraries_are_heard_from_warnings_on(written: io.StringIO) -> None:
    logging.getLogger("some.library").info("chatter")
    assert lines(written) == []


def test_a_terminals_lines_are_redacted_too(written: io.StringIO) -> None:
    telemetry.configure_logs(pretty=True)
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    telemetry.logger("carewright.exam").warning("exam.done", patient=PERSON)
    logging.getLogger("some.library").warning(PERSON)
    assert "exam.done" in written.getvalue()
    assert "Quenneville" not in written.getvalue()


def test_without_tracing_a_span_passes_its_parent_on() -> None:
    telemetry.configure_traces(None, 1.0, "exam")
    with telemetry.span("work", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") as trace:
        assert trace == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
