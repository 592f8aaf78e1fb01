"""Scripts of other sites' pages read what apps may, those of registered apps alone, and nothing else; what is for everybody, anybody's.

Source: Fetch, "CORS protocol" (https://fetch.spec.whatwg.org/#http-cors-protocol); SMART App Launch 2.2, "Considerations for Cross-Origin
Resource Sharing (CORS) support".
"""

import asyncio
from typing import Any

import httpx
import pytest

from carewright.roles.registry import MODULES
from tests.app import REDIRECT, App
from tests.clinic import ok
from tests.system import System

ORIGIN = REDIRECT.removesuffix("/back")
STRANGER = "https://evil.example.org"
NOTICED_SECONDS_MAX = 30
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
OF_APPS = ("/fhir/R4/Patient", "/fhir/R4", "/fhir/R4/Appointment/$find", "/oauth/token", "/oauth/introspect", "/oauth/revoke")
OF_ANYBODY = ("/fhir/R4/metadata", "/fhir/R4/.well-known/smart-configuration", "/fhir/R4/$bulk-publish")
PAGES = ("/", "/sign-in", "/devices", "/apps/authorize", "/apps/consent", "/staff", "/static/page.css", "/api/docs", "/live", "/nothing")


async def asked(app: App, path: str, method: str = "GET", origin: str = ORIGIN, **headers: str) -> httpx.Response:
    return await app.browser.client.request(method, path, headers={"Origin": origin} | headers, follow_redirects=False)


def said(answer: httpx.Response) -> dict[str, str]:
    """What an answer says of other origins."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.fixture
async def known(app: App) -> App:
    """The app, once its origin is known to the process."""
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while not said(await asked(app, "/oauth/token", "POST")):  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.2)
    return app


def test_what_is_shared_is_this_and_no_more() -> None:
    assert {path: whom for module in MODULES for path, whom in module.shared.items()} == {
        "/fhir/R4": "known", "/oauth/token": "known", "/oauth/introspect": "known", "/oauth/revoke": "known",
        "/fhir/R4/metadata": "anybody", "/fhir/R4/.well-known/smart-configuration": "anybody",
        "/fhir/R4/$bulk-publish": "anybody", "/fhir/R4/published": "anybody",
        "/oauth/.well-known/openid-configuration": "anybody", "/oauth/keys": "anybody",
    }  # fmt: skip


@pytest.mark.requirement("SMART.16")
@pytest.mark.parametrize("path", OF_APPS)
async def test_pages_of_registered_apps_read_what_apps_may(known: App, path: str) -> None:
    """Refusals too: an app must see why it was refused."""
    answer = await asked(known, path, "POST" if path.startswith("/oauth") else "GET")
    assert answer.status_code >= 400
    assert said(answer).keys() == {"access-control-allow-origin", "access-control-expose-headers"}
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    preflight = await asked(known, path, "OPTIONS", **ASKS)
    assert preflight.status_code == httpx.codes.NO_CONTENT
    assert {"Authorization", "Content-Type", "If-Match"} <= set(preflight.headers["access-control-allow-headers"].split(", "))
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} == set(preflight.headers["access-control-allow-methods"].split(", "))
    assert "access-control-allow-credentials" not in said(preflight)


@pytest.mark.requirement("SMART.16")
@pytest.mark.parametrize("origin", [STRANGER, "null", "", f"{ORIGIN}:8443", "http://app.example.org", f"{ORIGIN}.evil.org"])
async def test_pages_of_other_sites_read_nothing_that_is_an_apps(known: App, origin: str) -> None:
    for path in OF_APPS:
        answer = await asked(known, path, "POST", origin)
        assert said(answer) == {}
        assert "Origin" in answer.headers["vary"]
        preflight = await asked(known, path, "OPTIONS", origin, **ASKS)
        assert (preflight.status_code, said(preflight)) == (httpx.codes.METHOD_NOT_ALLOWED, {})


@pytest.mark.requirement("SMART.16")
@pytest.mark.parametrize("path", OF_ANYBODY)
async def test_what_is_for_everybody_is_read_by_any_sites_pages(app: App, path: str) -> None:
    assert said(await asked(app, path, origin=STRANGER))["access-control-allow-origin"] == "*"
    assert (await asked(app, path, "OPTIONS", STRANGER, **ASKS)).status_code == httpx.codes.NO_CONTENT


async def test_no_page_and_none_of_our_own_api_answers_other_sites(known: App, one_process: System) -> None:
    described: dict[str, Any] = ok(await known.browser.client.get("/api/openapi.json"))
    paths = [path.replace("{", "").replace("}", "") for path in described["paths"]]
    for path in (*PAGES, *paths):
        for method, more in (("GET", {}), ("OPTIONS", ASKS)):
            answer = await asked(known, path, method, **more)
            assert said(answer) == {}, f"{method} {path}"
            assert answer.status_code != httpx.codes.NO_CONTENT
