"""AppointmentResponses through FHIR: given by the same rules as in our own API, and read from the appointment."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from tests.clinic import Clinic, Json, ok, open_clinic, register
from tests.fhir_asking import FHIR, in_form, outcome, shown
from tests.http.test_fhir_encounters import another, asked


def answer(appointment: Json, status: str, actor: str | None = None, **more: Any) -> Json:
    who = {"actor": {"reference": actor}} if actor else {"participantType": [{"text": "patient"}]}
    return {
        "resourceType": "AppointmentResponse", "appointment": {"reference": f"Appointment/{appointment['id']}"},
        "participantStatus": status,
    } | who | more  # fmt: skip


async def send(clinic: Clinic, body: Json, role: str = "front-desk", patient_id: UUID | None = None, **more: Any) -> Any:
    return await clinic.system.request(role, "POST", f"{FHIR}/AppointmentResponse", json=body, patient_id=patient_id, **more)


async def booked(clinic: Clinic, role: str = "front-desk") -> tuple[UUID, Json]:
    patient = await register(clinic.system, "Wombat")
    return patient, ok(await clinic.book(patient, (await clinic.free())[-1], role), 201)


async def test_a_patient_who_accepts_has_confirmed(clinic: Clinic) -> None:
    """FHIR R4 AppointmentResponse: appointment, actor, participantStatus; the answer is where `Location` says, and twice is once."""
    patient, visit = await booked(clinic)
    assert shown(ok(await asked(clinic.system, f"AppointmentResponse?patient=Patient/{patient}"))) == []
    made = await send(clinic, answer(visit, "accepted", f"Patient/{patient}", comment="I will come"), "patient", patient)
    assert ok(made, 201)["participantStatus"] == "accepted"
    one = await in_form(clinic.system, f"AppointmentResponse/{made.json()['id']}")
    assert (one["actor"]["reference"], one["start"]) == (f"Patient/{patient}", made.json()["start"])
    assert f"AppointmentResponse/{one['id']}/_history/{one['meta']['versionId']}" in made.headers["location"]
    after = await clinic.appointment(visit["id"])
    assert {each["kind"]: each["status"] for each in after["participants"]}["patient"] == "accepted"
    again = ok(await send(clinic, answer(visit, "accepted"), "patient", patient))
    assert (again["id"], (await clinic.appointment(visit["id"]))["version"]) == (one["id"], after["version"])


async def test_whoever_declines_cancels_and_the_reason_says_who(clinic: Clinic) -> None:
    for actor, role, reason in (("Patient", "patient", "pat"), ("Practitioner", "front-desk", "prov")):
        patient, visit = await booked(clinic)
        who = f"{actor}/{patient if actor == 'Patient' else clinic.practitioner_id}"
        made = ok(await send(clinic, answer(visit, "declined", who), role, patient), 201)
        assert (made["participantStatus"], made["actor"]["reference"]) == ("declined", who)
        after = await clinic.appointment(visit["id"])
        assert (after["status"], after["cancelation_reason"]) == ("cancelled", reason)
        found = shown(ok(await asked(clinic.system, f"AppointmentResponse?appointment=Appointment/{visit['id']}&part-status=declined")))
        assert found == [f"AppointmentResponse/{made['id']}"]


async def test_the_hospital_answers_what_a_patient_asked_for(clinic: Clinic) -> None:
    """While a request is pending nothing is said of the staff; the desk accepts it, by the permission that our own API asks for."""
    strict = await open_clinic(clinic.system, needs_confirmation=True)
    patient, visit = await booked(strict, "patient")
    own = f"AppointmentResponse?appointment={visit['id']}"
    assert [each["resource"]["actor"]["reference"] for each in ok(await asked(clinic.system, own))["entry"]] == [f"Patient/{patient}"]
    practitioner = answer(visit, "accepted", f"Practitioner/{strict.practitioner_id}")
    outcome(await send(strict, practitioner, "integration"), 403, "kernel.forbidden")
    assert ok(await send(strict, practitioner), 201)["participantStatus"] == "accepted"
    assert (await strict.appointment(visit["id"]))["status"] == "booked"
    assert len(ok(await asked(clinic.system, own))["entry"]) == 2


async def test_an_answer_that_is_none_of_theirs_changes_nothing(clinic: Clinic) -> None:
    patient, visit = await booked(clinic)
    other, who = await register(clinic.system), f"Patient/{patient}"
    for body, role, by, status, code in (
        (answer(visit, "tentative", who), "patient", patient, 422, "fhir.change_not_supported"),
        (answer(visit, "accepted", who, start="2031-01-01T08:00:00Z"), "patient", patient, 422, "fhir.change_not_supported"),
        (answer(visit, "declined", who), "front-desk", None, 422, "fhir.invalid_element"),
        (answer(visit, "declined", f"Practitioner/{clinic.practitioner_id}"), "patient", patient, 422, "fhir.invalid_element"),
        (answer(visit, "declined", f"Location/{clinic.site_id}"), "front-desk", None, 422, "fhir.invalid_element"),
        (answer(visit, "declined", f"Practitioner/{uuid4()}"), "front-desk", None, 422, "fhir.invalid_element"),
        (answer(visit, "declined"), "front-desk", None, 422, "fhir.missing_element"),
        (answer(visit, "declined", f"Patient/{other}"), "patient", other, 404, "scheduling.unknown_appointment"),
        (answer(visit, "declined", f"Practitioner/{clinic.practitioner_id}"), "nurse", None, 403, "kernel.forbidden"),
        (answer(visit, "perhaps", who), "patient", patient, 400, "fhir.invalid_resource"),
    ):  # fmt: skip
        outcome(await send(clinic, body, role, by), status, code)
    assert await clinic.appointment(visit["id"]) == visit


async def test_responses_are_searched_by_what_they_say(clinic: Clinic) -> None:
    """R4's parameters of AppointmentResponse: appointment, patient, practitioner, actor, part-status; chains and includes."""
    patient, visit = await booked(clinic, "patient")
    both = set(shown(ok(await asked(clinic.system, f"AppointmentResponse?appointment=Appointment/{visit['id']}"))))
    assert len(both) == 2
    (own,) = shown(ok(await asked(clinic.system, f"AppointmentResponse?patient=Patient/{patient}")))
    (theirs,) = both - {own}
    of, practitioner = f"appointment={visit['id']}", f"Practitioner/{clinic.practitioner_id}"
    for query, expected in (
        (f"_id={own.partition('/')[2]}", {own}), (f"{of}&actor=Patient/{patient}", {own}), (f"{of}&practitioner={practitioner}", {theirs}),
        (f"{of}&actor={practitioner}", {theirs}), (f"{of}&part-status=accepted", both), (f"{of}&part-status=declined", set()),
        (f"{of}&patient.family=Wombat", {own}), (f"{of}&location={clinic.site_id}", set()), ("_id=x", set()),
        (f"practitioner={practitioner}&{of}&part-status=accepted", {theirs}), (f"actor={patient}&{of}", {own}),
    ):  # fmt: skip
        assert set(shown(ok(await asked(clinic.system, f"AppointmentResponse?{query}")))) == expected, query
    page = ok(await asked(clinic.system, f"AppointmentResponse?{of}&_include=AppointmentResponse:appointment"))
    assert shown(page, "include") == [f"Appointment/{visit['id']}"]
    page = ok(await asked(clinic.system, f"Appointment?_id={visit['id']}&_revinclude=AppointmentResponse:appointment"))
    assert set(shown(page, "include")) == both
    outcome(await asked(clinic.system, "AppointmentResponse?part-status=accepted"), 422, "fhir.search_too_wide")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_sees_answers_if_it_sees_appointments(clinic: Clinic, role: str) -> None:
    for query in (f"AppointmentResponse?patient=Patient/{uuid4()}", f"AppointmentResponse?appointment={uuid4()}"):
        answered = await asked(clinic.system, query, role)
        assert answered.status_code == (200 if "scheduling.appointment.read" in ROLES[role] else 403), f"{role}: {answered.text}"


async def test_nobody_elses_answers_are_shown(clinic: Clinic) -> None:
    patient, visit = await booked(clinic, "patient")
    (own,) = shown(ok(await asked(clinic.system, f"AppointmentResponse?patient=Patient/{patient}")))
    other, stranger = await register(clinic.system), another(clinic.system)
    outcome(await asked(clinic.system, own, "patient", other), 404, "scheduling.unknown_appointment")
    outcome(await asked(stranger, own), 404, "scheduling.unknown_appointment")
    for query in (
        own.replace("/", "?_id="),
        f"AppointmentResponse?patient=Patient/{patient}",
        f"AppointmentResponse?appointment={visit['id']}",
    ):
        assert shown(ok(await asked(clinic.system, query, "patient", other))) == [], query
        assert shown(ok(await asked(stranger, query))) == [], query
