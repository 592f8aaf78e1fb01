"""The screen of a waiting room in a real browser: who is called stands there at once; who lost the network says so; it runs all day."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import CDPSession, Page, Route, expect

from carewright.kernel.server_sent import event
from tests.browser.accessibility import problems_of
from tests.browser.conftest import PHONE, Visits
from tests.clinic import Clinic, Json, ok, open_clinic, register, until_known
from tests.station import enrolled, ran, sign_in
from tests.system import System

TELEVISION = {"width": 1920, "height": 1080}
LIVE = "Up to date · Al día"
ROOM = "Room 5"


@dataclass(frozen=True)
class WaitingRoom:
    """A clinic with a queue and a room to go to, and what its desk does."""

    clinic: Clinic
    queue: str
    room: str

    async def comes(self) -> Json:
        patient = await register(self.clinic.system, "Nobodysname")
        asked = {"patient_id": str(patient)}
        came: Json = ok(await self.clinic.system.request("front-desk", "POST", f"/api/v1/queues/{self.queue}/entries", json=asked), 201)
        return came

    async def call(self, entry: Json, *, to_room: bool = True) -> Json:
        body = {"location_id": self.room} if to_room else {}
        called: Json = ok(await self.clinic.system.request("nurse", "POST", f"/api/v1/queue-entries/{entry['id']}/call", json=body))
        return called

    async def step(self, entry: Json, action: str) -> Json:
        path = f"/api/v1/queue-entries/{entry['id']}/steps"
        done: Json = ok(await self.clinic.system.request("nurse", "POST", path, json={"action": action}))
        return done


@pytest.fixture
async def room(one_process: System) -> WaitingRoom:
    clinic = await open_clinic(one_process)
    put = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "W"}
    queue = ok(await one_process.request("operations", "PUT", "/api/v1/queues", json=put))["id"]
    place = {"id": str(uuid4()), "kind": "room", "name": ROOM, "site_id": clinic.site_id, "part_of_id": clinic.site_id}
    ok(await one_process.request("administrator", "PUT", "/api/v1/directory", json={"locations": [place]}))

    async def there() -> httpx.Response:
        found = await one_process.request("nurse", "GET", "/api/v1/places", params={"site_id": clinic.site_id})
        return found if ok(found)["items"] else await one_process.request("nurse", "GET", f"/api/v1/queue-entries/{uuid4()}")

    await until_known(there)
    return WaitingRoom(clinic, queue, place["id"])


def forget_silence(visits: Visits) -> None:
    """A browser says on its console that a page which nobody has touched may not sound."""
    assert all("AudioContext was not allowed to start" in each for each in visits.complaints)
    visits.complaints.clear()


async def screen_of(visits: Visits, room: WaitingRoom, **options: Any) -> tuple[Page, str]:
    """A screen that hangs there, and its station's id."""
    languages = ("--language", "en", "--language", "es")
    station, code = await enrolled(room.clinic.system, "screen", room.clinic.site_id, "Waiting room", *languages)
    page = await visits.open(signed_in=False, **({"viewport": TELEVISION} | options))
    await sign_in(page, code)
    await expect(page.get_by_role("status")).to_have_text(LIVE)
    return page, station


async def test_whoever_is_called_stands_there_at_once_without_a_name(visits: Visits, room: WaitingRoom) -> None:
    first, second = await room.comes(), await room.comes()
    page, _ = await screen_of(visits, room)
    await expect(page.get_by_role("heading", name="Please come Por favor, pase")).to_be_visible()
    await expect(page.get_by_text("Nobody is called just now.")).to_be_visible()
    await expect(page.locator(".count")).to_have_text("2")
    assert await problems_of(page) == []
    await room.call(first)
    spelled = " ".join(first["ticket"])
    told = f"Ticket {spelled}, please come: {ROOM} Turno {spelled}, pase por favor: {ROOM}"
    await expect(page.locator("[data-told]")).to_have_text(told)
    await room.call(second, to_room=False)
    calls = page.locator(".call")
    await expect(calls.nth(0)).to_have_text(re.compile(rf"{second['ticket']}\s+the desk · recepción\s*Podiatry"))
    await expect(calls.nth(1)).to_have_text(re.compile(rf"{first['ticket']}\s+{ROOM}\s*Podiatry"))
    await expect(page.locator("[data-told]")).to_contain_text("please come: the desk")
    assert await problems_of(page) == []
    await room.step(first, "start")
    await expect(calls).to_have_count(1)
    await expect(page.locator(".here")).to_contain_text(first["ticket"])
    assert "Nobodysname" not in await page.content()


async def test_it_says_since_when_it_has_no_connection_and_comes_back_by_itself(visits: Visits, room: WaitingRoom) -> None:
    entry = await room.comes()
    page, _ = await screen_of(visits, room)
    await page.context.set_offline(True)
    await expect(page.get_by_role("status")).to_have_text(re.compile(r"No connection since \d+:\d\d.* · Sin conexión desde las \d+:\d\d"))
    await room.call(entry)
    assert await problems_of(page) == []
    await page.context.set_offline(False)
    await expect(page.locator(".call")).to_contain_text(entry["ticket"])
    await expect(page.get_by_role("status")).to_have_text(LIVE)


async def test_one_that_slept_is_right_when_it_wakes(visits: Visits, room: WaitingRoom) -> None:
    first, second = await room.comes(), await room.comes()
    await room.call(first)
    page, _ = await screen_of(visits, room)
    browser = await page.context.new_cdp_session(page)
    await browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    await room.step(first, "start")
    await room.step(first, "complete")
    await room.call(second)
    await browser.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(page.locator(".call")).to_have_count(1)
    await expect(page.locator(".call")).to_contain_text(second["ticket"])


async def test_one_that_is_retired_shows_nothing_any_more(visits: Visits, room: WaitingRoom) -> None:
    page, station = await screen_of(visits, room)
    await ran(room.clinic.system, "retire", station)
    await expect(page.get_by_role("heading", name="Sign this device in")).to_be_visible()
    await page.goto("/screen")
    await expect(page.get_by_role("heading", name="Sign this device in")).to_be_visible()


async def test_a_wrong_code_is_refused_in_plain_words(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=PHONE)
    await page.goto("/station#AAAA-BBBB")
    await expect(page.get_by_label("Code")).to_have_value("AAAA-BBBB")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("This code is not right, or not valid any more.")
    assert await problems_of(page) == []


HEARD = """
globalThis.heard = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { globalThis.heard += 1; return start.apply(this, when); };
"""
"""Counts the notes."""


async def test_a_chime_sounds_once_somebody_has_let_it(visits: Visits, room: WaitingRoom) -> None:
    first, second = await room.comes(), await room.comes()
    page, _ = await screen_of(visits, room, reduced_motion="reduce")
    await page.add_init_script(HEARD)
    await page.reload()  # as after a power cut: nobody has touched this page
    await room.call(first)
    await expect(page.locator(".call")).to_have_count(1)
    assert await page.evaluate("globalThis.heard") == 0
    button = page.get_by_role("button", name="Turn the sound on")
    assert await problems_of(page) == []
    await button.click()
    await expect(button).to_be_hidden()
    await room.call(second, to_room=False)
    await expect(page.locator(".call--new")).to_contain_text(second["ticket"])
    assert await page.evaluate("globalThis.heard") == 2
    forget_silence(visits)


STEPS, STEP_MINUTES, CALLS_IN_STEP = 240, 2, 16
GROWN_BYTES_MAX = 80_000
"""From the middle to the end of the day: 40 bytes for each call, less than any that is kept would take."""
NODES_MORE_MAX = 20


class Day:
    """A working day as the screen sees it: a stream that brings the next calls whenever it is opened, and the page that shows them."""

    def __init__(self, html: str, queue: str) -> None:
        self.html, self.queue = html, queue
        self.called, self.told = 0, 0

    def page(self) -> str:
        """The screen with the calls of the last step."""
        newest = range(max(1, self.called - CALLS_IN_STEP + 1), self.called + 1)
        lines = "".join(
            f'<li class="call" data-id="{number}@2026-11-27T09:00:00+00:00" data-call data-ticket="W{number:04d}" data-where="{ROOM}">'
            f'<strong class="ticket">W{number:04d}</strong> {ROOM}</li>'
            for number in reversed(newest)
        )
        return re.sub(r'<p class="nobody">.*?</p>', f"<ol>{lines}</ol>", self.html, flags=re.DOTALL)

    async def stream(self, route: Route) -> None:
        """The calls that were not told yet; then the connection breaks, as connections do."""
        facts = b"".join(
            event("call", {"id": str(number), "version": "2", "queue": self.queue}, (9, number))
            for number in range(self.told + 1, self.called + 1)
        )
        self.told = self.called
        await route.fulfill(content_type="text/event-stream", body=b"retry: 1\n\n" + event("beat", {}, (9, self.called)) + facts)

    async def snapshot(self, route: Route) -> None:
        await route.fulfill(content_type="text/html", body=self.page())


async def weight(browser: CDPSession) -> tuple[int, int, int]:
    """Bytes of living objects, nodes and listeners, after everything that can go has gone."""
    for _ in range(3):
        await browser.send("HeapProfiler.collectGarbage")
    used = await browser.send("Runtime.getHeapUsage")
    counted = await browser.send("Memory.getDOMCounters")
    return int(used["usedSize"]), counted["nodes"], counted["jsEventListeners"]


async def test_it_runs_for_eight_hours_without_growing(visits: Visits, room: WaitingRoom) -> None:
    """8 hours with 3,840 calls, each told by the stream, shown and called out, under a clock that is moved on: no heavier at the end."""
    page, _ = await screen_of(visits, room)
    day = Day(await (await page.request.get("/screen")).text(), room.queue)
    await page.route("**/screen/live?**", day.stream)
    await page.route("**/screen", day.snapshot)
    await page.clock.install()
    await page.reload()
    browser = await page.context.new_cdp_session(page)

    async def go_on(hours: int) -> tuple[int, int, int]:
        for _ in range(hours * 60 // STEP_MINUTES):
            day.called += CALLS_IN_STEP
            await page.clock.run_for(STEP_MINUTES * 60_000)
            await expect(page.locator(".call").first).to_contain_text(f"W{day.called:04d}")
        return await weight(browser)

    at_first, half_way, at_last = await go_on(1), await go_on(3), await go_on(4)
    print(f"bytes, nodes and listeners after 1, 4 and 8 hours: {at_first}, {half_way}, {at_last}")
    assert day.told == day.called == STEPS * CALLS_IN_STEP
    assert at_last[0] - half_way[0] < GROWN_BYTES_MAX
    assert at_last[1] <= at_first[1] + NODES_MORE_MAX
    assert at_last[2] <= at_first[2]
    forget_silence(visits)
