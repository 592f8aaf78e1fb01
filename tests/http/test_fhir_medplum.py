"""Medplum's shape of finding and booking, against a running system (https://www.medplum.com/docs/scheduling)."""

from datetime import datetime, timedelta

import pytest

from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, open_clinic, register, tomorrow
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
