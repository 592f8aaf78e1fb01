"""The contracts are what our clients ask, and the made-up systems keep to those of the connectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from carewright.contracts.ehr import ProfileName
from tests.clearing_house import mock_clearing_house
from tests.pacts.clearing_house import CLEARING_HOUSE
from tests.pacts.contract import FOLDER, Contract
from tests.pacts.ehr import EPIC, ORACLE, R4
from tests.pacts.ehr_states import made_up_for_contracts
from tests.pacts.every import EVERY
from tests.pacts.verifying import verified

ANEW = "a client asks for something else, or reads something else: python -m tests.pacts --write, and look at the difference"


async def as_it_is(_: str, __: dict[str, Any]) -> dict[str, Any]:
    """The made-up payer knows everybody by the beginning of their number."""
    return {}


@pytest.mark.parametrize("contract", EVERY, ids=lambda contract: contract.name)
async def test_a_contract_is_what_the_client_asks_and_reads(contract: Contract) -> None:
    assert await contract.written() == (FOLDER / f"{contract.name}.json").read_text("utf-8"), ANEW


@pytest.mark.parametrize("profile", ["epic", "oracle", "r4"])
async def test_the_made_up_ehr_keeps_to_what_the_connector_needs(profile: ProfileName, tmp_path: Path) -> None:
    async with made_up_for_contracts(profile, tmp_path) as theirs:
        for file in (FOLDER / f"{each.name}.json" for each in (EPIC, ORACLE, R4) if each.provider == profile):
            await verified(profile, theirs.address, file, theirs.state)


async def test_the_made_up_clearing_house_keeps_to_what_the_question_needs() -> None:
    async with mock_clearing_house() as url:
        await verified(CLEARING_HOUSE.provider, url.removesuffix("/core"), FOLDER / f"{CLEARING_HOUSE.name}.json", as_it_is)


async def test_a_payer_who_says_something_else_is_found() -> None:
    async with mock_clearing_house("--lie", "trace") as url:
        with pytest.raises(AssertionError, match="does not keep to carewright-coverage-clearing-house"):
            await verified(CLEARING_HOUSE.provider, url.removesuffix("/core"), FOLDER / f"{CLEARING_HOUSE.name}.json", as_it_is)


async def test_a_field_that_is_needed_and_not_there_is_found(tmp_path: Path) -> None:
    pact = json.loads((FOLDER / f"{ORACLE.name}.json").read_text("utf-8"))
    pact["interactions"] = [each for each in pact["interactions"] if each["description"] == "one patient"]
    pact["interactions"][0]["response"]["body"]["content"]["maritalStatus"] = {"text": "married"}
    needs_more = tmp_path / "more.json"
    needs_more.write_text(json.dumps(pact), "utf-8")
    async with made_up_for_contracts("oracle", tmp_path) as theirs:
        with pytest.raises(AssertionError, match="maritalStatus"):
            await verified("oracle", theirs.address, needs_more, theirs.state)
