"""The clients, and a practice that they book at."""

import os
import shutil
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.clinic import Clinic, open_clinic, register, tomorrow
from tests.foreign.installed import HERE, Clients, Unreachable, install_node, install_python, installed, said
from tests.system import System

NODE_MIN = 20
DAYS = 5


@pytest.fixture(scope="session")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


@pytest.fixture
async def patient(clinic: Clinic) -> UUID:
    return await register(clinic.system)


@pytest.fixture
def told(clinic: Clinic, patient: UUID) -> dict[str, str]:
    """What a client is told: where to ask, by which token, for whom, what and when."""
    start = datetime.fromisoformat(tomorrow()).replace(microsecond=0)
    return {
        "base": base_of(clinic.system), "token": clinic.system.token("front-desk"), "patient": f"Patient/{patient}",
        "service": f"HealthcareService/{clinic.service_id}", "visit_type": clinic.visit_type_id,
        "start": start.isoformat().replace("+00:00", "Z"), "end": (start + timedelta(days=DAYS)).isoformat().replace("+00:00", "Z"),
    }  # fmt: skip


def base_of(system: System) -> str:
    return system.address_of("/fhir/R4") + "/fhir/R4"


@pytest.fixture(scope="session")
def python_clients() -> Clients:
    try:
        folder = installed("python", HERE / "python.lock", install_python)
    except Unreachable:
        if os.environ.get("CI"):
            pytest.fail("fhirpy and fhirclient must be tried here, and the package index cannot be reached")
        pytest.skip("the package index cannot be reached: fhirpy and fhirclient were not tried")
    return Clients(str(folder / "bin" / "python"), folder)


@pytest.fixture(scope="session")
def node_clients() -> Clients:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("there is no Node on this machine: fhir-kit-client and @medplum/core were not tried")
    if int(said([node, "--version"]).lstrip("v").partition(".")[0]) < NODE_MIN:
        pytest.skip(f"Node is older than {NODE_MIN}: fhir-kit-client and @medplum/core were not tried")
    try:
        folder = installed("node", HERE / "package-lock.json", install_node)
    except Unreachable:
        pytest.skip("the package index cannot be reached: fhir-kit-client and @medplum/core were not tried")
    return Clients(node, folder)
