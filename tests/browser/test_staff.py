"""The staff's pages in a real browser: signing in at the built-in provider, sessions, and breaking the glass."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.system import System


async def sign_in(page: Page, system: System, account: str) -> None:
    """From the staff's first page through the identity provider and back."""
    await page.goto("/staff")
    await page.get_by_role("button", name="Continue to sign in").click()
    await prove(page, system, account)
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Demonstration {account}")


async def prove(page: Page, system: System, account: str) -> None:
    """Fill in the provider's form."""
    await page.get_by_label("Account").select_option(account)
    await page.get_by_label("Password").fill(system.known.demonstration_password)
    await page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": DESKTOP}, id="desktop"),
        pytest.param({"viewport": PHONE, "java_script_enabled": False}, id="phone-without-scripts"),
    ],
)
async def test_staff_sign_in_and_out(visits: Visits, one_process: System, options: dict[str, Any]) -> None:
    page = await visits.open(signed_in=False, **options)
    await sign_in(page, one_process, "nurse")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.goto("/staff")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_a_session_ended_in_one_browser_is_gone_in_the_other(visits: Visits, one_process: System) -> None:
    here, there = [await visits.open(signed_in=False, viewport=DESKTOP) for _ in range(2)]
    await sign_in(there, one_process, "scheduler")
    await sign_in(here, one_process, "scheduler")
    await here.get_by_role("listitem").filter(has_text="Another browser").get_by_role("button", name="End this session").click()
    await expect(here.get_by_text("Another browser")).to_have_count(0)
    await there.wait_for_timeout(2000)
    await there.goto("/staff")
    await expect(there.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_breaking_the_glass_says_so_on_every_page(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "physician")
    await page.get_by_role("link", name="Break the glass").click()
    await page.get_by_label("Reason").fill("Unconscious in the emergency room")
    await page.get_by_role("button", name="Break the glass").click()
    await expect(page.get_by_text("You have broken the glass")).to_be_visible()
    await page.get_by_role("button", name="End it now").click()
    await expect(page.get_by_text("You have broken the glass")).to_have_count(0)


async def test_the_staffs_pages_are_accessible(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await page.goto("/staff/sign-in")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Continue to sign in").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    assert await problems_of(page) == []
    await prove(page, one_process, "physician")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Demonstration physician")
    assert await problems_of(page) == []
    await page.goto("/staff/break-glass")
    assert await problems_of(page) == []
