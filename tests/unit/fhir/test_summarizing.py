from copy import deepcopy
from pathlib import Path
from typing import get_args

import pytest

from carewright.fhir.model.invariants import RULES
from carewright.fhir.model.summarizing import Summary, elements_of, summary_of
from carewright.fhir.model.validating import issues_of
from tests.unit.fhir.forms import DEFINITIONS, OFFICIAL, SERVED, Object, decoded, example, examples, needs_official, places

SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
SUMMARIES: tuple[Summary, ...] = get_args(Summary)
OFFICIAL_BYTES_MAX = 1_000_000


def is_marked(resource: Object) -> bool:
    return [each["code"] for each in resource["meta"]["tag"] if each.get("system") == SYSTEM] == ["SUBSETTED"]


def new_faults(resource: Object, part: Object) -> set[str]:
    """What is wrong with a part and was not with the whole."""
    told = [{issue.rule or issue.text for issue in issues_of(DEFINITIONS, each)} for each in (part, resource)]
    return told[0] - told[1]


@pytest.mark.parametrize("summary", SUMMARIES)
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_a_part_of_an_official_example_is_marked_and_right(path: Path, summary: Summary) -> None:
    resource = decoded(path.read_bytes())
    before = deepcopy(resource)
    part = summary_of(DEFINITIONS, resource, summary)
    assert resource == before
    if summary == "false":
        assert part == resource
    else:
        assert is_marked(part)
        assert new_faults(resource, part) <= ({"ref-1"} if summary != "text" else RULES.keys() | {"ref-1"})


@needs_official
@pytest.mark.parametrize("resource_type", sorted(SERVED - {"Parameters"}))
def test_a_summary_of_every_official_example_is_right(resource_type: str) -> None:
    assert OFFICIAL
    for path in OFFICIAL.glob(f"{resource_type}-*.json"):
        if path.stat().st_size < OFFICIAL_BYTES_MAX:
            resource = decoded(path.read_bytes())
            assert new_faults(resource, summary_of(DEFINITIONS, resource, "true")) <= {"ref-1"}, path.name


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_a_summary_has_what_the_definitions_mark_or_require(path: Path) -> None:
    part = summary_of(DEFINITIONS, decoded(path.read_bytes()), "true")
    told = [each.element for each in places(part)]
    inside_extensions = {each.name for each in DEFINITIONS.types["Extension"].elements}
    assert [each.name for each in told if not (each.is_summary or each.min or each.is_modifier or each.name in inside_extensions)] == []


def test_a_summary_leaves_out_the_rest() -> None:
    part = summary_of(DEFINITIONS, example("Appointment-example"), "true")
    assert part.keys() == {
        "resourceType", "id", "meta", "status", "serviceCategory", "serviceType", "specialty", "appointmentType", "start", "end",
        "participant",
    }  # fmt: skip


def test_text_is_the_narrative_with_what_is_required() -> None:
    part = summary_of(DEFINITIONS, example("Appointment-example"), "text")
    assert part.keys() == {"resourceType", "id", "meta", "text", "status", "participant"}


def test_data_is_everything_but_the_narrative() -> None:
    whole = example("Appointment-example")
    assert summary_of(DEFINITIONS, whole, "data").keys() == (whole.keys() - {"text"}) | {"meta"}


def test_elements_come_with_what_is_required_or_changes_the_meaning() -> None:
    whole = example("Appointment-example") | {
        "implicitRules": "http://a.org",
        "modifierExtension": [{"url": "http://a.org", "valueCode": "a"}],
    }
    part = elements_of(DEFINITIONS, whole, frozenset({"comment", "nothing"}))
    assert part.keys() == {"resourceType", "id", "meta", "implicitRules", "modifierExtension", "status", "participant", "comment"}
    assert part["modifierExtension"] == whole["modifierExtension"]
    assert summary_of(DEFINITIONS, whole, "true")["modifierExtension"] == whole["modifierExtension"]


def test_a_choice_and_the_extensions_of_a_primitive_go_by_their_element() -> None:
    beside = {"extension": [{"url": "http://a.org", "valueCode": "a"}]}
    whole = {"resourceType": "Patient", "deceasedBoolean": True, "_deceasedBoolean": beside, "birthDate": "2026", "_birthDate": beside}
    assert elements_of(DEFINITIONS, whole, frozenset()).keys() == {"resourceType", "meta", "deceasedBoolean", "_deceasedBoolean"}
    assert elements_of(DEFINITIONS, whole, frozenset({"birthDate"})).keys() == whole.keys() | {"meta"}


def test_the_mark_is_set_once_beside_other_tags() -> None:
    whole = example("Slot-1") | {"meta": {"versionId": "3", "tag": [{"system": "http://a.org", "code": "a"}]}}
    once = elements_of(DEFINITIONS, whole, frozenset({"start"}))
    again = elements_of(DEFINITIONS, once, frozenset({"start"}))
    assert again == once
    assert once["meta"]["versionId"] == "3"
    assert [each["code"] for each in once["meta"]["tag"]] == ["a", "SUBSETTED"]
    assert whole["meta"] == {"versionId": "3", "tag": [{"system": "http://a.org", "code": "a"}]}
