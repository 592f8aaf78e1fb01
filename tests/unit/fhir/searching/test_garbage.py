"""Whatever is asked of whatever there is gets an answer or a refusal: never another exception."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.searching.chaining import chains, resolved
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.definitions import Parameter
from carewright.fhir.model.searching.including import references_of, referring
from carewright.fhir.model.searching.narrowing import narrowing
from carewright.fhir.model.searching.paging import links, page
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.refusals import SearchRefused
from carewright.fhir.store import search_definitions
from tests.unit.fhir.searching.asking import server

NAMES = (
    "system",
    "code",
    "value",
    "reference",
    "start",
    "end",
    "text",
    "coding",
    "event",
    "repeat",
    "boundsPeriod",
    "identifier",
    "type",
    "given",
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.sampled_from(["", "a", "Patient/1", "2026", "#x"])
)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)),
    max_leaves=8,
)
GOOD = {
    "token": "s|a",
    "reference": "1",
    "date": "2026",
    "string": "a",
    "number": "1",
    "quantity": "1||a",
    "uri": "urn:a",
    "special": "1|1",
}
EVERY = [(name, parameter) for name in search_definitions().types for parameter in search_definitions().of(name).values()]


def good_value(parameter: Parameter) -> str:
    return "$".join(GOOD[part.type] for part in parameter.parts) or GOOD[parameter.type]


def planted(at: str, value: Any) -> Any:
    """`value` at the dotted names `at`."""
    first, _, rest = at.partition(".")
    return {first: planted(rest, value) if rest else value}


@given(st.data())
def test_any_json_at_any_path_is_decided_sorted_and_paged(data: st.DataObject) -> None:
    resource_type, parameter = data.draw(st.sampled_from(EVERY))
    paths = [path.at for path in parameter.paths] or [parameter.on[0] or path.at for part in parameter.parts for path in part.paths]
    resource = {"resourceType": resource_type, "id": "1"} | planted(data.draw(st.sampled_from(paths)), data.draw(GARBAGE))
    sort = [] if parameter.type in ("composite", "special") else [("_sort", parameter.code)]
    include = [("_include", "*")] if parameter.type == "reference" else []
    asked = parse(search_definitions(), resource_type, [(parameter.code, good_value(parameter)), *sort, *include], server(), strict=True)
    assert matches(asked, resource) in (True, False)
    assert len(page(asked, [resource, resource | {"id": "2"}]).resources) == 2
    references_of(asked, [resource])
    assert parameter.type == "composite" or matches(
        parse(search_definitions(), resource_type, [(f"{parameter.code}:missing", "false")], server()), resource
    ) in (True, False)


@given(
    st.sampled_from(search_definitions().types),
    st.lists(
        st.tuples(
            st.one_of(
                st.text(max_size=20),
                st.sampled_from(
                    [
                        "_has:Observation:patient:code",
                        "patient.name",
                        "_include",
                        "_sort",
                        "_count",
                        "_id",
                        "date",
                        "near",
                        "identifier:of-type",
                    ]
                ),
            ),
            st.one_of(
                st.text(max_size=20),
                st.sampled_from(["2026-02-30", "1e999", "a|b|c", "\\", ",", "$", "*", "Slot:schedule", "٣", "-1", "nan|nan"]),
            ),
        ),
        max_size=5,
    ),
)
def test_any_question_is_read_or_refused(resource_type: str, pairs: list[tuple[str, str]]) -> None:
    try:
        asked = parse(search_definitions(), resource_type, pairs, server())
    except SearchRefused:
        return
    whole = resolved(asked, [[] for _ in chains(asked)])
    narrowing(whole)
    referring(whole, [{"resourceType": resource_type, "id": "1"}])
    assert links(whole, page(whole, []), bytes.hex)["self"].isascii()
    assert matches(whole, {"resourceType": resource_type, "id": "1"}) in (True, False)


@pytest.mark.parametrize(("resource_type", "parameter"), EVERY, ids=lambda each: each.code if isinstance(each, Parameter) else each)
def test_every_parameter_takes_a_value_of_its_type_and_finds_nothing_in_nothing(resource_type: str, parameter: Parameter) -> None:
    asked = parse(search_definitions(), resource_type, [(parameter.code, good_value(parameter))], server(), strict=True)
    assert not matches(asked, {"resourceType": resource_type})
