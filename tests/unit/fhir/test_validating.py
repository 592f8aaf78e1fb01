from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carewright.fhir.model.issues import Issue
from carewright.fhir.model.limits import DEPTH_MAX, VALUES_MAX
from carewright.fhir.model.validating import ISSUES_MAX, issues_of
from tests.unit.fhir.forms import DEFINITIONS, OFFICIAL, SERVED, Object, Place, decoded, example, examples, needs_official, spoiling

each_example = pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
WRONG: dict[str, Any] = {"str": 7, "bool": "true", "int": "7", "Decimal": "7.0", "dict": "text", "list": {"id": "a"}}
ODD = {
    "Bundle-dataelements.json": "too-costly",
    "Bundle-resources.json": "too-costly",
    "Bundle-valueset-expansions.json": "too-costly",
    "Observation-clinical-gender.json": "invalid",  # its performer is an Encounter
}
"""Official files of served resources that are refused, and why: the definitions themselves are too large, and one example is wrong."""


def told(resource: object) -> list[tuple[str, str]]:
    return [(issue.type, issue.expression) for issue in issues_of(DEFINITIONS, resource)]


def rules_broken(resource: object) -> set[str]:
    return {issue.rule for issue in issues_of(DEFINITIONS, resource)}


def appointment(**changes: Any) -> Object:
    return example("Appointment-example") | changes


def patient(**changes: Any) -> Object:
    return {"resourceType": "Patient", **changes}


def contained(*inside: Object, **more: Any) -> Object:
    return appointment(contained=list(inside), **more)


def test_the_examples_are_of_every_served_resource() -> None:
    assert {path.stem.partition("-")[0] for path in examples()} == SERVED


@each_example
def test_an_official_example_is_right(path: Path) -> None:
    assert issues_of(DEFINITIONS, decoded(path.read_bytes())) == ()


@needs_official
@pytest.mark.parametrize("resource_type", sorted(SERVED - {"Parameters"}))
def test_every_official_example_is_right(resource_type: str) -> None:
    assert OFFICIAL
    found = {path.name: told(decoded(path.read_bytes())) for path in OFFICIAL.glob(f"{resource_type}-*.json")}
    assert found
    assert {name: issues[0][0] for name, issues in found.items() if issues} == {name: ODD[name] for name in found if name in ODD}


# What is done to an example at one place, and the type of the issue that must follow. None where it cannot be done there.
Mutation = Callable[[Place], str | None]


def remove(place: Place) -> str | None:
    del place.owner[place.name]
    return "required" if place.element.min else None


def double(place: Place) -> str | None:
    value = place.owner[place.name]
    place.owner[place.name] = {"id": "a"} if isinstance(value, list) else [value, value]
    return "structure"


def give_another_type(place: Place) -> str | None:
    value = place.owner[place.name]
    first = value[0] if isinstance(value, list) else value
    wrong = 7 if isinstance(first, str) else WRONG["dict"]
    place.owner[place.name] = [wrong] if isinstance(value, list) else wrong
    return "structure"


def empty(place: Place) -> str | None:
    value = place.owner[place.name]
    nothing: dict[str, Any] = {"str": "", "dict": {}, "list": []}
    if type(value).__name__ not in nothing:
        return None
    place.owner[place.name] = nothing[type(value).__name__]
    return "any"


def give_an_unknown_code(place: Place) -> str | None:
    if not place.element.value_set or place.type_name not in ("code", "Coding", "CodeableConcept"):
        return None
    value = place.owner[place.name]
    wrong: Any = {"code": "no-such-code", "Coding": {"code": "no-such-code"}}.get(place.type_name, {"coding": [{"code": "no-such-code"}]})
    place.owner[place.name] = [wrong] if isinstance(value, list) else wrong
    return "code-invalid"


def refer_elsewhere(place: Place) -> str | None:
    if place.type_name != "Reference" or not place.element.targets:
        return None
    value = place.owner[place.name]
    wrong = {"reference": "VisionPrescription/1"}
    place.owner[place.name] = [wrong] if isinstance(value, list) else wrong
    return "invalid"


def misname(place: Place) -> str | None:
    place.owner[f"{place.name}s2"] = place.owner.pop(place.name)
    return "structure"


def break_the_form(place: Place) -> str | None:
    wrong = {"date": "2026-02-30", "dateTime": "2026-13-01", "instant": "2026-01-01", "time": "25:00:00", "uri": "a b", "url": "a b",
             "canonical": "a b", "id": "a_b", "code": " a", "oid": "1.2.3", "base64Binary": "abc", "positiveInt": 0,
             "unsignedInt": -1, "integer": 2**31, "string": "a\x00b", "markdown": "\x07", "decimal": Decimal("NaN"),
             "xhtml": "<div>no namespace</div>"}  # fmt: skip
    if place.type_name not in wrong:
        return None
    value = place.owner[place.name]
    place.owner[place.name] = [wrong[place.type_name]] if isinstance(value, list) else wrong[place.type_name]
    return "value"


@pytest.mark.requirement("R4.form", "R4.status")
@each_example
@pytest.mark.parametrize(
    "mutation",
    [remove, double, give_another_type, empty, give_an_unknown_code, refer_elsewhere, misname, break_the_form],
    ids=lambda mutation: mutation.__name__,
)
def test_a_mutated_example_is_found(path: Path, mutation: Mutation) -> None:
    missed = []
    resource = decoded(path.read_bytes())
    for place in spoiling(resource):
        wanted = mutation(place)
        found = {issue.type for issue in issues_of(DEFINITIONS, resource)}
        if wanted and not (found if wanted == "any" else found & {wanted}):
            missed.append((place.name, place.type_name, found))
    assert missed == []


@each_example
def test_no_issue_repeats_what_was_sent(path: Path) -> None:
    resource = decoded(path.read_bytes())
    for place in spoiling(resource):
        place.owner[place.name] = "Zebra secret-4711"
        for issue in issues_of(DEFINITIONS, resource):
            assert "Zebra" not in issue.text + issue.expression
            assert issue.text.endswith(".")


def test_a_strange_name_is_not_repeated_either() -> None:
    assert told(patient(**{"Zebra, Anna": 1})) == [("structure", "Patient")]
    assert told(patient(nickname="a")) == [("structure", "Patient.nickname")]


def test_an_issue_names_its_place() -> None:
    spoiled = appointment()
    spoiled["participant"][1]["status"] = "yes"
    assert issues_of(DEFINITIONS, spoiled) == (
        Issue(
            "error", "code-invalid", "Appointment.participant[1].status",
            "The code is not one of the required value set participationstatus.",
        ),
    )  # fmt: skip


def test_the_place_of_a_choice_names_its_type() -> None:
    spoiled = example("Observation-bmd")
    spoiled["valueQuantity"]["value"] = "0.887"
    assert told(spoiled) == [("structure", "Observation.value.ofType(Quantity).value")]


def test_one_type_of_a_choice_is_enough() -> None:
    assert told(patient(deceasedBoolean=True, deceasedDateTime="2026")) == [("structure", "Patient.deceased")]


@pytest.mark.parametrize("resource", [None, 7, "Patient", [], {}, {"resourceType": None}])
def test_what_is_no_resource_is_refused(resource: object) -> None:
    assert [kind for kind, _ in told(resource)] == ["structure"]


@pytest.mark.parametrize("name", ["Person2", "Period", "DomainResource", "Appointment.participant", 7, ["Patient"]])
def test_an_unknown_type_is_refused(name: object) -> None:
    assert told({"resourceType": name}) == [("not-supported", "")]


def test_a_primitive_may_have_extensions_beside_it_or_alone() -> None:
    extension = {"extension": [{"url": "http://a.org", "valueString": "a"}]}
    assert told(patient(birthDate="2026-01-01", _birthDate=extension)) == []
    assert told(patient(_birthDate=extension)) == []
    assert told(patient(_birthDate={})) == [("invariant", "Patient.birthDate")]
    assert told(patient(_birthDate=[extension])) == [("structure", "Patient.birthDate")]
    assert told(patient(_name=[extension])) == [("structure", "Patient._name")]


def test_lists_of_primitives_and_of_extensions_are_aligned() -> None:
    extension = {"extension": [{"url": "http://a.org", "valueString": "a"}]}
    name = {"given": ["A", None], "_given": [None, extension]}
    assert told(patient(name=[name])) == []
    assert told(patient(name=[name | {"_given": [extension]}])) != []
    assert told(patient(name=[{"given": ["A", None]}])) == [("structure", "Patient.name[0].given[1]")]
    assert told(patient(name=[{"given": [None], "_given": [None]}])) == [("structure", "Patient.name[0].given[0]")]


def test_an_extension_has_a_value_or_extensions() -> None:
    inner = {"url": "http://b.org", "valueDecimal": Decimal("1.00")}
    assert told(patient(extension=[{"url": "http://a.org", "extension": [inner]}])) == []
    assert rules_broken(patient(extension=[{"url": "http://a.org", "extension": [inner], "valueString": "a"}])) == {"ext-1"}
    assert rules_broken(patient(extension=[{"url": "http://a.org"}])) == {"ext-1"}


def test_ids_and_addresses_of_extensions_have_no_extensions() -> None:
    extension = {"extension": [{"url": "http://a.org", "valueString": "a"}]}
    assert told(patient(_id=extension)) == [("structure", "Patient._id")]
    assert told(patient(extension=[{"_url": extension, "valueString": "a"}])) == [
        ("structure", "Patient.extension[0]._url"),
        ("required", "Patient.extension[0].url"),
    ]


def test_a_null_is_no_value() -> None:
    assert told(patient(birthDate=None)) == [("structure", "Patient.birthDate")]
    assert told(patient(name=[None])) == [("structure", "Patient.name[0]")]
    assert told(patient(name=None)) == [("structure", "Patient.name")]
    assert told(patient(name=[{"family": "A", "given": None}])) == [("structure", "Patient.name[0].given")]


@pytest.mark.parametrize(
    ("reference", "is_right"),
    [
        ("Practitioner/1", True), ("Practitioner/1/_history/2", True), ("https://a.org/fhir/Practitioner/1", True), ("urn:uuid:a", True),
        ("Practitioner?identifier=a|b", True), ("https://a.org/people/1", True), ("https://a.org/Medications/1", True),
        ("Medication/1", False), ("https://a.org/fhir/Medication/1", False), ("Medication?code=1", False), ("#m", False), ("#p", True),
    ],
)  # fmt: skip
def test_a_reference_points_at_a_type_that_may_stand_there(reference: str, *, is_right: bool) -> None:
    inside: list[Object] = [{"resourceType": "Medication", "id": "m"}, {"resourceType": "Practitioner", "id": "p"}]
    used = [{"reference": "#m"}, {"reference": "#p"}]
    resource = contained(*inside, supportingInformation=used, participant=[{"status": "accepted", "actor": {"reference": reference}}])
    assert told(resource) == ([] if is_right else [("invalid", "Appointment.participant[0].actor")])


def test_the_type_that_a_reference_says_counts_too() -> None:
    actor = {"type": "Medication", "display": "a"}
    assert told(appointment(participant=[{"status": "accepted", "actor": actor}])) == [("invalid", "Appointment.participant[0].actor")]


def test_a_contained_resource_is_used_and_keeps_to_its_rules() -> None:
    inside = {"resourceType": "Practitioner", "id": "p"}
    by = {"participant": [{"status": "accepted", "actor": {"reference": "#p"}}]}
    assert rules_broken(contained(inside, **by)) == set()
    assert rules_broken(contained(inside)) == {"dom-3"}
    assert rules_broken(appointment(**by)) == {"ref-1"}
    assert rules_broken(contained(inside | {"meta": {"versionId": "1"}}, **by)) == {"dom-4"}
    assert rules_broken(contained(inside | {"meta": {"security": [{"code": "R"}]}}, **by)) == {"dom-5"}
    nested = inside | {"contained": [{"resourceType": "Organization", "id": "o", "name": "O", "partOf": {"reference": "#"}}]}
    assert "dom-2" in rules_broken(contained(nested, **by))


def test_what_a_bundle_holds_is_a_resource_of_its_own() -> None:
    inner = {"resourceType": "Appointment", "status": "proposed", "participant": [{"status": "accepted", "actor": {"reference": "#p"}}]}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    assert rules_broken(bundle) == {"ref-1"}
    inner["contained"] = [{"resourceType": "Practitioner", "id": "p"}]
    assert told(bundle) == []


def test_a_resource_beyond_the_limits_is_refused_at_once() -> None:
    deep: Any = "a"
    for _ in range(5_000):
        deep = {"extension": [deep]}
    assert told(patient(extension=[deep])) == [("too-costly", "")]
    assert told(patient(name=[{"given": ["A"] * VALUES_MAX}])) == [("too-costly", "")]
    assert DEPTH_MAX > 32
    assert told(patient(birthDate="1" * (1024 * 1024 + 1))) == [("too-long", "Patient.birthDate")]


def test_issues_end_somewhere() -> None:
    assert len(issues_of(DEFINITIONS, patient(name=[{"use": "no"}] * 1_000))) == ISSUES_MAX


def test_nothing_is_changed() -> None:
    resource = example("Encounter-home")
    before = deepcopy(resource)
    issues_of(DEFINITIONS, resource)
    assert resource == before
