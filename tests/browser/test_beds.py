"""The bed board in real browsers: admitted, moved, discharged and cleaned, by mouse, by keyboard, by forms alone; desks see each other."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_live import LIVE
from tests.browser.test_staff import choose, sign_in
from tests.clinic import Json, ok, open_clinic, refused, register, until_known
from tests.system import System

MEDICAL = {"system": "urn:test:bed", "code": "medical", "display": "Medical bed"}
EXAM = {"system": "urn:test:room", "code": "exam", "display": "Examination room"}
BEDS_AND_ROOMS = (("bed", "Bed 1", MEDICAL), ("bed", "Bed 2", MEDICAL), ("bed", "Bed 3", MEDICAL), ("room", "Room 1", EXAM))
PLACES = "/api/v1/places"


@dataclass
class House:
    """A site of a test's own with two beds, an isolation bed and a room, and whoever comes to it."""

    system: System
    site_id: str
    queue_id: str
    tag: str

    async def here(self, who: str) -> Json:
        """The turn of somebody who has come."""
        patient = await register(self.system, f"{who}{self.tag}")
        path = f"/api/v1/queues/{self.queue_id}/entries"
        return dict(ok(await self.system.request("front-desk", "POST", path, json={"patient_id": str(patient)}), 201))

    async def put(self, turn: Json, **more: object) -> Json:
        said = {"encounter_id": turn["encounter_id"], "site_id": self.site_id, "kind": "bed"} | more
        return dict(ok(await self.system.request("nurse", "POST", f"{PLACES}/assign", json=said)))

    async def step(self, place_id: str, action: str) -> None:
        ok(await self.system.request("nurse", "POST", f"{PLACES}/{place_id}/steps", json={"action": action}))

    async def place(self, name: str) -> Json:
        found = ok(await self.system.request("nurse", "GET", PLACES, params={"site_id": self.site_id}))["items"]
        return next(dict(each) for each in found if each["name"] == name)

    async def board(self, visits: Visits, viewport: dict[str, int] = DESKTOP, account: str = "nurse", kind: str = "bed") -> Page:
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, self.system, account)
        await page.goto(f"/staff/beds?place={self.site_id}&kind={kind}")
        await expect(page.locator("[data-state]")).to_have_text(LIVE)
        return page


@pytest.fixture
async def house(one_process: System) -> House:
    clinic = await open_clinic(one_process)
    ward = {"id": str(uuid4()), "kind": "building", "name": "North wing", "site_id": clinic.site_id, "part_of_id": clinic.site_id}
    entries = [ward] + [
        {
            "id": str(uuid4()), "kind": kind, "name": name, "site_id": clinic.site_id, "part_of_id": ward["id"], "room_type": of_type,
        }
        for kind, name, of_type in BEDS_AND_ROOMS
    ]  # fmt: skip
    ok(await one_process.request("administrator", "PUT", "/api/v1/directory", json={"locations": entries}))
    queue = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": f"Podiatry {clinic.service_id[-6:]}"}
    queue_id = ok(await one_process.request("operations", "PUT", "/api/v1/queues", json=queue))["id"]
    fit = f"{PLACES}/{entries[3]['id']}/precautions"
    ok(await until_known(lambda: one_process.request("operations", "PUT", fit, json={"precautions": ["airborne"]})))
    return House(one_process, clinic.site_id, queue_id, clinic.service_id[-6:])


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


def totals(page: Page) -> Locator:
    return page.get_by_role("list", name="How they stand")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_a_patient_is_admitted_to_the_bed_that_is_proposed_and_discharged(visits: Visits, house: House, size: dict[str, int]) -> None:
    await register(house.system, f"Stay{house.tag}")
    page = await house.board(visits, size)
    await expect(tile(page, "Bed 3")).to_contain_text("fit for airborne")
    await expect(page.get_by_role("heading", name="North wing, Medical bed")).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Admit somebody").click()
    await page.get_by_label("Family name, or its beginning").fill(f"Stay{house.tag}")
    await page.get_by_role("button", name="Find").click()
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Begin a stay").click()
    await expect(page.get_by_text("Beds free now: 3.")).to_be_visible()
    best = page.get_by_role("listitem").filter(has_text="Bed 3")
    await expect(best).to_contain_text("Fit for precautions that others may need more, not used before")
    assert await problems_of(page) == []
    await page.get_by_role("group", name="Besides, for this time, precautions against").get_by_label("Airborne").check()
    await page.get_by_role("button", name="Look for it").click()
    await expect(page.get_by_text("Beds free now: 3 (2 not fit for the precautions).")).to_be_visible()
    await page.get_by_label("Free now").select_option(label="Bed 1")
    await page.get_by_role("button", name="Admit to this one").click()
    await expect(page.get_by_role("alert")).to_contain_text("is not fit for the precautions")
    await page.get_by_role("button", name="Admit to Bed 3").click()
    await expect(page.get_by_role("status").first).to_contain_text("The patient is in Bed 3 now.")
    await expect(tile(page, "Bed 3")).to_contain_text(f"Stay{house.tag}")
    await expect(totals(page)).to_contain_text("2 free")
    await page.get_by_role("link", name="Bed 3", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Bed 3")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Discharge").click()
    await expect(tile(page, "Bed 3")).to_contain_text("Cleaning")
    await tile(page, "Bed 3").get_by_role("button", name="Clean").click()
    await expect(tile(page, "Bed 3")).to_contain_text("Free")
    await page.get_by_role("link", name="Bed 3", exact=True).click()
    await page.get_by_label("Why is it closed?").select_option("maintenance")
    await page.get_by_role("button", name="Close").click()
    await expect(tile(page, "Bed 3")).to_contain_text("Closed: being repaired")
    await tile(page, "Bed 3").get_by_role("button", name="Open again").click()
    await expect(totals(page)).to_contain_text("3 free")


async def test_a_name_is_dragged_onto_a_free_bed_and_moved_when_somebody_says_so(visits: Visits, house: House) -> None:
    turn = await house.here("Drag")
    bed, target = await house.place("Bed 1"), await house.place("Bed 2")
    await house.put(turn, place_id=bed["id"])
    page = await house.board(visits)
    name = tile(page, "Bed 1").get_by_role("link", name=f"Drag{house.tag}")
    await expect(name).to_be_visible()
    await drag(page, name, tile(page, "Bed 1"))
    await expect(page.get_by_role("heading", name="Bed board")).to_be_visible()
    await drag(page, name, tile(page, "Bed 2"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"Drag{house.tag}")
    assert (await house.place("Bed 2"))["status"] == "free"
    await page.get_by_role("region", name="Bed 2").get_by_role("button", name="Move to Bed 2").click()
    await expect(tile(page, "Bed 2")).to_contain_text(f"Drag{house.tag}")
    await expect(tile(page, "Bed 1")).to_contain_text("Cleaning")
    assert (await house.place("Bed 2"))["encounter_id"] == turn["encounter_id"], target


async def drag(page: Page, what: Locator, onto: Locator) -> None:
    await what.hover()
    await page.mouse.down()
    box = await onto.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2, steps=6)
    await page.mouse.up()


async def test_a_patient_is_moved_by_the_keyboard_alone(visits: Visits, house: House) -> None:
    turn = await house.here("Keys")
    await house.put(turn, place_id=(await house.place("Bed 1"))["id"])
    page = await house.board(visits)
    await page.get_by_role("link", name="Bed 1", exact=True).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("link", name="Bed 1", exact=True)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name=f"Keys{house.tag}")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Move to Bed 2").focus()
    await page.keyboard.press("Enter")
    await expect(tile(page, "Bed 2")).to_contain_text(f"Keys{house.tag}")


async def test_what_a_patient_needs_is_kept_and_narrows_what_is_proposed(visits: Visits, house: House) -> None:
    turn = await house.here("Needs")
    page = await visits.open(signed_in=False, viewport=PHONE)
    await sign_in(page, house.system, "nurse")
    await page.goto(f"/staff/beds/visits/{turn['encounter_id']}?place={house.site_id}")
    await page.get_by_text("Precautions kept of the patient: none").click()
    kept = page.get_by_role("group", name="Needs, now and from now on, precautions against")
    await kept.get_by_label("Airborne").check()
    await page.get_by_role("button", name="Keep").click()
    await expect(page.get_by_text("Precautions kept of the patient: Airborne")).to_be_visible()
    await expect(page.get_by_text("Beds free now: 3 (2 not fit for the precautions).")).to_be_visible()
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Admit to Bed 3").click()
    await expect(page.get_by_text(f"Needs{house.tag}")).to_be_visible()
    desk = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(desk, house.system, "front-desk")
    await desk.goto(f"/staff/beds/visits/{turn['encounter_id']}?place={house.site_id}")
    await expect(desk.get_by_text("Beds free now: 2 (2 not fit for the precautions).")).to_be_visible()
    await expect(desk.get_by_text("Precautions kept of the patient")).to_have_count(0)


async def test_everything_is_done_by_forms_where_there_is_no_script(visits: Visits, house: House) -> None:
    turn = await house.here("Plain")
    page = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(page, house.system, "nurse")
    await choose(page, "Beds")
    await page.get_by_label("Site").select_option(house.site_id)
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="Admit somebody").click()
    await page.get_by_label("Family name, or its beginning").fill(f"Plain{house.tag}")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("link", name="Here (ambulatory)").click()
    await page.get_by_role("button", name="Admit to Bed").first.click()
    await expect(page.get_by_role("link", name=f"Plain{house.tag}")).to_be_visible()
    found = ok(await house.system.request("nurse", "GET", PLACES, params={"site_id": house.site_id}))["items"]
    taken = next(each["name"] for each in found if each.get("encounter_id") == turn["encounter_id"])
    await page.get_by_role("link", name=taken, exact=True).click()
    await page.get_by_role("button", name="Has left, the visit goes on").click()
    await tile(page, taken).get_by_role("button", name="Clean").click()
    await expect(totals(page)).to_contain_text("3 free")


async def test_desks_see_what_the_other_does_and_keep_what_they_are_at(visits: Visits, house: House) -> None:
    first = await house.here("First")
    second = await house.here("Second")
    await house.put(first, place_id=(await house.place("Bed 1"))["id"])
    one, other = await house.board(visits), await house.board(visits, PHONE)
    answers: list[str] = []

    async def keep(route: Route) -> None:
        answer = await route.fetch()
        answers.append(await answer.text())
        await route.fulfill(response=answer)

    await one.route("**/tiles?**", keep)
    link = one.get_by_role("link", name="Bed 2", exact=True)
    await link.focus()
    await one.get_by_label("Type").select_option(label="Medical bed")
    await link.focus()
    await house.put(second, place_id=(await house.place("Bed 2"))["id"])
    for page in (one, other):
        await expect(tile(page, "Bed 2")).to_contain_text(f"Second{house.tag}")
        await expect(tile(page, "Bed 1")).to_contain_text(f"First{house.tag}")
        await expect(totals(page)).to_contain_text("1 free")
        assert await problems_of(page) == []
    await expect(link).to_be_focused()
    assert [f"First{house.tag}" in each for each in answers] == [False] * len(answers), "a name that is shown is not asked for again"
    await other.get_by_role("link", name="Bed 1", exact=True).click()
    await house.step((await house.place("Bed 1"))["id"], "vacate")
    await other.get_by_role("button", name="Discharge").click()
    await expect(other.get_by_role("alert")).to_contain_text("Somebody else was faster.")
    await expect(tile(one, "Bed 1")).to_contain_text("Cleaning")
    await expect(tile(one, "Bed 1")).not_to_contain_text(f"First{house.tag}")


async def test_operations_see_how_beds_stand_and_nobody_in_them(visits: Visits, house: House) -> None:
    turn = await house.here("Hidden")
    await house.put(turn, place_id=(await house.place("Bed 1"))["id"])
    page = await house.board(visits, account="operations")
    await expect(tile(page, "Bed 1")).to_contain_text("Occupied")
    await expect(page.get_by_text(f"Hidden{house.tag}")).to_have_count(0)
    await expect(page.get_by_role("link", name="Admit somebody")).to_have_count(0)
    await page.get_by_role("link", name="Bed 2", exact=True).click()
    await page.get_by_text("What it is fit for").click()
    await page.get_by_label("Droplets").check()
    await page.get_by_role("button", name="Keep").click()
    await expect(page.get_by_text("Droplets", exact=True).first).to_be_visible()
    assert (await house.place("Bed 2"))["precautions"] == ["droplet"]


async def test_the_overview_says_how_full_rooms_and_beds_are(visits: Visits, house: House) -> None:
    await house.put(await house.here("One"), place_id=(await house.place("Bed 1"))["id"])
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, house.system, "nurse")
    await page.goto(f"/staff/overview?place={house.site_id}")
    await expect(page.get_by_role("region", name="Rooms and beds now")).to_contain_text("Beds: 33 % full")
    await expect(page.get_by_role("status")).to_have_text(LIVE)
    await house.put(await house.here("More"), place_id=(await house.place("Bed 3"))["id"])
    await expect(page.get_by_role("region", name="Rooms and beds now")).to_contain_text("Beds: 67 % full", timeout=15_000)


async def test_the_palette_leads_to_a_bed_board(visits: Visits, house: House) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, house.system, "nurse")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Beds")
    await page.get_by_role("option", name="Beds").first.click()
    await expect(page.get_by_role("heading", name="Bed board")).to_be_visible()


def waits(page: Page) -> Locator:
    return page.get_by_role("region", name="Waiting for a bed").get_by_role("listitem")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
async def test_who_waits_for_a_bed_is_on_the_board_until_they_are_in_one(visits: Visits, house: House, size: dict[str, int]) -> None:
    turn = await house.here("Wait")
    watching = await house.board(visits, size, "front-desk")
    page = await house.board(visits, size)
    await page.goto(f"/staff/beds/visits/{turn['encounter_id']}?place={house.site_id}")
    await page.get_by_label("Type").select_option(label="Medical")
    await page.get_by_role("group", name="Besides, for this time, precautions against").get_by_label("Airborne").check()
    await page.get_by_label("How urgent").select_option("urgent")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Wait for it").click()
    await expect(page.get_by_role("status").first).to_contain_text("They wait for a bed now.")
    await expect(waits(page)).to_contain_text("Urgent")
    await expect(waits(page)).to_contain_text("Medical bed, precautions: airborne")
    await expect(waits(watching)).to_contain_text(f"Wait{house.tag}")
    await expect(waits(watching)).not_to_contain_text("airborne")
    assert await problems_of(page) == []
    await waits(watching).get_by_role("link", name=f"Wait{house.tag}").click()
    await expect(watching.get_by_text("Waits for a bed since")).to_contain_text("urgent")
    await expect(watching.get_by_text("Beds free now: 3 (2 not fit for the precautions).")).to_be_visible()
    assert await problems_of(watching) == []
    await watching.get_by_role("button", name="Admit to Bed 3").click()
    await expect(tile(watching, "Bed 3")).to_contain_text(f"Wait{house.tag}")
    await expect(waits(page)).to_have_count(0)
    await expect(tile(page, "Bed 3")).to_contain_text(f"Wait{house.tag}")


async def test_whoever_waits_no_more_is_taken_off_without_a_script_and_two_desks_do_not_both(visits: Visits, house: House) -> None:
    turn = await house.here("Gone")
    body = {"encounter_id": turn["encounter_id"], "site_id": house.site_id, "precautions": ["contact"]}
    asked = ok(await house.system.request("nurse", "POST", "/api/v1/bed-requests", json=body))
    pages = [await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False) for _ in range(2)]
    for page in pages:
        await sign_in(page, house.system, "nurse")
        await page.goto(f"/staff/beds?place={house.site_id}&kind=bed")
    for page in pages:
        await waits(page).get_by_text("Waits no more").click()
        await waits(page).get_by_role("button", name="Is cared for elsewhere").click()
        await expect(waits(page)).to_have_count(0)
    await expect(pages[0].get_by_role("status").first).to_contain_text("They wait for a bed no more.")
    await expect(pages[1].get_by_role("status").first).to_contain_text("Somebody else was faster")
    assert await problems_of(pages[1]) == []
    again = await house.system.request("nurse", "POST", f"/api/v1/bed-requests/{asked['id']}/cancel", json={"reason": "mistake"})
    refused(again, 409, "flow.bed_request_ended")


async def test_whom_to_admit_is_dragged_from_the_list_and_what_was_asked_is_chosen_there(visits: Visits, house: House) -> None:
    turn = await house.here("Pull")
    kind = f"{MEDICAL['system']}|{MEDICAL['code']}"
    body = {"encounter_id": turn["encounter_id"], "site_id": house.site_id, "precautions": ["contact"], "room_type": kind}
    ok(await house.system.request("nurse", "POST", "/api/v1/bed-requests", json=body))
    page = await house.board(visits)
    await drag(page, waits(page).get_by_role("link", name=f"Pull{house.tag}"), tile(page, "Bed 2"))
    await expect(page.get_by_role("heading", name="Bed 2")).to_be_visible()
    await expect(page.get_by_label("Type")).to_have_value(kind)
    await expect(page.get_by_role("group", name="Besides, for this time").get_by_label("Contact")).to_be_checked()
    operations = await house.board(visits, account="operations")
    await expect(waits(operations)).to_contain_text("Medical bed")
    await expect(waits(operations)).not_to_contain_text("Pull")
    await expect(waits(operations)).not_to_contain_text("contact")
