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
TAKEN = {
    "Patient": 15, "Practitioner": 13, "PractitionerRole": 0, "Organization": 11, "Location": 0, "HealthcareService": 0, "Device": 0,
}  # fmt: skip
"""How many of each type the server takes at least, as they are; the rest is refused by the rules of `docs/reference/modules/fhir.md`."""
ABOUT_ITSELF = ("resourceType", "id", "meta", "text", "contained")


@pytest.fixture(scope="module")
def official(node_clients: Clients) -> Path:
    folder = node_clients.folder / "node_modules" / "hl7.fhir.r4.examples"
    assert len(list(folder.glob("*.json"))) > EXAMPLES_MIN
    return folder


@pytest.fixture(scope="module")
def examples(official: Path) -> dict[str, list[bytes]]:
    return {kind: [path.read_bytes() for path in sorted(official.glob(f"{kind}-*.json"))] for kind in TAKEN}


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


async def sent_to(clinic: Clinic, kind: str, example: bytes) -> httpx.Response:
    """What the server says to an example that it shall keep."""
    headers = {"Prefer": "return=OperationOutcome", "Content-Type": "application/fhir+json"}
    return await clinic.system.request("integration", "POST", f"{FHIR}/{kind}", content=example, headers=headers)


def unsaid(sent: Json, kept: Json, outcome: Json) -> set[str]:
    """The paths of what was sent, is not kept, and was not named in the outcome."""
    said = [one for issue in outcome["issue"] for one in issue.get("expression", ())]
    about = {name: value for name, value in sent.items() if name not in ABOUT_ITSELF}
    kind = sent["resourceType"]
    values = {(at, str(value)) for at, value in leaves(kept, kind)}
    return {at for at, value in leaves(about, kind) if (at, str(value)) not in values and not at.replace("._", ".").startswith(tuple(said))}


@pytest.mark.requirement("R4.examples")
@pytest.mark.parametrize("kind", TAKEN)
async def test_an_official_example_is_kept_unchanged_or_what_is_not_kept_is_said(
    clinic: Clinic, examples: dict[str, list[bytes]], kind: str
) -> None:
    taken = 0
    for example in examples[kind]:
        answer = await sent_to(clinic, kind, example)
        outcome: Json = answer.json()
        assert (answer.status_code < 500, outcome["resourceType"]) == (True, "OperationOutcome"), answer.text
        if answer.is_success:
            place = answer.headers["location"].partition(FHIR)[2].partition("/_history")[0]
            kept = ok(await clinic.system.request("integration", "GET", f"{FHIR}{place}"))
            assert unsaid(decoded(example), kept, outcome) == set()
            taken += 1
    print(f"{kind}: {taken} of {len(examples[kind])} taken")
    assert taken >= TAKEN[kind]
