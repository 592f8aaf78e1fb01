"""The day itself in a real browser: somebody walks in, is called, and a mistake is taken back; two desks meet over one patient."""

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import choose, sign_in
from tests.clinic import Clinic, ok, open_clinic, open_now, register, until_known
from tests.system import System


async def open_queue(system: System) -> tuple[str, str]:
    """The page of a queue of its own, and its name."""
    clinic = await open_clinic(system)
    name = f"Podiatry {clinic.service_id[-6:]}"
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": name, "letter": "W"}
    return ok(await system.request("operations", "PUT", "/api/v1/queues", json=wanted))["id"], name


def turn_of(page: Page) -> Locator:
    """The first ticket's turn, and no gap that it is proposed for."""
    return page.get_by_role("listitem").filter(has=page.get_by_text("W001", exact=True))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_walk_in_gets_a_ticket_is_called_and_seen(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    _, name = await open_queue(one_process)
    family = f"Walker{name[-6:]}"
    await register(one_process, family)
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, one_process, "nurse")
    await choose(page, "Queues")
    assert await problems_of(page) == []
    await page.get_by_role("listitem").filter(has_text=name).get_by_role("link", name="Open").click()
    await expect(page.get_by_text("Nobody waits").first).to_be_visible()
    await page.get_by_role("button", name="Call the next patient").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nobody is to be called now.")
    await page.get_by_label("Family name, or its beginning").fill(family)
    await page.get_by_role("button", name="Find").click()
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Give a ticket").click()
    await expect(page.get_by_role("status")).to_contain_text("W001 waits now.")
    turn = turn_of(page)
    await expect(turn).to_contain_text(family)
    await turn.get_by_text("How urgent?").click()
    await turn.get_by_role("button", name="P1, follow-up").click()
    await expect(turn).to_contain_text("Follow-up")
    await page.get_by_role("button", name="Call the next patient").click()
    await expect(page.get_by_role("status")).to_contain_text("W001 was called.")
    assert await problems_of(page) == []
    await turn.get_by_role("button", name="Not there").click()
    await page.get_by_role("button", name="Take it back").click()
    await expect(turn).to_contain_text("called")
    await turn.get_by_role("button", name="Begin").click()
    await expect(turn).to_contain_text("being seen")
    await turn.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("status")).to_contain_text("W001 is done.")
    await expect(turn).to_have_count(0)


async def test_of_two_desks_the_slower_sees_what_the_faster_did(visits: Visits, one_process: System) -> None:
    """Without scripts, since with them the slower one would have seen it before."""
    queue_id, name = await open_queue(one_process)
    patient = await register(one_process, f"Twodesks{name[-6:]}")
    path = f"/api/v1/queues/{queue_id}/entries"
    ok(await one_process.request("front-desk", "POST", path, json={"patient_id": str(patient)}), 201)
    pages = [await visits.open(signed_in=False, viewport=DESKTOP, java_script_enabled=False) for _ in range(2)]
    for page in pages:
        await sign_in(page, one_process, "nurse")
        await page.goto(f"/staff/queues/{queue_id}")
    for page in pages:
        await turn_of(page).get_by_role("button", name="Call").click()
    await expect(pages[0].get_by_role("status")).to_contain_text("W001 was called.")
    await expect(pages[1].get_by_role("alert")).to_contain_text("Somebody else was faster.")
    await expect(turn_of(pages[1])).to_contain_text("called, since")
    assert await problems_of(pages[1]) == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_patient_finds_the_page_of_their_turn(visits: Visits, size: dict[str, int]) -> None:
    page = await visits.open(viewport=size)
    await page.goto("/")
    await page.get_by_role("link", name="Your turn").click()
    await expect(page.get_by_text("You are in no queue just now.")).to_be_visible()
    assert await problems_of(page) == []


async def with_a_gap(system: System) -> tuple[Clinic, str, list[str]]:
    """A clinic in which somebody has time now, its queue, and who waits there: W001 and W002."""
    clinic = await open_clinic(system)
    await open_now(clinic)
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": f"Podiatry {clinic.service_id[-6:]}", "letter": "W"}
    queue_id = ok(await system.request("operations", "PUT", "/api/v1/queues", json=wanted))["id"]
    path, entries = f"/api/v1/queues/{queue_id}/entries", []
    for _ in range(2):
        patient = await register(system)
        entries.append(ok(await system.request("nurse", "POST", path, json={"patient_id": str(patient)}), 201)["id"])
    return clinic, queue_id, entries


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_one_tap_calls_into_free_time_which_is_then_taken(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    clinic, queue_id, _ = await with_a_gap(one_process)
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, one_process, "nurse")
    await page.goto(f"/staff/queues/{queue_id}")
    free = page.get_by_role("region", name="Free time")
    await expect(free).to_contain_text("is free until")
    await expect(free).to_contain_text("Next fitting: W001.")
    assert await problems_of(page) == []
    await free.get_by_role("button", name="Call W001").click()
    await expect(page.get_by_role("status")).to_contain_text("W001 was called.")
    await expect(free.get_by_role("button")).to_have_count(0)
    await turn_of(page).get_by_role("button", name="Begin").click()
    await turn_of(page).get_by_role("button", name="Done").click()
    await until_known(lambda: has_begun(clinic))
    await page.get_by_role("link", name="Look again").click()
    await expect(free.get_by_role("button", name="Call W002")).to_be_visible()


async def test_a_gap_that_somebody_else_took_is_said_to_be_taken(visits: Visits, one_process: System) -> None:
    clinic, queue_id, (_, other) = await with_a_gap(one_process)
    page = await visits.open(signed_in=False)
    await sign_in(page, one_process, "nurse")
    await page.goto(f"/staff/queues/{queue_id}")
    wanted = {"entry_id": other, "site_id": clinic.site_id, "practitioner_id": clinic.practitioner_id, "minutes": 15}
    ok(await one_process.request("nurse", "POST", "/api/v1/time-in-use", json=wanted))
    await page.get_by_role("button", name="Call W001").click()
    await expect(page.get_by_role("alert")).to_contain_text("That time is taken")
    await expect(turn_of(page)).to_contain_text("waiting")


async def has_begun(clinic: Clinic) -> httpx.Response:
    """404 until somebody has a gap now: that the turn is over is heard of a moment later."""
    query = {"site_id": clinic.site_id, "service_id": clinic.service_id}
    answer = await clinic.system.request("nurse", "GET", "/api/v1/gaps", params=query)
    found = ok(answer)
    is_there = any(each["start"] <= found["as_of"] for each in found["items"])
    return answer if is_there else httpx.Response(404, request=answer.request)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_walk_ins_are_paused_at_one_desk_and_the_other_sees_it(visits: Visits, one_process: System, size: dict[str, int]) -> None:
    queue_id, name = await open_queue(one_process)
    family = f"Paused{name[-6:]}"
    await register(one_process, family)
    one, other = [await visits.open(signed_in=False, viewport=size) for _ in range(2)]
    for page in (one, other):
        await sign_in(page, one_process, "nurse")
        await page.goto(f"{page.url.partition('/staff')[0]}/staff/queues/{queue_id}")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await one.get_by_text("Do something about it").click()
    assert await problems_of(one) == []
    await one.get_by_role("button", name="Pause routine walk-ins").click()
    for page in (one, other):
        await expect(page.get_by_text("Routine walk-ins are paused").first).to_be_visible()
    await other.get_by_label("Family name, or its beginning").fill(family)
    await other.get_by_role("button", name="Find").click()
    await other.get_by_role("button", name="Give a ticket").click()
    await expect(other.get_by_role("alert")).to_contain_text("no routine walk-ins are taken")
    await one.get_by_text("End this").click()
    assert await problems_of(one) == []
    await one.get_by_role("button", name="It is calm again").click()
    for page in (one, other):
        await expect(page.get_by_text("Routine walk-ins are paused")).to_have_count(0)
