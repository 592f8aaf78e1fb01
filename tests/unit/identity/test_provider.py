"""The built-in identity provider, asked over its own addresses: what it grants, and to whom it says no."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from carewright.access.model.oidc import challenge_of
from carewright.identity import module
from carewright.identity.http import pages
from carewright.identity.service import IdentityContext, new_key
from carewright.identity.settings import IdentitySettings
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.kernel.ids import Ids
from carewright.kernel.settings import StartFailed
from carewright.kernel.wake import Wake
from tests.no_database import Journal
from tests.provider import ASKED, BACK, GOOD, HERE, PASSWORD, SECRET, VERIFIER, browser_at, sign_in


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 25, 9, tzinfo=UTC))


def world(clock: ManualClock) -> dict[str, Any]:
    actor = Actor(subject="system", organization_id=UUID(int=0), role="system")
    return {
        "actor": actor, "clock": clock, "ids": Ids(clock, random.Random(1)), "rng": random.Random(1),
        "db": cast(Any, Journal()), "vault": cast(Any, None),
        "wake": Wake(),
        "origin": UUID(int=1),
    }  # fmt: skip


@pytest.fixture
async def browser(clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    ctx = IdentityContext(**world(clock), settings=GOOD, secret=SECRET, key=new_key())
    async with browser_at(ctx) as client:
        yield client


async def code_of(browser: httpx.AsyncClient, **changes: str) -> str:
    back = await sign_in(browser, **changes)
    return parse_qs(urlsplit(back.headers["location"]).query)["code"][0]


async def exchange(browser: httpx.AsyncClient, code: str, secret: str = SECRET, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER} | changes
    return await browser.post("/identity/token", data=form, auth=("console", secret))


async def test_a_person_who_knows_the_password_gets_an_id_token_of_their_role(browser: httpx.AsyncClient, clock: ManualClock) -> None:
    back = await sign_in(browser, "privacy-officer")
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
    assert back.headers["location"].startswith(f"{BACK}?")
    assert (answer["state"], answer["iss"]) == ("s-1", GOOD.issuer)
    given = (await exchange(browser, answer["code"])).json()
    keys = KeySet.import_key_set((await browser.get("/identity/keys")).json())
    claims = jwt.decode(given["id_token"], keys, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (GOOD.issuer, "console", "n-1")
    assert (claims["roles"], claims["auth_time"]) == (["privacy-officer"], int(clock.now().timestamp()))
    assert "d" not in (await browser.get("/identity/keys")).json()["keys"][0], "the private part stays here"


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "query.jwt", "Query", "query fragment"])
async def test_a_code_goes_back_in_the_query_of_the_address_and_in_no_other_way(browser: httpx.AsyncClient, mode: str) -> None:
    refused = urlsplit((await browser.get("/identity/authorize", params=ASKED | {"response_mode": mode})).headers["location"])
    assert (parse_qs(refused.query)["error"], refused.fragment) == (["invalid_request"], "")
    assert (await sign_in(browser, response_mode=mode)).status_code == Forbidden.status
    for wanted in ("query", ""):
        assert "code" in parse_qs(urlsplit((await sign_in(browser, response_mode=wanted)).headers["location"]).query)
    document = (await browser.get("/identity/.well-known/openid-configuration")).json()
    assert document["response_modes_supported"] == ["query"]


async def test_discovery_says_what_is_served(browser: httpx.AsyncClient) -> None:
    found = (await browser.get("/identity/.well-known/openid-configuration")).json()
    assert found["issuer"] == GOOD.issuer
    assert found["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"}, {"code_challenge_method": ""}, {"code_challenge": ""}, {"code_challenge": "short"},
        {"nonce": ""}, {"response_type": "token"}, {"response_type": "id_token"}, {"scope": "profile"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_request_that_asks_for_less_than_is_safe_goes_back_with_an_error(
    browser: httpx.AsyncClient, changes: dict[str, str]
) -> None:  # fmt: skip
    back = await browser.get("/identity/authorize", params=ASKED | changes)
    answer = parse_qs(urlsplit(back.headers["location"]).query)
    assert "error" in answer
    assert "code" not in answer
    assert (await sign_in(browser, **changes)).status_code == Forbidden.status


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"redirect_uri": "https://evil.example.org/"}, {"redirect_uri": BACK + "/x"}])
async def test_an_unknown_client_or_address_is_sent_nowhere(browser: httpx.AsyncClient, changes: dict[str, str]) -> None:
    assert (await browser.get("/identity/authorize", params=ASKED | changes)).status_code == Forbidden.status
    assert (await sign_in(browser, **changes)).status_code == Forbidden.status


async def test_a_code_serves_once_and_for_a_minute(browser: httpx.AsyncClient, clock: ManualClock) -> None:
    code = await code_of(browser)
    assert (await exchange(browser, code)).status_code == 200
    assert (await exchange(browser, code)).json() == {"error": "invalid_grant"}
    late = await code_of(browser)
    clock.advance(seconds=60)
    assert (await exchange(browser, late)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43}, {"code_verifier": ""}, {"code_verifier": "v" * 42}, {"code_verifier": challenge_of(VERIFIER)},
        {"redirect_uri": HERE}, {"redirect_uri": ""},
    ],
    ids=str,
)  # fmt: skip
async def test_a_code_needs_its_verifier_and_its_address(browser: httpx.AsyncClient, changes: dict[str, str]) -> None:
    answer = await exchange(browser, await code_of(browser), **changes)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


async def test_a_client_without_the_secret_gets_nothing(browser: httpx.AsyncClient) -> None:
    answer = await exchange(browser, await code_of(browser), secret="wrong")
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert (await exchange(browser, "x", grant_type="password")).json() == {"error": "unsupported_grant_type"}
    headers = {b"Authorization": b"Basic \xe9"}
    assert (await browser.post("/identity/token", data={"code": "x"}, headers=headers)).status_code == 401


async def test_a_form_of_another_site_is_refused(browser: httpx.AsyncClient) -> None:
    form = ASKED | {"account": "nurse", "password": PASSWORD}
    assert (await browser.post("/identity/authorize", data=form, headers={"Origin": "https://evil.example.org"})).status_code == 403


@pytest.mark.parametrize("host", ["hospital.example.org", "10.0.0.5:8080", "evil.example.org:8080", ""])
async def test_it_answers_this_machine_alone(browser: httpx.AsyncClient, host: str) -> None:
    assert (await browser.get("/identity/authorize", params=ASKED, headers={"Host": host})).status_code == Forbidden.status


async def test_it_refuses_to_start_where_others_could_reach_it(clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    base = Context(**world(clock))
    for changes in (
        {"issuer": "https://hospital.example.org/identity"}, {"issuer": "http://10.0.0.5/identity"}, {"issuer": ""},
        {"redirect_uri": "https://hospital.example.org/staff/callback"}, {"issuer": HERE}, {"client_id": ""}, {"password_hash": "plain"},
        {"organization_id": None},        {"client_secret_file": str(tmp_path / "none")},
    ):  # fmt: skip
        fields = {name: getattr(GOOD, name) for name in GOOD.__dataclass_fields__}
        settings = IdentitySettings(**fields | {"client_secret_file": str(tmp_path / "secret")} | changes)
        with pytest.raises(StartFailed):
            await module.start(base, settings, lambda _: None)
    started = await module.start(base, IdentitySettings(), lambda _: None)
    assert pages(started.context) == [], "it is off unless it is switched on"
