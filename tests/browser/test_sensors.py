"""What sensors see where people wait, in real browsers: beside the queue and at a glance, changing by itself, and gone with the sensor."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE
from tests.browser.test_queues import open_queue
from tests.browser.test_staff import sign_in
from tests.clinic import Json, ok
from tests.system import System

SENSORS, READINGS = "/api/v1/sensors", "/api/v1/sensor-readings"


class Area:
    """A sensor of the area in which people wait for a queue of a test's own."""

    def __init__(self, system: System, queue: Json, sensor_id: str, secret: str) -> None:
        self.system, self.queue, self.sensor_id, self._secret = system, queue, sensor_id, secret

    async def sees(self, people: int) -> None:
        headers = {"Authorization": f"Bearer {self._secret}"}
        url = self.system.address_of(READINGS) + READINGS
        ok(await self.system.client.post(url, json={"readings": [{"value": people}]}, headers=headers))

    async def opened(self, visits: Visits, path: str, role: str, viewport: dict[str, int]) -> Page:
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, self.system, role)
        await page.goto(path)
        await expect(page.locator("[data-state]")).to_have_text(LIVE)
        return page


@pytest.fixture
async def area(one_process: System) -> Area:
    queue_id, name = await open_queue(one_process)
    (queue,) = ok(await one_process.request("operations", "GET", "/api/v1/queues", params={"queue_id": queue_id}))["items"]
    tuning = {"hold_seconds": 0, "readings_least": 1}
    body = {"site_id": queue["queue"]["site_id"], "name": f"Area {name}", "queue_ids": [queue_id], "tuning": tuning}
    made = ok(await one_process.request("operations", "POST", SENSORS, json=body))
    return Area(one_process, queue["queue"], made["sensor"]["id"], made["secret"])


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_queue_shows_how_many_are_in_its_waiting_area_and_changes_by_itself(
    visits: Visits, area: Area, size: dict[str, int]
) -> None:
    page = await area.opened(visits, f"/staff/queues/{area.queue['id']}", "nurse", size)
    await expect(page.get_by_text("as a sensor sees it: not known yet")).to_be_visible()
    await area.sees(17)
    await expect(page.get_by_text("as a sensor sees it: 17 people, since")).to_be_visible()
    await area.sees(1)
    await expect(page.get_by_text("as a sensor sees it: 1 person, since")).to_be_visible()
    assert await problems_of(page) == []
    ok(await area.system.request("operations", "POST", f"{SENSORS}/{area.sensor_id}/stop"))
    await expect(page.get_by_text("as a sensor sees it")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_the_overview_shows_every_waiting_area(visits: Visits, area: Area, size: dict[str, int]) -> None:
    await area.sees(4)
    page = await area.opened(visits, f"/staff/overview?place={area.queue['site_id']}", "nurse", size)
    line = page.get_by_role("listitem").filter(has_text=f"Area {area.queue['name']}")
    await expect(line).to_contain_text("4 people, since")
    assert await problems_of(page) == []
    await area.sees(5)
    await expect(line).to_contain_text("5 people, since", timeout=20_000)
