"""Plain FHIR writes against a running system: create, update and patch, conditional or not. Each test names the requirement it holds."""

from copy import deepcopy
from typing import Any
from uuid import uuid4

import httpx
import pytest

from carewright.contracts.fhir.basics import VISIT_TYPES
from carewright.contracts.permissions import ROLES
from tests.clinic import Clinic, Json, ok, open_clinic, register
from tests.fhir_asking import FHIR, outcome, proposals
from tests.system import System
from tests.unit.fhir.forms import spoiling

SYSTEM = "urn:test:mrn"
PATIENTS = f"{FHIR}/Patient"


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


def person(**more: Any) -> Json:
    """Somebody whom nobody knows yet."""
    return {
        "resourceType": "Patient", "name": [{"family": "Numbat", "given": ["Nora"]}], "gender": "female", "birthDate": "1984-05-06",
        "identifier": [{"system": SYSTEM, "value": uuid4().hex}], "telecom": [{"system": "email", "value": f"{uuid4().hex}@example.org"}],
    } | more  # fmt: skip


def number_of(one: Json) -> str:
    return f"identifier={SYSTEM}|{one['identifier'][0]['value']}"


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): text for name, text in headers.items()}


async def post(clinic: Clinic, sent: Json, role: str = "front-desk", **headers: str) -> httpx.Response:
    path = f"{FHIR}/{sent['resourceType']}"
    return await clinic.system.request(role, "POST", path, json=sent, headers=named(headers))


async def put(clinic: Clinic, sent: Json, address: str = "", role: str = "front-desk", **headers: str) -> httpx.Response:
    path = f"{FHIR}/{address or 'Patient/' + sent['id']}"
    return await clinic.system.request(role, "PUT", path, json=sent, headers=named(headers))


async def test_a_patient_is_created_changed_and_patched(clinic: Clinic) -> None:
    """FHIR R4 http.html: create with Location and ETag, update with If-Match, JSON Patch and FHIRPath Patch."""
    created = await post(clinic, person())
    made = ok(created, 201)
    assert created.headers["etag"] == 'W/"1"'
    assert created.headers["location"].endswith(f"{FHIR}/Patient/{made['id']}/_history/1")
    changed = made | {"name": [{"family": "Quoll", "given": ["Nora"]}], "active": False}
    del changed["telecom"]
    outcome(await put(clinic, changed, if_match='W/"9"'), 412, "kernel.precondition_failed")
    answer = await put(clinic, changed, if_match='W/"1"')
    assert (ok(answer)["name"][0]["family"], ok(answer)["active"], answer.headers["etag"]) == ("Quoll", False, 'W/"2"')
    assert "telecom" not in ok(answer), "what a PUT leaves out is gone"
    by_json = [{"op": "replace", "path": "/active", "value": True}, {"op": "remove", "path": "/birthDate"}]
    patched = ok(await clinic.system.request("front-desk", "PATCH", f"{PATIENTS}/{made['id']}", json=by_json))
    assert (patched["active"], "birthDate" in patched, patched["meta"]["versionId"]) == (True, False, "3")
    by_path = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "other"},
    ]}]}  # fmt: skip
    assert ok(await clinic.system.request("front-desk", "PATCH", f"{PATIENTS}/{made['id']}", json=by_path))["gender"] == "other"
    read = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/patients/{made['id']}"))
    assert (read["family"], read["gender"], read["version"]) == ("Quoll", "other", 4)


async def test_what_a_patch_may_not_touch(clinic: Clinic) -> None:
    """R4: a patch changes neither type nor id."""
    made = ok(await post(clinic, person()), 201)
    for path, value in (("/id", str(uuid4())), ("/resourceType", "Appointment"), ("/name", [])):
        answer = await clinic.system.request(
            "front-desk", "PATCH", f"{PATIENTS}/{made['id']}", json=[{"op": "replace", "path": path, "value": value}]
        )
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert 400 <= answer.status_code < 500, answer.text


async def test_the_answer_is_what_was_preferred(clinic: Clinic) -> None:
    """R4 http.html, Prefer: minimal, representation, OperationOutcome, which tells what there is no place for."""
    sent = person(address=[{"city": "Bern"}])
    minimal = await post(clinic, sent, prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert "/Patient/" in minimal.headers["location"]
    told = ok(await post(clinic, person(address=[{"city": "Bern"}]), prefer="return=OperationOutcome"), 201)
    assert [(each["severity"], each.get("expression")) for each in told["issue"]] == [
        ("information", None), ("warning", ["Patient.address"])
    ]  # fmt: skip
    whole = ok(await post(clinic, person(), prefer="return=representation"), 201)
    assert whole["resourceType"] == "Patient"
    found = await clinic.system.request(
        "front-desk", "POST", f"{PATIENTS}/_search", data={"_id": whole["id"]}, headers={"Prefer": "return=minimal"}
    )
    assert ok(found)["total"] == 1, "a search is no write"


async def test_somebody_who_is_known_is_not_registered_twice(clinic: Clinic) -> None:
    """Argonaut Scheduling, new patient: the server returns the existing Patient instead of a duplicate."""
    sent = person()
    made = ok(await post(clinic, sent), 201)
    again = await post(clinic, sent | {"name": [{"family": "NUMBAT", "given": ["nora"]}]})
    assert (ok(again)["id"], ok(again)["name"]) == (made["id"], made["name"])
    assert again.headers["location"].endswith(f"/Patient/{made['id']}/_history/1")
    twin = {name: value for name, value in sent.items() if name != "identifier"} | {"name": [{"family": "Numbat", "given": ["Nina"]}]}
    twin = ok(await post(clinic, twin), 201)
    assert twin["id"] != made["id"]
    other = sent | {"name": [{"family": "Bandicoot"}]}
    issue = outcome(await post(clinic, other), 422, "patients.invalid_patient")
    assert issue["expression"] == ["Patient.identifier"]


async def test_a_conditional_create(clinic: Clinic) -> None:
    """R4 http.html#ccreate: none creates, one is answered, several are 412; what is not known is refused and not left out."""
    sent = person()
    made = ok(await post(clinic, sent, if_none_exist=number_of(sent)), 201)
    other = sent | {"name": [{"family": "Bandicoot"}]}
    assert ok(await post(clinic, other, if_none_exist=number_of(sent)))["id"] == made["id"]
    assert ok(await post(clinic, other, if_none_exist=f"{number_of(sent)}&_summary=count"))["id"] == made["id"]
    ok(await post(clinic, person()), 201)
    outcome(await post(clinic, person(), if_none_exist="family=Numbat&birthdate=1984-05-06"), 412, "fhir.not_selective")
    outcome(await post(clinic, person(), if_none_exist=""), 412, "fhir.not_selective")
    outcome(await post(clinic, person(), if_none_exist="_count=1"), 412, "fhir.not_selective")
    outcome(await post(clinic, person(), if_none_exist=f"{number_of(sent)}&colour=blue"), 400, "fhir.search.unknown_parameter")


async def test_a_conditional_update(clinic: Clinic) -> None:
    """R4 http.html#cond-update: none creates, or is refused with an id; one is updated; several are 412; another id is 400."""
    sent = person()
    where = f"Patient?{number_of(sent)}"
    made = ok(await put(clinic, sent, where), 201)
    changed = await put(clinic, sent | {"gender": "other"}, where)
    assert (ok(changed)["id"], ok(changed)["gender"], changed.headers["etag"]) == (made["id"], "other", 'W/"2"')
    assert ok(await put(clinic, made, where))["meta"]["versionId"] == "3"
    outcome(await put(clinic, made | {"id": str(uuid4())}, where), 400, "fhir.invalid_resource")
    nobody = person()
    outcome(await put(clinic, nobody | {"id": str(uuid4())}, f"Patient?{number_of(nobody)}"), 405, "fhir.no_client_ids")
    ok(await post(clinic, person()), 201)
    outcome(await put(clinic, person(), "Patient?family=Numbat&birthdate=1984-05-06"), 412, "fhir.not_selective")
    patch = [{"op": "replace", "path": "/gender", "value": "male"}]
    patched = await clinic.system.request("front-desk", "PATCH", f"{FHIR}/{where}", json=patch)
    assert ok(patched)["gender"] == "male"
    unknown = await clinic.system.request("front-desk", "PATCH", f"{PATIENTS}?{number_of(nobody)}", json=patch)
    outcome(unknown, 404, "fhir.unknown_id")


async def test_an_appointment_is_created_and_cancelled_by_criteria(clinic: Clinic) -> None:
    """R4 http.html: conditional create and update of an Appointment: a repeated create books once."""
    patient = f"Patient/{await register(clinic.system)}"
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    sent = {key: proposal[key] for key in ("resourceType", "serviceType", "start", "end", "participant")} | {"status": "booked"}
    sent["participant"] = [*sent["participant"], {"actor": {"reference": patient}, "status": "needs-action"}]
    criteria = f"patient={patient}&status=booked"
    made = ok(await post(clinic, sent, if_none_exist=criteria), 201)
    assert ok(await post(clinic, sent, if_none_exist=criteria))["id"] == made["id"]
    ended = await put(clinic, made | {"status": "cancelled"}, f"Appointment?{criteria}")
    assert (ok(ended)["id"], ok(ended)["status"]) == (made["id"], "cancelled")


async def test_a_put_of_what_is_there_that_names_what_is_not(clinic: Clinic) -> None:
    """R4 http.html#update: 405 is for a resource that is not there, 422 for one that says what cannot be."""
    patient = f"Patient/{await register(clinic.system)}"
    first, other = (each["resource"] for each in (await proposals(clinic))["entry"][:2])
    sent = {key: first[key] for key in ("resourceType", "serviceType", "start", "end", "participant")} | {"status": "booked"}
    sent["participant"] = [*sent["participant"], {"actor": {"reference": patient}, "status": "needs-action"}]
    made = ok(await post(clinic, sent), 201)
    unknown = [{"coding": [{"system": VISIT_TYPES, "code": str(uuid4())}]}]
    moved = made | {"start": other["start"], "end": other["end"], "serviceType": unknown}
    issue = outcome(await put(clinic, moved, f"Appointment/{made['id']}"), 422, "fhir.invalid_element")
    assert issue["expression"] == ["Appointment.serviceType"]


async def test_a_put_where_there_is_nothing(clinic: Clinic) -> None:
    """R4 http.html#update: 400 for an id that disagrees, 405 where no resource is and clients give no ids."""
    made = ok(await post(clinic, person()), 201)
    outcome(await put(clinic, made, f"Patient/{uuid4()}"), 400, "fhir.invalid_resource")
    for id_ in (str(uuid4()), "mine"):
        outcome(await put(clinic, made | {"id": id_}), 405, "fhir.no_client_ids")
    outcome(await put(clinic, person(), f"Patient/{made['id']}"), 400, "fhir.invalid_resource")
    outcome(await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment", json=person()), 422, "fhir.invalid_element")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"proxy"}))
async def test_a_role_writes_patients_as_the_table_of_permissions_has_it(clinic: Clinic, role: str) -> None:
    made = ok(await post(clinic, person()), 201)
    created = await post(clinic, person(), role)
    changed = await put(clinic, made | {"gender": "other"}, role=role)
    assert created.status_code == (201 if "patients.register" in ROLES[role] else 403), created.text
    assert changed.status_code == (200 if "patients.change" in ROLES[role] else 403), changed.text
    outcome(await clinic.system.request(None, "POST", PATIENTS, json=person()), 401, "kernel.unauthenticated")


SPOILT: tuple[Any, ...] = (7, "x", "", None, True, [], {}, {"x": [1]}, [{}, {}], "2026-02-30", "\u0001", "9" * 5000, [[[]]])


async def test_whatever_is_done_to_a_resource_is_answered_by_an_outcome(clinic: Clinic) -> None:
    """Bad input: each element removed, or of another kind, form or code; created and put. No answer is a fault of ours."""
    patient = ok(await post(clinic, person()), 201)
    booked = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    appointment = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/{booked['id']}"))
    tried = 0
    for whole in (patient, appointment):
        kind, address = whole["resourceType"], f"{whole['resourceType']}/{whole['id']}"
        for place in spoiling(whole):
            for value in SPOILT:
                place.owner[place.name] = deepcopy(value)
                tried += await _try(clinic, whole, address)
            del place.owner[place.name]
            tried += await _try(clinic, whole, kind)
    assert tried > 500


async def _try(clinic: Clinic, sent: Json, address: str) -> int:
    answer = await clinic.system.request("front-desk", "PUT" if "/" in address else "POST", f"{FHIR}/{address}", json=sent)
    assert answer.status_code < 500, f"{answer.status_code} {sent}"
    assert answer.is_success or answer.json()["resourceType"] == "OperationOutcome"
    return 1
