"""The FHIR rim asks the same modules the same things, wherever they run."""

from datetime import datetime, timedelta
from typing import Any

from tests.clinic import Clinic, ok, register, tomorrow

APPOINTMENT = "/fhir/R4/Appointment"


async def test_a_time_is_found_held_booked_and_cancelled_through_fhir(clinic: Clinic) -> None:
    patient = {"reference": f"Patient/{await register(clinic.system)}"}
    start = datetime.fromisoformat(tomorrow())
    query = {"start": start.isoformat(), "end": (start + timedelta(days=3)).isoformat(), "visit-type": clinic.visit_type_id}
    found = ok(await clinic.system.request("front-desk", "GET", f"{APPOINTMENT}/$find", params=query))
    proposal = f"Appointment/{found['entry'][0]['resource']['id']}"
    given = [
        {"name": "appointment-reference", "valueReference": {"reference": proposal}},
        {"name": "patient-reference", "valueReference": patient},
    ]
    held = await operate(clinic, "hold", given)
    reference = {"name": "appointment-reference", "valueReference": {"reference": f"Appointment/{held['id']}"}}
    booked = await operate(clinic, "book", [reference])
    cancelled = await operate(clinic, "book", [{"name": "appointment-resource", "resource": booked | {"status": "cancelled"}}])
    assert [each["status"] for each in (held, booked, cancelled)] == ["pending", "booked", "cancelled"]
    assert {each["id"] for each in (held, booked, cancelled)} == {held["id"]}


async def operate(clinic: Clinic, operation: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"resourceType": "Parameters", "parameter": given}
    answer = ok(await clinic.system.request("front-desk", "POST", f"{APPOINTMENT}/${operation}", json=body))
    resource: dict[str, Any] = answer["entry"][0]["resource"]
    return resource
