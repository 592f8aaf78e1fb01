"""RelatedPersons through FHIR: who acts for a patient by consent, told to staff and to that patient, and never to another proxy."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, in_form, outcome, shown
from tests.http.test_fhir_encounters import another, asked
from tests.system import System

PERSON = "urn:carewright:patient"


async def consent(system: System, patient: UUID, proxy: UUID, **more: Any) -> Json:
    """Written down at the desk: the proxy acts for the patient."""
    body = {
        "patient_id": str(patient), "proxy_patient_id": str(proxy), "relationship": "child", "scope": "book", "proof": "signed-form",
        "until_at": (datetime.now(UTC) + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    made: Json = ok(await system.request("front-desk", "POST", "/api/v1/access/consents/recorded", json=body | more))
    return made


@pytest.fixture(scope="module")
async def held(clinic: Clinic) -> Json:
    """A consent that holds: Wombat's child Koala acts for them."""
    return await consent(clinic.system, await register(clinic.system, "Wombat"), await register(clinic.system, "Koala"))


async def found(clinic: Clinic, query: str, role: str = "front-desk", patient_id: UUID | None = None) -> list[str]:
    return shown(ok(await asked(clinic.system, f"RelatedPerson?{query}", role, patient_id)))


async def test_a_proxy_is_a_related_person_of_r4_in_json_and_xml(clinic: Clinic, held: Json) -> None:
    """FHIR R4 RelatedPerson: patient, relationship, period, active, and who it is for those who may read their record."""
    one = await in_form(clinic.system, f"RelatedPerson/{held['id']}")
    assert (one["active"], one["name"][0]["family"]) == (True, "Koala")
    assert one["patient"]["reference"] == f"Patient/{held['patient_id']}"
    assert one["relationship"][0]["coding"][0]["code"] == "CHILD"
    assert one["identifier"] == [{"system": PERSON, "value": held["proxy_patient_id"]}]
    assert datetime.fromisoformat(one["period"]["end"]) - datetime.fromisoformat(one["period"]["start"]) > timedelta(days=89)


async def test_related_persons_are_searched_by_what_is_known_of_them(clinic: Clinic, held: Json) -> None:
    """R4's parameters of RelatedPerson: patient, identifier, relationship, active, name; chains, includes and `_has`."""
    patient, own = f"patient=Patient/{held['patient_id']}", [f"RelatedPerson/{held['id']}"]
    for query in (
        patient, f"_id={held['id']}", f"identifier={PERSON}|{held['proxy_patient_id']}", f"{patient}&relationship=CHILD,PRN",
        f"{patient}&active=true", f"{patient}&name=koal", f"patient.family=Wombat&_id={held['id']}",
    ):  # fmt: skip
        assert await found(clinic, query) == own, query
    for query in (
        f"{patient}&relationship=SPS", f"{patient}&active=false", f"{patient}&name=wombat", f"identifier={PERSON}|{uuid4()}",
        f"identifier={PERSON}|x", f"patient=Patient/{held['proxy_patient_id']}", "_id=x",
    ):  # fmt: skip
        assert await found(clinic, query) == [], query
    page = ok(await asked(clinic.system, f"RelatedPerson?{patient}&_include=RelatedPerson:patient"))
    assert shown(page, "include") == [f"Patient/{held['patient_id']}"]
    page = ok(await asked(clinic.system, f"Patient?_id={held['patient_id']}&_revinclude=RelatedPerson:patient"))
    assert shown(page, "include") == own
    page = ok(await asked(clinic.system, f"Patient?_has:RelatedPerson:patient:_id={held['id']}"))
    assert shown(page) == [f"Patient/{held['patient_id']}"]
    outcome(await asked(clinic.system, "RelatedPerson?name=koala"), 422, "fhir.search_too_wide")
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    (served,) = [each for each in statement["rest"][0]["resource"] if each["type"] == "RelatedPerson"]
    assert {each["code"] for each in served["interaction"]} == {"read", "search-type"}


async def test_a_consent_that_was_withdrawn_says_so(clinic: Clinic) -> None:
    system = clinic.system
    made = await consent(system, await register(system), await register(system))
    ok(await system.request("front-desk", "DELETE", f"/api/v1/access/consents/{made['id']}"))
    one = ok(await asked(system, f"RelatedPerson/{made['id']}"))
    assert (one["active"], one["period"]["end"]) == (False, one["meta"]["lastUpdated"])
    assert await found(clinic, f"patient=Patient/{made['patient_id']}&active=false") == [f"RelatedPerson/{made['id']}"]


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_sees_related_persons_if_the_table_of_permissions_lets_it(clinic: Clinic, held: Json, role: str) -> None:
    for query in (f"RelatedPerson/{held['id']}", f"RelatedPerson?patient=Patient/{held['patient_id']}"):
        answer = await asked(clinic.system, query, role)
        assert answer.status_code == (200 if "access.consent.read" in ROLES[role] else 403), f"{role}: {answer.text}"


async def test_a_patient_sees_who_acts_for_them_and_reads_nobody_elses_record(clinic: Clinic, held: Json) -> None:
    own, proxy = UUID(held["patient_id"]), UUID(held["proxy_patient_id"])
    (one,) = [each["resource"] for each in ok(await asked(clinic.system, "RelatedPerson", "patient", own))["entry"]]
    assert (one["id"], {"name", "telecom", "identifier", "birthDate"} & set(one)) == (held["id"], set())
    for query in ("", f"patient=Patient/{own}", f"identifier={PERSON}|{proxy}", f"_id={held['id']}"):
        assert await found(clinic, query, "patient", proxy) == [], query
    outcome(await asked(clinic.system, f"RelatedPerson/{held['id']}", "patient", proxy), 404, "fhir.unknown_id")
    assert (await asked(clinic.system, f"RelatedPerson/{held['id']}", "proxy", own)).status_code == 403


async def test_nothing_of_another_hospital_is_shown(clinic: Clinic, held: Json) -> None:
    stranger = another(clinic.system)
    outcome(await asked(stranger, f"RelatedPerson/{held['id']}"), 404, "fhir.unknown_id")
    for query in (f"_id={held['id']}", f"patient=Patient/{held['patient_id']}", f"identifier={PERSON}|{held['proxy_patient_id']}"):
        assert ok(await asked(stranger, f"RelatedPerson?{query}")).get("entry", []) == [], query
