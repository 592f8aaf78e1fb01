"""A Chromium, the whole system to visit, and a patient who visits it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from carewright.portal.http.guard import SESSION
from carewright.portal.model.times import parse_slot
from tests.browser.chromium import ARGUMENTS, require_chromium
from tests.system import System

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALLEST = {"width": 320, "height": 568}
WAIT_MILLISECONDS_MAX = 15_000
BOOKINGS_MAX = 40
"""More than there are rooms and practitioners for one kind of visit in the tiny hospital."""


@dataclass
class Site:
    """The portal, a visitor of their own for each test, and what happens behind the visitor's back."""

    system: System
    visitor_id: UUID = field(default=UUID(int=0))

    @property
    def base_url(self) -> str:
        """As `carewright up` prints it: browsers make passkeys under a name alone."""
        return self.system.address_of("/appointments").replace("127.0.0.1", "localhost")

    async def sign_in(self, context: BrowserContext) -> None:
        """Let the visitor in, as a patient who has no appointments yet."""
        if not self.visitor_id.int:
            self.visitor_id = await self.new_patient("Margaret", "Whitfield")
        token = await self.system.session(self.visitor_id)
        await context.add_cookies([{"name": SESSION, "value": token, "url": self.base_url, "httpOnly": True, "sameSite": "Lax"}])

    async def new_patient(self, given: str, family: str) -> UUID:
        answer = await self.system.request("front-desk", "POST", "/api/v1/patients", json={"family": family, "given": [given]})
        return UUID(done(answer)["id"])

    async def take(self, slot: str, visit_type_id: UUID) -> None:
        """Others book this time until nobody is left who could see one more patient."""
        picked = parse_slot(slot)
        assert picked
        time = {"visit_type_id": str(visit_type_id), "site_id": str(picked[0]), "start": picked[1].isoformat()}
        for _ in range(BOOKINGS_MAX):
            body = {"patient_id": str(await self.new_patient("Sam", "Faster")), "time": time}
            answer = await self.system.request("front-desk", "POST", "/api/v1/appointments", json=body)
            if answer.status_code == httpx.codes.CONFLICT:
                return
            done(answer)
        raise AssertionError(f"{BOOKINGS_MAX} patients fit into one time")

    async def end_hold(self, hold_id: UUID) -> None:
        """Give the visitor's hold back without the page's knowledge: for the page it is as gone as if its time had run out."""
        done(await self.system.request("patient", "DELETE", f"/api/v1/holds/{hold_id}", patient_id=self.visitor_id))

    async def appointments(self) -> list[str]:
        """The statuses of the visitor's appointments, earliest visit first."""
        answer = await self.system.request("patient", "GET", "/api/v1/appointments", patient_id=self.visitor_id)
        return [one["status"] for one in done(answer)["items"]]


def done(answer: httpx.Response) -> Any:
    """What the answer holds; a refusal is a fault of the test."""
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture
def site(one_process: System) -> Site:
    return Site(one_process)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


class Visits:
    """Opens windows for one test, and listens for what the browser complains of."""

    def __init__(self, chromium: Browser, site: Site) -> None:
        self._chromium = chromium
        self._site = site
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    async def open(self, *, signed_in: bool = True, **options: Any) -> Page:
        """A window; `options` are Playwright's: viewport, color_scheme, java_script_enabled, timezone_id."""
        wanted: dict[str, Any] = {"viewport": PHONE, "accept_downloads": True} | options
        context = await self._chromium.new_context(base_url=self._site.base_url, **wanted)
        context.set_default_timeout(WAIT_MILLISECONDS_MAX)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._contexts.append(context)
        if signed_in:
            await self._site.sign_in(context)
        return await context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        """Errors of scripts and of the content security policy; that an answer was a refusal is no complaint."""
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


@pytest.fixture
async def visits(chromium: Browser, site: Site) -> AsyncIterator[Visits]:
    """Opens windows on the portal. A complaint of the browser fails the test."""
    opened = Visits(chromium, site)
    yield opened
    await opened.close()
    assert opened.complaints == []
