"""Payers asked through FHIR: a request is a question of ours, its response what became of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.fhir.eligibility import MISSING, SERVICE_TYPES
from carewright.contracts.fhir.payment import PAYERS
from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.http.test_fhir_coverages import card, patient_of
from tests.http.test_fhir_encounters import another, asked

REQUEST, RESPONSE = "CoverageEligibilityRequest", "CoverageEligibilityResponse"


def question(coverage: Json, **changes: Any) -> Json:
    return {
        "resourceType": REQUEST, "status": "active", "purpose": ["benefits"], "patient": coverage["beneficiary"],
        "created": datetime.now(UTC).date().isoformat(), "servicedDate": "2026-12-01", "insurer": coverage["payor"][0],
        "insurance": [{"coverage": {"reference": f"Coverage/{coverage['id']}"}}],
        "item": [{"category": {"coding": [{"system": SERVICE_TYPES, "code": "98"}]}}],
    } | changes  # fmt: skip


async def post(clinic: Clinic, kind: str, sent: Json, role: str = "front-desk") -> httpx.Response:
    return await clinic.system.request(role, "POST", f"{FHIR}/{kind}", json=sent)


@pytest.fixture(scope="module")
async def coverage(clinic: Clinic) -> Json:
    made: Json = ok(await post(clinic, "Coverage", card(await register(clinic.system, "Potoroo"))), 201)
    return made


@pytest.fixture(scope="module")
async def request_(clinic: Clinic, coverage: Json) -> Json:
    """A payer was asked; no clearing-house is set here."""
    made: Json = ok(await post(clinic, REQUEST, question(coverage)), 201)
    return made


async def test_a_payer_is_asked_and_the_response_says_what_became_of_it(clinic: Clinic, coverage: Json, request_: Json) -> None:
    """FHIR R4: a CoverageEligibilityRequest is answered by a CoverageEligibilityResponse that points at it."""
    assert (request_["servicedDate"], request_["item"][0]["category"]["coding"][0]["code"]) == ("2026-12-01", "98")
    assert request_["insurer"] == {"identifier": {"system": PAYERS, "value": "60054"}, "display": "Numbat Mutual"}
    assert request_["insurance"][0]["coverage"]["reference"] == f"Coverage/{coverage['id']}"
    (entry,) = ok(await asked(clinic.system, f"{RESPONSE}?request={REQUEST}/{request_['id']}"))["entry"]
    said = entry["resource"]
    assert (said["outcome"], said["request"]["reference"]) == ("error", f"{REQUEST}/{request_['id']}")
    assert said["error"] == [{"code": {"coding": [{"system": MISSING, "code": "no-clearing-house"}]}}]
    assert ok(await asked(clinic.system, f"{RESPONSE}/{said['id']}")) == said
    for one in (request_, said):
        assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []


async def test_questions_and_answers_are_searched_by_what_is_kept_of_them(clinic: Clinic, request_: Json) -> None:
    """R4's parameters of both, chains and includes."""
    patient, id_ = request_["patient"]["reference"], request_["id"]
    for query in (
        f"{REQUEST}?_id={id_}", f"{REQUEST}?patient={patient}&status=active", f"{REQUEST}?patient={patient}&created=ge2026-01-01",
        f"{REQUEST}?_id={id_}&patient.family=Potoroo", f"{RESPONSE}?patient={patient}", f"{RESPONSE}?_id={id_}&outcome=error",
        f"{RESPONSE}?request.patient={patient}", f"{RESPONSE}?patient={patient}&insurer:identifier={PAYERS}|60054",
    ):  # fmt: skip
        assert shown(ok(await asked(clinic.system, query))) == [f"{query.partition('?')[0]}/{id_}"], query
    for query in (
        f"{REQUEST}?patient=Patient/{uuid4()}", f"{REQUEST}?_id={uuid4()}", f"{RESPONSE}?patient={patient}&outcome=complete",
        f"{REQUEST}?patient={patient}&created=lt2026-01-01", f"{REQUEST}?patient={patient}&identifier=x",
        f"{RESPONSE}?patient={patient}&disposition=x", f"{REQUEST}?patient={patient}&facility=Location/{uuid4()}",
    ):  # fmt: skip
        assert shown(ok(await asked(clinic.system, query))) == [], query
    page = ok(await asked(clinic.system, f"{RESPONSE}?_id={id_}&_include={RESPONSE}:request&_include={RESPONSE}:patient"))
    assert set(shown(page, "include")) == {f"{REQUEST}/{id_}", patient}
    outcome(await asked(clinic.system, f"{RESPONSE}?outcome=error"), 422, "fhir.search_too_wide")


async def test_what_no_payer_is_asked(clinic: Clinic, coverage: Json) -> None:
    for changes, expression in (
        ({"status": "draft"}, "status"), ({"purpose": ["discovery"]}, "purpose"), ({"insurance": []}, "insurance"),
        ({"patient": {"reference": f"Patient/{await register(clinic.system)}"}}, "patient"),
        ({"item": [{"category": {"coding": [{"system": "urn:else", "code": "98"}]}}]}, "item[0].category"),
        ({"servicedDate": "2026"}, "serviced"), ({"patient": {"display": "Anna"}}, "patient"),
    ):  # fmt: skip
        sent = {name: value for name, value in question(coverage, **changes).items() if value}
        code = "fhir.invalid_element"
        issue = outcome(await post(clinic, REQUEST, sent), 422, code)
        assert issue["expression"] == [f"{REQUEST}.{expression}"], changes
    unknown = question(coverage | {"id": str(uuid4())})
    outcome(await post(clinic, REQUEST, unknown), 404, "coverage.unknown_coverage")
    answer = await clinic.system.request("front-desk", "PUT", f"{FHIR}/{REQUEST}/{uuid4()}", json=question(coverage))
    outcome(answer, 405, "kernel.method_not_allowed")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_asks_and_sees_what_the_table_of_permissions_lets_it(
    clinic: Clinic, coverage: Json, request_: Json, role: str
) -> None:
    for query in (f"{REQUEST}/{request_['id']}", f"{RESPONSE}?patient={patient_of(coverage)}"):
        answer = await asked(clinic.system, query, role)
        assert answer.status_code == (200 if "coverage.any_patient" in ROLES[role] else 403), f"{role}: {answer.text}"
    answer = await post(clinic, REQUEST, question(coverage), role)
    assert answer.status_code == (201 if "coverage.check" in ROLES[role] else 403), f"{role}: {answer.text}"


async def test_a_patient_sees_their_own_and_nobody_elses(clinic: Clinic, coverage: Json, request_: Json) -> None:
    own, other = UUID(patient_of(coverage)[8:]), await register(clinic.system)
    assert f"{RESPONSE}/{request_['id']}" in shown(ok(await asked(clinic.system, RESPONSE, "patient", own)))
    assert shown(ok(await asked(clinic.system, f"{RESPONSE}?patient=Patient/{own}", "patient", other))) == []
    assert shown(ok(await asked(clinic.system, f"{RESPONSE}?_id={request_['id']}", "patient", other))) == []
    outcome(await asked(clinic.system, f"{REQUEST}/{request_['id']}", "patient", other), 404, "coverage.unknown_eligibility")


async def test_nothing_of_another_hospital_is_shown(clinic: Clinic, request_: Json) -> None:
    stranger = another(clinic.system)
    outcome(await asked(stranger, f"{RESPONSE}/{request_['id']}"), 404, "coverage.unknown_eligibility")
    for query in (f"_id={request_['id']}", f"patient={request_['patient']['reference']}&_include=*"):
        assert ok(await asked(stranger, f"{REQUEST}?{query}")).get("entry", []) == [], query
