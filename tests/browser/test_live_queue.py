"""A queue in real browsers: what one desk does the others see, without losing what they are at; who slept is right when they wake."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE
from tests.browser.test_queues import open_queue
from tests.browser.test_staff import sign_in
from tests.clinic import ok, register
from tests.system import System


@dataclass
class Desk:
    """A queue of a test's own, where people come and desks watch."""

    system: System
    queue_id: str
    tag: str

    async def somebody_comes(self, who: str) -> str:
        """The id of their turn; the page says who they are by this name."""
        patient = await register(self.system, f"{who}{self.tag}")
        return await self.arrives(patient)

    async def arrives(self, patient: UUID) -> str:
        path = f"/api/v1/queues/{self.queue_id}/entries"
        return str(ok(await self.system.request("front-desk", "POST", path, json={"patient_id": str(patient)}), 201)["id"])

    async def is_done(self, entry_id: str) -> None:
        for action in ("start", "complete"):
            path = f"/api/v1/queue-entries/{entry_id}/steps"
            ok(await self.system.request("nurse", "POST", path, json={"action": action}))

    async def opened(self, visits: Visits, viewport: dict[str, int] = DESKTOP) -> Page:
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, self.system, "nurse")
        await page.goto(f"/staff/queues/{self.queue_id}")
        await expect(page.locator("[data-state]")).to_have_text(LIVE)
        return page


@pytest.fixture
async def desk(one_process: System) -> Desk:
    queue_id, name = await open_queue(one_process)
    return Desk(one_process, queue_id, name[-6:])


def turn(page: Page, ticket: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_text(ticket, exact=True))  # not whom it is offered to as free time


async def test_two_desks_see_what_the_other_does_and_a_third_is_right_when_it_wakes(visits: Visits, desk: Desk) -> None:
    await desk.somebody_comes("First")
    one, other, asleep = await desk.opened(visits), await desk.opened(visits, PHONE), await desk.opened(visits)
    device = await asleep.context.new_cdp_session(asleep)
    await device.send("Page.setWebLifecycleState", {"state": "frozen"})
    await one.get_by_role("button", name="Call the next patient").click()
    await expect(turn(other, "W001")).to_contain_text("called, since")
    await desk.somebody_comes("Second")
    for page in (one, other):
        await expect(turn(page, "W002")).to_contain_text(f"Second{desk.tag}")
        assert await problems_of(page) == []
    await turn(other, "W001").get_by_role("button", name="Done").click()
    await expect(turn(one, "W001")).to_have_count(0)
    await expect(one.get_by_text("1 waiting, as of")).to_be_visible()
    await device.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(turn(asleep, "W002")).to_contain_text(f"Second{desk.tag}")
    await expect(turn(asleep, "W001")).to_have_count(0)
    await expect(asleep.locator("[data-state]")).to_have_text(LIVE)


async def test_a_desk_without_network_says_so_and_is_right_afterwards(visits: Visits, desk: Desk) -> None:
    first = await desk.somebody_comes("First")
    page = await desk.opened(visits)
    await page.context.set_offline(True)
    await expect(page.locator("[data-state]")).to_contain_text("Reconnecting…, as of")
    await desk.is_done(first)
    await desk.somebody_comes("Second")
    await page.context.set_offline(False)
    await expect(turn(page, "W002")).to_contain_text(f"Second{desk.tag}")
    await expect(turn(page, "W001")).to_have_count(0)
    await expect(page.locator("[data-state]")).to_have_text(LIVE)


async def test_what_somebody_is_at_stays_while_the_queue_moves(visits: Visits, desk: Desk) -> None:
    first = await desk.somebody_comes("First")
    await desk.somebody_comes("Second")
    page = await desk.opened(visits)
    await page.get_by_label("Family name, or its beginning").fill("Half a na")
    await turn(page, "W002").get_by_text("How urgent?").click()
    begins = turn(page, "W002").get_by_role("button", name="Call")
    await begins.focus()
    await desk.is_done(first)
    await desk.somebody_comes("Third")
    await expect(turn(page, "W003")).to_contain_text(f"Third{desk.tag}")
    await expect(turn(page, "W001")).to_have_count(0)
    await expect(begins).to_be_focused()
    await expect(turn(page, "W002").get_by_role("button", name="P1, follow-up")).to_be_visible()
    await expect(page.get_by_label("Family name, or its beginning")).to_have_value("Half a na")
    await begins.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("W002 was called.")


async def test_whom_a_desk_found_stays_on_the_page_while_the_queue_moves(visits: Visits, desk: Desk) -> None:
    await register(desk.system, f"Found{desk.tag}")
    page = await desk.opened(visits)
    await page.get_by_label("Family name, or its beginning").fill(f"Found{desk.tag}")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_role("button", name="Give a ticket")).to_be_visible()
    await expect(page.locator("[data-state]")).to_have_text(LIVE)
    await desk.somebody_comes("Other")
    await expect(turn(page, "W001")).to_contain_text(f"Other{desk.tag}")
    await page.get_by_role("button", name="Give a ticket").click()
    await expect(turn(page, "W002")).to_contain_text(f"Found{desk.tag}")


async def test_a_name_that_the_page_shows_is_not_asked_for_again(visits: Visits, desk: Desk) -> None:
    await desk.somebody_comes("First")
    page = await desk.opened(visits)
    answers: list[str] = []

    async def keep(route: Route) -> None:
        answer = await route.fetch()
        answers.append(await answer.text())
        await route.fulfill(response=answer)

    await page.route("**/turns", keep)
    await desk.somebody_comes("Second")
    await expect(turn(page, "W002")).to_contain_text(f"Second{desk.tag}")
    await expect(turn(page, "W001")).to_contain_text(f"First{desk.tag}")
    assert [f"First{desk.tag}" in each for each in answers] == [False] * len(answers)
    assert f"Second{desk.tag}" in answers[0]


async def test_the_list_of_queues_is_kept_up(visits: Visits, desk: Desk) -> None:
    page = await visits.open(signed_in=False)
    await sign_in(page, desk.system, "nurse")
    await page.goto("/staff/queues")
    await expect(page.locator("[data-state]")).to_have_text(LIVE)
    line = page.get_by_role("listitem").filter(has_text=desk.tag)
    await expect(line).to_contain_text("Nobody waits")
    entry = await desk.somebody_comes("First")
    await expect(line).to_contain_text("1 waiting", timeout=10_000)
    await line.get_by_role("link", name="Open").focus()
    await desk.is_done(entry)
    await expect(line).to_contain_text("Nobody waits", timeout=10_000)
    await expect(line.get_by_role("link", name="Open")).to_be_focused()
    assert await problems_of(page) == []


async def test_nobody_watches_a_site_of_others_among_their_own(visits: Visits, desk: Desk) -> None:
    page = await visits.open(signed_in=False)
    await sign_in(page, desk.system, "nurse")
    await page.goto("/staff/queues")
    mine = await page.locator("[data-live]").get_attribute("data-live")
    answer = await page.context.request.get(f"{mine}&site={uuid4()}")
    assert answer.status == 404
