"""Bundles that are posted, and versions that are read, against a running system. Each test names the requirement it holds."""

import base64
import json
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, register
from tests.fhir_asking import FHIR, outcome, proposals
from tests.http.test_fhir_writes import SPOILT, SYSTEM, number_of, person
from tests.system import System
from tests.unit.fhir.forms import spoiling


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "", **more: str) -> Json:
    whole = {"fullUrl": full_url, "resource": resource, "request": {"method": method, "url": url, **more}}
    return {name: value for name, value in whole.items() if value}


async def send(clinic: Clinic, kind: str, *entries: Json, role: str | None = "front-desk", **more: Any) -> httpx.Response:
    body = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return await clinic.system.request(role, "POST", FHIR, json=body, **more)


def told(bundle: Json) -> list[str]:
    return [each["response"]["status"][:3] for each in bundle["entry"]]


async def wanted(clinic: Clinic, patient: str, number: int = 0) -> Json:
    """An appointment that could be booked."""
    proposal = (await proposals(clinic))["entry"][number]["resource"]
    sent: Json = {key: proposal[key] for key in ("resourceType", "serviceType", "start", "end", "participant")} | {"status": "booked"}
    sent["participant"] = [*sent["participant"], {"actor": {"reference": patient}, "status": "needs-action"}]
    return sent


async def booked_of(clinic: Clinic, patient: str) -> list[Json]:
    return await clinic.appointments_of(UUID(patient.partition("/")[2]))


async def test_a_batch_does_each_entry_by_itself_and_answers_in_order(clinic: Clinic) -> None:
    """R4 http.html#transaction, batch: entries are independent; the answer has one entry each, in their order."""
    made = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    where = f"Patient/{made['id']}"
    patch = {"resourceType": "Binary", "contentType": "application/json-patch+json",
             "data": base64.b64encode(json.dumps([{"op": "remove", "path": "/telecom"}]).encode()).decode()}  # fmt: skip
    bundle = ok(await send(
        clinic, "batch",
        entry("GET", f"Patient?{number_of(made)}"), entry("POST", "Patient", person()), entry("GET", "Medication/1"),
        entry("POST", "Patient", person(birthDate="yesterday")), entry("PUT", where, made | {"gender": "other"}, ifMatch='W/"7"'),
        entry("PUT", where, made | {"gender": "other"}, ifMatch='W/"1"'), entry("PATCH", where, patch), entry("GET", f"/{where}"),
        entry("DELETE", where), entry("GET", f"{where}/_history/3"), entry("POST", "Patient", made, ifNoneExist=number_of(made)),
    ))  # fmt: skip
    assert bundle["type"] == "batch-response"
    assert told(bundle) == ["200", "201", "404", "400", "412", "200", "200", "200", "405", "200", "200"]
    found, created, unknown, invalid = bundle["entry"][:4]
    assert found["resource"]["total"] == 1
    assert created["response"]["location"].endswith(f"{created['resource']['id']}/_history/1")
    assert created["fullUrl"].endswith(f"{FHIR}/Patient/{created['resource']['id']}")
    assert (created["response"]["etag"], created["response"]["status"]) == ('W/"1"', "201 Created")
    assert unknown["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert invalid["response"]["outcome"]["issue"][0]["expression"] == ["Patient.birthDate"]
    assert "telecom" not in bundle["entry"][7]["resource"]


async def test_a_batch_under_one_key_is_done_once(clinic: Clinic) -> None:
    sent = [entry("POST", "Patient", {"resourceType": "Patient", "name": [{"family": "Potoroo"}]})] * 2
    key = str(uuid4())
    once, again = [ok(await send(clinic, "batch", *sent, key=key)) for _ in range(2)]
    ids = [each["resource"]["id"] for each in once["entry"]]
    assert len(set(ids)) == 2, "two entries are two"
    assert [each["resource"]["id"] for each in again["entry"]] == ids


async def test_a_transaction_books_for_a_patient_who_is_there(clinic: Clinic) -> None:
    """R4 transaction: conditional create, references by urn:uuid, the order POST before GET whatever the order of entries."""
    known = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    patient = f"Patient/{known['id']}"
    bundle = ok(await send(
        clinic, "transaction",
        entry("GET", f"Appointment?patient={patient}"),
        entry("POST", "Appointment", await wanted(clinic, "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a")),
        entry("POST", "Patient", known, "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", ifNoneExist=number_of(known)),
    ))  # fmt: skip
    assert (bundle["type"], told(bundle)) == ("transaction-response", ["200", "201", "200"])
    found, made, there = bundle["entry"]
    assert [each["resource"]["id"] for each in found["resource"]["entry"]] == [made["resource"]["id"]]
    assert there["resource"]["id"] == known["id"]
    assert [each["id"] for each in await booked_of(clinic, patient)] == [made["resource"]["id"]]


async def test_a_transaction_that_cannot_be_atomic_changes_nothing(clinic: Clinic) -> None:
    """R4 transaction: all or nothing, where one resource is changed. Of several, see test_fhir_transactions."""
    patient = f"Patient/{await register(clinic.system)}"
    sent, new = await wanted(clinic, patient), person()
    missing = await send(clinic, "transaction", entry("POST", "Appointment", sent), entry("GET", f"Patient/{uuid4()}"))
    assert outcome(missing, 404, "patients.unknown_patient")["expression"] == ["Bundle.entry[1]"]
    wrong = await send(clinic, "transaction", entry("GET", patient), entry("POST", "Appointment", sent | {"status": "fulfilled"}))
    assert outcome(wrong, 422, "fhir.invalid_element")["expression"] == ["Bundle.entry[1].resource.status"]
    twice = await send(clinic, "transaction", entry("PUT", "Patient/1", new | {"id": "1"}), entry("PUT", "Patient/1", new | {"id": "1"}))
    outcome(twice, 422, "fhir.invalid_element")
    loose = await send(clinic, "transaction", entry("POST", "Appointment", await wanted(clinic, f"urn:uuid:{uuid4()}")))
    outcome(loose, 422, "fhir.invalid_element")
    several = await send(clinic, "transaction", entry("POST", "Patient", new, ifNoneExist="_count=1"))
    assert outcome(several, 412, "fhir.not_selective")["expression"] == ["Bundle.entry[0]"]
    assert await booked_of(clinic, patient) == []
    assert ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient?{number_of(new)}"))["total"] == 0


async def test_references_between_the_entries_of_a_batch_are_refused(clinic: Clinic) -> None:
    """R4 batch: there are no references between its entries."""
    name = f"urn:uuid:{uuid4()}"
    sent = await wanted(clinic, name)
    bundle = ok(await send(clinic, "batch", entry("POST", "Patient", person(), name), entry("POST", "Appointment", sent)))
    assert told(bundle) == ["201", "422"]


async def test_a_bundle_out_of_form_is_refused_as_a_whole(clinic: Clinic) -> None:
    collection = {"resourceType": "Bundle", "type": "collection"}
    outcome(await clinic.system.request("front-desk", "POST", FHIR, json=collection), 422, "fhir.invalid_element")
    outcome(await send(clinic, "batch", *[entry("GET", "Patient/1")] * 101), 413, "fhir.too_many_entries")
    outcome(await send(clinic, "batch", entry("GET", "Patient/1"), role=None), 401, "kernel.unauthenticated")
    outcome(await send(clinic, "batch", {"resource": person()}), 400, "fhir.invalid_resource")
    outcome(await clinic.system.request("front-desk", "POST", FHIR, json=person()), 422, "fhir.invalid_element")
    outcome(await clinic.system.request("front-desk", "GET", FHIR), 405, "kernel.method_not_allowed")
    inner = {"resourceType": "Bundle", "type": "batch", "entry": [entry("GET", "Patient/1")]}
    assert told(ok(await send(clinic, "batch", entry("POST", "/", inner), entry("POST", "../R4", inner)))) == ["404", "405"]


async def test_each_entry_asks_for_its_own_permission(clinic: Clinic) -> None:
    made = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    bundle = ok(await send(clinic, "batch", entry("GET", f"Patient/{made['id']}"), entry("POST", "Patient", person()), role="nurse"))
    assert told(bundle) == ["200", "403"]


async def test_the_statement_says_what_a_transaction_is(clinic: Clinic) -> None:
    (rest,) = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))["rest"]
    assert [each["code"] for each in rest["interaction"]] == ["batch", "transaction"]
    assert "All or nothing" in rest["interaction"][1]["documentation"]
    by_type = {each["type"]: each for each in rest["resource"]}
    assert (by_type["Patient"]["conditionalCreate"], by_type["Patient"]["readHistory"]) == (True, False)
    assert {"vread", "create", "update", "patch"} <= {each["code"] for each in by_type["Patient"]["interaction"]}
    assert "vread" not in {each["code"] for each in by_type["Slot"]["interaction"]}


async def test_the_version_that_is_there_is_read_and_no_other(clinic: Clinic) -> None:
    """R4 http.html#vread: a version that is not kept is 404."""
    made = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    address = f"{FHIR}/Patient/{made['id']}"
    ok(await clinic.system.request("front-desk", "PUT", address, json=made | {"gender": "other"}))
    read = await clinic.system.request("front-desk", "GET", f"{address}/_history/2")
    assert (ok(read)["gender"], read.headers["etag"]) == ("other", 'W/"2"')
    for version in ("1", "3", "x"):
        outcome(await clinic.system.request("front-desk", "GET", f"{address}/_history/{version}"), 404, "fhir.unknown_version")
    ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Location/{clinic.site_id}/_history/1"))


async def test_whatever_is_done_to_a_bundle_is_answered_by_an_outcome_or_a_bundle(clinic: Clinic) -> None:
    """Bad input: each element of a Bundle and of what it carries removed, or of another kind or form. No answer is a fault of ours."""
    for kind in ("batch", "transaction"):
        whole = {"resourceType": "Bundle", "type": kind, "entry": [
            entry("GET", f"Patient?identifier={SYSTEM}|1"), entry("POST", "Patient", person(), "urn:uuid:1", ifNoneExist="family=Numbat"),
        ]}  # fmt: skip
        for place in spoiling(whole):
            for value in SPOILT:
                place.owner[place.name] = deepcopy(value)
                await _try(clinic, whole)
            del place.owner[place.name]
            await _try(clinic, whole)


async def _try(clinic: Clinic, sent: Json) -> None:
    answer = await clinic.system.request("front-desk", "POST", FHIR, json=sent)
    assert answer.status_code < 500, f"{answer.status_code} {sent}"
    assert answer.json()["resourceType"] == ("Bundle" if answer.is_success else "OperationOutcome")
