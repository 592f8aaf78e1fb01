"""The staff's pages in a real browser: signing in at the built-in provider, sessions, and breaking the glass."""

import asyncio
import json
import zipfile
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Visits
from tests.clinic import ok, register
from tests.system import System

UNUSUAL = """INSERT INTO oversight.unusual (organization_id, id, kind, agent, role, patient_id, first_at, last_at, count)
VALUES ($1, $2, 'same_surname', 'nurse-1', 'nurse', $3, now(), now(), 2)"""
SEALED_WITHIN_SECONDS = 10
ONE_LINE_PIXELS = 80
"""How often the page is asked again, a second apart, before an entry counts as missing; it is sealed within two."""


async def sign_in(page: Page, system: System, account: str) -> None:
    """From the staff's first page through the identity provider and back."""
    await page.goto("/staff")
    await page.get_by_role("button", name="Continue to sign in").click()
    await prove(page, system, account)
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Demonstration {account.replace('-', ' ')}")


async def prove(page: Page, system: System, account: str) -> None:
    """Fill in the provider's form."""
    await page.get_by_label("Account").select_option(account)
    await page.get_by_label("Password").fill(system.known.demonstration_password)
    await page.get_by_role("button", name="Sign in").click()


async def choose(page: Page, name: str) -> None:
    """A page of the menu, which is opened first where the screen is narrow."""
    menu = page.get_by_role("navigation", name="Main")
    if await menu.get_by_text("Menu", exact=True).is_visible():
        await menu.get_by_text("Menu", exact=True).click()
    async with page.expect_navigation(wait_until="load"):
        await menu.get_by_role("link", name=name, exact=True).click()


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
    await sign_in(there, one_process, "technician")
    await sign_in(here, one_process, "technician")
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


@pytest.mark.parametrize("viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_a_privacy_officer_sees_who_looked_and_takes_the_proof_along(visits: Visits, one_process: System, viewport: Any) -> None:
    patient_id = str(await register(one_process))
    ok(await one_process.request("front-desk", "GET", f"/api/v1/patients/{patient_id}"))
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, one_process, "privacy-officer")
    await choose(page, "Privacy")
    await page.get_by_label("The patient's number").fill("Smith")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("This is not a patient's number.")).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_label("The patient's number").fill(patient_id)
    entry = page.get_by_role("listitem").filter(has_text="Read patient")
    for _ in range(SEALED_WITHIN_SECONDS):
        await page.get_by_role("button", name="Show").click()
        if await entry.count():
            break
        await page.wait_for_timeout(1000)
    await expect(entry).to_contain_text("front-desk")
    assert await problems_of(page) == []
    async with page.expect_download() as download:
        await entry.get_by_role("link", name="Proof").click()
    proof = json.loads(await asyncio.to_thread((await (await download.value).path()).read_text, "utf-8"))
    assert patient_id in proof["body"]
    assert proof["checkpoint"].startswith("carewright/audit")


async def test_a_privacy_officer_takes_a_whole_record_along_for_the_patient_or_the_law(visits: Visits, one_process: System) -> None:
    patient_id, other = str(await register(one_process, "Quokkaline")), str(await register(one_process, "Andersen"))
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "privacy-officer")
    await choose(page, "Privacy")
    await page.get_by_label("The patient's number").fill(patient_id)
    await page.get_by_role("button", name="Show").click()
    for link in ("for the patient", "because the law asks for it"):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=link).click()
        file = await download.value
        assert file.suggested_filename == f"record-{patient_id}.zip"
        archive = zipfile.ZipFile(await file.path())
        assert set(archive.namelist()) == {"index.html", "record.ndjson"}
        record = archive.read("record.ndjson").decode()
        assert "Quokkaline" in record
        assert other not in record
        assert "Andersen" not in record
    answer = await page.request.get("/staff/privacy/records/not-a-number/patient")
    assert answer.status == 404
    answer = await page.request.get(f"/staff/privacy/records/{patient_id}/curiosity")
    assert answer.status == 404
    disclosures, accounted = {"patient_id": patient_id}, []
    for _ in range(SEALED_WITHIN_SECONDS):
        accounted = ok(await one_process.request("privacy-officer", "GET", "/api/v1/audit/disclosures", params=disclosures))["items"]
        if accounted:
            break
        await page.wait_for_timeout(1000)
    assert {(each["event"], each["purpose"]) for each in accounted} == {("records.record.export", "HLEGAL")}, (
        "the law's alone is accounted for"
    )


async def test_whoever_is_no_privacy_officer_takes_no_record_along(visits: Visits, one_process: System) -> None:
    patient_id = str(await register(one_process))
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    for account in ("front-desk", "administrator"):
        await sign_in(page, one_process, account)
        answer = await page.request.get(f"/staff/privacy/records/{patient_id}/patient")
        assert answer.status == 403
        assert "application/zip" not in answer.headers["content-type"]
        await page.context.clear_cookies()


async def test_a_privacy_officer_reviews_broken_glass(visits: Visits, one_process: System) -> None:
    there = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(there, one_process, "nurse")
    await there.get_by_role("link", name="Break the glass").click()
    await there.get_by_label("Reason").fill("Covering the night on ward four")
    await there.get_by_role("button", name="Break the glass").click()
    await expect(there.get_by_text("You have broken the glass")).to_be_visible()
    here = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(here, one_process, "privacy-officer")
    await choose(here, "Privacy")
    review = here.get_by_role("listitem").filter(has_text="Covering the night on ward four")
    await expect(review).to_contain_text("Demonstration nurse, nurse")
    await review.get_by_label("What you found").fill("On duty that night")
    await review.get_by_role("button", name="Close this review").click()
    await expect(review).to_have_count(0)


async def test_the_privacy_page_is_for_privacy_officers(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "nurse")
    await expect(page.get_by_role("link", name="Privacy")).to_have_count(0)
    answer = await page.goto("/staff/privacy")
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_an_administrator_responds_to_an_incident_in_one_step(visits: Visits, one_process: System, viewport: Any) -> None:
    client, host = f"lab-{viewport['width']}", f"lab-{viewport['width']}.example.org"
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, one_process, "administrator")
    await choose(page, "Incidents")
    await page.get_by_label("What happened").fill("A key was left in the open")
    await page.get_by_label("Quarantine clients").fill(client)
    await page.get_by_label("Stop connections to").fill("https://no host")
    await page.get_by_role("button", name="Do all of this now").click()
    await expect(page.get_by_role("alert")).to_contain_text("hosts without https://")
    assert await problems_of(page) == []
    await page.get_by_label("Stop connections to").fill(host)
    await page.get_by_role("button", name="Do all of this now").click()
    await expect(page.get_by_role("heading", name="Everything was done")).to_be_visible()
    assert await problems_of(page) == []
    held = page.get_by_role("region", name="Held back").get_by_role("listitem")
    for name in (client, host):
        await held.filter(has=page.get_by_text(name, exact=True)).get_by_role("button").click()
        await expect(held.filter(has=page.get_by_text(name, exact=True))).to_have_count(0)
    opened = page.get_by_role("region", name="Open incidents").get_by_role("listitem").filter(has_text="A key was left in the open").first
    await opened.get_by_label("What you found").fill("It was a key for tests")
    await expect(opened).to_contain_text("Demonstration administrator")
    await opened.get_by_role("button", name="Close this incident").click()
    await expect(page.get_by_text("No incident is open.")).to_be_visible()


async def test_a_privacy_officer_closes_an_unusual_access(visits: Visits, one_process: System) -> None:
    patient_id = await register(one_process)
    connection = await asyncpg.connect(one_process.known.database_url)
    await connection.execute(UNUSUAL, one_process.known.organization_id, uuid4(), patient_id)
    await connection.close()
    page = await visits.open(signed_in=False, viewport=PHONE)
    await sign_in(page, one_process, "privacy-officer")
    await choose(page, "Privacy")
    access = page.get_by_role("listitem").filter(has_text=str(patient_id))
    await expect(access).to_contain_text("A patient with the reader's family name")
    assert await problems_of(page) == []
    await access.get_by_label("What you found").fill("A cousin, on her own ward")
    await access.get_by_role("button", name="Close this").click()
    await expect(access).to_have_count(0)


async def test_the_menu_is_one_line_on_a_telephone_that_opens_by_keyboard_without_a_script(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(page, one_process, "front-desk")
    menu = page.get_by_role("navigation", name="Main")
    await expect(menu.get_by_role("link")).to_have_text(["Find"])
    box = await page.locator("header").bounding_box()
    assert box
    assert box["height"] < ONE_LINE_PIXELS
    await menu.get_by_text("Menu", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(menu.get_by_role("link", name="Queues")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(menu.get_by_role("link", name="My account")).to_be_focused()
    await menu.get_by_role("link", name="Queues").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Queues")
    await expect(menu.get_by_role("link")).to_have_text(["Find"])


@pytest.mark.parametrize("size", [SMALLEST, PHONE, DESKTOP], ids=["small", "telephone", "desktop"])
async def test_the_menu_is_accessible_closed_and_open(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, one_process, "front-desk")
    assert await problems_of(page) == []
    menu = page.get_by_role("navigation", name="Main")
    if size != DESKTOP:
        await menu.get_by_text("Menu", exact=True).click()
        assert await problems_of(page) == []
    await expect(menu.get_by_role("link", name="Coverage")).to_be_visible()
