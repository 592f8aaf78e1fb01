"""A site at a glance in a real browser: how full it is, what is full, and that it changes by itself."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE, a_free_day, booked, clock_of
from tests.browser.test_staff import choose, sign_in
from tests.clinic import Clinic, open_clinic
from tests.system import System


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


def row(page: Page, clinic: Clinic) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=f"Podiatry {clinic.service_id[:8]}"))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_each_hour_says_how_full_it_is_and_changes_by_itself(visits: Visits, clinic: Clinic, size: dict[str, int]) -> None:
    day, starts = await a_free_day(clinic)
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, clinic.system, "scheduler")
    await choose(page, "Overview")
    await page.get_by_label("Site").select_option(clinic.site_id)
    await page.get_by_label("Day (empty for today)").fill(day)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("status")).to_have_text(LIVE)
    cells = row(page, clinic).get_by_role("cell")
    await expect(cells).to_have_count(11)
    await expect(cells.first).to_have_text("0 percent")
    assert await problems_of(page) == []
    await booked(clinic, starts[0])
    await expect(cells.first).to_have_text("50 percent", timeout=15_000)
    await booked(clinic, starts[1])
    await expect(cells.first).to_have_text("100 percent", timeout=15_000)
    await expect(cells.last).to_have_text("10 percent")
    hour = clock_of(starts[0])[:2]
    flag = page.get_by_role("link", name=f"Podiatry {clinic.service_id[:8]}: full at {hour} o'clock")
    await expect(flag).to_be_visible()
    assert await problems_of(page) == []
    await flag.click()
    await expect(page.get_by_role("heading", name="Day board")).to_be_visible()


async def test_whoever_may_follow_nothing_is_told_how_old_it_is(visits: Visits, clinic: Clinic) -> None:
    day, _ = await a_free_day(clinic)
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, clinic.system, "operations")
    await page.goto(f"/staff/overview?place={clinic.site_id}&day={day}")
    await expect(row(page, clinic)).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("As of")
