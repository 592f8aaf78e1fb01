"""The day board in real browsers: a day in rows, opened beside, moved by dragging, by keyboard and without scripts, and live for all."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE, a_free_day, booked, clock_of
from tests.browser.test_staff import choose, sign_in
from tests.clinic import ZONE, Clinic, ok, open_clinic, open_now, register
from tests.system import System

ROW = "Petra Testmann"


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


async def opened(visits: Visits, clinic: Clinic, day: str, viewport: Any = DESKTOP, role: str = "scheduler") -> Page:
    """The board of the day, live."""
    page = await visits.open(signed_in=False, viewport=viewport)
    await sign_in(page, clinic.system, role)
    await page.goto(f"/staff/board?place={clinic.site_id}&day={day}")
    await expect(page.locator("[data-state]")).to_have_text(LIVE)
    return page


def visit(page: Page, start: str) -> Locator:
    return page.get_by_role("list", name=ROW).get_by_role("link").filter(has_text=clock_of(start))


def beside(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Appointment")


async def center(of: Locator) -> tuple[float, float]:
    box = await of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def drag(page: Page, what: Locator, minutes: int) -> None:
    """To so many minutes later, in its row. A visit of half an hour is as wide as half an hour is."""
    await what.scroll_into_view_if_needed()
    box = await what.locator("..").bounding_box()
    assert box
    x, y = await center(what)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 20, y, steps=3)
    await page.mouse.move(x + box["width"] * minutes / 30, y, steps=5)
    await page.mouse.up()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_day_is_shown_in_rows_and_found_from_the_menu(visits: Visits, clinic: Clinic, size: dict[str, int]) -> None:
    day, starts = await a_free_day(clinic)
    first = await booked(clinic, starts[0])
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, clinic.system, "scheduler")
    await choose(page, "Day board")
    await page.get_by_label("Site").select_option(clinic.site_id)
    await page.get_by_label("Day (empty for today)").fill(day)
    await page.get_by_role("button", name="Show").click()
    await expect(visit(page, starts[0])).to_contain_text("Foot check, until")
    await expect(page.get_by_role("list", name=ROW).get_by_text("08:00 to 18:00")).to_be_attached()
    await expect(page.locator("[data-state]")).to_have_text(LIVE)
    assert await problems_of(page) == []
    await visit(page, starts[0]).click()
    await expect(beside(page).get_by_role("heading", name="Foot check")).to_be_focused()
    await expect(beside(page)).to_contain_text("Booked")
    assert await problems_of(page) == []
    await page.keyboard.press("Escape")
    await expect(beside(page)).to_be_hidden()
    await expect(visit(page, starts[0])).to_be_focused()
    ok(await clinic.step(first, "cancel", {}))
    await expect(visit(page, starts[0])).to_have_count(0)


async def test_what_is_dragged_is_told_what_it_meets_and_moves_when_somebody_says_so(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[0])
    page, other = await opened(visits, clinic, day), await opened(visits, clinic, day)
    await drag(page, visit(page, starts[0]), 60)
    await expect(beside(page)).to_contain_text("This can be moved")
    await expect(beside(page)).to_contain_text(clock_of(starts[2]))
    await expect(visit(other, starts[0])).to_be_visible()
    await beside(page).get_by_role("button", name="Move it").click()
    await expect(beside(page)).to_contain_text("It was moved.")
    for each in (page, other):
        await expect(visit(each, starts[2])).to_be_visible()
        await expect(visit(each, starts[0])).to_have_count(0)
    assert await problems_of(page) == []


async def test_a_conflict_is_told_and_set_aside_only_with_a_reason_by_whoever_may(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[1])
    await booked(clinic, starts[3])
    desk = await opened(visits, clinic, day, role="front-desk")
    await drag(desk, visit(desk, starts[1]), 60)
    await expect(beside(desk)).to_contain_text("Something is in the way")
    await expect(beside(desk)).to_contain_text(f"{ROW}: another appointment, {clock_of(starts[3])}")
    await expect(beside(desk).get_by_role("button", name="Move it against the calendar")).to_have_count(0)
    page = await opened(visits, clinic, day)
    await drag(page, visit(page, starts[1]), 60)
    assert await problems_of(page) == []
    await beside(page).get_by_label("Why is it moved all the same?").fill("Agreed with both")
    await beside(page).get_by_role("button", name="Move it against the calendar").click()
    await expect(beside(page)).to_contain_text("Agreed with both")
    await expect(visit(desk, starts[3])).to_have_count(2)
    boxes = [await visit(page, starts[3]).nth(number).bounding_box() for number in (0, 1)]
    assert boxes[0]
    assert boxes[1]
    assert abs(boxes[0]["y"] - boxes[1]["y"]) >= min(boxes[0]["height"], boxes[1]["height"])
    assert await problems_of(desk) == []


async def test_the_board_is_walked_and_an_appointment_moved_by_keyboard(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[4])
    await booked(clinic, starts[6])
    page = await opened(visits, clinic, day)
    await visit(page, starts[4]).focus()
    await page.keyboard.press("ArrowRight")
    await expect(visit(page, starts[6])).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("[data-track] a:focus")).to_have_count(0)
    await page.keyboard.press("Shift+Tab")
    await expect(visit(page, starts[6])).to_be_focused()
    await page.keyboard.press("Enter")
    panel = beside(page)
    await panel.get_by_text("Move it", exact=True).click()
    await panel.get_by_label("Time").fill(clock_of(starts[8]))
    await panel.get_by_label("Time").press("Enter")
    await expect(panel).to_contain_text("This can be moved")
    await panel.get_by_role("button", name="Move it").press("Enter")
    await expect(visit(page, starts[8])).to_be_visible()


async def test_without_scripts_an_appointment_is_opened_and_moved_on_its_page(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[5])
    page = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(page, clinic.system, "scheduler")
    await page.goto(f"/staff/board?place={clinic.site_id}&day={day}")
    await expect(page.locator("[data-state]")).to_contain_text("As of")
    await visit(page, starts[5]).click()
    await page.get_by_text("Move it", exact=True).click()
    await page.get_by_label("Day").fill((datetime.fromisoformat(starts[5]).astimezone(ZONE) + timedelta(days=1)).date().isoformat())
    await page.get_by_role("button", name="See what that meets").click()
    await page.get_by_role("button", name="Move it").click()
    await expect(page.get_by_role("status")).to_contain_text("It was moved.")


async def test_two_who_move_the_same_appointment_do_not_undo_each_other(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    made = await booked(clinic, starts[7])
    page = await opened(visits, clinic, day)
    await drag(page, visit(page, starts[7]), 60)
    await expect(beside(page)).to_contain_text("This can be moved")
    ok(await clinic.step(made, "reschedule", {"time": clinic.picked(starts[9])}))
    await beside(page).get_by_role("button", name="Move it").click()
    await expect(beside(page).get_by_role("alert")).to_contain_text("Somebody else changed it just now.")
    await expect(visit(page, starts[9])).to_be_visible()


async def test_who_arrives_is_seen_on_every_board(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[10])
    page, other = await opened(visits, clinic, day), await opened(visits, clinic, day, PHONE, "nurse")
    await visit(page, starts[10]).click()
    await beside(page).get_by_role("button", name="Is here").click()
    await expect(beside(page)).to_contain_text("That is noted.")
    await expect(visit(other, starts[10])).to_contain_text("Here")


async def test_a_board_that_slept_is_right_when_it_wakes(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    page = await opened(visits, clinic, day)
    device = await page.context.new_cdp_session(page)
    await device.send("Page.setWebLifecycleState", {"state": "frozen"})
    gone = await booked(clinic, starts[12])
    ok(await clinic.step(gone, "cancel", {}))
    await booked(clinic, starts[13])
    await device.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(visit(page, starts[13])).to_be_visible()
    await expect(visit(page, starts[12])).to_have_count(0)
    await expect(page.locator("[data-state]")).to_have_text(LIVE)


async def test_somebody_who_blocks_time_is_seen_and_stands_in_the_way(visits: Visits, clinic: Clinic) -> None:
    day, starts = await a_free_day(clinic)
    await booked(clinic, starts[14])
    end = (datetime.fromisoformat(starts[15]) + timedelta(minutes=30)).isoformat()
    body = {"start": starts[15], "end": end, "reason": "Meeting"}
    ok(await clinic.system.request("scheduler", "POST", f"/api/v1/schedules/{clinic.practitioner_id}/blocks", json=body))
    page = await opened(visits, clinic, day)
    await expect(page.get_by_role("list", name=ROW).get_by_text("Blocked")).to_be_visible()
    await drag(page, visit(page, starts[14]), 30)
    await expect(beside(page)).to_contain_text(f"{ROW}: blocked, {clock_of(starts[15])}")


async def test_a_block_and_who_is_called_from_a_queue_are_seen_at_once(visits: Visits, one_process: System) -> None:
    clinic = await open_clinic(one_process)
    await open_now(clinic)
    now = datetime.now(ZONE)
    system, day, start = clinic.system, now.date().isoformat(), now.replace(minute=0, second=0, microsecond=0)
    wide, small = await opened(visits, clinic, day), await opened(visits, clinic, day, PHONE)
    period = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "reason": "Training"}
    block = ok(await system.request("scheduler", "POST", f"/api/v1/schedules/{clinic.practitioner_id}/blocks", json=period))
    for page in (wide, small):
        await expect(page.get_by_role("list", name=ROW).get_by_text("Blocked")).to_contain_text(f"{start:%H:%M} to")
    ok(await system.request("scheduler", "DELETE", f"/api/v1/blocks/{block['block_id']}"))
    for page in (wide, small):
        await expect(page.get_by_role("list", name=ROW).get_by_text("Blocked")).to_have_count(0)

    queue = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": f"Podiatry {clinic.service_id[-6:]}"}
    entries = f"/api/v1/queues/{ok(await system.request('operations', 'PUT', '/api/v1/queues', json=queue))['id']}/entries"
    patient = {"patient_id": str(await register(system))}
    entry = f"/api/v1/queue-entries/{ok(await system.request('front-desk', 'POST', entries, json=patient), 201)['id']}"
    ok(await system.request("nurse", "POST", f"{entry}/call", json={"practitioner_id": clinic.practitioner_id}))
    for page in (wide, small):
        await expect(page.get_by_role("list", name=ROW).get_by_text("Walk-in")).to_contain_text(" to ")
        assert await problems_of(page) == []
        as_told = await page.get_by_role("list", name=ROW).get_by_text("Walk-in").text_content()
        await page.reload()
        await expect(page.locator("[data-state]")).to_have_text(LIVE)
        await expect(page.get_by_role("list", name=ROW).get_by_text("Walk-in")).to_have_text(as_told or "")
    for action in ("start", "complete"):
        ok(await system.request("nurse", "POST", f"{entry}/steps", json={"action": action}))
    for page in (wide, small):
        await expect(page.get_by_role("list", name=ROW).get_by_text("Walk-in")).to_have_count(0)
