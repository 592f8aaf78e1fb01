"""Coverages through FHIR: written and read by other systems, searched, and shown to whom the table of permissions lets see them."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.fhir.payment import CLASSES, PAYERS, RELATIONSHIPS
from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.http.test_fhir_encounters import another, asked
from tests.http.test_fhir_writes import named

COVERAGES = f"{FHIR}/Coverage"


def card(patient: UUID, **changes: Any) -> Json:
    """What a card says of a patient who pays by themselves."""
    return {
        "resourceType": "Coverage", "status": "active", "beneficiary": {"reference": f"Patient/{patient}"}, "subscriberId": "W1234",
        "payor": [{"identifier": {"system": PAYERS, "value": "60054"}, "display": "Numbat Mutual"}],
        "class": [{"type": {"coding": [{"system": CLASSES, "code": "group"}]}, "value": "G-77"}], "period": {"start": "2026-01-01"},
    } | changes  # fmt: skip


async def post(clinic: Clinic, sent: Json, role: str = "front-desk", **headers: str) -> httpx.Response:
    return await clinic.system.request(role, "POST", COVERAGES, json=sent, headers=named(headers))


async def put(clinic: Clinic, sent: Json, **headers: str) -> httpx.Response:
    return await clinic.system.request("front-desk", "PUT", f"{COVERAGES}/{sent['id']}", json=sent, headers=named(headers))


@pytest.fixture(scope="module")
async def insured(clinic: Clinic) -> Json:
    """The coverage of a patient called Bandicoot."""
    made: Json = ok(await post(clinic, card(await register(clinic.system, "Bandicoot"))), 201)
    return made


def patient_of(one: Json) -> str:
    reference: str = one["beneficiary"]["reference"]
    return reference


@pytest.mark.requirement("R4.write")
async def test_a_coverage_is_created_changed_and_patched(clinic: Clinic) -> None:
    """FHIR R4 http.html: create with Location and ETag, update with If-Match, JSON Patch; the same rules as our own API."""
    created = await post(clinic, card(await register(clinic.system)))
    made = ok(created, 201)
    assert (created.headers["etag"], made["relationship"]["coding"][0]["code"]) == ('W/"1"', "self")
    assert [each for each in issues_of(r4_definitions(), made) if each.severity == "error"] == []
    own = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/coverages/{made['id']}"))
    assert (own["payer"], own["beneficiary"]["family"]) == ({"name": "Numbat Mutual", "id": "60054"}, "Beispiel")
    outcome(await put(clinic, made | {"order": 2}, if_match='W/"9"'), 412, "kernel.precondition_failed")
    answer = await put(clinic, made | {"order": 2}, if_match='W/"1"')
    assert (ok(answer)["order"], answer.headers["etag"]) == (2, 'W/"2"')
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    patched = ok(await clinic.system.request("front-desk", "PATCH", f"{COVERAGES}/{made['id']}", json=patch))
    assert (patched["status"], patched["meta"]["versionId"]) == ("cancelled", "3")


async def test_a_subscriber_who_is_a_patient_is_named_from_their_record(clinic: Clinic) -> None:
    child, parent = await register(clinic.system, "Joey"), await register(clinic.system, "Wallaby")
    sent = card(child, subscriber={"reference": f"Patient/{parent}"}, relationship={"coding": [{"system": RELATIONSHIPS, "code": "child"}]})
    made = ok(await post(clinic, sent), 201)
    assert made["contained"][0]["name"] == [{"family": "Wallaby", "given": ["Test"]}]
    assert ok(await put(clinic, made))["meta"]["versionId"] == "1", "the same again changes nothing"


async def test_a_payer_of_the_directory_is_asked_under_its_number(clinic: Clinic) -> None:
    payer = str(uuid4())
    entry = {"id": payer, "name": "Bilby Care", "identifiers": [{"system": PAYERS, "value": f"B{payer[:8]}"}]}
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"organizations": [entry]}))
    made = ok(await post(clinic, card(await register(clinic.system), payor=[{"reference": f"Organization/{payer}"}])), 201)
    assert made["payor"] == [{"identifier": {"system": PAYERS, "value": f"B{payer[:8]}"}, "display": "Bilby Care"}]
    unknown = card(await register(clinic.system), payor=[{"reference": f"Organization/{uuid4()}"}])
    assert outcome(await post(clinic, unknown), 422, "fhir.invalid_element")["expression"] == ["Coverage.payor[0].reference"]


async def test_what_a_coverage_may_not_say(clinic: Clinic, insured: Json) -> None:
    again = {name: value for name, value in insured.items() if name not in ("id", "meta")}
    outcome(await post(clinic, again), 409, "coverage.already_recorded")
    other = insured | {"beneficiary": {"reference": f"Patient/{await register(clinic.system)}"}, "subscriber": None}
    moved = {name: value for name, value in other.items() if value is not None}
    outcome(await put(clinic, moved), 422, "fhir.change_not_supported")
    of_nobody = insured | {"relationship": {"coding": [{"system": RELATIONSHIPS, "code": "spouse"}]}}
    issue = outcome(await put(clinic, of_nobody), 422, "coverage.invalid_coverage")
    assert issue["expression"] == ["Coverage.subscriber"]
    issue = outcome(await put(clinic, insured | {"subscriberId": "*"}), 422, "fhir.invalid_element")
    assert issue["expression"] == ["Coverage.subscriberId"]
    outcome(await post(clinic, card(uuid4())), 404, "patients.unknown_patient")
    outcome(await put(clinic, insured | {"id": str(uuid4())}), 405, "fhir.no_client_ids")


async def test_conditional_writes_find_a_coverage_by_its_patient(clinic: Clinic, insured: Json) -> None:
    """R4 http.html#ccreate: one that is there is answered; what there is no place for is named to whoever asks."""
    criteria = f"beneficiary={patient_of(insured)}&class-value=G-77"
    there = await post(clinic, card(UUID(patient_of(insured)[8:])), if_none_exist=criteria)
    assert ok(there)["id"] == insured["id"]
    told = ok(await post(clinic, card(await register(clinic.system), network="N"), prefer="return=OperationOutcome"), 201)
    assert [each["expression"] for each in told["issue"] if "expression" in each] == [["Coverage.network"]]


async def test_coverages_are_searched_by_what_is_kept_of_them(clinic: Clinic, insured: Json) -> None:
    """R4's parameters of Coverage, chains, includes and _has."""
    patient, own = patient_of(insured), [f"Coverage/{insured['id']}"]

    async def found(query: str) -> list[str]:
        return shown(ok(await asked(clinic.system, f"Coverage?{query}")))

    for query in (
        f"_id={insured['id']}", f"patient={patient}", f"beneficiary={patient}", f"subscriber={patient}", f"patient={patient}&status=active",
        f"patient={patient}&class-type=group", f"patient={patient}&class-value=g-77", f"_id={insured['id']}&beneficiary.family=Bandicoot",
        f"patient={patient}&payor:identifier={PAYERS}|60054",
    ):  # fmt: skip
        assert await found(query) == own, query
    for query in (
        f"patient={patient}&status=cancelled", f"patient=Patient/{uuid4()}", f"patient={patient}&class-type=plan",
        f"patient={patient}&identifier=x", f"patient={patient}&type=EHCPOL", f"patient={patient}&policy-holder={patient}",
        f"patient={patient}&dependent=1",
    ):  # fmt: skip
        assert await found(query) == [], query
    page = ok(await asked(clinic.system, f"Coverage?patient={patient}&_include=Coverage:beneficiary"))
    assert shown(page, "include") == [patient]
    page = ok(await asked(clinic.system, f"Patient?_id={patient[8:]}&_revinclude=Coverage:beneficiary"))
    assert shown(page, "include") == own
    assert shown(ok(await asked(clinic.system, f"Patient?_has:Coverage:beneficiary:_id={insured['id']}"))) == [patient]
    outcome(await asked(clinic.system, "Coverage?status=active"), 422, "fhir.search_too_wide")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_sees_coverages_if_the_table_of_permissions_lets_it(clinic: Clinic, insured: Json, role: str) -> None:
    for query in (f"Coverage/{insured['id']}", f"Coverage?patient={patient_of(insured)}"):
        answer = await asked(clinic.system, query, role)
        assert answer.status_code == (200 if "coverage.any_patient" in ROLES[role] else 403), f"{role}: {answer.text}"


async def test_a_patient_sees_their_own_and_nobody_elses(clinic: Clinic, insured: Json) -> None:
    own, other = UUID(patient_of(insured)[8:]), await register(clinic.system)
    assert shown(ok(await asked(clinic.system, "Coverage", "patient", own))) == [f"Coverage/{insured['id']}"]
    assert shown(ok(await asked(clinic.system, f"Coverage?patient=Patient/{own}", "patient", other))) == []
    outcome(await asked(clinic.system, f"Coverage/{insured['id']}", "patient", other), 404, "coverage.unknown_coverage")


async def test_nothing_of_another_hospital_is_shown(clinic: Clinic, insured: Json) -> None:
    stranger = another(clinic.system)
    outcome(await asked(stranger, f"Coverage/{insured['id']}"), 404, "coverage.unknown_coverage")
    for query in (f"_id={insured['id']}", f"patient={patient_of(insured)}&_include=*"):
        assert ok(await asked(stranger, f"Coverage?{query}")).get("entry", []) == [], query
