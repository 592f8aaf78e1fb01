"""What a search is read into, what is left out of it, and its limits."""

import pytest

from carewright.fhir.model.searching import search as limits
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.refusals import AmbiguousChain, BadValue, SearchRefused, TooCostly, UnknownParameter
from carewright.fhir.store import search_definitions
from tests.unit.fhir.searching.asking import search, server


@pytest.mark.parametrize(
    "query",
    ["colour=blue", "subject=1", "_filter=x", "_text=x", "name=", "location.colour=x", "_has:Observation:colour:code=1", "_sort=colour"],
)
def test_what_is_not_known_is_left_out_with_a_warning_or_refused_where_strict(query: str) -> None:
    asked = search("Appointment", f"status=booked&{query}", strict=False)
    assert [warned.parameter for warned in asked.warnings] == [query.partition("=")[0]]
    assert asked.used == (("status", "booked"),)
    with pytest.raises(UnknownParameter):
        search("Appointment", query)


def test_a_warning_has_neither_the_value_nor_a_name_that_is_none() -> None:
    asked = parse(search_definitions(), "Patient", [("<script>", "Everett"), ("colour", "Everett")], server())
    assert [warned.parameter for warned in asked.warnings] == ["", "colour"]
    assert "Everett" not in repr(asked.warnings)


def test_the_parameters_of_the_answer_are_read() -> None:
    asked = search("Appointment", "_count=20&_sort=date,-status&_summary=data&_elements=id,status&_total=none&_format=json&_pretty=true")
    assert (asked.count, asked.summary, asked.elements, asked.total) == (20, "data", ("id", "status"), "none")
    assert [(sort.parameter.code, sort.is_descending) for sort in asked.sorts] == [("date", False), ("status", True)]
    assert (asked.format, asked.is_pretty) == ("json", True)
    assert not asked.criteria


def test_a_count_is_capped_and_none_asks_for_the_total_alone() -> None:
    assert search("Slot", "_count=100000").count == limits.COUNT_MAX
    assert search("Slot", "status=free").count == limits.COUNT_DEFAULT
    assert search("Slot", "_count=0").is_count_only
    assert search("Slot", "_summary=count").is_count_only
    assert not search("Slot", "_count=1").is_count_only


@pytest.mark.parametrize(
    "query",
    [
        "_count=-1",
        "_count=x",
        "_count=٣",
        "_summary=all",
        "_total=maybe",
        "_pretty=1",
        "_elements=a b",
        "_elements=",
        "_include=Slot",
        "_revinclude=*",
    ],
)
def test_what_shapes_the_answer_has_its_forms(query: str) -> None:
    with pytest.raises((BadValue, UnknownParameter)):
        search("Slot", query)


@pytest.mark.parametrize(
    ("query", "source", "codes", "target", "is_reverse", "is_iterated"),
    [
        ("_include=Slot:schedule", "Slot", {"schedule"}, None, False, False),
        ("_include=Slot:schedule:Schedule", "Slot", {"schedule"}, "Schedule", False, False),
        ("_include:iterate=Schedule:actor:Practitioner", "Schedule", {"actor"}, "Practitioner", False, True),
        ("_include:recurse=Schedule:actor", "Schedule", {"actor"}, None, False, True),
        ("_include=*", "Slot", {"schedule"}, None, False, False),
        ("_include=Slot:*", "Slot", {"schedule"}, None, False, False),
        ("_revinclude=Appointment:slot", "Appointment", {"slot"}, None, True, False),
    ],
)
def test_includes(query: str, source: str, codes: set[str], target: str | None, is_reverse: bool, is_iterated: bool) -> None:
    (include,) = search("Slot", query).includes
    assert (include.source, {each.code for each in include.parameters}, include.target) == (source, codes, target)
    assert (include.is_reverse, include.is_iterated) == (is_reverse, is_iterated)


@pytest.mark.parametrize(
    "pairs",
    [
        [("status", "free")] * (limits.PARAMETERS_MAX + 1),
        [("_id", ",".join(["a"] * (limits.VALUES_MAX + 1)))],
        [("_tag", "a" * (limits.VALUE_CHARS_MAX + 1))],
        [("_format", "a" * (limits.VALUE_CHARS_MAX + 1))],
        [("_sort", ",".join(["start"] * (limits.SORTS_MAX + 1)))],
        [("_elements", ",".join(["a"] * (limits.ELEMENTS_MAX + 1)))],
        [("_include", "Slot:schedule")] * (limits.INCLUDES_MAX + 1),
        [("schedule.actor:PractitionerRole.practitioner.name", "a"), ("schedule.actor:PractitionerRole.practitioner.name", "a")] * 11,
        [("schedule.actor:PractitionerRole.organization.partof.name", "a")],
        [("_has:Appointment:slot:_has:Encounter:appointment:_has:Observation:encounter:_has:Provenance:target:_id", "a")],
    ],
    ids=["parameters", "values", "long value", "long format", "sorts", "elements", "includes", "steps", "deep chain", "deep has"],
)
def test_everything_has_its_limit(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(TooCostly):
        parse(search_definitions(), "Slot", pairs, server())


def test_what_lies_at_the_limits_is_taken() -> None:
    pairs = [("_id", ",".join(["a"] * limits.VALUES_MAX)), ("schedule.actor:PractitionerRole.practitioner.name", "a")]
    assert len(parse(search_definitions(), "Slot", pairs, server(), strict=True).used) == 2


def test_a_chain_that_branches_without_end_is_stopped() -> None:
    with pytest.raises(TooCostly):
        search("Provenance", "target.focus.subject._id=1", strict=False)


@pytest.mark.parametrize("query", ["patient:Location.name=x", "reason-reference:Patient.name=x"])
def test_a_chain_to_a_type_that_the_reference_does_not_have_is_refused(query: str) -> None:
    with pytest.raises(AmbiguousChain):
        search("Appointment", query, strict=False)


def test_a_bad_value_at_the_end_of_a_chain_is_refused() -> None:
    with pytest.raises(BadValue):
        search("Appointment", "patient.birthdate=someday", strict=False)


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds = SearchRefused.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) == 6
    assert all(kind.code.startswith("fhir.search.") for kind in kinds)
