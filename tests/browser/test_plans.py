"""Plans of days in real browsers: somebody is away, a proposal is there and accepted, the board changes, and the patient hears."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE
from tests.browser.test_staff import choose, sign_in
from tests.clinic import Clinic, Json, ok, open_clinic, open_now, until_known
from tests.system import System

PLANNED_MILLISECONDS = 180_000
"""The first plan on a machine has the planner compiled."""


@pytest.fixture
async def clinic(one_process: System) -> Clinic:
    """Open at all hours, where it is morning."""
    made = await open_clinic(one_process)
    ahead = (10 - datetime.now(UTC).hour + 12) % 24 - 12
    site = {"id": made.site_id, "kind": "site", "name": "Plan Clinic", "site_id": made.site_id, "time_zone": f"Etc/GMT{-ahead:+d}"}
    ok(await one_process.request("administrator", "PUT", "/api/v1/directory", json={"locations": [site]}))
    await open_now(made)
    return made


async def booked(clinic: Clinic, given: str) -> tuple[Json, str]:
    """Somebody who is booked within the hour, and their telephone's number."""
    number = f"+1 312 555 {uuid4().int % 10**7:07d}"
    person = {"family": "Planmann", "given": [given], "language": "en", "telecom": [{"system": "phone", "value": number}]}
    patient = ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=person), 201)["id"]
    return (await until_known(lambda: clinic.book_soon(patient, 5), 201)).json(), number


async def opened(visits: Visits, clinic: Clinic, path: str, viewport: dict[str, int]) -> Page:
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, clinic.system, "scheduler")
    await page.goto(path)
    await expect(page.locator("[data-state]").first).to_have_text(LIVE)
    return page


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["390", "1280"])
async def test_who_is_away_is_planned_around_and_the_board_and_the_patient_hear(
    visits: Visits, clinic: Clinic, viewport: dict[str, int]
) -> None:
    visit, number = await booked(clinic, "Ada")
    other, _ = await booked(clinic, "Ben")
    board = await opened(visits, clinic, f"/staff/board?place={clinic.site_id}", DESKTOP)
    on_board = board.locator(f'[data-track] > [data-id="{visit["id"]}"] [data-when]')
    was = await on_board.text_content()
    desk = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(desk, clinic.system, "scheduler")
    await desk.goto(f"/staff/disruptions/{clinic.practitioner_id}/out")
    await desk.get_by_label("Why").select_option("Not here today")
    await desk.get_by_role("button", name="For 2 hours").click()
    ready = desk.get_by_role("link", name="A proposal is ready: 2 visits can be kept.")
    await expect(ready).to_be_visible(timeout=PLANNED_MILLISECONDS)  # by itself
    assert await problems_of(desk) == []
    await ready.click()
    await expect(desk.get_by_role("heading", name="Cannot take place as booked (2)")).to_be_visible()
    await expect(desk.locator("[data-state]")).to_have_text(LIVE)
    assert await problems_of(desk) == []
    await desk.get_by_role("checkbox", name="Ben Planmann").uncheck()
    await desk.get_by_role("button", name="Accept the chosen moves").click()
    await expect(desk.get_by_text("1 of 2 moves were made.")).to_be_visible()
    await expect(desk.get_by_text("Moved. The patient is told.")).to_have_count(1)
    assert await problems_of(desk) == []

    start = datetime.fromisoformat((await clinic.appointment(visit["id"]))["start"])
    assert start > datetime.fromisoformat(visit["start"]) + timedelta(minutes=30)
    assert (await clinic.appointment(other["id"]))["start"] == other["start"]
    await expect(on_board).not_to_have_text(was or "")
    telephone = await visits.open(signed_in=False)
    await telephone.goto("/inbox")
    await telephone.get_by_role("link", name=number).click()
    await expect(telephone.get_by_text("your appointment has a new time")).to_be_visible()


async def test_a_search_is_followed_on_the_page_and_what_if_is_only_a_question(visits: Visits, clinic: Clinic) -> None:
    visit, _ = await booked(clinic, "Ada")
    page = await opened(visits, clinic, f"/staff/plans?place={clinic.site_id}", PHONE)
    assert await problems_of(page) == []
    await page.get_by_label("Thoroughly").check()
    await page.get_by_role("button", name="Search for a plan").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    assert await problems_of(page) == []
    await expect(page.get_by_text("Nobody needs to move.")).to_be_visible(timeout=PLANNED_MILLISECONDS)  # by itself
    assert await problems_of(page) == []
    await choose(page, "Day plans")
    await page.goto(f"/staff/plans?place={clinic.site_id}")
    await page.get_by_role("link", name="What if somebody").click()
    await page.get_by_label("Who or what is not there").select_option("Petra Testmann")
    await page.get_by_label("How many emergencies come on top").fill("2")
    await page.get_by_label("Of which kind they are").select_option("Foot check")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="See what would be").click()
    await expect(page.get_by_text("Nothing of it can be accepted.")).to_be_visible()
    await expect(page.get_by_role("heading", name="Emergencies (2)")).to_be_visible(timeout=PLANNED_MILLISECONDS)
    await expect(page.get_by_role("button", name="Accept the chosen moves")).to_have_count(0)
    assert await problems_of(page) == []
    assert (await clinic.appointment(visit["id"]))["version"] == visit["version"]
