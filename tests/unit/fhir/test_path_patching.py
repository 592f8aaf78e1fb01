import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.patching import PatchDoesNotFit, PatchMalformed, PatchMisses, PatchNotSupported, PatchTooLarge
from carewright.fhir.model.path_patching import PATH_MAX, patched_by_paths
from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import from_xml
from carewright.kernel.errors import Refusal
from tests.unit.fhir.forms import DEFINITIONS, FOLDER, Object, example

CASE = re.compile(r'<case name="(?P<name>[^"]*)".*?</case>', re.DOTALL)
PUBLIC = list(CASE.finditer((FOLDER / "fhir-patch-tests.xml").read_text("utf-8")))


def operation(kind: str, path: str, value: Object | None = None, **more: Any) -> Object:
    parts: list[Object] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    parts += [{"name": "value", **value}] if value is not None else []
    parts += [{"name": name, ("valueString" if name == "name" else "valueInteger"): each} for name, each in more.items()]
    return {"name": "operation", "part": parts}


def patch(*operations: Object) -> Object:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def done(resource: Object, *operations: Object) -> Object:
    return patched_by_paths(DEFINITIONS, resource, patch(*operations))


def appointment() -> Object:
    return example("Appointment-example")


def resource_in(case: str, tag: str) -> Object:
    inside = re.search(f"<{tag}>(.*?)</{tag}>", case, re.DOTALL)
    assert inside
    return from_xml(DEFINITIONS, inside[1].strip().encode())


def without_indents(resource: Object) -> Object:
    """The public tests indent and escape a narrative differently before and after."""
    if "div" in resource.get("text", {}):
        resource["text"]["div"] = "".join(html.unescape(resource["text"]["div"]).split())
    return resource


@pytest.mark.parametrize("case", PUBLIC, ids=[html.unescape(match["name"]) for match in PUBLIC])
def test_the_public_tests_of_fhirpath_patch_hold(case: re.Match[str]) -> None:
    before, diff = resource_in(case[0], "input"), resource_in(case[0], "diff")
    if "<error" in case[0]:
        with pytest.raises(PatchMisses):
            patched_by_paths(DEFINITIONS, before, diff)
    else:
        made = patched_by_paths(DEFINITIONS, before, diff)
        assert without_indents(made) == without_indents(resource_in(case[0], "output"))


def test_the_public_tests_are_all_there() -> None:
    assert len(PUBLIC) == 33


def test_an_appointment_is_cancelled() -> None:
    cancelled = done(
        appointment(),
        operation("replace", "Appointment.status", {"valueCode": "cancelled"}),
        operation("add", "Appointment", {"valueCodeableConcept": {"text": "ill"}}, name="cancelationReason"),
        operation("replace", "Appointment.participant[1].status", {"valueCode": "declined"}),
    )
    assert issues_of(DEFINITIONS, cancelled) == ()
    assert (cancelled["status"], cancelled["participant"][1]["status"]) == ("cancelled", "declined")
    assert cancelled["participant"][0] == appointment()["participant"][0]


@pytest.mark.parametrize(
    "path",
    [
        "Appointment.participant.where(actor.reference = 'Location/1').status", "participant[2].status",
        "Appointment.`participant`[2].status",
        "Appointment.participant.where(status='accepted').where(actor.reference='Location/1').first().status",
    ],
)  # fmt: skip
def test_a_place_can_be_found_in_several_ways(path: str) -> None:
    assert done(appointment(), operation("replace", path, {"valueCode": "tentative"}))["participant"][2]["status"] == "tentative"


def test_a_choice_takes_the_type_of_its_value() -> None:
    observation = example("Observation-bmd")
    made = done(observation, operation("replace", "Observation.value", {"valueString": "a"}))
    assert made["valueString"] == "a"
    assert "valueQuantity" not in made
    assert done(made, operation("delete", "Observation.value.ofType(string)")).keys() == made.keys() - {"valueString"}
    assert done(made, operation("delete", "Observation.value.ofType(Quantity)")) == made


def test_the_parts_of_a_backbone_element_are_given_one_by_one() -> None:
    parts = [{"name": "status", "valueCode": "accepted"}, {"name": "actor", "valueReference": {"reference": "Device/1"}},
             {"name": "type", "valueCodeableConcept": {"text": "a"}}]  # fmt: skip
    made = done(appointment(), operation("add", "Appointment", {"part": parts}, name="participant"))
    assert made["participant"][-1] == {"status": "accepted", "actor": {"reference": "Device/1"}, "type": [{"text": "a"}]}


def test_a_contained_resource_can_be_added() -> None:
    inside = {"resourceType": "Device", "id": "d"}
    assert done(appointment(), operation("add", "Appointment", {"resource": inside}, name="contained"))["contained"] == [inside]


def test_extensions_of_primitives_stay_beside_their_values() -> None:
    extension = {"extension": [{"url": "http://a.org", "valueString": "a"}]}
    name = {"given": ["A", "B"], "_given": [None, extension]}
    patient = {"resourceType": "Patient", "name": [name], "birthDate": "2026", "_birthDate": extension}
    moved = done(patient, operation("move", "Patient.name.given", source=1, destination=0))
    assert moved["name"] == [{"given": ["B", "A"], "_given": [extension, None]}]
    inserted = done(patient, operation("insert", "Patient.name[0].given", {"valueString": "C"}, index=0))
    assert inserted["name"] == [{"given": ["C", "A", "B"], "_given": [None, None, extension]}]
    added = done(patient, operation("add", "Patient.name[0]", {"valueString": "C"}, name="given"))
    assert added["name"] == [{"given": ["A", "B", "C"], "_given": [None, extension, None]}]
    replaced = done(patient, operation("replace", "Patient.name[0].given[1]", {"valueString": "C"}))
    assert replaced["name"] == [{"given": ["A", "C"]}]
    assert "_birthDate" not in done(patient, operation("replace", "Patient.birthDate", {"valueDate": "2025"}))
    assert "_birthDate" not in done(patient, operation("delete", "Patient.birthDate"))
    assert done(patient, operation("delete", "Patient.name[0].given[1]"))["name"] == [{"given": ["A"]}]


STATUS = {"valueCode": "booked"}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (operation("replace", "Appointment.participant[9].status", STATUS), PatchMisses),
        (operation("replace", "Appointment.state", STATUS), PatchMisses), (operation("replace", "Patient.active", STATUS), PatchMisses),
        (operation("replace", "Appointment.participant.status", STATUS), PatchDoesNotFit),
        (operation("delete", "Appointment.participant"), PatchDoesNotFit), (operation("delete", "Appointment"), PatchDoesNotFit),
        (operation("replace", "Appointment", STATUS), PatchDoesNotFit),
        (operation("add", "Appointment", STATUS, name="status"), PatchDoesNotFit),
        (operation("add", "Appointment", STATUS, name="state"), PatchDoesNotFit),
        (operation("add", "Appointment.status", STATUS, name="extension"), PatchDoesNotFit),
        (operation("insert", "Appointment.participant", {"part": []}, index=9), PatchDoesNotFit),
        (operation("insert", "Appointment.status", STATUS, index=0), PatchDoesNotFit),
        (operation("insert", "Appointment.supportingInformation", {"valueReference": {}}, index=0), PatchMisses),
        (operation("move", "Appointment.participant", source=0, destination=9), PatchDoesNotFit),
        (operation("move", "Appointment.participant[0]", source=0, destination=0), PatchDoesNotFit),
        (operation("replace", "Appointment.status.lower()", STATUS), PatchNotSupported),
        (operation("replace", "Appointment.participant.where(status != 'accepted')", STATUS), PatchNotSupported),
        (operation("replace", "Appointment.descendants()", STATUS), PatchNotSupported),
        (operation("replace", "Appointment..status", STATUS), PatchNotSupported),
        (operation("replace", ".status", STATUS), PatchNotSupported), (operation("replace", "Appointment.[0]", STATUS), PatchNotSupported),
        (operation("replace", "Appointment.status.", STATUS), PatchNotSupported),
        (operation("replace", "a" * (PATH_MAX + 1), STATUS), PatchNotSupported),
        (operation("replace", "Appointment.status"), PatchMalformed), (operation("replace", "", STATUS), PatchMalformed),
        (operation("replace", "Appointment.status", {}), PatchMalformed),
        (operation("replace", "Appointment.status", {"valueCode": "a", "valueString": "a"}), PatchMalformed),
        (operation("rename", "Appointment.status", STATUS), PatchMalformed),
        (operation("move", "Appointment.participant", source=-1, destination=0), PatchMalformed),
        (operation("move", "Appointment.participant"), PatchMalformed), ({"name": "operation"}, PatchMalformed),
        ({"name": "change", "part": []}, PatchMalformed), ({"name": "operation", "part": [{"name": "other"}]}, PatchMalformed),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}] * 2}, PatchMalformed),
        ({"name": "operation", "part": [{"name": "type", "valueCode": ["add"]}]}, PatchMalformed),
    ],
)  # fmt: skip
def test_a_patch_that_cannot_be_done_is_refused(change: Object, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as refused:
        done(appointment(), change)
    assert refused.value.facts == {"operation": 0}


@pytest.mark.parametrize("found", [None, [], {}, {"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": {}}])
def test_what_is_no_patch_is_refused(found: object) -> None:
    with pytest.raises(PatchMalformed):
        patched_by_paths(DEFINITIONS, appointment(), found)


def test_a_patch_has_an_end_and_changes_all_or_nothing() -> None:
    with pytest.raises(PatchTooLarge):
        done(appointment(), *[operation("delete", "Appointment.comment")] * 1_001)
    resource = appointment()
    with pytest.raises(PatchMisses):
        done(resource, operation("delete", "Appointment.comment"), operation("replace", "Appointment.x", STATUS))
    assert resource == appointment()


@given(
    st.sampled_from(["add", "insert", "delete", "replace", "move"]),
    st.lists(
        st.sampled_from(["Appointment", "participant", "[0]", "[1]", ".", "status", "where(status = 'accepted')", "first()", "x", "'"]),
        max_size=6,
    ),
    st.sampled_from([STATUS, {"valueQuantity": 7}, {"part": [{"name": "status"}]}, {"part": [7]}, {"resource": []}, {}]),
    st.sampled_from(["status", "participant", "comment", "contained", "x"]),
)
def test_whatever_a_patch_says_is_done_or_refused(kind: str, path: list[str], value: Object, name: str) -> None:
    try:
        made = done(appointment(), operation(kind, "".join(path), value, name=name, index=0, source=0, destination=1))
    except Refusal as refused:
        assert refused.code.startswith("fhir.patch.")  # noqa: PT017 -- either outcome is right, and each is checked
    else:
        assert isinstance(issues_of(DEFINITIONS, made), tuple)
