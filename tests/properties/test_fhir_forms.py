"""Whatever stands in a resource: the check of its form answers, and it finds what HL7's own JSON Schema finds."""

import json
from collections.abc import Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carewright.fhir.model.validating import issues_of
from tests.unit.fhir.forms import DEFINITIONS, OFFICIAL, decoded, encoded, examples, needs_official, places

EXAMPLES = {path.stem: path.read_bytes() for path in examples()}
NAMES = ["id", "value", "code", "system", "coding", "extension", "url", "reference", "resourceType", "status", "start", "end", "_status",
         "contained", "meta", "text", "div", "valueString", "valueQuantity", "period", "type", "entry", "resource"]  # fmt: skip
TEXTS = ["", "Patient", "#a", "2026-01-01", "2026-01-01T10:00:00Z", "booked", "http://a.org/Patient/1", "a b"]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=5) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn, values: st.SearchStrategy[Any] = anything, names: Sequence[str] = tuple(EXAMPLES)) -> Any:
    """An official example with up to three of its places holding anything."""
    resource = decoded(EXAMPLES[draw(st.sampled_from(names))])
    every = list(places(resource))
    for number in draw(st.lists(st.integers(0, len(every) - 1), min_size=1, max_size=3)):
        owner, name, _, _ = every[number]
        owner[name] = draw(values)
    return resource


@given(spoiled())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_there_is_answered(resource: Any) -> None:
    before = deepcopy(resource)
    for issue in issues_of(DEFINITIONS, resource):
        assert issue.text.endswith(".")
    assert repr(resource) == repr(before)


@given(anything)
def test_anything_at_all_is_answered(value: Any) -> None:
    assert isinstance(issues_of(DEFINITIONS, value), tuple)


json_values = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(TEXTS) | st.decimals(-9, 9, places=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def foreign() -> Any:
    """HL7's JSON Schema of R4 (https://hl7.org/fhir/R4/fhir.schema.json.zip), read by a validator we did not write."""
    assert OFFICIAL
    schema = OFFICIAL / "fhir.schema.json"
    if not schema.exists():
        pytest.skip("the folder has no fhir.schema.json beside the examples")
    return jsonschema_rs.Draft6Validator(json.loads(schema.read_bytes()))


@needs_official
def test_a_foreign_validator_finds_nothing_that_we_miss(foreign: Any) -> None:
    names = [name for name, raw in EXAMPLES.items() if foreign.is_valid(json.loads(raw))]
    assert len(names) >= len(EXAMPLES) - 1, "the schema of some builds does not know fhirVersion 4.0.1"

    @given(spoiled(json_values, names))
    @settings(max_examples=2_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def compared(resource: Any) -> None:
        plain = json.loads(encoded(resource))
        if not foreign.is_valid(plain):
            assert issues_of(DEFINITIONS, resource), encoded(resource)

    compared()


def test_a_decimal_keeps_its_digits() -> None:
    raw = b'{"value":0.8870,"low":1E+2,"high":100}'
    assert encoded(decoded(raw)) == raw
    assert decoded(raw)["value"] == Decimal("0.8870")
