"""Passkeys in a real browser with a device that the browser makes up: added, used, removed, refused; by thumb and by keyboard alone."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from playwright.async_api import CDPSession, Page, expect

from carewright.portal.http.guard import SESSION
from tests.browser.accessibility import follow, problems_of, tab_to, with_large_text, with_wide_spacing
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Site, Visits, done

DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip
ENDED_SECONDS_MAX = 30
AN_HOUR_AGO = "UPDATE access.session SET authenticated_at = authenticated_at - interval '1 hour' WHERE account_id = ("
AN_HOUR_AGO += "SELECT id FROM access.account WHERE patient_id = $1)"


@dataclass
class Device:
    """The authenticator of a window, as the DevTools protocol has it (domain WebAuthn)."""

    cdp: CDPSession
    id: str

    @classmethod
    async def of(cls, page: Page) -> "Device":
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        return cls(cdp, made["authenticatorId"])

    async def know_owner(self, known: bool) -> None:
        await self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": known})

    async def kept(self) -> int:
        answer = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(answer["credentials"])


@dataclass
class Owner:
    """A patient of the test's own, with a telephone."""

    site: Site
    id: UUID
    number: str

    async def sign_in(self, page: Page) -> None:
        """As if they had typed a code a moment ago."""
        token = await self.site.system.session(self.id)
        await page.context.add_cookies([{"name": SESSION, "value": token, "url": self.site.base_url, "httpOnly": True, "sameSite": "Lax"}])


@pytest.fixture
async def owner(site: Site) -> Owner:
    number = f"+1 312 55{uuid4().int % 90000 + 10000:05d}"
    body = {"family": "Whitfield", "given": ["Margaret"], "language": "en", "telecom": [{"system": "phone", "value": number}]}
    answer = await site.system.request("front-desk", "POST", "/api/v1/patients", json=body)
    return Owner(site, UUID(done(answer)["id"]), number)


async def add(page: Page, name: str) -> None:
    await page.goto("/devices")
    await page.get_by_label("What shall we call it?").fill(name)
    await page.get_by_role("button", name="Add a passkey").click()


async def until_signed_out(page: Page) -> None:
    """Processes remember whose a session is for a second."""
    async with asyncio.timeout(ENDED_SECONDS_MAX):
        while "/sign-in" not in page.url:
            await page.goto("/appointments")


async def assert_told(page: Page, number: str, text: str) -> None:
    """The owner's telephone says so; it shows what is new by itself."""
    telephone = await page.context.new_page()
    await telephone.goto("/inbox")
    await expect(telephone.get_by_role("link", name=number)).to_contain_text(text)
    await telephone.close()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": PHONE, "has_touch": True, "is_mobile": True}, id="phone"),
        pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, id="desktop-dark"),
    ],
)
async def test_a_passkey_is_added_used_removed_and_then_opens_nothing(visits: Visits, owner: Owner, options: dict[str, Any]) -> None:
    page = await visits.open(signed_in=False, **options)
    device = await Device.of(page)
    await owner.sign_in(page)
    await add(page, "My phone")
    await expect(page.get_by_text("Your passkey is ready")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="My phone")).to_contain_text("Not used yet")
    assert await device.kept() == 1
    assert await problems_of(page) == []
    await assert_told(page, owner.number, "a passkey was added")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.goto("/appointments")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My appointments")
    await page.goto("/devices")
    await expect(page.get_by_text("With a passkey", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_text("That passkey is removed")).to_be_visible()
    await assert_told(page, owner.number, "a passkey was removed")
    await until_signed_out(page)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("alert")).to_contain_text("That did not work with this passkey")
    assert await problems_of(page) == []


async def test_a_passkey_is_added_used_and_removed_by_keyboard_alone(visits: Visits, owner: Owner) -> None:
    page = await visits.open(signed_in=False)
    await Device.of(page)
    await owner.sign_in(page)
    await page.goto("/devices")
    await tab_to(page, "What shall we call it?")
    await page.keyboard.type("My phone")
    await follow(page, "Add a passkey")
    await expect(page.get_by_text("Your passkey is ready")).to_be_visible()
    await follow(page, "Sign out")
    await follow(page, "Sign in with a passkey")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Margaret")
    await page.goto("/devices")
    await follow(page, "Remove it")
    await expect(page.get_by_text("That passkey is removed")).to_be_visible()


async def test_what_was_stopped_is_said_and_can_be_tried_again(visits: Visits, owner: Owner) -> None:
    page = await visits.open(signed_in=False)
    device = await Device.of(page)
    await owner.sign_in(page)
    await device.know_owner(False)
    await add(page, "")
    said = page.locator("[data-passkeys]").get_by_role("status")
    await expect(said).to_have_text("That was stopped, and no passkey was made. You can try again whenever you like.")
    assert await page.evaluate("document.activeElement.textContent.trim()") == "Add a passkey"
    assert await problems_of(page) == []
    await device.know_owner(True)
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_role("listitem").filter(has_text="My passkey")).to_be_visible()
    await add(page, "Once more")
    await expect(said).to_have_text("There is a passkey for us on this device already. You need no other on it.")


async def test_whoever_signed_in_too_long_ago_signs_in_once_more_and_comes_back(visits: Visits, owner: Owner, site: Site) -> None:
    page = await visits.open(signed_in=False)
    await Device.of(page)
    await owner.sign_in(page)
    connection = await asyncpg.connect(site.system.known.database_url)
    try:
        await connection.execute(AN_HOUR_AGO, owner.id)
    finally:
        await connection.close()
    await add(page, "My phone")
    await expect(page.get_by_role("status").first).to_contain_text("Please sign in once more")
    assert page.url == f"{site.base_url}/sign-in?next=%2Fdevices"


async def test_without_scripts_codes_are_the_way_in_and_no_passkey_is_offered(visits: Visits, owner: Owner) -> None:
    page = await visits.open(signed_in=False, java_script_enabled=False)
    await page.goto("/sign-in")
    await expect(page.get_by_role("button", name="Send me a code")).to_be_visible()
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await owner.sign_in(page)
    await page.goto("/devices")
    await expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    await expect(page.get_by_text("To add one, open this page on a device")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_large_and_spread_text_still_fits(visits: Visits, owner: Owner, scheme: Any) -> None:
    page = await visits.open(signed_in=False, viewport=SMALLEST, color_scheme=scheme)
    await Device.of(page)
    await owner.sign_in(page)
    await add(page, "The telephone in the blue case with the scratch")
    await expect(page.get_by_text("Your passkey is ready")).to_be_visible()
    for address in ("/devices", "/sign-in"):
        await page.goto(address)
        assert await problems_of(page) == []
        assert await with_wide_spacing(page) == []
        await page.reload()
        assert await with_large_text(page, 1.5) == []
