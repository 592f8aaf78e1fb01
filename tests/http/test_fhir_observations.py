"""Observations through FHIR: as R4 has them, found by patient, code, category and date, and shown to whom the permissions let see them."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.at_work import said
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.http.test_fhir_encounters import another, asked
from tests.roles.test_export import export
from tests.unit.fhir.rows import observation
from tests.unit.fhir.rows import patient as patient_row

CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
LOINC = "http://loinc.org"


def concept(system: str, code: str, display: str) -> Json:
    return {"codings": [{"system": system, "code": code, "display": display}], "text": display}


def weight(patient: UUID, **more: Any) -> Json:
    return {
        "id": str(uuid4()), "patient_id": str(patient), "status": "final", "about": concept(LOINC, "29463-7", "Body Weight"),
        "categories": [concept(CATEGORIES, "vital-signs", "Vital Signs")],
        "quantity": {"value": 72.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        "effective_from": "2026-11-02T08:00:00Z", "effective_until": "2026-11-02T08:00:00Z", "issued_at": "2026-11-02T08:01:00Z",
        "identifiers": [{"system": "urn:test:observation", "value": str(uuid4())}],
    } | more  # fmt: skip


async def put(clinic: Clinic, *observations: Json) -> None:
    """As an import hands them over: vitals is asked as one process asks another."""
    system = clinic.system
    base = system.addresses.get("vitals") or next(iter(system.addresses.values()))
    headers = {"Authorization": f"Bearer {system.token('integration')}"}
    body = {"command": {"observations": observations}}
    ok(await system.client.post(f"{base}/internal/v1/vitals/put_observations", json=body, headers=headers))


@pytest.fixture(scope="module")
async def measured(clinic: Clinic) -> tuple[Json, Json]:
    """A patient's weight, and their blood pressure some days later, of which a part could not be heard."""
    patient = await register(clinic.system, "Wallaroo")
    nothing = {"about": concept(LOINC, "8462-4", "Diastolic"), "absent": concept("urn:test", "error", "Not heard")}
    pressure = weight(
        patient, about=concept(LOINC, "85354-9", "Blood pressure"), quantity=None, status="preliminary", encounter_id=str(uuid4()),
        components=[{"about": concept(LOINC, "8480-6", "Systolic"), "quantity": {"value": 120, "unit": "mm[Hg]"}}, nothing],
        effective_from="2026-11-05T08:00:00Z", effective_until="2026-11-05T08:05:00Z",
    )  # fmt: skip
    one = weight(patient)
    await put(clinic, one, pressure)
    return one, pressure


async def found(clinic: Clinic, query: str, role: str = "physician") -> list[str]:
    return shown(ok(await asked(clinic.system, f"Observation?{query}", role)))


async def test_an_observation_is_shown_as_r4_has_it(clinic: Clinic, measured: tuple[Json, Json]) -> None:
    """FHIR R4 Observation: status and code are there, and every answer has the form that the standard says."""
    one, pressure = [ok(await asked(clinic.system, f"Observation/{each['id']}", "physician")) for each in measured]
    for each in (one, pressure):
        assert [issue for issue in issues_of(r4_definitions(), each) if issue.severity == "error"] == []
    assert (one["status"], one["code"]["coding"][0]["code"], one["valueQuantity"]["value"]) == ("final", "29463-7", 72.5)
    assert one["subject"]["reference"] == f"Patient/{measured[0]['patient_id']}"
    assert (one["effectiveDateTime"], one["issued"]) == ("2026-11-02T08:00:00Z", "2026-11-02T08:01:00Z")
    assert pressure["effectivePeriod"] == {"start": "2026-11-05T08:00:00Z", "end": "2026-11-05T08:05:00Z"}
    assert pressure["encounter"]["reference"] == f"Encounter/{measured[1]['encounter_id']}"
    assert [each.get("valueQuantity", {}).get("value") for each in pressure["component"]] == [120, None]
    assert pressure["component"][1]["dataAbsentReason"]["text"] == "Not heard"
    as_xml = await asked(clinic.system, f"Observation/{one['id']}?_format=xml", "physician")
    assert (as_xml.status_code, as_xml.headers["content-type"].partition(";")[0]) == (200, "application/fhir+xml")
    outcome(await asked(clinic.system, f"Observation/{uuid4()}", "physician"), 404, "vitals.unknown_observation")


async def test_observations_are_searched_by_patient_code_category_and_date(clinic: Clinic, measured: tuple[Json, Json]) -> None:
    """R4's parameters of Observation."""
    one, pressure = (f"Observation/{each['id']}" for each in measured)
    patient = f"patient=Patient/{measured[0]['patient_id']}"
    for query, ids in (
        (patient, [one, pressure]), (f"subject=Patient/{measured[0]['patient_id']}&_sort=date", [one, pressure]),
        (f"{patient}&code={LOINC}|29463-7", [one]), (f"{patient}&code=85354-9,x", [pressure]),
        (f"{patient}&component-code=8480-6", [pressure]), (f"{patient}&combo-code=8480-6", [pressure]),
        (f"{patient}&category=vital-signs", [one, pressure]), (f"{patient}&category=laboratory", []),
        (f"{patient}&date=2026-11-02", [one]), (f"{patient}&date=ge2026-11-03", [pressure]), (f"{patient}&date=lt2026-11-01", []),
        (f"{patient}&value-quantity=gt70||kg", [one]), (f"{patient}&value-quantity=gt80", []), (f"{patient}&status=final", [one]),
        (f"encounter=Encounter/{measured[1]['encounter_id']}", [pressure]), (f"_id={measured[0]['id']}", [one]),
        (f"subject.family=Wallaroo&_id={measured[1]['id']}", [pressure]), (f"patient=Patient/{uuid4()}", []),
    ):  # fmt: skip
        assert sorted(await found(clinic, query)) == sorted(ids), query
    outcome(await asked(clinic.system, f"Observation?code={LOINC}|29463-7", "physician"), 422, "fhir.search_too_wide")
    bundle = ok(await asked(clinic.system, f"Observation?_id={measured[0]['id']}&_include=Observation:patient", "physician"))
    assert [each["resource"]["resourceType"] for each in bundle["entry"]] == ["Observation", "Patient"]


async def test_observations_are_shown_to_whom_the_table_of_permissions_lets_see_them(clinic: Clinic, measured: tuple[Json, Json]) -> None:
    place, own = f"Observation/{measured[0]['id']}", UUID(measured[0]["patient_id"])
    for role, permissions in ROLES.items():
        if role in ("patient", "proxy"):
            continue
        answer = await asked(clinic.system, place, role)
        assert answer.status_code == (200 if "vitals.observation.read" in permissions else 403), role
    assert ok(await asked(clinic.system, place, "patient", own))["id"] == measured[0]["id"]
    assert len(shown(ok(await asked(clinic.system, "Observation", "patient", own)))) == 2
    other = await register(clinic.system)
    outcome(await asked(clinic.system, place, "patient", other), 404, "vitals.unknown_observation")
    assert shown(ok(await asked(clinic.system, "Observation", "patient", other))) == []
    outcome(await asked(another(clinic.system), place, "physician"), 404, "vitals.unknown_observation")


async def test_an_observation_is_read_and_not_written(clinic: Clinic, measured: tuple[Json, Json]) -> None:
    sent = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}}
    outcome(await clinic.system.request("physician", "POST", f"{FHIR}/Observation", json=sent), 405, "kernel.method_not_allowed")
    (rest,) = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))["rest"]
    (kind,) = [each for each in rest["resource"] if each["type"] == "Observation"]
    assert {each["code"] for each in kind["interaction"]} == {"read", "vread", "search-type"}


async def test_observations_are_in_the_record_that_a_patient_takes_along(clinic: Clinic, measured: tuple[Json, Json]) -> None:
    after: str | None = "observations~"
    own, ids = UUID(measured[0]["patient_id"]), []
    while after and after.startswith("observations~"):
        page = ok(await export(clinic.system, "patient", {"reason": "patient", "after": after}, own))
        ids += [each["id"] for each in page["items"]]
        after = page["next"]
    assert sorted(ids) == sorted(each["id"] for each in measured)


async def test_observations_of_a_file_are_imported_and_served_back(clinic: Clinic, tmp_path: Path) -> None:
    """`carewright import fhir`, twice: what was there already is recognised."""
    there = another(clinic.system)
    rows = [patient_row("a1"), observation("v1", "a1"), observation("v2", "nobody"), observation("v3", "a1", valueQuantity=None)]
    (tmp_path / "all.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    for expected in ("3 created", "0 created, 0 changed, 3 unchanged"):
        printed = await said(there, "import", "fhir", str(tmp_path), "--organization", str(there.known.organization_id))
        assert expected in printed
        assert "fhir.import.unresolved_reference" in printed
    (patient,) = ok(await asked(there, "Patient?identifier=urn:carewright:source:Patient|a1"))["entry"]
    bundle = ok(await asked(there, f"Observation?patient={patient['resource']['id']}&code={LOINC}|29463-7", "physician"))
    assert sorted(each["resource"]["identifier"][0]["value"] for each in bundle["entry"]) == ["v1", "v3"]
    for entry in bundle["entry"]:
        assert [each for each in issues_of(r4_definitions(), entry["resource"]) if each.severity == "error"] == []
