"""The made-up EHR as a process: started, asked over a socket, ended."""

import asyncio
import sys
from pathlib import Path

import httpx

from tests.made_up_ehr import made_up_ehr


async def test_it_is_started_asked_and_ended() -> None:
    async with made_up_ehr("--profile", "oracle", "--patients", "3") as place, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{place}/Practitioner", params={"active": "true"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
        assert answer.json()["total"] > 0
        configuration = (await client.get(f"{place}/.well-known/smart-configuration")).json()
        assert configuration["token_endpoint"].startswith(place.partition("/r4")[0])
        assert (await client.delete(f"{place}/Practitioner/1")).status_code == 404


async def test_keys_that_are_none_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"keys": []}')
    command = ("-m", "carewright", "mock", "ehr", "--port", "0", "--keys", str(tmp_path / "keys.json"))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert (process.returncode, b"holds no public keys" in said) == (1, True)
