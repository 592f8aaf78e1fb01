"""The FHIR rim asks the same modules the same things, wherever they run."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

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


async def test_several_changes_are_one_transaction_or_are_refused_as_a_whole(clinic: Clinic) -> None:
    """Where the modules run apart, nothing is done: see docs/adr/0038-use-cases-together.md."""
    who, family = f"urn:uuid:{uuid4()}", f"Dibbler{uuid4().hex[:8]}"
    order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"reference": who}, "code": {"text": "x"}}
    patient = {"resourceType": "Patient", "name": [{"family": family}], "birthDate": "1984-05-06"}
    entries = [
        {"resource": order, "request": {"method": "POST", "url": "ServiceRequest"}},
        {"fullUrl": who, "resource": patient, "request": {"method": "POST", "url": "Patient"}},
    ]
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await clinic.system.request("front-desk", "POST", "/fhir/R4", json=sent)
    is_apart = len(clinic.system.addresses) > 1
    if is_apart:
        assert (answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]) == (422, "fhir.not_atomic")
    else:
        assert [each["response"]["status"] for each in ok(answer)["entry"]] == ["201 Created", "201 Created"]
    found = ok(await clinic.system.request("front-desk", "GET", f"/fhir/R4/Patient?family={family}"))
    assert found["total"] == (0 if is_apart else 1)
