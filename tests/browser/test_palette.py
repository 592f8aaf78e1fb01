"""Finding anything from any page: by keyboard, by the menu, without scripts; and nothing of a patient in an address."""

from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_queues import open_queue
from tests.browser.test_staff import sign_in
from tests.clinic import Clinic, ok, open_clinic, register
from tests.system import System


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


@pytest.fixture(scope="module")
async def family(clinic: Clinic) -> str:
    """Somebody of a name of their own, with an appointment."""
    name = f"Sought{clinic.service_id[-6:]}"
    patient: UUID = await register(clinic.system, name)
    ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    return name


async def opened(visits: Visits, clinic: Clinic, viewport: dict[str, int] = DESKTOP, role: str = "front-desk") -> Page:
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, clinic.system, role)
    await page.goto("/staff/today")
    return page


def field_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="A patient, a queue")


async def test_a_patient_and_their_appointment_are_found_by_keyboard_alone(visits: Visits, clinic: Clinic, family: str) -> None:
    page = await opened(visits, clinic)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    await page.keyboard.press("Control+k")
    field = field_of(page)
    await expect(field).to_be_focused()
    assert await problems_of(page) == []
    await field.press_sequentially(family)
    option = page.get_by_role("dialog").get_by_role("option", name=family)
    await expect(option).to_have_attribute("aria-selected", "true")
    await expect(field).to_have_attribute("aria-activedescendant", await option.get_attribute("id") or "")
    assert await problems_of(page) == []
    await field.press("Enter")
    await expect(page.get_by_role("heading", name=family)).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_role("link").filter(has_text="Foot check").click()
    await expect(page.get_by_role("heading", name="Foot check")).to_be_visible()
    await expect(page.get_by_text(family)).to_be_visible()
    assert [each for each in addresses if family in each] == []


async def test_pages_queues_and_boards_are_found_and_walked_by_arrows(visits: Visits, clinic: Clinic) -> None:
    page = await opened(visits, clinic)
    await page.keyboard.press("/")
    field = field_of(page)
    await field.press_sequentially("cov")
    await expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    await field.fill("")
    await expect(page.get_by_role("dialog").get_by_role("option", name="My account")).to_be_attached()
    await field.press("ArrowUp")
    await field.press("ArrowDown")
    await expect(page.get_by_role("dialog").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    await field.press_sequentially("queues")
    await expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    await field.press("Enter")
    await expect(page.get_by_role("heading", name="Queues")).to_be_visible()


async def test_a_ticket_leads_to_its_queue(visits: Visits, clinic: Clinic) -> None:
    queue_id, name = await open_queue(clinic.system)
    patient = {"patient_id": str(await register(clinic.system))}
    ok(await clinic.system.request("front-desk", "POST", f"/api/v1/queues/{queue_id}/entries", json=patient), 201)
    page = await opened(visits, clinic)
    await page.keyboard.press("Control+k")
    await field_of(page).press_sequentially("w001")
    await page.get_by_role("dialog").get_by_role("option").filter(has_text=name).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()


async def test_whoever_closes_it_is_where_they_were(visits: Visits, clinic: Clinic) -> None:
    page = await opened(visits, clinic)
    site = page.get_by_label("Site")
    await site.focus()
    await page.keyboard.press("Control+k")
    await expect(field_of(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(site).to_be_focused()


async def test_on_a_telephone_it_is_in_the_menu_and_without_scripts_a_page(visits: Visits, clinic: Clinic, family: str) -> None:
    page = await opened(visits, clinic, PHONE)
    await page.get_by_role("link", name="Find").click()
    await field_of(page).fill(family)
    await page.get_by_role("dialog").get_by_role("option", name=family).click()
    await expect(page.get_by_role("heading", name=family)).to_be_visible()
    plain = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(plain, clinic.system, "front-desk")
    await plain.get_by_role("link", name="Find").click()
    await plain.get_by_label("A patient, a queue").fill(family)
    await plain.get_by_role("button", name="Find", exact=True).click()
    assert await problems_of(plain) == []
    await plain.get_by_role("link", name=family).click()
    await expect(plain.get_by_role("heading", name=family)).to_be_visible()


async def test_the_single_key_can_be_turned_off(visits: Visits, clinic: Clinic) -> None:
    page = await opened(visits, clinic)
    await page.goto("/staff/find")
    await page.get_by_role("button", name="Do not open it by the key /").click()
    await expect(page.get_by_role("button", name="Open it by the key / as well")).to_be_visible()
    await page.goto("/staff/today")
    await page.keyboard.press("/")
    await page.keyboard.press("Control+k")
    await expect(field_of(page)).to_have_value("")


async def test_where_there_is_much_to_do_it_says_so_and_tries_again(visits: Visits, clinic: Clinic) -> None:
    page = await opened(visits, clinic)
    await page.keyboard.press("Control+k")
    turned_away = 0

    async def busy(route: Route) -> None:
        nonlocal turned_away
        if route.request.method == "POST" and not turned_away:
            turned_away += 1
            await route.fulfill(status=503, headers={"Retry-After": "1"}, body="")
        else:
            await route.continue_()

    await page.route("**/staff/find", busy)
    await field_of(page).fill("queues")
    await expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("There is much to do just now.")
    await expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    assert turned_away == 1


async def test_whoever_may_not_search_patients_finds_none(visits: Visits, clinic: Clinic, family: str) -> None:
    page = await opened(visits, clinic, role="operations")
    await page.goto("/staff/find")
    await page.get_by_label("A patient, a queue").fill(family)
    await page.get_by_role("button", name="Find", exact=True).click()
    await expect(page.get_by_text("Nothing was found.")).to_be_visible()
