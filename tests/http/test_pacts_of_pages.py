"""What our pages ask of other roles, through their doors, is answered as they need it: those of now, and those of the last release.

While a version is rolled out, an older page stands beside a newer role.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clinic import open_clinic
from tests.contracts.released import CONTRACTS, PACTS, PAGES
from tests.pacts.hospital import Hospital
from tests.pacts.verifying import verified
from tests.system import System

NAMES = sorted({each.stem for page in PAGES for folder in (CONTRACTS, PACTS) for each in folder.glob(f"{page}-*.json")})


def told(file: Path) -> Any:
    """A contract; nothing where there is none."""
    return json.loads(file.read_text("utf-8")) if file.exists() else {"interactions": []}


@pytest.fixture(scope="module")
async def hospital(one_process: System) -> Hospital:
    return Hospital(one_process, await open_clinic(one_process))


@pytest.mark.parametrize("name", NAMES)
async def test_a_role_answers_as_a_page_needs_it(name: str, one_process: System, hospital: Hospital, tmp_path: Path) -> None:
    """What the released contract says just as the one of now does is asked once."""
    now, before = told(CONTRACTS / f"{name}.json"), told(PACTS / f"{name}.json")
    older = [each for each in before["interactions"] if each not in now["interactions"]]
    (address,) = one_process.addresses.values()
    for pact, interactions in ((now, now["interactions"]), (before, older)):
        if interactions:
            file = tmp_path / f"{name}.json"
            file.write_text(json.dumps(pact | {"interactions": interactions}), "utf-8")
            await verified(pact["provider"]["name"], address, file, hospital.state)


async def test_an_answer_that_lost_a_field_is_found(one_process: System, hospital: Hospital, tmp_path: Path) -> None:
    pact = told(CONTRACTS / "portal-scheduling.json")
    pact["interactions"] = [each for each in pact["interactions"] if each["description"].startswith("get_appointment")]
    (needs,) = pact["interactions"]
    needs["response"]["body"]["content"]["starts_on"] = needs["response"]["body"]["content"].pop("start")
    (file := tmp_path / "older.json").write_text(json.dumps(pact), "utf-8")
    (address,) = one_process.addresses.values()
    with pytest.raises(AssertionError, match="missing the following keys: starts_on"):
        await verified("scheduling", address, file, hospital.state)
