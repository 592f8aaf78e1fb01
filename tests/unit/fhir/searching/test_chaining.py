"""Chains and `_has`, answered the way a rim does: from the inside out, over a handful of resources."""

from collections.abc import Sequence

import pytest

from carewright.fhir.model.searching.chaining import chains, resolved
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.search import Search
from carewright.kernel.invariants import InvariantBroken
from tests.unit.fhir.searching.asking import BASE, Json, search


def person(resource_type: str, number: int, family: str, **fields: object) -> Json:
    return {"resourceType": resource_type, "id": f"{resource_type[0].lower()}{number}", "name": [{"family": family}], **fields}


def booked(number: int, *actors: str) -> Json:
    return {"resourceType": "Appointment", "id": f"a{number}", "participant": [{"actor": {"reference": actor}} for actor in actors]}


def measured(number: int, code: str, subject: str) -> Json:
    coded = {"coding": [{"code": code}]}
    return {"resourceType": "Observation", "id": f"o{number}", "code": coded, "subject": {"reference": subject}}


EVERYTHING = [
    person("Patient", 1, "Everett", birthDate="1970-06-15", managingOrganization={"reference": "Organization/g1"}),
    person("Patient", 2, "Adams", birthDate="1980-01-01", managingOrganization={"reference": "Organization/g2"}),
    person("Practitioner", 1, "Everett"),
    {"resourceType": "Organization", "id": "g1", "name": "Good Health"},
    {"resourceType": "Organization", "id": "g2", "name": "Other Health"},
    booked(1, "Patient/p1", "Practitioner/p9"),
    booked(2, "Patient/p2", f"{BASE}/Practitioner/p1"),
    booked(3, "http://elsewhere.example/Patient/p1"),
    measured(1, "1234-5", "Patient/p1"),
    measured(2, "9999-9", "Patient/p2"),
    {"resourceType": "AuditEvent", "id": "e1", "entity": [{"what": {"reference": "Observation/o2"}}], "action": "R"},
]


def answered(asked: Search, resources: Sequence[Json] = EVERYTHING) -> list[Json]:
    """Everything among `resources` that `asked` finds."""
    answers = [answered(step.inner, resources) for step in chains(asked)]
    whole = resolved(asked, answers)
    return [resource for resource in resources if matches(whole, resource)]


@pytest.mark.parametrize(
    ("resource_type", "query", "ids"),
    [
        ("Appointment", "patient.birthdate=1970", ["a1"]),
        ("Appointment", "patient.name=adams", ["a2"]),
        ("Appointment", "patient:Patient.family=adams", ["a2"]),
        ("Appointment", "actor:Practitioner.name=everett", ["a2"]),
        ("Appointment", "actor:Patient.name=everett", ["a1"]),
        ("Appointment", "actor.name=everett", ["a1", "a2"]),
        ("Appointment", "actor.name:exact=everett", []),
        ("Appointment", "patient.organization.name=good", ["a1"]),
        ("Appointment", "patient.organization.name=good&patient.birthdate=1980", []),
        ("Appointment", "patient.name=everett,adams", ["a1", "a2"]),
        ("Appointment", "patient._id=p1", ["a1"]),
        ("Patient", "_has:Observation:patient:code=1234-5", ["p1"]),
        ("Patient", "_has:Observation:patient:code=0", []),
        ("Patient", "_has:Observation:patient:_has:AuditEvent:entity:action=R", ["p2"]),
        ("Patient", "_has:Appointment:patient:practitioner.family=everett", ["p2"]),
        ("Organization", "_has:Patient:organization:family=everett", ["g1"]),
        ("Appointment", "patient._has:Observation:patient:code=1234-5", ["a1"]),
    ],
)
def test_a_chain_leads_through_what_was_found(resource_type: str, query: str, ids: list[str]) -> None:
    assert [resource["id"] for resource in answered(search(resource_type, query))] == ids


def test_a_plan_names_each_type_that_knows_the_rest_of_the_chain() -> None:
    steps = chains(search("Appointment", "actor.family=x"))
    assert [step.inner.type for step in steps] == ["Patient", "Practitioner"]
    assert {step.parameter.code for step in steps} == {"actor"}


def test_ids_are_enough_of_an_answer_to_a_chain() -> None:
    whole = resolved(search("Appointment", "patient.name=x"), [[{"resourceType": "Patient", "id": "p1"}]])
    assert matches(whole, EVERYTHING[5])
    assert chains(whole) == ()


def test_a_search_with_an_open_chain_decides_nothing() -> None:
    with pytest.raises(InvariantBroken):
        matches(search("Appointment", "patient.name=x"), EVERYTHING[5])


def test_every_answer_is_wanted() -> None:
    with pytest.raises(ValueError, match="shorter"):
        resolved(search("Appointment", "patient.name=x"), [])
