"""A key that stays in OpenBao: a real server, in its development mode, wraps and unwraps the organizations' keys."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from carewright.kernel.clock import ManualClock, SystemClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.privacy.kek import KeyPlace, KeyService, WrongKey
from carewright.kernel.privacy.services import key_service
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.settings import StartFailed
from tests.openbao import Bao, openbao
from tests.samples import known_id
from tests.servers import Contexts

PLACE = ("exam.person", "name", "row")
FIELD_1, FIELD_2 = KeyPlace(known_id(1), "field", 1), KeyPlace(known_id(1), "field", 2)


def at(settings: PrivacySettings) -> KeyService:
    return key_service(settings, Path("no-key-file"), SystemClock(), Outgoing().reaching, {})


@pytest.fixture(scope="module")
async def bao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bao]:
    async with openbao(tmp_path_factory.mktemp("bao")) as server:
        yield server


async def test_fields_are_sealed_under_a_key_that_never_leaves_the_service(bao: Bao, context: Contexts, clock: ManualClock) -> None:
    ctx = await context("patients", role="front-desk")
    one, other = Vault(at(bao.settings), clock, 1), Vault(at(bao.settings), clock, 1)
    sealed = (await one.of(ctx.db, ctx.actor.organization_id)).seal(*PLACE, b"Anna")
    assert (await other.of(ctx.db, ctx.actor.organization_id)).open_(*PLACE, sealed) == b"Anna"
    await other.ensure_opens(ctx.db)


async def test_a_wrapped_key_opens_for_what_it_was_wrapped_for_alone(bao: Bao) -> None:
    wrapped = await at(bao.settings).wrap(b"key", FIELD_1)
    assert await at(bao.settings).unwrap(wrapped, FIELD_1) == b"key"
    with pytest.raises(WrongKey):
        await at(bao.settings).unwrap(wrapped, FIELD_2)


async def test_the_services_own_key_may_rotate(bao: Bao) -> None:
    wrapped = await at(bao.settings).wrap(b"key", FIELD_1)
    (await bao.client.post(f"/transit/keys/{bao.settings.transit_key}/rotate")).raise_for_status()
    assert await at(bao.settings).unwrap(wrapped, FIELD_1) == b"key"


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


async def test_a_key_of_another_kind_is_refused_before_anything_is_sealed(bao: Bao) -> None:
    (await bao.client.post("/transit/keys/signs", json={"type": "ed25519"})).raise_for_status()
    with pytest.raises(Unavailable) as refused:
        await at(replace(bao.settings, transit_key="signs")).wrap(b"key", FIELD_1)
    assert refused.value.facts == {"reason": "unusable"}


async def test_another_key_of_the_service_stops_the_start(bao: Bao, context: Contexts, clock: ManualClock) -> None:
    ctx = await context("patients", role="front-desk")
    await Vault(at(bao.settings), clock, 1).of(ctx.db, ctx.actor.organization_id)
    with pytest.raises(StartFailed, match="key-missing"):
        await Vault(at(replace(bao.settings, transit_key="another")), clock, 1).ensure_opens(ctx.db)
