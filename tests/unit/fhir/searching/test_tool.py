"""The tool that makes the table: expressions of R4 become JSON names with types, and one of an unknown form stops it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import r4_search_parameters as tool

Json = dict[str, Any]


def element(path: str, *kinds: str, **more: Any) -> Json:
    return {"path": path, "type": [{"code": kind} for kind in kinds], **more}


STATUS = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/observation-status|4.0.1"}
STRUCTURE = {
    "resourceType": "StructureDefinition",
    "snapshot": {
        "element": [
            {"path": "Observation"},
            element("Observation.id", "http://hl7.org/fhirpath/System.String"),
            element("Observation.status", "code", binding=STATUS),
            element("Observation.subject", "Reference"),
            element("Observation.value[x]", "Quantity", "string", "SampledData", "CodeableConcept"),
            element("Observation.component", "BackboneElement"),
            element("Observation.component.value[x]", "Quantity"),
            element("CodeableConcept.text", "string"),
        ]
    },
}
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://hl7.org/fhir/ValueSet/observation-status",
    "compose": {"include": [{"system": "http://hl7.org/fhir/observation-status"}]},
}


def definition(code: str, kind: str, expression: str, **more: Any) -> Json:
    return {
        "resourceType": "SearchParameter", "url": f"http://sp/{code}", "base": ["Observation"], "code": code, "type": kind,
        "expression": expression, **more,
    }  # fmt: skip


def made(folder: Path, *definitions: Json) -> Json:
    """What the tool makes of Observation's `definitions`."""
    contents = {
        "search-parameters.json": definitions,
        "profiles-resources.json": [STRUCTURE],
        "profiles-types.json": [],
        "valuesets.json": [VALUE_SET],
    }
    for name, entries in contents.items():
        (folder / name).write_text(json.dumps({"entry": [{"resource": entry} for entry in entries]}), "utf-8")
    parameters: Json = tool.table(folder)["types"]["Observation"]
    return parameters


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("Observation.status", [{"at": "status", "kind": "code", "system": "http://hl7.org/fhir/observation-status"}]),
        ("Patient.name | Observation.id", [{"at": "id", "kind": "id"}]),
        ("(Observation.value as string)", [{"at": "valueString", "kind": "string"}]),
        ("Observation.value.as(Quantity)", [{"at": "valueQuantity", "kind": "Quantity"}]),
        ("(Observation.value as CodeableConcept).text", [{"at": "valueCodeableConcept.text", "kind": "string"}]),
        ("Observation.component.value", [{"at": "component.valueQuantity", "kind": "Quantity"}]),
        ("Observation.subject.where(resolve() is Patient)", [{"at": "subject", "kind": "Reference", "is": "Patient"}]),
        ("Observation.subject.where(system='phone')", [{"at": "subject", "kind": "Reference", "only": "phone"}]),
    ],
)
def test_an_expression_becomes_names_with_types(tmp_path: Path, expression: str, paths: list[Json]) -> None:
    assert made(tmp_path, definition("x", "token", expression))["x"]["paths"] == paths


def test_a_choice_becomes_each_of_its_types_that_can_be_searched(tmp_path: Path) -> None:
    kinds = [path["kind"] for path in made(tmp_path, definition("x", "token", "Observation.value"))["x"]["paths"]]
    assert kinds == ["Quantity", "string", "CodeableConcept"]


def test_many_targets_are_any(tmp_path: Path) -> None:
    few = made(tmp_path, definition("x", "reference", "Observation.subject", target=["Patient", "Device"]))["x"]
    many = made(tmp_path, definition("x", "reference", "Observation.subject", target=[str(each) for each in range(140)]))["x"]
    assert (few["targets"], many["targets"]) == (["Device", "Patient"], ["*"])


def test_a_composite_becomes_parts_below_its_elements(tmp_path: Path) -> None:
    value = definition("value", "quantity", "Observation.value as Quantity")
    parts = [{"definition": value["url"], "expression": "value.as(Quantity)"}]
    both = made(tmp_path, value, definition("both", "composite", "Observation | Observation.component", component=parts))["both"]
    assert both["on"] == ["", "component"]
    assert both["parts"] == [{"type": "quantity", "paths": [{"at": "valueQuantity", "kind": "Quantity"}]}]


@pytest.mark.parametrize("expression", ["Observation.value.first()", "Observation.subject.where(a = 1)", "Observation.nothing"])
def test_what_it_does_not_know_stops_it(tmp_path: Path, expression: str) -> None:
    with pytest.raises(SystemExit):
        made(tmp_path, definition("x", "token", expression))
