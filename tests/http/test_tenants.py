"""Whoever is signed in at one hospital and asks with the ids of another finds nothing there, and changes nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.fhir.model.ids import SlotId, write_slot
from tests.clinic import Clinic, ok
from tests.system import System

PARTICIPANT = {"type": [{"text": "anybody"}], "status": "accepted"}
APPOINTMENT = {"name": "appointment-reference", "valueReference": {"reference": "Appointment/{appointment}"}}


@pytest.fixture(scope="session")
def stranger(one_process: System) -> System:
    """The same system, seen from another hospital."""
    return replace(one_process, known=msgspec.structs.replace(one_process.known, organization_id=uuid4()), tokens={})


@pytest.fixture(scope="session")
async def booked(clinic: Clinic, patient: UUID) -> dict[str, Any]:
    appointment: dict[str, Any] = ok(await clinic.book(patient, (await clinic.free())[-1]), 201)
    return appointment


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        ("front-desk", "GET", "/api/v1/appointments/{appointment}", None),
        ("front-desk", "POST", "/api/v1/appointments/{appointment}/confirm", None),
        ("front-desk", "POST", "/api/v1/appointments/{appointment}/cancel", {}),
        ("front-desk", "POST", "/api/v1/appointments/{appointment}/status", {"status": "arrived"}),
        ("front-desk", "DELETE", "/api/v1/holds/{appointment}", None),
        ("front-desk", "GET", "/api/v1/patients/{patient}", None),
        ("front-desk", "GET", "/api/v1/services/{service}", None),
        ("front-desk", "GET", "/api/v1/visit-types/{visit_type}", None),
        ("front-desk", "GET", "/api/v1/practitioners/{practitioner}", None),
        ("scheduler", "GET", "/api/v1/schedules/{practitioner}/calendar?from_at=2026-01-01T00:00:00Z&until_at=2026-01-02T00:00:00Z", None),
        ("scheduler", "PUT", "/api/v1/schedules/{practitioner}/hours", {"weekly": []}),
        (
            "scheduler", "POST", "/api/v1/schedules/{practitioner}/blocks",
            {"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z", "reason": "leave"},
        ),
    ],
)  # fmt: skip
async def test_what_belongs_to_another_hospital_is_not_there(
    clinic: Clinic, stranger: System, patient: UUID, booked: dict[str, Any], role: str, method: str, path: str, body: Any
) -> None:
    ids = {
        "appointment": booked["id"], "patient": patient, "service": clinic.service_id, "visit_type": clinic.visit_type_id,
        "practitioner": clinic.practitioner_id,
    }  # fmt: skip
    answer = await stranger.request(role, method, path.format(**ids), json=body)
    assert answer.status_code in (404, 422), answer.text
    assert "unknown" in answer.json()["code"], answer.text
    assert await clinic.appointment(booked["id"]) == booked


async def test_lists_of_another_hospital_are_empty(clinic: Clinic, stranger: System, patient: UUID, booked: dict[str, Any]) -> None:
    path = f"/api/v1/appointments?patient_id={patient}"
    assert ok(await stranger.request("front-desk", "GET", path))["items"] == []
    assert booked["id"] in [each["id"] for each in ok(await clinic.system.request("front-desk", "GET", path))["items"]]
    for lists in ("services", "sites", "practitioners"):
        assert ok(await stranger.request("front-desk", "GET", f"/api/v1/{lists}"))["items"] == []


async def test_nothing_of_another_hospital_is_booked(clinic: Clinic, stranger: System, patient: UUID) -> None:
    answer = await replace(clinic, system=stranger).book(patient, (await clinic.free())[-2])
    assert answer.status_code in (404, 422), answer.text
    assert "unknown" in answer.json()["code"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "Appointment/{appointment}", None),
        ("PUT", "Appointment/{appointment}", {"resourceType": "Appointment", "status": "cancelled", "participant": [PARTICIPANT]}),
        ("PATCH", "Appointment/{appointment}", [{"op": "replace", "path": "/status", "value": "cancelled"}]),
        ("POST", "Appointment/$book", {"resourceType": "Parameters", "parameter": [APPOINTMENT]}),
        ("GET", "Patient/{patient}", None),
        ("GET", "HealthcareService/{service}", None),
        ("GET", "Practitioner/{practitioner}", None),
        ("GET", "Location/{site}", None),
        ("GET", "Schedule/{practitioner}", None),
        ("GET", "Slot/{slot}", None),
        ("GET", "Appointment/$find?start=2026-01-01&end=2030-01-01&visit-type={visit_type}", None),
    ],
)
async def test_fhir_shows_and_changes_nothing_of_another_hospital(
    clinic: Clinic, stranger: System, patient: UUID, booked: dict[str, Any], method: str, path: str, body: Any
) -> None:
    ids = {
        "appointment": booked["id"], "patient": str(patient), "service": clinic.service_id, "visit_type": clinic.visit_type_id,
        "practitioner": clinic.practitioner_id, "site": clinic.site_id,
        "slot": write_slot(SlotId(UUID(clinic.practitioner_id), datetime.fromisoformat(booked["start"]), 30)),
    }  # fmt: skip
    sent = msgspec.json.decode(msgspec.json.encode(body).decode().replace("{appointment}", booked["id"]))
    if isinstance(sent, dict) and sent["resourceType"] == "Appointment":
        sent["id"] = booked["id"]
    answer = await stranger.request("front-desk", method, f"/fhir/R4/{path.format(**ids)}", json=sent)
    assert answer.status_code in (404, 405, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await clinic.appointment(booked["id"]) == booked


async def test_fhir_searches_of_another_hospital_find_nothing(
    clinic: Clinic, stranger: System, patient: UUID, booked: dict[str, Any]
) -> None:
    for query in (
        f"Appointment?_id={booked['id']}", f"Appointment?patient=Patient/{patient}&_include=*", f"Appointment?date={booked['start'][:10]}",
        f"Appointment?practitioner=Practitioner/{clinic.practitioner_id}", f"Patient?_id={patient}", "Patient?family=Beispiel",
        f"Slot?schedule=Schedule/{clinic.practitioner_id}", "Schedule", "Location", "Practitioner", "PractitionerRole", "HealthcareService",
        "Organization", "Device", f"Practitioner?_has:Appointment:practitioner:_id={booked['id']}",
        f"Schedule?actor=Practitioner/{clinic.practitioner_id}&_revinclude=Slot:schedule",
    ):  # fmt: skip
        found = ok(await stranger.request("front-desk", "GET", f"/fhir/R4/{query}"))
        assert (found["total"], found.get("entry")) == (0, None), query
    own = ok(await clinic.system.request("front-desk", "GET", f"/fhir/R4/Appointment?_id={booked['id']}"))
    assert own["total"] == 1
