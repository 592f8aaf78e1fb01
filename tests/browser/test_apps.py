"""Whole launches in a real browser: a patient lets a small app in and turns it off; a nurse starts one about a patient and ends it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest
import uvicorn
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.app import challenge_of, registered_app
from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Site, Visits
from tests.browser.test_other_provider import free_port
from tests.browser.test_staff import choose, sign_in
from tests.clinic import register
from tests.other_system import said
from tests.system import System

VERIFIER = "the-app-keeps-this-secret-until-it-has-its-code"
NOTICED_SECONDS_MAX = 30
PAGE = "<!doctype html><html lang=en><title>Health Diary</title><h1>{heading}</h1><p>{text}</p></html>"


class Diary:
    """A small app with a page of its own at another origin, which asks for its tokens from its own server."""

    def __init__(self, site: Site, port: int) -> None:
        self.site, self.address = site, f"http://localhost:{port}"
        self.client_id, self.token, self.patient = "", "", ""
        self.routes = [Route("/launch", self.launch), Route("/start", self.start), Route("/back", self.back)]

    async def launch(self, _: Request) -> Response:
        return await self._asking("launch/patient patient/Patient.rs patient/Appointment.rs offline_access")

    async def start(self, request: Request) -> Response:
        """Where the staff start it: with our address, and with what stands for the patient."""
        assert request.query_params["iss"] == f"{self.site.base_url}/fhir/R4"
        return await self._asking("launch patient/Patient.rs online_access", launch=request.query_params["launch"])

    async def _asking(self, scope: str, **more: str) -> Response:
        known = await self._configuration()
        query = more | {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": f"{self.address}/back", "state": "of-this-browser",
            "aud": f"{self.site.base_url}/fhir/R4", "scope": scope,
            "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
        }  # fmt: skip
        return RedirectResponse(f"{known['authorization_endpoint']}?{urlencode(query)}")

    async def back(self, request: Request) -> Response:
        said = dict(parse_qsl(urlsplit(str(request.url)).query))
        if "error" in said:
            return HTMLResponse(PAGE.format(heading="Not let in", text=said["error"]))
        form = {
            "grant_type": "authorization_code", "code": said["code"], "redirect_uri": f"{self.address}/back", "client_id": self.client_id,
            "code_verifier": VERIFIER,
        }  # fmt: skip
        async with httpx.AsyncClient(trust_env=False) as client:
            granted = (await client.post((await self._configuration())["token_endpoint"], data=form)).json()
        self.token, self.patient = granted["access_token"], granted["patient"]
        person = (await self.read()).json()
        return HTMLResponse(PAGE.format(heading="Your diary", text=f"{person['name'][0]['family']}, {granted['scope']}"))

    async def read(self) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            address = f"{self.site.base_url}/fhir/R4/Patient/{self.patient}"
            return await client.get(address, headers={"Authorization": f"Bearer {self.token}"})

    async def _configuration(self) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as client:
            known: dict[str, Any] = (await client.get(f"{self.site.base_url}/fhir/R4/.well-known/smart-configuration")).json()
            return known


@pytest.fixture
async def diary(site: Site) -> AsyncIterator[Diary]:
    """The app at an origin of its own, registered with the system."""
    port = free_port()
    made = Diary(site, port)
    made.client_id = await registered_app(site.system, redirect=f"{made.address}/back")
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=made.routes), host="127.0.0.1", port=port, log_level="error"))
    running = asyncio.create_task(server.serve())
    yield made
    server.should_exit = True
    await running


async def problems_at(page: Page, heading: str) -> list[str]:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    return await problems_of(page)


@pytest.mark.requirement("SMART.6", "SMART.13")
@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["390", "1280"])
async def test_a_patient_lets_a_real_app_in_and_turns_it_off(visits: Visits, diary: Diary, viewport: dict[str, int], scheme: Any) -> None:
    page = await visits.open(viewport=viewport, color_scheme=scheme)
    await page.goto(f"{diary.address}/launch")
    found = await problems_at(page, "Let Health Diary in?")
    await page.get_by_label("See your appointments").uncheck()
    await page.get_by_role("button", name="Let it in", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your diary")
    await expect(page.get_by_text("Whitfield, launch/patient patient/Patient.rs offline_access")).to_be_visible()
    assert (await diary.read()).status_code == httpx.codes.OK
    await page.goto("/devices")
    found += await problems_at(page, "Where you are signed in")
    await page.get_by_role("button", name="Turn it off").click()
    await expect(page.get_by_text("That app is turned off")).to_be_visible()
    await until_shut_out(diary)
    assert found == []


READS = """async ([base, token, patient, client]) => {
  const read = async (path, more = {}) => { try { return (await fetch(base + path, more)).status } catch { return 0 } };
  const headers = {Authorization: `Bearer ${token}`, "Content-Type": "application/fhir+json"};
  const form = new URLSearchParams({client_id: client, token: "cwr_none"});
  return [
    await read("/fhir/R4/.well-known/smart-configuration"), await read(`/fhir/R4/Patient/${patient}`, {headers}),
    await read("/fhir/R4/Patient/unknown", {headers}), await read("/oauth/revoke", {method: "POST", body: form}),
    await read(`/fhir/R4/Patient/${patient}`, {headers, credentials: "include"}),
    await read("/api/v1/access/me", {headers}), await read("/api/v1/access/me"), await read("/devices", {credentials: "include"}),
  ];
}"""
"""A page's scripts try what an app needs, and what is no app's; 0 is what the browser keeps from them."""


@pytest.mark.requirement("SMART.16")
async def test_a_page_of_the_apps_reads_by_itself_what_the_app_may_and_nothing_else(visits: Visits, site: Site, diary: Diary) -> None:
    page = await visits.open()
    await page.goto(f"{diary.address}/launch")
    await page.get_by_role("button", name="Let it in", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your diary")
    asked = [site.base_url, diary.token, diary.patient, diary.client_id]
    assert await page.evaluate(READS, asked) == [200, 200, 404, 200, 0, 0, 0, 0]
    await page.goto(f"{diary.address.replace('localhost', '127.0.0.1')}/back?error=of_another_site")
    assert await page.evaluate(READS, asked) == [200, 0, 0, 0, 0, 0, 0, 0]
    assert all("blocked by CORS policy" in each for each in visits.complaints)
    visits.complaints.clear()


async def test_whoever_is_not_signed_in_comes_back_to_the_question(visits: Visits, site: Site, diary: Diary) -> None:
    page = await visits.open(signed_in=False)
    await page.goto(f"{diary.address}/launch")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome to")
    await site.sign_in(page.context)
    await page.goto(f"{site.base_url}/apps/consent")
    await page.get_by_role("button", name="Do not let it in").click()
    await expect(page.get_by_text("access_denied")).to_be_visible()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": DESKTOP}, id="desktop"),
        pytest.param({"viewport": PHONE, "java_script_enabled": False}, id="phone-without-scripts"),
    ],
)
async def test_a_nurse_starts_an_app_about_a_patient_and_ends_it(visits: Visits, diary: Diary, options: dict[str, Any]) -> None:
    system = diary.site.system
    diary.client_id = await started_app(system, diary.address)
    family = f"Numbat{uuid4().hex[:8]}"
    await register(system, family)
    page = await visits.open(signed_in=False, **options)
    await sign_in(page, system, "nurse")
    await choose(page, "Apps")
    assert await problems_of(page) == []
    await page.get_by_label("Family name, or its beginning").fill(family)
    await page.get_by_role("button", name="Find").click()
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Apps of").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(family)
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Start Growth Charts").last.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your diary")
    await expect(page.get_by_text(family)).to_be_visible()
    await page.goto("/staff/apps")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="End it").first.click()
    await expect(page.get_by_role("button", name="End it")).to_have_count(0)
    await until_shut_out(diary)


async def started_app(system: System, address: str) -> str:
    """The id of a new app that the staff start there."""
    scopes = [word for scope in ("launch", "online_access", "patient/*.rs") for word in ("--scope", scope)]
    line = await said(system, "add", "--name", "Growth Charts", *scopes, "--redirect", f"{address}/back", "--launch", f"{address}/start")
    return line.splitlines()[-1].split()[0]


async def until_shut_out(diary: Diary) -> None:
    """Wait until what the app has opens nothing any more."""
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while (await diary.read()).status_code != httpx.codes.UNAUTHORIZED:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)
