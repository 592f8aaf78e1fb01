"""A key that stays in OpenBao: a real server, in its development mode, wraps and unwraps the organizations' keys."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from carewright.kernel.clock import ManualClock, SystemClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.http.server import listen
from carewright.kernel.privacy.kek import KeyPlace, KeyService, WrongKey
from carewright.kernel.privacy.services import key_service
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.settings import StartFailed
from tests.samples import known_id
from tests.servers import Contexts

ROOT_TOKEN = "root-of-a-throw-away-server"
START_SECONDS_MAX = 60
PLACE = ("exam.person", "name", "row")
FIELD_1, FIELD_2 = KeyPlace(known_id(1), "field", 1), KeyPlace(known_id(1), "field", 2)


@dataclass(frozen=True)
class Bao:
    """A server with the transit engine and one key."""

    settings: PrivacySettings
    client: httpx.AsyncClient

    @property
    def service(self) -> KeyService:
        return at(self.settings)


def at(settings: PrivacySettings) -> KeyService:
    return key_service(settings, Path("no-key-file"), SystemClock(), Outgoing().reaching, {})


@pytest.fixture(scope="module")
async def bao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bao]:
    folder = tmp_path_factory.mktemp("bao")
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
            await until_ready(client)
            (await client.post("/sys/mounts/transit", json={"type": "transit"})).raise_for_status()
            (await client.post(f"/transit/keys/{settings.transit_key}")).raise_for_status()
            yield Bao(settings, client)
    finally:
        process.terminate()
        await process.wait()


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(START_SECONDS_MAX):
        while True:
            try:
                if (await client.get("/sys/health")).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


async def test_fields_are_sealed_under_a_key_that_never_leaves_the_service(bao: Bao, context: Contexts, clock: ManualClock) -> None:
    ctx = await context("patients", role="front-desk")
    one, other = Vault(bao.service, clock, 1), Vault(bao.service, clock, 1)
    sealed = (await one.of(ctx.db, ctx.actor.organization_id)).seal(*PLACE, b"Anna")
    assert (await other.of(ctx.db, ctx.actor.organization_id)).open_(*PLACE, sealed) == b"Anna"
    await other.ensure_opens(ctx.db)


async def test_a_wrapped_key_opens_for_what_it_was_wrapped_for_alone(bao: Bao) -> None:
    wrapped = await bao.service.wrap(b"key", FIELD_1)
    assert await bao.service.unwrap(wrapped, FIELD_1) == b"key"
    with pytest.raises(WrongKey):
        await bao.service.unwrap(wrapped, FIELD_2)


async def test_the_services_own_key_may_rotate(bao: Bao) -> None:
    wrapped = await bao.service.wrap(b"key", FIELD_1)
    (await bao.client.post(f"/transit/keys/{bao.settings.transit_key}/rotate")).raise_for_status()
    assert await bao.service.unwrap(wrapped, FIELD_1) == b"key"


async def test_a_service_that_is_away_or_refuses_us_means_later_not_plain_text(bao: Bao, tmp_path_factory: pytest.TempPathFactory) -> None:
    wrong = tmp_path_factory.mktemp("token") / "token"
    wrong.write_text("not-a-token")
    for settings, code, reason in (
        (replace(bao.settings, transit_url="http://127.0.0.1:9"), "kernel.keys_unavailable", None),
        (replace(bao.settings, transit_token_file=str(wrong)), "kernel.key_refused", "denied"),
        (replace(bao.settings, transit_token_file="no-such-file"), "kernel.key_refused", "credentials"),
        (replace(bao.settings, transit_mount="elsewhere"), "kernel.key_refused", "missing"),
    ):
        with pytest.raises(Unavailable) as refused:
            await at(settings).wrap(b"key", FIELD_1)
        assert (refused.value.code, refused.value.facts.get("reason")) == (code, reason)


async def test_another_key_of_the_service_stops_the_start(bao: Bao, context: Contexts, clock: ManualClock) -> None:
    ctx = await context("patients", role="front-desk")
    await Vault(bao.service, clock, 1).of(ctx.db, ctx.actor.organization_id)
    with pytest.raises(StartFailed, match="key-missing"):
        await Vault(at(replace(bao.settings, transit_key="another")), clock, 1).ensure_opens(ctx.db)
