"""Encounters through FHIR: as R4 has them, searched by what is kept of them, and shown to whom the table of permissions lets see them."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import from_xml
from carewright.fhir.store import r4_definitions
from tests.at_work import said
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.system import System

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fhir"
AMBULATORY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}
SYNTHEA = "https://github.com/synthetichealth/synthea"


async def record(clinic: Clinic, patient: UUID, **more: Any) -> Json:
    """An encounter, as another part of the hospital records it: flow is asked as one process asks another."""
    system = clinic.system
    base = system.addresses.get("flow") or next(iter(system.addresses.values()))
    headers = {"Authorization": f"Bearer {system.token('integration')}"}
    command = {"patient_id": str(patient), "status": "in-progress", "encounter_class": AMBULATORY} | more
    made: Json = ok(await system.client.post(f"{base}/internal/v1/flow/record_encounter", json={"command": command}, headers=headers))
    return made


@pytest.fixture(scope="module")
async def visit(clinic: Clinic) -> Json:
    """A patient's visit after an appointment, here, with the practitioner."""
    patient = await register(clinic.system, "Wombat")
    booked = ok(await clinic.book(patient, (await clinic.free())[-3]), 201)
    return await record(
        clinic, patient, appointment_id=booked["id"], start="2026-11-02T08:00:00Z", site_id=clinic.site_id, location_ids=[clinic.site_id],
        types=[{"system": "http://snomed.info/sct", "code": "185347001", "display": "Encounter for problem"}],
        participants=[{"practitioner_id": clinic.practitioner_id}], identifiers=[{"system": "urn:test:visit", "value": f"V-{patient}"}],
    )  # fmt: skip


def another(system: System) -> System:
    """The same system, seen from another hospital."""
    return replace(system, known=msgspec.structs.replace(system.known, organization_id=uuid4()), tokens={})


async def asked(system: System, query: str, role: str = "front-desk", patient_id: UUID | None = None) -> Any:
    return await system.request(role, "GET", f"{FHIR}/{query}", patient_id=patient_id)


async def found(clinic: Clinic, query: str) -> list[str]:
    return shown(ok(await asked(clinic.system, f"Encounter?{query}")))


async def test_an_encounter_is_shown_as_r4_has_it_in_json_and_xml(clinic: Clinic, visit: Json) -> None:
    """FHIR R4 Encounter: status and class are there; every answer has the form that the standard says."""
    answer = await asked(clinic.system, f"Encounter/{visit['id']}")
    one = ok(answer)
    assert (one["status"], one["class"], one["period"]) == ("in-progress", AMBULATORY, {"start": "2026-11-02T08:00:00Z"})
    assert one["subject"]["reference"] == f"Patient/{visit['patient_id']}"
    assert one["appointment"][0]["reference"] == f"Appointment/{visit['appointment_id']}"
    assert one["participant"][0]["individual"]["reference"] == f"Practitioner/{clinic.practitioner_id}"
    assert answer.headers["etag"] == 'W/"1"'
    assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []
    as_xml = await asked(clinic.system, f"Encounter/{visit['id']}?_format=xml")
    assert from_xml(r4_definitions(), as_xml.content)["id"] == visit["id"]


async def test_encounters_are_searched_by_what_is_kept_of_them(clinic: Clinic, visit: Json) -> None:
    """R4's parameters of Encounter: patient, date over a period, status, class, appointment, identifier, location, practitioner."""
    patient, own = f"patient=Patient/{visit['patient_id']}", [f"Encounter/{visit['id']}"]
    for query in (
        patient, f"subject=Patient/{visit['patient_id']}", f"_id={visit['id']}", f"appointment=Appointment/{visit['appointment_id']}",
        f"identifier=urn:test:visit|V-{visit['patient_id']}", f"{patient}&status=in-progress,finished", f"{patient}&class=AMB",
        f"{patient}&type=185347001", f"location={clinic.site_id}&{patient}",
        f"practitioner=Practitioner/{clinic.practitioner_id}&{patient}",
        f"participant=Practitioner/{clinic.practitioner_id}&{patient}", f"{patient}&date=ge2026-11-02", f"{patient}&date=ge2031-01-01",
        f"{patient}&date=lt2026-11-03", f"{patient}&date=sa2026-11-01", f"subject.family=Wombat&_id={visit['id']}",
    ):  # fmt: skip
        assert await found(clinic, query) == own, query
    for query in (
        f"{patient}&status=planned", f"{patient}&class=IMP", f"{patient}&date=2026-11-02", f"{patient}&date=lt2026-11-02",
        f"appointment=Appointment/{uuid4()}", f"practitioner=Practitioner/x&{patient}", "identifier=urn:test:visit|V-none",
    ):  # fmt: skip
        assert await found(clinic, query) == [], query
    assert f"Encounter/{visit['id']}" in await found(clinic, "date=ge2026-11-01&date=lt2026-11-03&_count=500")
    page = ok(await asked(clinic.system, f"Encounter?{patient}&_include=Encounter:practitioner&_include=Encounter:patient"))
    assert set(shown(page, "include")) == {f"Practitioner/{clinic.practitioner_id}", f"Patient/{visit['patient_id']}"}
    outcome(await asked(clinic.system, "Encounter?class=AMB"), 422, "fhir.search_too_wide")
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    (served,) = [each for each in statement["rest"][0]["resource"] if each["type"] == "Encounter"]
    assert {each["code"] for each in served["interaction"]} == {"read", "vread", "search-type"}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_sees_encounters_if_the_table_of_permissions_lets_it(clinic: Clinic, visit: Json, role: str) -> None:
    for query in (f"Encounter/{visit['id']}", f"Encounter?patient=Patient/{visit['patient_id']}"):
        answer = await asked(clinic.system, query, role)
        assert answer.status_code == (200 if "flow.encounter.read" in ROLES[role] else 403), f"{role}: {answer.text}"


async def test_a_patient_sees_their_own_and_nobody_elses(clinic: Clinic, visit: Json) -> None:
    own, other = UUID(visit["patient_id"]), await register(clinic.system)
    assert shown(ok(await asked(clinic.system, "Encounter", "patient", own))) == [f"Encounter/{visit['id']}"]
    assert shown(ok(await asked(clinic.system, f"Encounter?patient=Patient/{own}", "patient", other))) == []
    outcome(await asked(clinic.system, f"Encounter/{visit['id']}", "patient", other), 404, "flow.unknown_encounter")


async def test_nothing_of_another_hospital_is_shown(clinic: Clinic, visit: Json) -> None:
    stranger = another(clinic.system)
    outcome(await asked(stranger, f"Encounter/{visit['id']}"), 404, "flow.unknown_encounter")
    for query in (
        f"_id={visit['id']}", f"patient=Patient/{visit['patient_id']}&_include=*", f"appointment={visit['appointment_id']}",
        f"practitioner={clinic.practitioner_id}", f"identifier=urn:test:visit|V-{visit['patient_id']}", "date=ge2026-01-01",
    ):  # fmt: skip
        assert ok(await asked(stranger, f"Encounter?{query}")).get("entry", []) == [], query
    assert ok(await asked(stranger, f"Patient?_id={visit['patient_id']}&_revinclude=Encounter:patient")).get("entry", []) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the Synthea sample (../shared/data/fhir beside the repository) is not here")
async def test_the_encounters_of_the_synthea_sample_are_served_back(clinic: Clinic) -> None:
    """What `carewright import fhir` takes is shown as R4 has it, under the identifiers that it came with."""
    there = another(clinic.system)
    printed = await said(there, "import", "fhir", str(SHARED), "--organization", str(there.known.organization_id))
    assert "1215 accepted" in next(line for line in printed.splitlines() if line.startswith("Encounter"))
    source = "00c7f717-4030-5582-2ed8-888ad2bc878e"
    page = ok(await asked(there, f"Encounter?identifier={SYNTHEA}|{source}"))
    (one,) = [each["resource"] for each in page["entry"]]
    assert (one["status"], one["class"]["code"], one["type"][0]["coding"][0]["code"]) == ("finished", "AMB", "185347001")
    assert one["period"] == {"start": "1989-10-04T06:25:16Z", "end": "1989-10-04T10:20:16Z"}
    assert {each["system"]: each["value"] for each in one["identifier"]}["urn:carewright:source:Encounter"] == source
    history = ok(await asked(there, f"Encounter?patient={one['subject']['reference']}&_count=500"))
    assert len(history["entry"]) == 500
    for entry in history["entry"]:
        issues = [each for each in issues_of(r4_definitions(), entry["resource"]) if each.severity == "error"]
        assert issues == [], entry["resource"]["id"]
