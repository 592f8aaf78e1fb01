"""A patient signs in by a code in a real browser: by thumb, by keyboard alone, without scripts; and the telephone that shows the code."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import follow, problems_of, tab_to, with_large_text, with_wide_spacing
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Site, Visits, done
from tests.browser.telephone import newest_code

BORN = {"Month": "5", "Day": "17", "Year": "1944"}
WRONG = "00000000"


@pytest.fixture
async def number(site: Site) -> str:
    """The telephone number of a patient of the test's own."""
    number = f"+1 312 55{uuid4().int % 90000 + 10000:05d}"
    body = {
        "family": "Whitfield", "given": ["Margaret"], "birth_on": "1944-05-17", "language": "en",
        "telecom": [{"system": "phone", "value": number}],
    }  # fmt: skip
    done(await site.system.request("front-desk", "POST", "/api/v1/patients", json=body))
    return number


async def ask_for_code(page: Page, number: str) -> None:
    await page.goto("/appointments")
    await page.get_by_label("Your phone number or e-mail address").fill(number)
    for label, value in BORN.items():
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="Send me a code").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": PHONE, "has_touch": True, "is_mobile": True}, id="phone"),
        pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, id="desktop-dark"),
        pytest.param({"viewport": PHONE, "java_script_enabled": False}, id="phone-without-scripts"),
    ],
)
async def test_a_patient_signs_in_by_code_and_out_again(visits: Visits, number: str, options: dict[str, Any]) -> None:
    page = await visits.open(signed_in=False, **options)
    await ask_for_code(page, number)
    await page.get_by_label("The code in our message").fill(await newest_code(page, number))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My appointments")
    await page.get_by_role("link", name="Where you are signed in").click()
    await expect(page.get_by_text("This device", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are signed out")).to_be_visible()
    await page.goto("/appointments")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")


async def test_a_browser_that_comes_under_the_number_is_sent_to_the_name(visits: Visits, site: Site) -> None:
    page = await visits.open(signed_in=False)
    await page.goto(site.system.address_of("/appointments") + "/appointments")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")
    assert page.url == f"{site.base_url}/sign-in?next=%2Fappointments"


async def test_a_patient_signs_in_by_keyboard_alone(visits: Visits, number: str) -> None:
    page = await visits.open(signed_in=False)
    await page.goto("/appointments")
    await tab_to(page, "Your phone number or e-mail address")
    await page.keyboard.type(number)
    for label, value in BORN.items():
        await tab_to(page, label)
        await page.keyboard.type(value)
    await follow(page, "Send me a code")
    code = await newest_code(page, number)
    await page.bring_to_front()
    await tab_to(page, "The code in our message")
    await page.keyboard.type(code)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("My appointments")


async def test_what_is_missing_is_said_beside_its_field_and_the_focus_goes_there(visits: Visits) -> None:
    page = await visits.open(signed_in=False)
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Send me a code").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    await page.get_by_role("alert").get_by_role("link", name="Enter your date of birth").click()
    assert await page.evaluate("document.activeElement.id") == "month"
    assert await problems_of(page) == []


async def test_a_wrong_code_is_said_and_the_right_one_still_works(visits: Visits, number: str) -> None:
    page = await visits.open(signed_in=False)
    await ask_for_code(page, number)
    await page.get_by_label("The code in our message").fill(WRONG)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not the code we sent last")
    assert await problems_of(page) == []
    await page.get_by_label("The code in our message").fill(await newest_code(page, number))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My appointments")


async def test_after_five_wrong_codes_the_page_offers_a_new_one(visits: Visits, number: str) -> None:
    page = await visits.open(signed_in=False)
    await ask_for_code(page, number)
    for _ in range(5):
        await page.get_by_label("The code in our message").fill(WRONG)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_load_state()
    await expect(page.get_by_role("heading", level=1)).to_have_text("That was wrong too often")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Send me a new code").click()
    await expect(page.get_by_role("status").first).to_contain_text("A code was sent a moment ago")


async def test_a_message_shows_up_on_the_telephone_by_itself(visits: Visits, number: str) -> None:
    telephone, page = await visits.open(signed_in=False), await visits.open(signed_in=False, viewport=DESKTOP)
    await telephone.goto("/inbox")
    await ask_for_code(page, number)
    await expect(telephone.get_by_role("link", name=number)).to_be_visible()
    await expect(telephone.locator("#news")).to_have_text("A new message has come.")
    await telephone.get_by_role("link", name=number).click()
    await expect(telephone.get_by_role("heading", level=1)).to_have_text(number)
    await expect(telephone.locator(".bubble")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_every_page_of_the_way_in_is_open_to_everybody(visits: Visits, number: str, viewport: dict[str, int], scheme: Any) -> None:
    page, found = await visits.open(signed_in=False, viewport=viewport, color_scheme=scheme), {}

    async def look(heading: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        if problems := await problems_of(page):
            found[heading] = problems

    await page.goto("/sign-in?example=1")
    await look("Welcome")
    await ask_for_code(page, number)
    await look("Enter your code")
    code = await newest_code(page, number)
    await page.get_by_label("The code in our message").fill(code)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: "/sign-in" not in url)
    await page.goto("/devices")
    await look("Where you are signed in")
    await page.goto("/inbox")
    await look("Messages")
    await page.get_by_role("link", name=number).click()
    await look(number)
    assert found == {}


async def test_large_and_spread_text_still_fits(visits: Visits, number: str) -> None:
    page = await visits.open(signed_in=False, viewport=SMALLEST)
    await ask_for_code(page, number)
    for address in ("/sign-in", "/sign-in/code", "/inbox"):
        await page.goto(address)
        assert await with_wide_spacing(page) == []
        await page.reload()
        assert await with_large_text(page, 1.5) == []
