"""A Chromium, a portal to visit, and a patient who visits it.

`site` decides which portal: the whole system as `carewright up` starts it.
"""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from carewright.kernel.http.app import Health, build
from carewright.portal.http.pages import pages
from carewright.portal.model.times import parse_slot
from tests.browser.chromium import ARGUMENTS, require_chromium
from tests.unit.portal import double

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALLEST = {"width": 320, "height": 568}
WAIT_MILLISECONDS_MAX = 15_000


class Site(Protocol):
    """A portal, and what happens to it behind a visitor's back."""

    base_url: str

    async def sign_in(self, context: BrowserContext) -> None:
        """Let the visitor in as a patient who has no appointments."""

    async def take(self, slot: str, visit_type_id: UUID) -> None:
        """Others book until this time is gone."""

    async def end_hold(self, appointment_id: UUID) -> None:
        """The hold is no longer there."""

    async def appointments(self) -> list[str]:
        """The statuses of the visitor's appointments, oldest first."""


@dataclass
class DoubleSite:
    """The pages over the hospital in memory."""

    base_url: str
    hospital: double.Hospital

    async def sign_in(self, context: BrowserContext) -> None:
        page = await context.new_page()
        await page.goto("/sign-in")
        await page.get_by_role("button", name="Continue as the demonstration patient").click()
        await page.close()

    async def take(self, slot: str, visit_type_id: UUID) -> None:
        picked = parse_slot(slot)
        assert picked
        self.hospital.take(visit_type_id, *picked)

    async def end_hold(self, appointment_id: UUID) -> None:
        assert appointment_id in self.hospital.appointments
        self.hospital.clock.advance(minutes=11)

    async def appointments(self) -> list[str]:
        return [one.status for one in self.hospital.appointments.values() if one.patient_id == self.hospital.patient.id]


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An ASGI application on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="off"))
    started = threading.Event()
    server.startup, before = (lambda *a, **k: _started(before, started, *a, **k)), server.startup  # type: ignore[method-assign]  # its only hook
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started.wait(10)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


async def _started(before: Any, started: threading.Event, *arguments: Any, **named: Any) -> None:
    await before(*arguments, **named)
    started.set()


@pytest.fixture
def site() -> Iterator[Site]:
    hospital = double.build()
    context = double.context(hospital)
    with serving(build([], pages(context), context.tokens, Health({}))) as base_url:
        yield DoubleSite(base_url, hospital)


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
