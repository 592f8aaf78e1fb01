"""Tasks through FHIR: how far an order has come, made of the order and of the appointments that are based on it."""

from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.http.test_fhir_encounters import another, asked
from tests.http.test_fhir_orders import order, patient_of, post, put


@pytest.fixture
async def referred(clinic: Clinic) -> Json:
    """The referral of a patient of their own to the practitioner of the clinic."""
    patient = await register(clinic.system, "Bettong")
    made: Json = ok(await post(clinic, order(patient, performer=[{"reference": f"Practitioner/{clinic.practitioner_id}"}])), 201)
    return made


async def task(clinic: Clinic, order_id: str, role: str = "physician") -> Json:
    found: Json = ok(await asked(clinic.system, f"Task/{order_id}", role))
    assert [each for each in issues_of(r4_definitions(), found) if each.severity == "error"] == []
    return found


def standing(one: Json) -> tuple[str, str | None]:
    return one["status"], one["businessStatus"]["coding"][0]["code"] if "businessStatus" in one else None


async def booked(clinic: Clinic, referred: Json) -> str:
    """A visit that names the order by its number."""
    patient = UUID(patient_of(referred).partition("/")[2])
    number = referred["identifier"][0]["value"]
    made: str = ok(await clinic.book(patient, (await clinic.free())[0], based_on=number), 201)["id"]
    return made


async def test_a_task_goes_on_as_the_appointments_of_its_order_do(clinic: Clinic, referred: Json) -> None:
    """FHIR R4 Task, fulfilling a request: to be scheduled, scheduled, visited; and back where the visit is called off."""
    waiting = await task(clinic, referred["id"])
    assert (standing(waiting), waiting["focus"]["reference"]) == (("requested", "to-be-scheduled"), f"ServiceRequest/{referred['id']}")
    assert (waiting["for"]["reference"], waiting["owner"]["reference"]) == (
        patient_of(referred), f"Practitioner/{clinic.practitioner_id}",
    )  # fmt: skip
    assert (waiting["intent"], waiting["priority"], waiting["code"]["coding"][0]["code"]) == ("order", "urgent", "fulfill")
    visit = await booked(clinic, referred)
    scheduled = await task(clinic, referred["id"])
    assert standing(scheduled) == ("accepted", "scheduled")
    assert [each["valueReference"]["reference"] for each in scheduled["output"]] == [f"Appointment/{visit}"]
    ok(await clinic.step(visit, "cancel", {"reason": "pat"}))
    assert standing(await task(clinic, referred["id"])) == ("requested", "to-be-scheduled")
    again = await booked(clinic, referred)
    ok(await clinic.step(again, "status", {"status": "arrived"}))
    assert standing(await task(clinic, referred["id"])) == ("in-progress", "visited")
    ok(await put(clinic, ok(await asked(clinic.system, f"ServiceRequest/{referred['id']}", "physician")) | {"status": "completed"}))
    assert standing(await task(clinic, referred["id"])) == ("completed", None)


@pytest.mark.parametrize(("said", "shows"), [("on-hold", "on-hold"), ("revoked", "cancelled"), ("entered-in-error", "entered-in-error")])
async def test_an_order_that_is_not_active_says_itself_how_it_stands(clinic: Clinic, referred: Json, said: str, shows: str) -> None:
    ok(await put(clinic, referred | {"status": said}))
    assert standing(await task(clinic, referred["id"])) == (shows, None)


async def test_of_an_order_whose_status_nobody_knows_there_is_no_task(clinic: Clinic, referred: Json) -> None:
    ok(await put(clinic, referred | {"status": "unknown"}))
    outcome(await asked(clinic.system, f"Task/{referred['id']}", "physician"), 404, "fhir.unknown_id")
    assert shown(ok(await asked(clinic.system, f"Task?_id={referred['id']}", "physician"))) == []
    outcome(await asked(clinic.system, f"Task/{uuid4()}", "physician"), 404, "orders.unknown_request")


async def test_tasks_are_found_as_a_work_list(clinic: Clinic, referred: Json) -> None:
    """R4's parameters of Task: what is still to be scheduled, whose it is, what it is about."""
    patient, own = f"patient={patient_of(referred)}", [f"Task/{referred['id']}"]
    for query, ids in (
        (patient, own), (f"{patient}&status=requested", own), (f"{patient}&business-status=to-be-scheduled", own),
        (f"{patient}&status=accepted", []), (f"focus=ServiceRequest/{referred['id']}", own), (f"{patient}&priority=urgent", own),
        (f"owner=Practitioner/{clinic.practitioner_id}&{patient}", own), (f"{patient}&authored-on=2026-11-02", own),
        (f"{patient}&authored-on=lt2026-11-01", []), (f"subject.family=Bettong&_id={referred['id']}", own),
        (f"owner=Practitioner/{uuid4()}", []), (f"_id={referred['id']}", own),
    ):  # fmt: skip
        assert shown(ok(await asked(clinic.system, f"Task?{query}", "physician"))) == ids, query
    outcome(await asked(clinic.system, "Task?status=requested", "physician"), 422, "fhir.search_too_wide")
    included = ok(await asked(clinic.system, f"ServiceRequest?_id={referred['id']}&_revinclude=Task:focus", "physician"))
    assert [each["resource"]["resourceType"] for each in included["entry"]] == ["ServiceRequest", "Task"]


async def test_tasks_are_shown_to_whoever_may_read_orders(clinic: Clinic, referred: Json) -> None:
    own = UUID(patient_of(referred).partition("/")[2])
    for role, permissions in ROLES.items():
        if role not in ("patient", "proxy"):
            answer = await asked(clinic.system, f"Task/{referred['id']}", role)
            assert answer.status_code == (200 if "orders.request.read" in permissions else 403), role
    assert ok(await asked(clinic.system, f"Task/{referred['id']}", "patient", own))["id"] == referred["id"]
    other = await register(clinic.system)
    outcome(await asked(clinic.system, f"Task/{referred['id']}", "patient", other), 404, "orders.unknown_request")
    outcome(await asked(another(clinic.system), f"Task/{referred['id']}", "physician"), 404, "orders.unknown_request")
    outcome(
        await clinic.system.request("physician", "POST", f"{FHIR}/Task", json={"resourceType": "Task"}), 405, "kernel.method_not_allowed"
    )
