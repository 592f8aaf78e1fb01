"""What requests say: references, Parameters and Appointments, and where in them what is wrong lies."""

from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.directory import Identifier, Organization
from carewright.contracts.fhir.basics import VISIT_TYPES
from carewright.contracts.fhir.directory import organization
from carewright.contracts.fhir.outcomes import outcome_of
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement, TimeGone
from carewright.fhir.model.parameters import Parameters, token_of
from carewright.fhir.model.pointing import pointer
from carewright.fhir.model.wanted import read_wanted
from carewright.kernel.errors import BadInput

BASE = "https://care.example.org/fhir/R4"
ID = "019a0000-0000-7000-8000-00000000beef"
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment", "status": "booked", "start": "2026-11-30T09:00:00Z", "end": "2026-11-30T09:30:00+00:00",
    "serviceType": [{"text": "no code"}, {"coding": [{"system": "urn:other", "code": "1"}, {"system": VISIT_TYPES, "code": ID}]}],
    "priority": 1, "comment": " afraid ", "basedOn": [{"identifier": {"value": "R-17"}}],
    "participant": [
        {"actor": {"reference": f"Patient/{ID}"}, "status": "accepted"},
        {"actor": {"reference": f"{BASE}/Location/{ID}"}, "status": "accepted"},
        {"type": [{"text": "anybody"}], "status": "needs-action"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", [f"Patient/{ID}", f"{BASE}/Patient/{ID}", f"Patient/{ID}/_history/3"])
def test_a_reference_to_us_is_understood(text: str) -> None:
    found = pointer({"reference": text}, "Appointment.subject", BASE)
    assert found is not None
    assert (found.kind, found.uuid) == ("Patient", UUID(ID))


@pytest.mark.parametrize(
    "text", [f"https://evil.example.org/fhir/R4/Patient/{ID}", "Patient", "#contained", "urn:uuid:" + ID, f"x{BASE}/Patient/1", 7]
)
def test_a_reference_elsewhere_is_refused_with_its_place(text: object) -> None:
    with pytest.raises(InvalidElement) as refusal:
        pointer({"reference": text}, "Appointment.subject", BASE)
    assert refusal.value.facts == {"expression": "Appointment.subject"}


def test_an_appointment_is_understood() -> None:
    wanted = read_wanted(APPOINTMENT, BASE)
    assert (wanted.patient_id, wanted.patient_status, wanted.visit_type_id) == (UUID(ID), "accepted", UUID(ID))
    assert [each.kind for each in wanted.actors] == ["Location"]
    assert (wanted.urgency, wanted.comment, wanted.based_on) == ("P0", "afraid", "R-17")


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"status": 7}, "Appointment.status"),
        ({"start": "tomorrow"}, "Appointment.start"),
        ({"start": "2026-11-30T09:00:00"}, "Appointment.start"),
        ({"participant": {}}, "Appointment.participant"),
        ({"participant": [{"actor": {"reference": "Group/1"}}]}, "Appointment.participant[0].actor.reference"),
        ({"participant": [{"actor": {"reference": f"Patient/{ID}"}}] * 2}, "Appointment.participant[1].actor.reference"),
        ({"participant": [{"actor": {"reference": "Patient/1"}}]}, "Appointment.participant[0].actor.reference"),
        ({"serviceType": [{"coding": [{"system": VISIT_TYPES, "code": "x"}]}]}, "Appointment.serviceType[0].coding.code"),
        ({"comment": "x" * 2001}, "Appointment.comment"),
        ({"resourceType": "Patient"}, "Appointment"),
    ],
)
def test_what_is_wrong_with_one_is_said_by_its_place(change: dict[str, Any], expression: str) -> None:
    with pytest.raises((InvalidElement, MissingElement)) as refusal:
        read_wanted(APPOINTMENT | change, BASE)
    assert refusal.value.facts["expression"] == expression


def test_parameters_are_read_by_name_and_kind() -> None:
    given = Parameters.of_resource({"resourceType": "Parameters", "parameter": [
        {"name": "start", "valueDateTime": "2026-11-30"},
        {"name": "specialty", "valueCodeableConcept": {"coding": [{"system": "s", "code": "c"}]}},
        {"name": "practitioner", "valueReference": {"reference": "a"}}, {"name": "practitioner", "valueReference": {"reference": "b"}},
    ]})  # fmt: skip
    assert given.instant("start").isoformat() == "2026-11-30T00:00:00+00:00"
    assert token_of(given.many("specialty")[0]) == ("s", "c")
    assert len(given.many("practitioner")) == 2
    with pytest.raises(MissingElement):
        given.instant("end")
    with pytest.raises(InvalidElement) as refusal:
        given.one("practitioner")
    assert refusal.value.facts["expression"] == "Parameters.parameter[3]"


@pytest.mark.parametrize(
    "body", [None, [], {}, {"resourceType": "Parameters", "parameter": {}}, {"resourceType": "Parameters", "parameter": [{}]}]
)
def test_what_is_no_parameters_is_refused(body: object) -> None:
    with pytest.raises(InvalidElement):
        Parameters.of_resource(body)


@pytest.mark.parametrize(("text", "token"), [("a|b", ("a", "b")), ("|b", (None, "b")), ("b", (None, "b"))])
def test_a_token_of_a_query(text: str, token: tuple[str | None, str]) -> None:
    assert token_of(Parameters.of_query([("x", text)]).many("x")[0]) == token


def test_a_refusal_is_said_as_an_outcome() -> None:
    issue = outcome_of(InvalidElement("So.", expression="Appointment.start"))["issue"][0]
    assert (issue["severity"], issue["code"], issue["expression"], issue["diagnostics"]) == ("error", "value", ["Appointment.start"], "So.")
    assert outcome_of(TimeGone())["issue"][0]["severity"] == "fatal"
    assert "expression" not in outcome_of(BadInput())["issue"][0]


def test_what_no_fhir_string_may_hold_is_left_out_wherever_it_was_typed() -> None:
    shown = organization(Organization(id=UUID(ID), name="Nor\x01th\x1f", identifiers=(Identifier(system="urn:s", value="\x00"),)))
    assert (shown["name"], shown["identifier"]) == ("North", [{"system": "urn:s"}])


@pytest.mark.parametrize("value", ["x" * 11, 7])
def test_words_are_words_and_have_an_end(value: object) -> None:
    given = Parameters.of_resource({"resourceType": "Parameters", "parameter": [{"name": "comment", "valueString": value}]})
    with pytest.raises(InvalidElement):
        given.text("comment", 10)
    assert (Parameters.of_query([("comment", " a ")]).text("comment", 10), given.text("other", 10)) == ("a", None)
