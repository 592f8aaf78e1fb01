"""Registering somebody who is new, in a real browser: from a queue, by keyboard, beside people who may be the same, without scripts."""

import re
from datetime import date, datetime
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.accessibility import follow, problems_of, tab_to
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_queues import open_queue, turn_of
from tests.browser.test_staff import sign_in
from tests.clinic import ok, open_clinic
from tests.system import System


@pytest.fixture
def family() -> str:
    """A family name of this test's own, of letters that sound so."""
    return "N" + "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:10])


@pytest.fixture
def born() -> str:
    """A birth date of this test's own: who shares it, and a given name, is alike."""
    chance = uuid4().int
    return date(1930 + chance % 70, 1 + chance // 70 % 12, 1 + chance // 840 % 28).isoformat()


async def known(system: System, family: str, given: str, birth_on: str | None = None) -> str:
    person = {"family": family, "given": [given], "birth_on": birth_on}
    return str(ok(await system.request("front-desk", "POST", "/api/v1/patients", json=person), 201)["id"])


async def at_the_desk(visits: Visits, system: System, address: str, viewport: dict[str, int] = DESKTOP, **more: bool) -> Page:
    page = await visits.open(signed_in=False, viewport=viewport, **more)
    await sign_in(page, system, "front-desk")
    await page.goto(address)
    return page


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_whom_a_queue_does_not_know_is_registered_and_gets_a_ticket(
    visits: Visits, one_process: System, family: str, born: str, size: dict[str, int]
) -> None:
    queue_id, name = await open_queue(one_process)
    page = await at_the_desk(visits, one_process, f"/staff/queues/{queue_id}", size)
    await page.get_by_label("Family name, or its beginning").fill(family)
    await page.get_by_label("Birth date, if you know it").fill(born)
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_text("Nobody of that name is here.")).to_be_visible()
    await page.get_by_role("button", name="Register a new patient").click()
    await expect(page.get_by_label("Family name")).to_have_value(family)
    await expect(page.get_by_label("Birth date")).to_have_value(born)
    assert await problems_of(page) == []
    await page.get_by_label("Given names").fill("Anna Lena")
    await page.get_by_label("Gender").select_option("female")
    await page.get_by_label("Telephone").fill("+1 555 010 0220")
    await page.get_by_label("Language").select_option("es")
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_role("status")).to_have_text(f"Anna Lena {family} is registered.")
    assert family not in page.url
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Give a ticket").click()
    await expect(heading(page)).to_have_text(name)
    await expect(turn_of(page)).to_contain_text(family)
    found = ok(await one_process.request("front-desk", "POST", "/api/v1/patients/find", json={"family": family}))["items"]
    phone = {"system": "phone", "value": "+1 555 010 0220"}
    assert [(each["given"], each["birth_on"], each["gender"], each["language"], each["telecom"]) for each in found] == [
        (["Anna", "Lena"], born, "female", "es", [phone])
    ]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_who_may_be_the_same_is_shown_first_and_is_them(
    visits: Visits, one_process: System, family: str, born: str, size: dict[str, int]
) -> None:
    queue_id, name = await open_queue(one_process)
    patient_id = await known(one_process, family, "Sophie", born)
    other = date.fromisoformat(born).replace(year=2010)
    page = await at_the_desk(visits, one_process, f"/staff/patients/new?queue={queue_id}", size)
    await page.get_by_label("Family name").fill(family)
    await page.get_by_label("Given names").fill("Sofie")
    await page.get_by_label("Birth date").fill(other.isoformat())
    await page.get_by_role("button", name="Register").click()
    alike = page.get_by_role("region", name="Is it one of these?").get_by_role("listitem")
    await expect(alike).to_have_count(1)
    await expect(alike).to_contain_text(f"Sophie {family}, born {date.fromisoformat(born):%d %B %Y}")
    await expect(alike).to_contain_text("Has nearly the same birth date, the same family name, a given name that sounds alike.")
    assert await problems_of(page) == []
    await alike.get_by_role("link", name="This is them").click()
    await expect(heading(page)).to_have_text(f"Sophie {family}")
    assert page.url.endswith(f"/staff/patients/{patient_id}?queue={queue_id}")
    await page.get_by_role("button", name="Follow-up visit").click()
    await expect(heading(page)).to_have_text(name)
    await expect(turn_of(page)).to_contain_text("Follow-up")


async def test_somebody_alike_is_registered_all_the_same_for_a_reason_by_keyboard_alone(
    visits: Visits, one_process: System, family: str
) -> None:
    await known(one_process, family, "Ruth")
    page = await at_the_desk(visits, one_process, "/staff/today")
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="A patient, a queue").press_sequentially("zzzz")
    option = page.get_by_role("dialog").get_by_role("option", name="Register a new patient")
    await expect(option).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(heading(page)).to_have_text("Register a new patient")
    await tab_to(page, "Family name")
    await page.keyboard.type(family)
    await tab_to(page, "Given names")
    await page.keyboard.type("Ruth")
    await follow(page, "Register")
    await expect(page.get_by_role("heading", name="Is it one of these?")).to_be_visible()
    await follow(page, "Register them all the same")
    why = page.get_by_label("It is none of them, because")
    await expect(page.get_by_role("alert")).to_contain_text("Say why it is none of these people.")
    await expect(why).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Given names")).to_have_value("Ruth")
    assert await problems_of(page) == []
    await tab_to(page, "It is none of them, because")
    await page.keyboard.type("it is another")
    await follow(page, "Register them all the same")
    await expect(page.get_by_role("status")).to_have_text(f"Ruth {family} is registered.")
    found = ok(await one_process.request("front-desk", "POST", "/api/v1/patients/find", json={"family": family}))["items"]
    assert len(found) == 2


async def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    visits: Visits, one_process: System, family: str, born: str
) -> None:
    """Without scripts, as the page must work too."""
    page = await at_the_desk(visits, one_process, "/staff/patients/new", PHONE, java_script_enabled=False)
    said = {"Family name": " ", "Given names": "Olga", "Birth date": "1780-02-09", "Telephone": "four", "E-mail": "nowhere"}
    for label, text in said.items():
        await page.get_by_label(label).fill(text)
    await page.get_by_label("Language").select_option("vi")
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_label("Family name")).to_have_accessible_description("Write the family name, with 100 letters at most.")
    for label, text, told in (
        ("Family name", family, "A birth date lies between 1880 and today"), ("Birth date", born, "A telephone number has 5 to 15 digits"),
        ("Telephone", "555 0100", "An e-mail address looks like"),
    ):  # fmt: skip
        await page.get_by_label(label).fill(text)
        await page.get_by_role("button", name="Register").click()
        await expect(page.get_by_role("alert")).to_contain_text(told)
        await expect(page).to_have_title(re.compile("^Error: "))
    await expect(page.get_by_label("Given names")).to_have_value("Olga")
    await expect(page.get_by_label("Language")).to_have_value("vi")
    await page.get_by_label("E-mail").fill("anna@example.org")
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_role("status")).to_have_text(f"Olga {family} is registered.")


async def test_who_may_register_nobody_is_offered_it_nowhere(visits: Visits, one_process: System) -> None:
    queue_id, _ = await open_queue(one_process)
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "nurse")
    for address in (f"/staff/queues/{queue_id}", "/staff/find"):
        await page.goto(address)
        await expect(page.get_by_text("Register a new patient")).to_have_count(0)
    answer = await page.goto("/staff/patients/new")
    assert answer
    assert answer.status == 403


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_time_is_found_and_booked_and_who_is_beaten_to_it_sees_others(
    visits: Visits, one_process: System, family: str, size: dict[str, int]
) -> None:
    clinic = await open_clinic(one_process)
    patient_id, (first, second, *_) = await known(one_process, family, "Ruth"), await clinic.free_soon()
    page = await at_the_desk(visits, one_process, f"/staff/patients/{patient_id}", size)
    await page.get_by_role("link", name="Find a time").click()
    assert await problems_of(page) == []
    await page.goto(f"/staff/patients/{patient_id}/times?place={clinic.site_id}&type={clinic.visit_type_id}")
    times = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Book"))
    await expect(times.first).to_contain_text("Petra Testmann")
    assert await problems_of(page) == []
    ok(await clinic.book(UUID(await known(one_process, family, "Olga")), first), 201)
    await times.first.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("That was not booked")
    await expect(times.first.get_by_role("button")).to_have_attribute("value", datetime.fromisoformat(second).isoformat())
    await times.first.get_by_role("button").click()
    await expect(heading(page)).to_have_text("Foot check")
    await expect(page.get_by_text(family)).to_be_visible()
    assert [each["start"] for each in await clinic.appointments_of(UUID(patient_id))] == [second]
