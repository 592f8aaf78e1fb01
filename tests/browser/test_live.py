"""A day at a site in real browsers: what one person does everybody else sees; who slept or lost the network is right again afterwards."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from carewright.kernel.server_sent import event
from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import choose, sign_in
from tests.clinic import ZONE, Clinic, ok, open_clinic, register
from tests.system import System

LIVE = "Live"


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


def day_of(start: str) -> str:
    return datetime.fromisoformat(start).astimezone(ZONE).date().isoformat()


def clock_of(start: str) -> str:
    return f"{datetime.fromisoformat(start).astimezone(ZONE):%H:%M}"


async def opened(visits: Visits, clinic: Clinic, day: str, viewport: Any = DESKTOP, role: str = "front-desk") -> Page:
    """The day's page, live."""
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, clinic.system, role)
    await page.goto(f"/staff/today?place={clinic.site_id}&day={day}")
    await expect(page.get_by_role("status")).to_have_text(LIVE)
    return page


def lines(page: Page) -> Locator:
    return page.get_by_role("list", name="Appointments, by time").get_by_role("listitem")


async def a_free_day(clinic: Clinic) -> tuple[str, list[str]]:
    """The day with the most free times, and these."""
    free = await clinic.free()
    ((day, _),) = Counter(day_of(each) for each in free).most_common(1)
    return day, [each for each in free if day_of(each) == day]


async def booked(clinic: Clinic, start: str) -> str:
    return str(ok(await clinic.book(await register(clinic.system), start), 201)["id"])


async def test_two_browsers_see_each_change_in_its_place(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    first = await booked(clinic, starts[0])
    desktop, phone = await opened(visits, clinic, day), await opened(visits, clinic, day, PHONE)
    assert await problems_of(desktop) == []
    assert await problems_of(phone) == []
    last = await booked(clinic, starts[4])
    await booked(clinic, starts[2])
    for page in (desktop, phone):
        await expect(lines(page)).to_contain_text([clock_of(starts[0]), clock_of(starts[2]), clock_of(starts[4])])
    ok(await clinic.step(first, "cancel", {}))
    ok(await clinic.step(last, "reschedule", {"time": clinic.picked(starts[1])}))
    for page in (desktop, phone):
        await expect(lines(page)).to_contain_text([
            f"{clock_of(starts[0])} Foot check Cancelled", f"{clock_of(starts[1])} Foot check Booked",
            f"{clock_of(starts[2])} Foot check Booked",
        ])  # fmt: skip
        await expect(lines(page)).to_have_count(3)
        assert await problems_of(page) == []


async def test_an_older_fact_changes_nothing(visits: Visits, clinic: Clinic) -> None:
    """Facts of one appointment may come the wrong way round, or once more than the page shows already."""
    day, starts = await a_free_day(clinic)
    shown, other = await booked(clinic, starts[7]), await booked(clinic, starts[8])
    ok(await clinic.step(shown, "cancel", {}))
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, clinic.system, "front-desk")
    fact = {"what": "booked", "start": starts[7], "end": starts[8], "kind": clinic.visit_type_id}
    older = event("appointment", fact | {"id": shown, "version": "1", "status": "booked"}, (1, 1))
    newer = event("appointment", fact | {"id": other, "version": "9", "status": "arrived", "start": starts[8]}, (1, 2))
    await page.route("**/staff/live?**", lambda route: route.fulfill(content_type="text/event-stream", body=older + newer))
    await page.goto(f"/staff/today?place={clinic.site_id}&day={day}")
    await expect(lines(page).filter(has_text=clock_of(starts[8]))).to_contain_text("Here")
    await expect(lines(page).filter(has_text=clock_of(starts[7]))).to_contain_text("Cancelled")


async def test_a_browser_that_slept_is_right_when_it_wakes(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    page = await opened(visits, clinic, day)
    before = await lines(page).count()
    browser = await page.context.new_cdp_session(page)
    await browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    visit = await booked(clinic, starts[3])
    ok(await clinic.step(visit, "cancel", {}))
    await booked(clinic, starts[5])
    await browser.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(lines(page)).to_have_count(before + 2)
    await expect(lines(page).filter(has_text=clock_of(starts[3]))).to_contain_text("Cancelled")
    await expect(page.get_by_role("status")).to_have_text(LIVE)


async def test_a_browser_without_network_says_so_and_catches_up(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    page = await opened(visits, clinic, day)
    await page.context.set_offline(True)
    await expect(page.get_by_role("status")).to_contain_text("Reconnecting…, as of")
    visit = await booked(clinic, starts[6])
    await page.context.set_offline(False)
    await expect(lines(page).filter(has_text=clock_of(starts[6]))).to_contain_text("Booked")
    await expect(page.get_by_role("status")).to_have_text(LIVE)
    ok(await clinic.step(visit, "cancel", {}))
    await expect(lines(page).filter(has_text=clock_of(starts[6]))).to_contain_text("Cancelled")


async def test_whoever_is_signed_out_elsewhere_is_told_that_the_page_is_not_live(visits: Visits, clinic: Clinic) -> None:
    day, _ = await a_free_day(clinic)
    watching = await opened(visits, clinic, day, role="scheduler")
    account = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(account, clinic.system, "scheduler")
    others = account.get_by_role("listitem").filter(has_text="Another browser")  # those of other tests too: they are not told apart
    for left in range(await others.count(), 0, -1):
        await others.first.get_by_role("button", name="End this session").click()
        await expect(others).to_have_count(left - 1)
    await expect(watching.get_by_role("status")).to_contain_text("You are signed out")


async def test_without_scripts_the_page_says_when_it_was_true(visits: Visits, clinic: Clinic) -> None:
    page = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(page, clinic.system, "front-desk")
    await choose(page, "Today")
    await page.get_by_label("Site").select_option(clinic.site_id)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("status")).to_contain_text("As of")
