"""Whatever is served, held against HL7's definitions by validators that others wrote."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.fhir.http.interaction import PREFIX
from tests.clinic import Clinic, Json, ok, register
from tests.foreign.installed import Clients

SHOWN = frozenset({
    "Appointment", "Bundle", "CapabilityStatement", "Device", "HealthcareService", "Location", "OperationOutcome", "Organization",
    "Patient", "Practitioner", "PractitionerRole", "Schedule", "Slot",
})  # fmt: skip
"""What every hospital has. Other types are validated too, wherever there is one."""
WRONG: Json = {"resourceType": "Appointment", "participant": [{"status": "accepted"}], "start": 7}
PAGE = "_count=500"
US_CORE_PATIENT = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


@pytest.fixture(scope="module")
async def served(clinic: Clinic) -> list[Json]:
    """Everything that is served to the front desk of a running hospital, page by page, alone and as a Bundle; and some refusals."""
    patient = await register(clinic.system)
    for start in (await clinic.free())[:3]:
        ok(await clinic.book(patient, start, note="by the window", based_on="R-4711"), 201)
    statement = await asked(clinic, "metadata")
    kinds = [each["type"] for each in statement["rest"][0]["resource"]]
    bundles = [await asked(clinic, f"{kind}?{query}&{PAGE}") for kind in kinds for query in queries(kind, clinic, patient)]
    refusals = [await asked(clinic, address) for address in ("Patient/nobody", "Medication/1", "Appointment?colour=blue")]
    return [statement, *refusals, *bundles, *inside(bundles)]


def queries(kind: str, clinic: Clinic, patient: UUID) -> list[str]:
    """What finds resources of a type: everything, what is the patient's, and what needs a narrower question."""
    day = datetime.now(UTC).date()
    narrower = {
        "Appointment": [f"date=ge{day}&date=lt{day + timedelta(days=14)}"],
        "Patient": ["family=Sm", "family=Be"],
        "Slot": [f"schedule=Schedule/{clinic.practitioner_id}"],
    }
    return ["", f"patient=Patient/{patient}", *narrower.get(kind, [])]


async def asked(clinic: Clinic, address: str) -> Json:
    """What is answered, a refusal too, as the resource that it is."""
    answer: httpx.Response = await clinic.system.request("front-desk", "GET", f"{PREFIX}/{address}")
    assert answer.status_code < 500, answer.text
    resource: Json = answer.json()
    return resource


def inside(bundles: Iterable[Json]) -> list[Json]:
    return [entry["resource"] for bundle in bundles for entry in bundle.get("entry", ())]


def judged(clients: Clients, script: str, resources: list[Json]) -> list[Any]:
    """What the validator has against them, having read them all."""
    answer = clients.ask(script, resources)
    assert answer["read"] == len(resources)
    complaints: list[Any] = answer["complaints"]
    return complaints


async def test_there_is_something_of_every_type_to_validate(served: list[Json]) -> None:
    shown = {each["resourceType"] for each in served}
    print(f"{len(served)} resources of {', '.join(sorted(shown))}")
    assert shown >= SHOWN


@pytest.mark.requirement("R4.foreign")
async def test_fhirclients_models_read_all_that_is_served_and_write_it_back_unchanged(served: list[Json], python_clients: Clients) -> None:
    assert judged(python_clients, "read_back.py", served) == []


@pytest.mark.requirement("R4.foreign")
async def test_medplums_validator_finds_nothing_wrong_with_what_is_served(served: list[Json], node_clients: Clients) -> None:
    assert judged(node_clients, "validate.mjs", served) == []


@pytest.mark.requirement("USCORE")
async def test_a_patient_with_a_number_and_a_gender_is_one_of_us_core(clinic: Clinic, node_clients: Clients) -> None:
    """US Core Patient 5.0.1, as Medplum's validator reads it: an identifier with its system, a name, a gender."""
    whole = {
        "resourceType": "Patient", "identifier": [{"system": "urn:test:mrn", "value": str(uuid4())}], "gender": "female",
        "name": [{"family": "Core", "given": ["Ursa"]}], "birthDate": "1980-02-29", "telecom": [{"system": "phone", "value": "2025550111"}],
    }  # fmt: skip
    shown = ok(await clinic.system.request("front-desk", "POST", f"{PREFIX}/Patient", json=whole), 201)
    shown["meta"]["profile"] = [US_CORE_PATIENT]
    assert judged(node_clients, "validate.mjs", [shown]) == []
    for missing in ("identifier", "gender", "name"):
        assert len(judged(node_clients, "validate.mjs", [{name: value for name, value in shown.items() if name != missing}])) == 1, missing


async def test_fhirclients_models_refuse_what_is_wrong(python_clients: Clients) -> None:
    assert len(judged(python_clients, "read_back.py", [WRONG])) == 1


async def test_medplums_validator_refuses_what_is_wrong(node_clients: Clients) -> None:
    assert len(judged(node_clients, "validate.mjs", [WRONG])) == 1
