"""The desk's pages of who pays, in a real browser: what is missing in plain words, recorded, asked again, changed; by keyboard too."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import follow, problems_of, tab_to
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_messages import status_of
from tests.browser.test_staff import choose, sign_in
from tests.clinic import ok, open_clinic, register, until_known
from tests.system import System

HEARD_TRIES = 60
LOOKS = [
    pytest.param({"viewport": DESKTOP}, id="desktop"),
    pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, id="desktop-dark"),
    pytest.param({"viewport": PHONE, "java_script_enabled": False}, id="phone-without-scripts"),
    pytest.param({"viewport": PHONE, "color_scheme": "dark"}, id="phone-dark"),
]


async def looked_at(page: Page, heading: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert await problems_of(page) == []


async def found(page: Page, family: str) -> None:
    """From the first page to a patient's coverages."""
    await choose(page, "Coverage")
    await looked_at(page, "Who pays")
    await page.get_by_label("Family name, or its beginning").fill(family)
    await page.get_by_role("button", name="Find").click()
    await looked_at(page, "Who pays")
    await page.get_by_role("link", name="Coverages of").first.click()


@pytest.mark.parametrize("options", LOOKS)
async def test_the_desk_records_a_coverage_asks_and_changes_it(visits: Visits, one_process: System, options: dict[str, Any]) -> None:
    family = f"Quokka{uuid4().hex[:8]}"
    await register(one_process, family)
    page = await visits.open(signed_in=False, **options)
    await sign_in(page, one_process, "front-desk")
    await found(page, family)
    await expect(page.get_by_text("No coverage is recorded.")).to_be_visible()
    await page.get_by_role("link", name="Record a coverage").click()
    await looked_at(page, "Record a coverage")
    assert await page.get_by_label("Family name", exact=True).input_value() == family
    await page.get_by_label("Payer", exact=True).fill("Numbat Mutual")
    await page.get_by_label("Member number").fill("*")
    await page.get_by_role("button", name="Record it").click()
    await expect(page.get_by_role("alert")).to_contain_text("The member number has 2 to 80 letters and digits.")
    await looked_at(page, "Record a coverage")
    await page.get_by_label("Member number").fill("W77")
    await page.get_by_role("button", name="Record it").click()
    await expect(page.get_by_role("heading", level=2)).to_have_text("Numbat Mutual, W77")
    await page.get_by_role("button", name="Ask about today").click()
    await expect(page.get_by_text("The payer's number is missing or wrong.")).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Change it").click()
    await page.get_by_label("The payer's number").fill("60054")
    await page.get_by_label("Last day").fill("2020-01-01")
    await page.get_by_label("First day").fill("2021-01-01")
    await page.get_by_role("button", name="Keep the changes").click()
    await expect(page.get_by_role("alert")).to_contain_text("The last day is not before the first.")
    await page.get_by_label("Last day").fill("")
    await page.get_by_role("button", name="Keep the changes").click()
    await page.get_by_role("button", name="Ask about today").click()
    await expect(page.get_by_text("Nobody asks payers here.")).to_be_visible()
    assert await problems_of(page) == []


async def test_a_visit_without_a_coverage_is_on_the_list_and_says_what_to_do(visits: Visits, one_process: System) -> None:
    clinic, family = await open_clinic(one_process), f"Bilby{uuid4().hex[:8]}"
    booked = ok(await clinic.book(await register(one_process, family), (await clinic.free())[0]), 201)
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "scheduler")
    await heard_of(page, one_process, booked["id"])
    await page.goto(f"/staff/coverage?place={clinic.site_id}")
    await looked_at(page, "Who pays")
    await expect(page.get_by_role("list", name="Visits, by time")).to_contain_text(family)
    await follow(page, "Look at it")
    await looked_at(page, "No coverage recorded")
    await expect(page.get_by_text(family)).to_be_visible()
    await expect(page.get_by_text("Ask for the card and record what is on it")).to_be_visible()
    await follow(page, "Ask the payer now")
    await looked_at(page, "No coverage recorded")
    await follow(page, "All coverages of the patient")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(family)
    await expect(page.get_by_role("link", name="Record a coverage")).to_have_count(0)  # a scheduler changes none


@pytest.mark.parametrize("options", LOOKS)
async def test_the_desk_writes_down_what_the_payer_authorised(visits: Visits, one_process: System, options: dict[str, Any]) -> None:
    clinic, family = await open_clinic(one_process), f"Numbat{uuid4().hex[:8]}"
    kind = f"/api/v1/coverages/service-types/{clinic.visit_type_id}"
    ok(await one_process.request("administrator", "PUT", kind, json={"service_type": "62", "authorisation": {"procedure": "70551"}}))
    patient = await register(one_process, family)
    card = {"payer": {"name": "Numbat Mutual", "id": "60054"}, "member_id": "W1", "beneficiary": {"family": family}}
    ok(await one_process.request("front-desk", "POST", "/api/v1/coverages", json={"patient_id": str(patient), "details": card}), 201)
    booked = ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    visit = f"/api/v1/coverages/visits/{booked['id']}"
    await until_known(lambda: one_process.request("front-desk", "POST", f"{visit}/check"))
    page = await visits.open(signed_in=False, **options)
    await sign_in(page, one_process, "front-desk")
    await page.goto(f"/staff/coverage/visits/{booked['id']}")
    await expect(page.get_by_text("The payer wants to be asked for permission first.")).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_label("What the payer said, by telephone or letter").select_option("The payer gave permission")
    await page.get_by_role("button", name="Write it down").click()
    await expect(page.get_by_role("alert")).to_contain_text("What is authorised has a number")
    assert await problems_of(page) == []
    await page.get_by_label("The number they gave").fill("AUTH-77")
    await page.get_by_label("Last day it holds, if they said").fill("2099-12-31")
    await page.get_by_role("button", name="Write it down").click()
    permission = page.get_by_role("region", name="The payer's permission")
    await expect(permission).to_contain_text("AUTH-77")
    await expect(permission).to_contain_text("until 31 December 2099")
    await expect(page.get_by_text("The payer wants to be asked for permission first.")).to_have_count(0)
    assert await problems_of(page) == []


async def heard_of(page: Page, system: System, visit_id: str) -> None:
    """Wait until the module has looked for who pays; then let the visit be one of today."""
    for _ in range(HEARD_TRIES):
        answer = await system.request("front-desk", "GET", f"/api/v1/coverages/visits/{visit_id}")
        if answer.status_code == 200 and answer.json()["missing"] == ["coverage"]:
            break
        await page.wait_for_timeout(500)
    connection = await asyncpg.connect(system.known.database_url)
    await connection.execute("UPDATE coverage.visit SET starts_at = now() WHERE id = $1", UUID(visit_id))
    await connection.close()


async def test_the_list_of_a_site_is_reached_by_keyboard(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "front-desk")
    await follow(page, "Coverage")
    await tab_to(page, "Site")
    await page.get_by_label("Site").select_option(index=1)
    await follow(page, "Show")
    await expect(page.get_by_role("region", name="Today's visits with a problem")).to_be_visible()
    assert await problems_of(page) == []
    assert await status_of(page, "/staff/coverage?place=nowhere") == 400


async def test_who_pays_is_no_page_of_others(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "nurse")
    await expect(page.get_by_role("link", name="Coverage", exact=True)).to_have_count(0)
    site = ok(await one_process.request("front-desk", "GET", "/api/v1/sites"))["items"][0]["id"]
    for path in (f"?place={site}", f"/patients/{uuid4()}", f"/visits/{uuid4()}", f"/{uuid4()}"):
        assert await status_of(page, f"/staff/coverage{path}") == 403, path
