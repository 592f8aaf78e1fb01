"""Enrolling a screen in the staff's pages, and signing it out for good."""

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import choose, sign_in
from tests.clinic import open_clinic
from tests.station import sign_in as sign_station_in
from tests.system import System


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_screen_is_enrolled_signed_in_seen_and_retired(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    clinic = await open_clinic(one_process)
    name = f"Hall {clinic.site_id[-6:]}"
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, one_process, "operations")
    await choose(page, "Screens and kiosks")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Screens and kiosks")
    assert await problems_of(page) == []
    await page.get_by_label("Site").select_option(clinic.site_id)
    await page.get_by_label("What people call it").fill(name)
    await page.get_by_label("Español").check()
    await page.get_by_role("button", name="Get a code").click()
    notice = page.get_by_role("status").filter(has_text=f"The code for {name}")
    code = await notice.locator(".facts__main").inner_text()
    assert await problems_of(page) == []
    line = page.get_by_role("listitem").filter(has_text=name)
    await expect(line).to_contain_text("waits for its code")
    screen = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_station_in(screen, code)
    await expect(screen.get_by_role("heading", name="Please come Por favor, pase")).to_be_visible()
    await choose(page, "Screens and kiosks")
    await expect(line).to_contain_text("working")
    await expect(page.get_by_text(code)).to_have_count(0)
    await line.get_by_role("button", name="Sign out for good").click()
    await expect(line).to_have_count(0)
    await expect(screen.get_by_label("Code")).to_be_visible()


async def test_what_is_missing_is_asked_for(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=PHONE)
    await sign_in(page, one_process, "operations")
    await choose(page, "Screens and kiosks")
    await page.get_by_label("Site").select_option(index=1)
    await page.get_by_label("What people call it").fill("Hall")
    await page.get_by_label("English").uncheck()
    await page.get_by_role("button", name="Get a code").click()
    await expect(page.get_by_role("alert")).to_contain_text("at least one language")
    await expect(page.get_by_label("What people call it")).to_have_value("Hall")
    assert await problems_of(page) == []
