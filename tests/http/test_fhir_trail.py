"""The audit log through FHIR: AuditEvent and Provenance, for whoever may read the log and nobody else."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import from_xml
from carewright.fhir.store import r4_definitions
from tests.balp import faults_of
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import outcome
from tests.http.test_fhir_encounters import another, asked

SEALED_SECONDS_MAX = 10
OFFICER = "privacy-officer"


async def told(clinic: Clinic, query: str) -> list[Json]:
    """What a search finds, once it finds anything: entries are sealed within a second."""
    async with asyncio.timeout(SEALED_SECONDS_MAX):
        while not (found := ok(await asked(clinic.system, query, OFFICER)).get("entry", [])):  # noqa: ASYNC110  (another process sets no Event)
            await asyncio.sleep(0.05)  # another process sets no asyncio.Event
    return [each["resource"] for each in found]


@pytest.fixture(scope="module")
async def booked(clinic: Clinic) -> Json:
    """An appointment that was booked by the desk and cancelled by a scheduler."""
    patient = await register(clinic.system)
    made: Json = ok(await clinic.book(patient, (await clinic.free())[-5]), 201)
    ok(await clinic.step(made["id"], "cancel", {"reason": "pat"}, role="scheduler"))
    await told(clinic, f"AuditEvent?entity=Appointment/{made['id']}&subtype=scheduling.appointment.cancel")
    return made


async def test_an_entry_is_an_audit_event_of_r4_and_of_balp(clinic: Clinic, booked: Json) -> None:
    """FHIR R4 AuditEvent, IHE BALP PatientCreate."""
    (one,) = await told(clinic, f"AuditEvent?entity=Appointment/{booked['id']}&action=C")
    assert (one["action"], one["outcome"], one["subtype"][1]["code"]) == ("C", "0", "scheduling.appointment.book")
    assert faults_of(one) == []
    read = ok(await asked(clinic.system, f"AuditEvent/{one['id']}", OFFICER))
    assert read == one
    assert [each for each in issues_of(r4_definitions(), read) if each.severity == "error"] == []
    as_xml = await asked(clinic.system, f"AuditEvent/{one['id']}?_format=xml", OFFICER)
    assert from_xml(r4_definitions(), as_xml.content)["id"] == one["id"]


async def test_audit_events_are_searched_by_what_is_kept_of_them(clinic: Clinic, booked: Json) -> None:
    """R4's parameters of AuditEvent: date, patient, entity, action, outcome, type, subtype, agent by identifier, address."""
    entity, patient = f"entity=Appointment/{booked['id']}", f"patient=Patient/{booked['patient_id']}"
    both = {each["id"] for each in await told(clinic, f"AuditEvent?{entity}&action=C,U")}
    assert len(both) == 2
    for query in (
        f"{patient}&{entity}&action=C,U", f"{entity}&action=C,U&outcome=0", f"{entity}&action=C,U&date=ge2026-01-01",
        f"{patient}&action=C,U&subtype=scheduling.appointment.book,scheduling.appointment.cancel",
        f"{entity}&action=C,U&type=rest&agent:identifier=urn:carewright:subject|test-front-desk-,urn:carewright:subject|test-scheduler-",
        f"{entity}&action=C,U&agent-role=front-desk,scheduler", f"{entity}&action=C,U&address=127.0.0.1",
        f"_id={','.join(sorted(both))}",
    ):  # fmt: skip
        assert {each["id"] for each in await told(clinic, f"AuditEvent?{query}")} == both, query
    for query in (
        f"{entity}&outcome=8",
        f"{entity}&date=lt2026-01-01",
        f"entity=Appointment/{uuid4()}",
        "entity=Appointment/x",
        f"_id={uuid4()}",
    ):
        assert ok(await asked(clinic.system, f"AuditEvent?{query}", OFFICER)).get("entry", []) == [], query
    outcome(await asked(clinic.system, "AuditEvent?action=R", OFFICER), 422, "fhir.search_too_wide")


async def test_who_changed_something_is_its_provenance(clinic: Clinic, booked: Json) -> None:
    """FHIR R4 Provenance: target, recorded, agent, activity; made of the log and of nothing besides."""
    found = await told(clinic, f"Provenance?target=Appointment/{booked['id']}&_sort=recorded")
    activities = [(each["activity"]["coding"][0]["code"], each["agent"][0]["role"][0]["coding"][0]["code"]) for each in found]
    assert activities == [("CREATE", "front-desk"), ("UPDATE", "scheduler")]
    assert {each["target"][0]["reference"] for each in found} == {f"Appointment/{booked['id']}"}
    for one in found:
        assert ok(await asked(clinic.system, f"Provenance/{one['id']}", OFFICER)) == one
        assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []
    (registered,) = await told(clinic, f"Provenance?patient=Patient/{booked['patient_id']}")
    assert registered["target"][0]["reference"] == f"Patient/{booked['patient_id']}"
    ok(await asked(clinic.system, f"Appointment/{booked['id']}"))
    reading = (await told(clinic, f"AuditEvent?entity=Appointment/{booked['id']}&action=R"))[0]
    outcome(await asked(clinic.system, f"Provenance/{reading['id']}", OFFICER), 404, "fhir.unknown_id")
    outcome(await asked(clinic.system, "Provenance?agent=x", OFFICER), 422, "fhir.search_too_wide")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"proxy"}))
async def test_only_who_may_read_the_log_is_shown_it(clinic: Clinic, booked: Json, role: str) -> None:
    patient_id = UUID(booked["patient_id"])
    for query in (
        f"AuditEvent?patient=Patient/{patient_id}", f"Provenance?target=Appointment/{booked['id']}", f"AuditEvent/{uuid4()}",
        f"Provenance/{uuid4()}",
    ):  # fmt: skip
        answer = await asked(clinic.system, query, role, patient_id)
        allowed = 200 if "?" in query else 404
        assert answer.status_code == (allowed if "audit.read" in ROLES[role] else 403), f"{role} {query}: {answer.text}"


async def test_nothing_of_another_hospital_is_told(clinic: Clinic, booked: Json) -> None:
    stranger: Any = another(clinic.system)
    (one,) = await told(clinic, f"AuditEvent?entity=Appointment/{booked['id']}&action=C")
    for kind in ("AuditEvent", "Provenance"):
        outcome(await asked(stranger, f"{kind}/{one['id']}", OFFICER), 404, "audit.unknown_event")
    for query in (
        f"AuditEvent?_id={one['id']}", f"AuditEvent?patient=Patient/{booked['patient_id']}",
        f"AuditEvent?entity=Appointment/{booked['id']}",
        f"Provenance?target=Appointment/{booked['id']}", f"Provenance?_id={one['id']}",
        f"Appointment?_id={booked['id']}&_revinclude=Provenance:target",
    ):  # fmt: skip
        assert ok(await asked(stranger, query, OFFICER if "Appointment?" not in query else "front-desk")).get("entry", []) == [], query
