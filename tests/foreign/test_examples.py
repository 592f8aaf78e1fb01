"""HL7's own examples of FHIR R4 (CC0), all of them: held against our form, through our reader and writer, and through the server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clinic import Clinic, Json, ok
from tests.fhir_asking import FHIR
from tests.foreign.installed import Clients
from tests.system import ROOT
from tests.unit.fhir.forms import decoded

EXAMPLES_MIN = 5_000
TAKEN_MIN = 15
ABOUT_ITSELF = ("resourceType", "id", "meta", "text", "contained")


@pytest.fixture(scope="module")
def official(node_clients: Clients) -> Path:
    folder = node_clients.folder / "node_modules" / "hl7.fhir.r4.examples"
    assert len(list(folder.glob("*.json"))) > EXAMPLES_MIN
    return folder


@pytest.fixture(scope="module")
def patients(official: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(official.glob("Patient-*.json"))]


@pytest.mark.requirement("R4.form", "R4.examples")
def test_every_official_example_passes_the_tests_of_the_form(official: Path) -> None:
    """Those of `tests/unit/fhir` that are skipped where there are no files."""
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/unit/fhir", "-k", "official"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "CAREWRIGHT_TEST_R4": str(official)},
    )  # fmt: skip
    assert (told.returncode, "skipped" in told.stdout) == (0, False), told.stdout[-4000:]


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every plain value, with the path to it; places in lists do not count."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, path)
    else:
        yield path, value


async def sent_to(clinic: Clinic, example: bytes) -> httpx.Response:
    """What the server says to an example of a Patient that it shall keep."""
    headers = {"Prefer": "return=OperationOutcome", "Content-Type": "application/fhir+json"}
    return await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", content=example, headers=headers)


def unsaid(sent: Json, kept: Json, outcome: Json) -> set[str]:
    """The paths of what was sent, is not kept, and was not named in the outcome."""
    said = [one for issue in outcome["issue"] for one in issue.get("expression", ())]
    about = {name: value for name, value in sent.items() if name not in ABOUT_ITSELF}
    values = {(at, str(value)) for at, value in leaves(kept, "Patient")}
    return {
        at for at, value in leaves(about, "Patient") if (at, str(value)) not in values and not at.replace("._", ".").startswith(tuple(said))
    }


@pytest.mark.requirement("R4.examples")
async def test_an_official_patient_is_kept_unchanged_or_what_is_not_kept_is_said(clinic: Clinic, patients: list[bytes]) -> None:
    taken = 0
    for example in patients:
        answer = await sent_to(clinic, example)
        outcome: Json = answer.json()
        assert (answer.status_code < 500, outcome["resourceType"]) == (True, "OperationOutcome"), answer.text
        if answer.is_success:
            place = answer.headers["location"].partition(FHIR)[2].partition("/_history")[0]
            kept = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}{place}"))
            assert unsaid(decoded(example), kept, outcome) == set()
            taken += 1
    print(f"{taken} of {len(patients)} taken")
    assert taken >= TAKEN_MIN
