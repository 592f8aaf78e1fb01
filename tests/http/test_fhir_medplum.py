"""Medplum's shape of finding and booking, against a running system (https://www.medplum.com/docs/scheduling)."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, open_clinic, register, tomorrow, until_known
from tests.fhir_asking import FHIR, hold, operate, outcome, parameters
from tests.system import System


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


async def proposed(clinic: Clinic) -> Json:
    """The first time that `$find` shows for a service and a calendar."""
    start = datetime.fromisoformat(tomorrow())
    found = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/$find", params={
        "start": start.isoformat(), "end": (start + timedelta(days=7)).isoformat(), "_count": 1,
        "service-type-reference": f"HealthcareService/{clinic.service_id}", "schedule": f"Schedule/{clinic.practitioner_id}",
    }))  # fmt: skip
    one: Json = found["entry"][0]["resource"]
    return one


async def test_a_proposed_appointment_contains_the_slots_that_it_would_take(clinic: Clinic) -> None:
    """Medplum $find: each Appointment has `contained` Slots, which would be there if it were booked; and it is R4 still (dom-3)."""
    one = await proposed(clinic)
    (slot,) = one["contained"]
    assert (slot["resourceType"], slot["status"], slot["start"], slot["end"]) == ("Slot", "busy", one["start"], one["end"])
    assert slot["schedule"] == {"reference": f"Schedule/{clinic.practitioner_id}"}
    assert one["slot"] == [{"reference": f"#{slot['id']}"}]
    assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []


async def test_what_was_proposed_is_held_and_confirmed(clinic: Clinic) -> None:
    """Medplum: $find, $hold, $confirm; the Bundle has the Appointment and its Slots. What is not pending is 409."""
    patient = f"Patient/{await register(clinic.system)}"
    held = await hold(clinic, patient, await proposed(clinic))
    address = f"{FHIR}/Appointment/{held['id']}/$confirm"
    bundle = ok(await clinic.system.request("front-desk", "POST", address))
    confirmed, slot = (each["resource"] for each in bundle["entry"])
    assert (bundle["type"], confirmed["id"], confirmed["status"]) == ("transaction-response", held["id"], "booked")
    assert (slot["resourceType"], slot["status"], slot["start"]) == ("Slot", "busy", confirmed["start"])
    assert ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Slot/{slot['id']}"))["status"] == "busy"
    outcome(await clinic.system.request("front-desk", "POST", address), 409, "scheduling.illegal_step")
    outcome(await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment/unknown/$confirm"), 404, "fhir.unknown_id")


async def test_what_is_held_or_booked_is_cancelled(clinic: Clinic) -> None:
    """Medplum $cancel: the Appointment, cancelled, and its time is free again. What is neither pending nor booked is refused."""
    patient = f"Patient/{await register(clinic.system)}"
    one = await proposed(clinic)
    held = await hold(clinic, patient, one)
    address = f"{FHIR}/Appointment/{held['id']}/$cancel"
    cancelled = ok(await clinic.system.request("front-desk", "POST", address))
    assert (cancelled["resourceType"], cancelled["id"], cancelled["status"]) == ("Appointment", held["id"], "cancelled")
    assert (await proposed(clinic))["start"] == one["start"]
    outcome(await clinic.system.request("front-desk", "POST", address), 409, "scheduling.illegal_step")


async def test_what_was_proposed_is_booked_as_it_was_shown(clinic: Clinic) -> None:
    """Medplum $book: the proposed Appointment comes back as `appointment`, contained Slots and all."""
    one = await proposed(clinic)
    patient = {"reference": f"Patient/{await register(clinic.system)}"}
    booked = ok(await operate(clinic, "book", parameters(appointment=one, patient__reference=patient)))["entry"][0]["resource"]
    assert (booked["status"], booked["start"]) == ("booked", one["start"])


async def rooms(clinic: Clinic) -> tuple[str, str, Clinic]:
    """A kind of visit of the same practitioner's that takes one of two rooms: both, and the clinic that offers it."""
    site, (one, other, visit_type) = clinic.site_id, (str(uuid4()) for _ in range(3))
    kind = {"system": "urn:test:rooms", "code": visit_type}
    entries = {
        "locations": [
            {"id": each, "kind": "room", "name": "Room", "site_id": site, "part_of_id": site, "room_type": kind} for each in (one, other)
        ],
        "visit_types": [{
            "id": visit_type, "healthcare_service_id": clinic.service_id, "name": "Two rooms", "duration_minutes": 30,
            "requirements": [
                {"kind": "practitioner", "actor_id": clinic.practitioner_id, "duration_minutes": 30},
                {"kind": "room", "codes": [f"urn:test:rooms|{visit_type}"], "duration_minutes": 30},
            ],
            "rules": {"grid_minutes": 30, "lead_minutes": 0, "horizon_days": 60, "site_ids": [site]},
        }],
    }  # fmt: skip
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json=entries))
    hours = {"weekly": clinic.every_day()}
    for each in (f"/api/v1/schedules/{one}/hours", f"/api/v1/schedules/{other}/hours"):
        await until_known(partial(clinic.system.request, "scheduler", "PUT", each, json=hours))
    mine = replace(clinic, visit_type_id=visit_type)
    await until_known(lambda: mine.system.request("front-desk", "GET", "/api/v1/availability", params={"visit_type_id": visit_type}))
    return one, other, mine


def move(start: str, *schedules: str) -> Json:
    named = [{"name": "schedule", "valueReference": {"reference": f"Schedule/{each}"}} for each in schedules]
    return {"resourceType": "Parameters", "parameter": [{"name": "start", "valueDateTime": start}, *named]}


async def test_an_appointment_moves_to_another_room_at_its_own_time_and_then_to_another_time(clinic: Clinic) -> None:
    """Medplum $reschedule: the time that it holds does not block its own move; the Bundle has the Appointment and its Slots."""
    one, other, mine = await rooms(clinic)
    start, later = (await mine.free())[:2]
    visit = ok(await mine.book(await register(mine.system), start), 201)
    before = ok(await mine.system.request("front-desk", "GET", f"{FHIR}/Appointment/{visit['id']}"))
    free = next(each for each in (one, other) if not any(each in who["actor"]["reference"] for who in before["participant"]))
    address = f"{FHIR}/Appointment/{visit['id']}/$reschedule"
    bundle = ok(await mine.system.request("front-desk", "POST", address, json=move(start, clinic.practitioner_id, free)))
    moved, *slots = (each["resource"] for each in bundle["entry"])
    assert (bundle["type"], moved["id"], moved["status"]) == ("transaction-response", visit["id"], "booked")
    assert (moved["start"], moved["serviceType"]) == (before["start"], before["serviceType"])
    assert {each["actor"]["reference"] for each in moved["participant"]} >= {f"Location/{free}", f"Practitioner/{clinic.practitioner_id}"}
    assert {each["schedule"]["reference"] for each in slots} == {f"Schedule/{free}", f"Schedule/{clinic.practitioner_id}"}
    again = ok(await mine.system.request("front-desk", "POST", address, json=move(later, clinic.practitioner_id)))
    assert again["entry"][0]["resource"]["start"] == later
    taken = ok(await mine.book(await register(mine.system), start), 201)["start"]
    outcome(await mine.system.request("front-desk", "POST", address, json=move(taken, clinic.practitioner_id)), 409, "fhir.time_gone")


async def test_what_does_not_say_where_it_moves_to_or_is_not_to_come_is_not_moved(clinic: Clinic) -> None:
    patient = await register(clinic.system)
    start, later = (await clinic.free())[:2]
    visit = ok(await clinic.book(patient, start), 201)
    address = f"{FHIR}/Appointment/{visit['id']}/$reschedule"
    request = clinic.system.request
    outcome(await request("front-desk", "POST", address, json=move(later)), 422, "fhir.missing_element")
    nowhere = {"resourceType": "Parameters", "parameter": move(later, clinic.practitioner_id)["parameter"][1:]}
    outcome(await request("front-desk", "POST", address, json=nowhere), 422, "fhir.missing_element")
    many = move(later, *(str(uuid4()) for _ in range(21)))
    assert outcome(await request("front-desk", "POST", address, json=many), 422, "fhir.invalid_element")["expression"] == ["schedule"]
    outcome(await request("front-desk", "POST", address, json=move(later, str(uuid4()))), 409, "fhir.time_gone")
    outcome(await request("nurse", "POST", address, json=move(later, clinic.practitioner_id)), 403, "kernel.forbidden")
    held = await hold(clinic, f"Patient/{patient}", await proposed(clinic))
    of_hold = f"{FHIR}/Appointment/{held['id']}/$reschedule"
    outcome(await request("front-desk", "POST", of_hold, json=move(later, clinic.practitioner_id)), 409, "scheduling.illegal_step")
    ok(await clinic.step(visit["id"], "cancel", {}))
    outcome(await request("front-desk", "POST", address, json=move(later, clinic.practitioner_id)), 409, "scheduling.illegal_step")


async def test_what_medplum_has_and_makes_no_difference_here_is_said(clinic: Clinic) -> None:
    start = datetime.fromisoformat(tomorrow())
    found = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/$find", params={
        "start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat(), "occurrence-count": "3",
        "service-type-reference": f"HealthcareService/{clinic.service_id}", "schedule": f"Schedule/{clinic.practitioner_id}",
    }))  # fmt: skip
    assert "occurrence-count" in str([each for each in found["entry"] if each["resource"]["resourceType"] == "OperationOutcome"])
