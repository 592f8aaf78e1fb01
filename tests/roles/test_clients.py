"""Another system, from its registration at the command line to its end: a token from one process, used at others, gone everywhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.clinic import ok
from tests.other_system import ask, registered, said, use
from tests.system import TINY, System, own_folder, started

NOTICED_SECONDS_MAX = 30
SERVICES, PATIENTS = "/api/v1/services", "/api/v1/patients/019a0000-0000-7000-8000-000000000001"
PATIENTS_IN_FHIR = "/fhir/R4/Patient/019a0000-0000-7000-8000-000000000001"
SCOPE = "directory.read"


@pytest.fixture(scope="module")
async def split() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY, "--split") as system:
            yield system


async def test_a_client_comes_in_does_what_it_may_and_is_shut_out(split: System, tmp_path: Path) -> None:
    client_id = await registered(split, tmp_path, SCOPE)
    assert f"{client_id} enabled" in await said(split, "list")
    token = ok(await ask(split, client_id, "a", SCOPE))["access_token"]
    ok(await use(split, token, SERVICES))
    for path in (PATIENTS, PATIENTS_IN_FHIR):
        refused = await use(split, token, path)
        assert refused.status_code == httpx.codes.FORBIDDEN, f"integrations may, and this one did not ask for it: {path}"
    assert (await ask(split, client_id, "a", SCOPE)).json() == {"error": "invalid_client"}
    await said(split, "disable", client_id)
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while (await use(split, token, SERVICES)).status_code != httpx.codes.UNAUTHORIZED:
            pass
    assert (await ask(split, client_id, "b", SCOPE)).json() == {"error": "invalid_client"}
    await said(split, "enable", client_id)
    ok(await use(split, ok(await ask(split, client_id, "c", SCOPE))["access_token"], SERVICES))
