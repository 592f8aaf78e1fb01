"""Who runs late, in real browsers: one tap at one desk, and another desk and the day's page see it."""

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import sign_in
from tests.clinic import Clinic, ok, open_clinic, open_now, register, until_known
from tests.system import System


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    """Where it is the middle of the day, with somebody booked within the hour."""
    made = await open_clinic(one_process)
    ahead = max(-12, 10 - datetime.now(UTC).hour)
    site = {"id": made.site_id, "kind": "site", "name": "Late Clinic", "site_id": made.site_id, "time_zone": f"Etc/GMT{-ahead:+d}"}
    ok(await one_process.request("administrator", "PUT", "/api/v1/directory", json={"locations": [site]}))
    await open_now(made)
    patient = await register(one_process)
    await until_known(lambda: made.book_soon(patient, 1), 201)
    path, here = f"/api/v1/delays/{made.practitioner_id}", {"site_id": made.site_id}
    await until_known(lambda: one_process.request("nurse", "GET", path, params=here))
    return made


async def test_one_tap_is_seen_at_another_desk_and_on_the_page_of_the_day(visits: Visits, clinic: Clinic) -> None:
    place = f"/staff/disruptions?place={clinic.site_id}"
    pages = []
    for viewport in (DESKTOP, PHONE, DESKTOP):
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, clinic.system, "front-desk")
        pages.append(page)
    desk, phone, today = pages
    await today.goto(f"/staff/today?place={clinic.site_id}")
    for page in (desk, phone):
        await page.goto(place)
        await expect(page.get_by_role("status")).to_have_text("Live")
        assert await problems_of(page) == []
    await expect(today.get_by_role("status")).to_have_text("Live")
    await phone.get_by_role("button", name="30 minutes late").click()
    await expect(phone.get_by_text("30 minutes late", exact=True)).to_be_visible()
    await expect(desk.get_by_text("30 minutes late", exact=True)).to_be_visible()
    await expect(desk.get_by_text("1 appointment begins later than booked")).to_be_visible()
    await expect(today.get_by_text("expected at")).to_be_visible()
    await desk.get_by_role("button", name="On time again").click()
    await expect(phone.get_by_text("On time", exact=True)).to_be_visible()
    await expect(today.get_by_text("expected at")).to_be_hidden()
    await phone.get_by_text("Say otherwise").click()
    await phone.get_by_label("Minutes late").fill("47")
    await phone.get_by_label("Why").select_option("An emergency")
    assert await problems_of(phone) == []
    await phone.get_by_role("button", name="Say so").click()
    await expect(desk.get_by_text("an emergency, said at")).to_be_visible()


async def test_that_an_emergency_came_first_is_seen_on_the_day_and_on_the_board(visits: Visits, clinic: Clinic) -> None:
    pages = []
    for address, viewport in (
        (f"board?place={clinic.site_id}", DESKTOP),
        (f"board?place={clinic.site_id}", PHONE),
        (f"today?place={clinic.site_id}", PHONE),
    ):
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, clinic.system, "front-desk")
        await page.goto(f"/staff/{address}")
        await expect(page.get_by_role("status")).to_have_text("Live")
        pages.append(page)
    path, system = f"/api/v1/delays/{clinic.practitioner_id}", clinic.system
    for minutes in (20, 0):
        body = {"site_id": clinic.site_id, "minutes": minutes, "reason": "emergency"}
        ok(await system.request("nurse", "PUT", path, json=body))
        for page in pages:
            said = page.get_by_text(re.compile(r"expected at \d\d:\d\d, an emergency came first"))
            await (expect(said).to_be_visible() if minutes else expect(said).to_be_hidden())
            assert await problems_of(page) == []


async def test_what_is_out_of_service_is_said_on_a_page_for_everybody(visits: Visits, clinic: Clinic) -> None:
    for viewport in (DESKTOP, PHONE):
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, clinic.system, "scheduler")
        await page.goto(f"/staff/disruptions?place={clinic.site_id}")
        await page.get_by_role("link", name="Out of service").click()
        await page.get_by_label("Why").select_option("Equipment failure")
        await page.get_by_role("button", name="For 2 hours").click()
        await expect(page.get_by_text("Nobody is booked into that time any more.")).to_be_visible()
        await expect(page.get_by_text("Free instead:")).to_be_visible()
        assert await problems_of(page) == []
        await page.goto(f"/staff/disruptions?place={clinic.site_id}")
        await expect(page.get_by_text("1 appointment is booked in that time")).to_be_visible()
        assert await problems_of(page) == []
        await page.get_by_role("link", name="See to it").click()
        await page.get_by_role("button", name="Back in service").click()
        await expect(page.get_by_text("It can be booked again.")).to_be_visible()
