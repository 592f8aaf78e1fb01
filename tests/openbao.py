"""A real OpenBao in its development mode: a key service that tests may have to themselves."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from carewright.kernel.http.server import listen
from carewright.kernel.privacy.settings import PrivacySettings

ROOT_TOKEN = "root-of-a-throw-away-server"
START_SECONDS_MAX = 60


@dataclass(frozen=True)
class Bao:
    """A server with the transit engine and one key."""

    settings: PrivacySettings
    client: httpx.AsyncClient


@asynccontextmanager
async def openbao(folder: Path) -> AsyncIterator[Bao]:
    """The server for as long as the block lasts; `folder` is its home."""
    listener = listen("127.0.0.1", 0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    program = Path(sys.executable).with_name("bao")
    process = await asyncio.create_subprocess_exec(
        program, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address={address}", "-dev-no-store-token",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env={"HOME": str(folder)},
    )  # fmt: skip
    (folder / "token").write_text(ROOT_TOKEN + "\n")
    settings = PrivacySettings(key_service="transit", transit_url=f"http://{address}", transit_token_file=str(folder / "token"))
    headers = {"X-Vault-Token": ROOT_TOKEN}
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}/v1", trust_env=False, headers=headers) as client:
            await _until_ready(client)
            (await client.post("/sys/mounts/transit", json={"type": "transit"})).raise_for_status()
            (await client.post(f"/transit/keys/{settings.transit_key}")).raise_for_status()
            yield Bao(settings, client)
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(START_SECONDS_MAX):
        while True:
            try:
                if (await client.get("/sys/health")).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
