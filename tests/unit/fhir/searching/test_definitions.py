"""The table of search parameters, and what lies at its paths."""

import json
from importlib import resources
from typing import Any

import pytest

from carewright.fhir.model.searching.definitions import Parameter, Path
from carewright.fhir.model.searching.elements import elements, local, type_of, values_of
from carewright.fhir.store import search_definitions
from tests.unit.fhir.searching.asking import BASE

TABLE_BYTES_MAX = 100_000
# http://hl7.org/fhir/R4: the table "Search Parameters" at the end of the page of each resource.
R4 = {
    "Appointment": "actor appointment-type based-on date identifier location part-status patient practitioner reason-code reason-reference "
    "service-category service-type slot specialty status supporting-info",
    "Slot": "appointment-type identifier schedule service-category service-type specialty start status",
    "Schedule": "active actor date identifier service-category service-type specialty",
    "AppointmentResponse": "actor appointment identifier location part-status patient practitioner",
    "ServiceRequest": "authored based-on body-site category code encounter identifier instantiates-canonical instantiates-uri intent "
    "occurrence patient performer performer-type priority replaces requester requisition specimen status subject",
    "Group": "actual characteristic characteristic-value code exclude identifier managing-entity member type value",
    "PractitionerRole": "active date email endpoint identifier location organization phone practitioner role service specialty telecom",
}
COMMON = {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"}


@pytest.mark.requirement("R4.search")
@pytest.mark.parametrize("resource_type", R4)
def test_a_type_has_the_parameters_of_its_page(resource_type: str) -> None:
    assert set(search_definitions().of(resource_type)) - COMMON == set(R4[resource_type].split())


def test_the_table_is_small_and_says_where_it_is_from() -> None:
    table = resources.files("carewright.fhir").joinpath("definitions", "search.json").read_bytes()
    assert len(table) < TABLE_BYTES_MAX
    assert "HL7 FHIR 4.0.1" in json.loads(table)["source"]
    assert len(search_definitions().types) == 24


def test_every_type_has_the_common_parameters() -> None:
    for resource_type in search_definitions().types:
        assert set(search_definitions().of(resource_type)) >= COMMON


def test_every_parameter_looks_somewhere() -> None:
    for resource_type in search_definitions().types:
        for code, parameter in search_definitions().of(resource_type).items():
            assert parameter.code == code
            assert parameter.paths or parameter.parts, (resource_type, code)
            assert (parameter.type == "reference") == bool(parameter.targets), (resource_type, code)


def test_an_unknown_type_has_no_parameters() -> None:
    assert not search_definitions().of("Medication")


def test_the_targets_are_those_that_are_known() -> None:
    definitions = search_definitions()
    assert definitions.targets(definitions.of("Appointment")["reason-reference"]) == ("Observation",)
    assert definitions.targets(definitions.of("Appointment")["supporting-info"]) == definitions.types


@pytest.mark.parametrize(
    ("at", "value", "seen"),
    [
        ("a", {"a": 1}, [1]),
        ("a.b", {"a": [{"b": [1, 2]}, {"b": 3}, {}]}, [1, 2, 3]),
        ("a.b", {"a": "text"}, []),
        ("a", {"a": None}, []),
        ("a", {"a": [[1], [None]]}, [1]),
        ("", {"a": 1}, [{"a": 1}]),
    ],
)
def test_a_path_goes_through_lists_and_past_what_is_not_there(at: str, value: object, seen: list[Any]) -> None:
    assert list(elements(at, value)) == seen


CONTAINED = {"resourceType": "Appointment", "contained": [{"resourceType": "Patient", "id": "p"}]}


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ({"reference": "Patient/1"}, "Patient"),
        ({"reference": "Patient/1/_history/2"}, "Patient"),
        ({"reference": "https://elsewhere.example/r4/Patient/1"}, "Patient"),
        ({"reference": "#p"}, "Patient"),
        ({"reference": "#q"}, None),
        ({"reference": "urn:uuid:0", "type": "Patient"}, "Patient"),
        ({"identifier": {"value": "1"}, "type": "Patient"}, "Patient"),
        ({"display": "somebody"}, None),
    ],
)
def test_a_reference_has_the_type_that_it_shows(reference: dict[str, Any], kind: str | None) -> None:
    assert type_of(reference, CONTAINED) == kind


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("Patient/1", "Patient/1"),
        (f"{BASE}/Patient/1", "Patient/1"),
        (f"{BASE}/Patient/1/_history/4", "Patient/1"),
        ("https://elsewhere.example/Patient/1", None),
        ("urn:uuid:1", None),
        ("#1", None),
        ("1", None),
    ],
)
def test_an_address_is_ours_with_or_without_our_base(address: str, place: str | None) -> None:
    assert local(address, BASE) == place


def test_a_filter_keeps_what_it_names() -> None:
    telecom = [{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b"}]
    phone = Parameter("token", "phone", (Path("telecom", "ContactPoint", only="phone"),))
    assert [held["value"] for _, held in values_of(phone, {"telecom": telecom})] == ["1"]
