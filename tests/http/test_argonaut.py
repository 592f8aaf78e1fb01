"""Argonaut Scheduling's state table (http://fhir.org/guides/argonaut-scheduling/state-diagram.html): what each step leaves behind."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from carewright.fhir.model.ids import SlotId, write_slot
from tests.clinic import VISIT_MINUTES, Clinic, Json, ok, register
from tests.fhir_asking import FHIR, hold, operate, parameters, proposals

requirement = pytest.mark.requirement


@pytest.fixture
async def patient(clinic: Clinic) -> str:
    return f"Patient/{await register(clinic.system)}"


async def slot_of(clinic: Clinic, start: str) -> str:
    """The status of the practitioner's time at `start`."""
    id_ = write_slot(SlotId(UUID(clinic.practitioner_id), datetime.fromisoformat(start), VISIT_MINUTES))
    status: str = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Slot/{id_}"))["status"]
    return status


async def patched(clinic: Clinic, id_: str, body: Any) -> Json:
    after: Json = ok(await clinic.system.request("front-desk", "PATCH", f"{FHIR}/Appointment/{id_}", json=body))
    return after


async def held_and_booked(clinic: Clinic, patient: str) -> Json:
    held = await hold(clinic, patient, (await proposals(clinic))["entry"][0]["resource"])
    body = parameters(appointment__reference={"reference": f"Appointment/{held['id']}"})
    booked: Json = ok(await operate(clinic, "book", body))["entry"][0]["resource"]
    return booked


@requirement("ARGO.2", "ARGO.3")
async def test_what_is_proposed_is_free(clinic: Clinic) -> None:
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    assert (proposal["status"], await slot_of(clinic, proposal["start"])) == ("proposed", "free")


@requirement("ARGO.4", "ARGO.5")
async def test_a_hold_is_pending_and_nobody_elses_time(clinic: Clinic, patient: str) -> None:
    """R4 has a status of its own for it, which says more than Argonaut's `busy`."""
    held = await hold(clinic, patient, (await proposals(clinic))["entry"][0]["resource"])
    assert (held["status"], await slot_of(clinic, held["start"])) == ("pending", "busy-tentative")


@requirement("ARGO.6", "ARGO.8")
async def test_what_is_booked_is_busy(clinic: Clinic, patient: str) -> None:
    booked = await held_and_booked(clinic, patient)
    assert (booked["status"], await slot_of(clinic, booked["start"])) == ("booked", "busy")
    people = {each["actor"]["reference"]: each["status"] for each in booked["participant"]}
    assert people[f"Practitioner/{clinic.practitioner_id}"] == "accepted"


@requirement("ARGO.6r")
async def test_a_request_for_time_that_is_taken_leaves_the_other_appointment_alone(clinic: Clinic, patient: str) -> None:
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    first = await hold(clinic, patient, proposal)
    body = parameters(
        appointment__reference={"reference": f"Appointment/{proposal['id']}"},
        patient__reference={"reference": f"Patient/{await register(clinic.system)}"},
    )
    assert (await operate(clinic, "book", body)).status_code == 409
    assert (await clinic.appointment(first["id"]))["status"] == "pending"


@requirement("ARGO.10c")
async def test_what_is_cancelled_by_a_patch_is_free_again(clinic: Clinic, patient: str) -> None:
    booked = await held_and_booked(clinic, patient)
    after = await patched(clinic, booked["id"], [{"op": "replace", "path": "/status", "value": "cancelled"}])
    assert (after["status"], await slot_of(clinic, booked["start"])) == ("cancelled", "free")


@requirement("ARGO.11c")
async def test_a_hold_is_released_by_a_patch(clinic: Clinic, patient: str) -> None:
    held = await hold(clinic, patient, (await proposals(clinic))["entry"][0]["resource"])
    by_path = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Appointment.status"},
        {"name": "value", "valueCode": "cancelled"},
    ]}]}  # fmt: skip
    after = await patched(clinic, held["id"], by_path)
    assert (after["status"], await slot_of(clinic, held["start"])) == ("cancelled", "free")


@requirement("ARGO.A1")
async def test_the_statement_has_what_argonaut_requires_of_appointments_and_patients(clinic: Clinic) -> None:
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    by_type = {each["type"]: each for each in statement["rest"][0]["resource"]}
    appointments = by_type["Appointment"]
    assert {"read", "search-type", "patch"} <= {each["code"] for each in appointments["interaction"]}
    assert {"_id", "patient", "status", "date", "practitioner"} <= {each["name"] for each in appointments["searchParam"]}
    assert {"find", "hold", "book"} <= {each["name"] for each in appointments["operation"]}
    assert "search-type" in {each["code"] for each in by_type["Patient"]["interaction"]}
