"""Another system, from its registration at the command line to its end: a token from one process, used at others, gone everywhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.kernel.clock import SystemClock
from tests.clinic import ok
from tests.system import TINY, System, launch, log_of, own_folder, started

NOTICED_SECONDS_MAX = 30
SERVICES, PATIENTS = "/api/v1/services", "/api/v1/patients/019a0000-0000-7000-8000-000000000001"
KEY = ECKey.generate_key("P-384", {"kid": "lab-1"}, private=True)


@pytest.fixture(scope="module")
async def split() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY, "--split") as system:
            yield system


async def said(system: System, *arguments: str) -> str:
    """What `carewright client` prints, once it has done its work."""
    out = system.data.parent / f"said-{uuid4()}"
    process = await launch(out, "client", *arguments, "--data", str(system.data))
    assert await process.wait() == 0, log_of(out).read_text()
    return log_of(out).read_text()


async def registered(system: System, folder: Path) -> str:
    file = folder / "lab.jwks.json"
    file.write_bytes(msgspec.json.encode({"keys": [KEY.as_dict(private=False)]}))
    line = await said(system, "add", "--name", "Laboratory", "--scope", "directory.read", "--keys", str(file))
    return line.splitlines()[-1].split()[0]


async def ask(system: System, client_id: str, jti: str) -> httpx.Response:
    """Ask for a token at the process that gives them."""
    now = int(SystemClock().now().timestamp())
    public_url = system.addresses["console"].replace("127.0.0.1", "localhost")
    claims = {"iss": client_id, "sub": client_id, "aud": f"{public_url}/oauth/token", "exp": now + 240, "jti": jti}
    form = {
        "grant_type": "client_credentials", "scope": "directory.read",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "ES384", "kid": "lab-1"}, claims, KEY, algorithms=["ES384"]),
    }  # fmt: skip
    return await system.client.post(f"{system.address_of('/oauth/token')}/oauth/token", data=form)


async def use(system: System, token: str, path: str = SERVICES) -> httpx.Response:
    return await system.client.get(system.address_of(path) + path, headers={"Authorization": f"Bearer {token}"})


async def test_a_client_comes_in_does_what_it_may_and_is_shut_out(split: System, tmp_path: Path) -> None:
    client_id = await registered(split, tmp_path)
    assert f"{client_id} enabled" in await said(split, "list")
    token = ok(await ask(split, client_id, "a"))["access_token"]
    ok(await use(split, token))
    assert (await use(split, token, PATIENTS)).status_code == httpx.codes.FORBIDDEN, "integrations may, and this one did not ask for it"
    assert (await ask(split, client_id, "a")).json() == {"error": "invalid_client"}
    await said(split, "disable", client_id)
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while (await use(split, token)).status_code != httpx.codes.UNAUTHORIZED:
            pass
    assert (await ask(split, client_id, "b")).json() == {"error": "invalid_client"}
    await said(split, "enable", client_id)
    ok(await use(split, ok(await ask(split, client_id, "c"))["access_token"]))
