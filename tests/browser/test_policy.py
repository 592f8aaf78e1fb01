"""A queue's policy and its tuning in a real browser, on a telephone and on a desk: tried, saved, searched for, put in force, taken back."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_queues import open_queue
from tests.browser.test_staff import choose, sign_in
from tests.system import System

SEARCHED_MILLISECONDS_MAX = 60_000


async def is_good(page: Page) -> bool:
    """Whether the page, with its own style, is accessible and nothing is wider than the screen."""
    await page.wait_for_load_state("load")
    assert await problems_of(page) == []
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_an_order_is_searched_for_and_put_in_force(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    _, name = await open_queue(one_process)
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, one_process, "operations")
    await choose(page, "Queues")
    await page.get_by_role("listitem").filter(has_text=name).get_by_role("link", name="Policy").click()
    assert await is_good(page)
    await page.get_by_role("group", name="Head start in minutes").get_by_label("Level 2").fill("0")
    await page.get_by_role("button", name="See what would change").click()
    await expect(page.get_by_text("Level 3 has a longer head start than level 2")).to_be_visible()
    assert await is_good(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await page.get_by_role("link", name="Find an order by simulating your days").click()
    assert await is_good(page)
    for hour in range(8, 18):
        await page.get_by_label(f"How many of you are on duty, from {hour} o'clock").fill("2")
        await page.get_by_label(f"How many come, from {hour} o'clock").fill("4")
    await page.get_by_label("Routine: how many of a hundred").or_(page.get_by_label("Less urgent: how many of a hundred")).fill("100")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("target is met by this order")).to_be_visible(timeout=SEARCHED_MILLISECONDS_MAX)
    assert await is_good(page)
    await expect(page.get_by_text("One search runs at a time.")).to_have_count(0)
    await page.get_by_role("button", name="Put this order in force").click()
    await expect(page.get_by_text("In force", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Back to the order before").click()
    await expect(page.get_by_role("button", name="Put this order in force")).to_be_visible()
