"""What a token is good for is told to who may know, and a token that is given back is good for nothing.

Sources: RFC 7662, RFC 7009; SMART App Launch 2.2, "Token Introspection" (https://hl7.org/fhir/smart-app-launch/token-introspection.html);
Inferno SMART App Launch test kit (`lib/smart_app_launch/token_introspection*`), whose tests are named.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from carewright.kernel.clock import SystemClock
from tests.app import App, keys, opened, refused, registered_app, tokens, until_shut_out
from tests.clinic import ok, register
from tests.other_system import ask, proof, registered
from tests.system import System

INTROSPECT, REVOKE = "/oauth/introspect", "/oauth/revoke"
SCOPE = "access.token.introspect"
DEEDS = "SELECT body::jsonb FROM kernel.audit_entry WHERE patient_id = $1 ORDER BY xid, position"
REFUSED = "SELECT count(*) FROM kernel.audit_entry WHERE body::jsonb @> $1::jsonb"
INACTIVE = {"active": False}


@pytest.fixture(scope="module")
async def gateway(one_process: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A system that may ask about every client's tokens."""
    return await registered(one_process, tmp_path_factory.mktemp("keys"), SCOPE, "system/Location.rs")


@pytest.fixture(scope="module")
async def laboratory(one_process: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A system that may not."""
    return await registered(one_process, tmp_path_factory.mktemp("keys"), "system/Location.rs")


async def introspected(app: App, client_id: str, token: str, **changes: Any) -> httpx.Response:
    """What a client is told that proves itself by its key."""
    return await app.send(INTROSPECT, **{"token": token, "client_id": None} | proof(app.system, client_id, str(uuid4())) | changes)


async def by_bearer(app: App, token: str, bearer: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=app.base, trust_env=False) as client:
        return await client.post(INTROSPECT, data={"token": token}, headers={"Authorization": f"Bearer {bearer}"})


@pytest.mark.requirement("SMART.7")
async def test_a_system_is_told_what_an_apps_tokens_are_good_for(app: App, gateway: str) -> None:
    """Inferno token_introspection_response_group: active, and scope, client_id, exp and patient as in the token's own answer."""
    granted = await tokens(app)
    said = ok(await introspected(app, gateway, granted["access_token"]))
    ends_at = SystemClock().now() + timedelta(seconds=int(granted["expires_in"]))
    assert said.pop("exp") == pytest.approx(ends_at.timestamp(), abs=60)
    assert said == {
        "active": True, "scope": granted["scope"], "client_id": app.client_id, "patient": granted["patient"], "token_type": "Bearer",
        "sub": f"patient/{granted['patient']}",
    }  # fmt: skip
    refreshing = ok(await introspected(app, gateway, granted["refresh_token"]))
    assert (refreshing["active"], refreshing["scope"], refreshing["client_id"]) == (True, granted["scope"], app.client_id)
    narrow = ok(await app.refresh(granted["refresh_token"], scope="patient/Patient.rs"))
    assert ok(await introspected(app, gateway, narrow["access_token"]))["scope"] == "patient/Patient.rs"
    assert ok(await introspected(app, gateway, granted["refresh_token"])) == INACTIVE


@pytest.mark.requirement("SMART.7")
async def test_a_system_asks_by_a_token_of_its_own(app: App, gateway: str, laboratory: str) -> None:
    granted = await tokens(app)
    bearer = ok(await ask(app.system, gateway, str(uuid4()), SCOPE))["access_token"]
    assert ok(await by_bearer(app, granted["access_token"], bearer))["patient"] == granted["patient"]
    assert ok(await by_bearer(app, bearer, bearer))["client_id"] == gateway
    other = ok(await ask(app.system, laboratory, str(uuid4()), "system/Location.rs"))["access_token"]
    refused(await by_bearer(app, granted["access_token"], other), "insufficient_scope", 403)
    refused(await by_bearer(app, granted["access_token"], granted["access_token"]), "insufficient_scope", 403)
    refused(await by_bearer(app, granted["access_token"], "cws_" + "0" * 32), "invalid_client", 401)


@pytest.mark.requirement("SMART.7")
async def test_what_is_good_for_nothing_is_told_as_no_more_than_that(app: App, gateway: str) -> None:
    """Inferno introspection of an invalid token: `active` is false, and nothing else is there. A person's own sign-in is no app's."""
    own = await app.system.session(await register(app.system))
    for token in ("invalid_token_value", "cws_" + "0" * 32, "cwr_" + "0" * 32, own):
        assert ok(await introspected(app, gateway, token)) == INACTIVE


@pytest.mark.requirement("SMART.7")
async def test_a_client_is_told_of_its_own_tokens_alone(one_process: System, app: App, laboratory: str, tmp_path: Path) -> None:
    granted = await tokens(app)
    assert ok(await introspected(app, laboratory, granted["access_token"])) == INACTIVE
    mine = ok(await ask(one_process, laboratory, str(uuid4()), "system/Location.rs"))
    assert ok(await introspected(app, laboratory, mine["access_token"]))["scope"] == "system/Location.rs"
    keyed = await opened(one_process, await registered_app(one_process, *keys(tmp_path)), await register(one_process))
    code = (await keyed.launch())["code"]
    token = ok(await keyed.redeem(code, client_id=None, **proof(one_process, keyed.client_id, str(uuid4()))))["access_token"]
    assert ok(await introspected(app, keyed.client_id, token))["active"] is True
    assert ok(await introspected(app, keyed.client_id, granted["access_token"])) == INACTIVE
    await keyed.browser.client.aclose()


@pytest.mark.requirement("SMART.7")
async def test_nobody_is_told_anything_without_a_proof(
    app: App, gateway: str, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:  # fmt: skip
    """RFC 7662, section 2.1. An app without a key could be anybody, its own tokens notwithstanding."""
    token = (await tokens(app))["access_token"]
    about = f'{{"event": "{SCOPE}", "outcome": "refused"}}'
    before = await database.fetchval(REFUSED, about)
    once = proof(app.system, gateway, str(uuid4()))
    ok(await app.send(INTROSPECT, token=token, client_id=None, **once))
    refused(await app.send(INTROSPECT, token=token, client_id=None, **once), "invalid_client", 401)
    refused(await app.send(INTROSPECT, token=token), "invalid_client", 401)
    refused(await app.send(INTROSPECT, token=token, client_id=None), "invalid_client", 401)
    refused(await introspected(app, gateway, token, client_assertion="not.a.jwt"), "invalid_client", 401)
    assert await database.fetchval(REFUSED, about) == before + 4
    refused(await introspected(app, gateway, token, client_secret="s"), "invalid_request")
    refused(await introspected(app, gateway, ""), "invalid_request")


@pytest.mark.requirement("SMART.7")
async def test_a_refresh_token_that_is_given_back_ends_all_that_the_app_may(
    app: App, gateway: str, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:  # fmt: skip
    """RFC 7009, section 2.1. Both deeds are in the patient's journal, in the clients' names."""
    granted = await tokens(app)
    ok(await introspected(app, gateway, granted["access_token"]))
    assert (await app.send(REVOKE, token=granted["refresh_token"], token_type_hint="access_token")).status_code == 200
    await until_shut_out(app, granted["access_token"], f"Patient/{granted['patient']}")
    refused(await app.refresh(granted["refresh_token"]), "invalid_grant")
    assert ok(await introspected(app, gateway, granted["refresh_token"])) == INACTIVE
    entries = [row[0] for row in await database.fetch(DEEDS, UUID(granted["patient"]))]
    found = [each for each in entries if '"access.token.' in each]
    assert [("introspect" in each, gateway in each) for each in found] == [(True, True), (False, False)]
    assert [word in found[1] for word in ("access.token.revoke", app.client_id, "AppGrant")] == [True] * 3


@pytest.mark.requirement("SMART.7")
async def test_an_access_token_that_is_given_back_ends_alone(app: App, laboratory: str) -> None:
    granted = await tokens(app)
    assert (await app.send(REVOKE, token=granted["access_token"])).status_code == 200
    await until_shut_out(app, granted["access_token"], f"Patient/{granted['patient']}")
    ok(await app.refresh(granted["refresh_token"]))
    mine = ok(await ask(app.system, laboratory, str(uuid4()), "system/Location.rs"))["access_token"]
    sent = {"token": mine, "client_id": None} | proof(app.system, laboratory, str(uuid4()))
    assert (await app.send(REVOKE, **sent)).status_code == 200
    await until_shut_out(app, mine, "Location")


@pytest.mark.requirement("SMART.7")
async def test_what_is_good_for_nothing_is_given_back_without_complaint(app: App) -> None:
    """RFC 7009, section 2.2: the client could do nothing about it."""
    granted = await tokens(app)
    own = await app.system.session(await register(app.system))
    for token in ("unknown", "cwr_" + "0" * 32, "cws_" + "0" * 32, own):
        assert (await app.send(REVOKE, token=token)).status_code == 200
    async with httpx.AsyncClient(base_url=app.base, trust_env=False) as client:
        ok(await client.get("/api/v1/access/me", headers={"Authorization": f"Bearer {own}"}))
    assert (await app.send(REVOKE, token=granted["refresh_token"])).status_code == 200
    assert (await app.send(REVOKE, token=granted["refresh_token"])).status_code == 200


@pytest.mark.requirement("SMART.7")
async def test_nobody_gives_back_what_is_another_clients(one_process: System, app: App, laboratory: str) -> None:
    granted, other = await tokens(app), await registered_app(one_process)
    for token in (granted["access_token"], granted["refresh_token"]):
        refused(await app.send(REVOKE, token=token, client_id=other), "invalid_grant")
        refused(await app.send(REVOKE, token=token, client_id=laboratory), "invalid_client", 401)
        refused(await app.send(REVOKE, token=token, client_id=None), "invalid_client", 401)
    refused(await app.send(REVOKE), "invalid_request")
    ok(await app.read(f"Patient/{granted['patient']}", granted["access_token"]))
    ok(await app.refresh(granted["refresh_token"]))
