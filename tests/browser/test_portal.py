"""A patient books, moves and cancels in a real browser: by thumb, by keyboard alone, without scripts, and when things go wrong."""

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import follow, problems_of, tab_to, with_large_text, with_wide_spacing
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Site, Visits
from tests.browser.telephone import newest_code

SERVICE = "Family Medicine"
VISIT = "Follow-up visit"
WITH_REFERRAL = ("Cardiology", "New patient visit")


async def see_times(page: Page, service: str = SERVICE, visit: str = VISIT) -> None:
    """From the start to the free times of a visit."""
    await page.goto("/")
    await page.get_by_role("link", name=service, exact=True).click()
    await page.get_by_role("link", name=f"See free times for {visit}").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose a time")


async def hold(page: Page, service: str = SERVICE, visit: str = VISIT) -> UUID:
    await see_times(page, service, visit)
    await page.get_by_role("button", name="Choose this time").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Is everything right?")
    return id_in(page)


async def book(page: Page) -> UUID:
    appointment_id = await hold(page)
    await page.get_by_role("button", name="Book this time").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    return appointment_id


def id_in(page: Page) -> UUID:
    found = re.search(r"[0-9a-f-]{36}", page.url)
    assert found
    return UUID(found[0])


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": PHONE, "has_touch": True, "is_mobile": True}, id="phone"),
        pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, id="desktop-dark"),
        pytest.param({"viewport": PHONE, "java_script_enabled": False}, id="phone-without-scripts"),
    ],
)
async def test_a_patient_books_and_cancels(visits: Visits, site: Site, options: dict[str, Any]) -> None:
    page = await visits.open(signed_in=False, **options)
    await page.goto("/")
    await page.get_by_role("link", name="Fill it in for me").click()
    number = await page.get_by_label("Your phone number or e-mail address").input_value()
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_label("The code in our message").fill(await newest_code(page, number))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Search for a service or a visit").fill("new patient cardio")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name=WITH_REFERRAL[1]).first.click()
    await page.get_by_role("link", name=f"See free times for {WITH_REFERRAL[1]}").click()
    chosen = page.locator(".offer__when")
    day, time = (await chosen.inner_text()).split("\n")[0].rpartition(", ")[0], (await chosen.locator("strong").inner_text())
    await page.get_by_role("button", name="Choose this time").click()
    await expect(page.locator(".facts")).to_contain_text(time)
    await page.get_by_label("Your referral").fill("R-2211")
    await page.get_by_role("button", name="Book this time").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    await expect(page.locator(".facts")).to_contain_text(time)
    assert day.split(", ")[-1].split(" ")[0] in await page.locator(".facts").inner_text()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Add to my calendar").click()
    assert (await download.value).suggested_filename == "appointment.ics"
    await page.get_by_role("link", name="My appointments").first.click()
    await page.get_by_role("link", name=f"Details of {WITH_REFERRAL[1]}").first.click()
    await page.get_by_role("link", name="Cancel this appointment").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("This appointment is cancelled")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out")).to_be_visible()


async def test_a_patient_books_moves_and_cancels_by_keyboard_alone(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await page.goto("/")
    await tab_to(page, "Skip to the content")
    await tab_to(page, "Search for a service")
    await page.keyboard.type("follow-up family")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await follow(page, SERVICE)
    await follow(page, f"See free times for {VISIT}")
    await tab_to(page, "Choose the place")
    await page.keyboard.press("Enter")
    await tab_to(page, "Location")
    await follow(page, "Show these times")
    await follow(page, "Choose this time")
    await tab_to(page, "Anything we should know")
    await page.keyboard.type("I use a wheelchair.")
    await follow(page, "Book this time")
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    await follow(page, "Move to another time")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new time")
    await follow(page, "Choose this time")
    await follow(page, "Move to this time")
    await expect(page.get_by_text("Your appointment has a new time")).to_be_visible()
    await follow(page, "Cancel this appointment")
    await follow(page, "Yes, cancel it")
    await expect(page.get_by_role("heading", level=1)).to_have_text("This appointment is cancelled")


async def test_wishes_narrow_the_times(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await see_times(page)
    await page.get_by_text("Choose the place, person or day").click()
    await page.get_by_label("Time of day").select_option("Afternoon, 12 to 5")
    await page.get_by_role("button", name="Show these times").click()
    await expect(page.locator(".part summary", has_text="Afternoon").first).to_be_visible()
    assert await page.locator(".part summary", has_text="Morning").count() == 0
    await page.get_by_role("link", name="Later days").click()
    await page.get_by_role("link", name="Earlier days").click()
    await expect(page.get_by_label("Time of day")).to_have_value("afternoon")
    await page.get_by_role("link", name="Start over").click()
    await expect(page.get_by_text("First free time")).to_be_visible()


async def test_another_day_shows_its_own_times(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await see_times(page)
    day = page.locator("a.strip__day:not([aria-current])").first
    name = (await day.locator(".only-read").inner_text()).strip()
    await day.click()
    await expect(page.locator("#shown")).to_have_text(name)
    await expect(page.locator("a.strip__day[aria-current]")).to_contain_text(name)


async def test_a_time_taken_meanwhile_is_said_and_the_place_is_kept(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await see_times(page)
    await page.goto(page.url + "?part=afternoon")
    button = page.get_by_role("button", name="Choose this time")
    await site.take(await button.get_attribute("value") or "", id_in(page))
    await button.click()
    await expect(page.get_by_role("alert")).to_contain_text("That time has just been taken")
    assert await page.evaluate("document.activeElement.textContent.includes('has just been taken')")
    assert page.url.endswith("?part=afternoon")
    await page.reload()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_two_clicks_at_once_book_once(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await see_times(page)
    await page.get_by_role("button", name="Choose this time").dblclick()
    await page.get_by_role("button", name="Book this time").dblclick()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert await site.appointments() == ["booked"]


async def test_two_clicks_at_once_book_once_without_scripts(visits: Visits, site: Site) -> None:
    page = await visits.open(java_script_enabled=False)
    await see_times(page)
    await page.get_by_role("button", name="Choose this time").dblclick()
    await page.get_by_role("button", name="Book this time").dblclick()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert await site.appointments() == ["booked"]


async def test_a_step_back_and_another_choice_keeps_one_time_only(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await hold(page)
    await page.go_back()
    await page.locator("button.time:visible").nth(1).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Is everything right?")
    assert sorted(await site.appointments()) == ["cancelled", "pending"]
    await page.get_by_role("button", name="Choose another time").click()
    await expect(page.get_by_text("We no longer keep that time for you")).to_be_visible()
    assert sorted(await site.appointments()) == ["cancelled", "cancelled"]


async def test_the_time_left_is_counted_down_and_its_end_is_told(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await page.clock.install()
    await hold(page)
    clock = page.locator(".kept__clock")
    before = await clock.inner_text()
    await page.clock.run_for(3_000)
    assert await clock.inner_text() != before
    await page.clock.run_for(6 * 60_000)
    await expect(page.locator("[data-said]")).to_contain_text("We keep this time for you for another")
    await page.clock.run_for(5 * 60_000)
    await expect(page.get_by_text("The time we kept for you has run out.").first).to_be_visible()
    await expect(page.locator("[data-said]")).to_contain_text("has run out")
    await page.get_by_role("link", name="Choose a time again").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose a time")


async def test_a_hold_that_ended_leads_back_to_the_times(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await site.end_hold(await hold(page))
    await page.get_by_role("button", name="Book this time").click()
    await expect(page.get_by_role("alert")).to_contain_text("We could not keep that time any longer")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose a time")


async def test_a_kept_time_can_be_gone_back_to(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await hold(page)
    await page.get_by_role("link", name="My appointments").first.click()
    await page.get_by_role("link", name="Continue with").click()
    await expect(page.get_by_role("button", name="Book this time")).to_be_visible()


async def test_what_is_missing_is_said_beside_its_field(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await hold(page, *WITH_REFERRAL)
    await page.get_by_role("button", name="Book this time").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Enter the number or name on your referral.").click()
    await expect(page.get_by_label("Your referral")).to_be_focused()
    await expect(page.get_by_label("Your referral")).to_have_attribute("aria-invalid", "true")


async def test_a_device_in_another_zone_is_told_so(visits: Visits, site: Site) -> None:
    far = await visits.open(timezone_id="Asia/Tokyo")
    await book(far)
    await expect(far.get_by_text("differs from the time on this device")).to_be_visible()


async def test_a_device_in_the_hospitals_zone_is_told_nothing(visits: Visits, site: Site) -> None:
    page = await visits.open()
    await hold(page)
    zone = await page.locator("[data-zone]").first.get_attribute("data-zone")
    near = await visits.open(timezone_id=zone)
    await near.goto(page.url)
    await expect(near.get_by_text("differs from the time on this device")).to_be_hidden()


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(SMALLEST, "light"), (PHONE, "dark"), (DESKTOP, "light")], ids=["320-light", "390-dark", "1280-light"]
)
async def test_every_page_is_for_everybody(visits: Visits, site: Site, viewport: dict[str, int], scheme: str) -> None:
    page = await visits.open(viewport=viewport, color_scheme=scheme)
    found: dict[str, list[str]] = {}

    async def look(heading: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))
        if problems := await problems_of(page):
            found[f"{heading}: {page.url}"] = problems

    await page.goto("/sign-in")
    await look("Welcome")
    await page.goto("/?q=heart")
    await look("Services for")
    await page.goto("/?q=zzzz")
    await look("Services for")
    await page.goto("/services/nothing")
    await look("We cannot find this page")
    await see_times(page)
    await page.get_by_text("Choose the place, person or day").click()
    await look("Choose a time")
    times = page.url
    await page.goto(f"{times}?day=tomorrow&language=qq")
    await look("Choose a time")
    await page.goto(times)
    await page.get_by_role("button", name="Choose this time").click()
    await look("Is everything right")
    await page.goto("/")
    await look("What can we do")
    await page.get_by_role("link", name="Continue with").click()
    await page.get_by_role("button", name="Book this time").click()
    await look("You are booked")
    appointment = page.url
    await page.goto("/appointments")
    await look("My appointments")
    await page.goto(f"{times}?moving={appointment.rpartition('/')[2]}")
    await look("Choose a new time")
    await page.get_by_role("button", name="Choose this time").click()
    await look("Move to this time")
    await page.goto(f"{appointment}/cancel")
    await look("Cancel this appointment")
    await page.get_by_role("button", name="Yes, cancel it").click()
    await look("This appointment is cancelled")
    assert found == {}


@pytest.mark.parametrize("viewport", [SMALLEST, PHONE], ids=["320", "390"])
async def test_large_and_spread_text_still_fits(visits: Visits, site: Site, viewport: dict[str, int]) -> None:
    page = await visits.open(viewport=viewport)
    await see_times(page)
    times = page.url
    await page.get_by_role("button", name="Choose this time").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Is everything right?")
    for address in ("/", times, page.url, "/appointments"):
        await page.goto(address)
        assert await with_wide_spacing(page) == []
        await page.reload()
        assert await with_large_text(page, 2 if viewport is PHONE else 1.5) == []


async def test_nothing_moves_for_those_who_asked_for_rest(visits: Visits, site: Site) -> None:
    page = await visits.open(reduced_motion="reduce")
    await see_times(page)
    moving = await page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0"
        " || getComputedStyle(e).animationName !== 'none').length"
    )
    assert moving == 0
