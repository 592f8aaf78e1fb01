"""A kiosk in a real browser: checking in by the code of the patient's page, a ticket without an appointment, help, and no connection."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.accessibility import problems_of, tab_to
from tests.browser.conftest import DESKTOP, PHONE, Site, Visits
from tests.browser.test_staff import sign_in as sign_staff_in
from tests.clinic import Clinic, ok, open_clinic, open_now, register, until_known
from tests.station import enrolled, sign_in
from tests.system import System, log_of

SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["telephone", "desktop"])
PLACE = "Waiting area 2"


@dataclass(frozen=True)
class Entrance:
    """A clinic with a queue, somebody who is booked there within minutes, and their code."""

    clinic: Clinic
    queue: str
    queue_name: str
    appointment: str
    code: str


@pytest.fixture
async def entrance(visits: Visits, site: Site, one_process: System) -> Entrance:
    clinic = await open_clinic(one_process, grid_minutes=5)
    await open_now(clinic)
    name = f"Podiatry {clinic.service_id[-6:]}"
    wanted = {
        "site_id": clinic.site_id, "service_id": clinic.service_id, "name": name, "letter": "W", "policy": {"waits_at": PLACE},
    }  # fmt: skip
    queue = ok(await one_process.request("operations", "PUT", "/api/v1/queues", json=wanted))["id"]
    page = await visits.open(viewport=PHONE)
    start = (await clinic.free_soon())[0]
    appointment = ok(await clinic.book(site.visitor_id, start), 201)["id"]
    await page.goto(f"/appointments/{appointment}")
    shown = page.get_by_role("region", name="Your check-in code").locator(".check-in [aria-hidden]")
    code = await shown.inner_text()
    assert re.fullmatch(r"[A-Z0-9]{3} [A-Z0-9]{3}", code)
    assert await problems_of(page) == []
    return Entrance(clinic, queue, name, appointment, code)


async def kiosk_of(visits: Visits, entrance: Entrance, size: dict[str, int], *languages: str) -> Page:
    """A kiosk that stands at the entrance."""
    spoken = [part for tag in languages or ("en",) for part in ("--language", tag)]
    _, code = await enrolled(entrance.clinic.system, "kiosk", entrance.clinic.site_id, "Main entrance", *spoken)
    page = await visits.open(signed_in=False, viewport=size)
    await sign_in(page, code)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    return page


async def type_code(page: Page, code: str) -> None:
    """By the keys on the screen."""
    for letter in code.replace(" ", ""):
        await page.get_by_role("button", name=letter, exact=True).click()
    await expect(page.get_by_label("Code")).to_have_value(code)


def now_in(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


async def fits(page: Page) -> bool:
    """Whether all of it is seen at once: at a kiosk nobody should have to scroll."""
    return bool(await page.evaluate("document.documentElement.scrollHeight <= innerHeight"))


@SIZES
async def test_who_has_a_code_is_checked_in_and_has_a_ticket(
    visits: Visits, entrance: Entrance, one_process: System, size: dict[str, int]
) -> None:  # fmt: skip
    page = await kiosk_of(visits, entrance, size)
    assert await problems_of(page) == []
    await page.get_by_role("link", name="I have an appointment").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your check-in code")
    assert await problems_of(page) == []
    assert size is not DESKTOP or await fits(page)
    await type_code(page, entrance.code)
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_label("Code")).to_have_value(entrance.code[:-1])
    await page.get_by_label("Code").fill(entrance.code.lower())
    await expect(page.get_by_label("Code")).to_have_value(entrance.code)
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")
    await expect(page.locator(".kiosk-ticket [aria-hidden]")).to_have_text("W001")
    await expect(page.get_by_text(f"Please wait here: {PLACE}")).to_be_visible()
    await expect(page.get_by_text("You are the next.")).to_be_visible()
    assert await problems_of(page) == []
    assert size is not DESKTOP or await fits(page)
    assert page.url.endswith("/kiosk"), "nothing of it stands in an address"
    assert "Whitfield" not in await page.content()
    await page.get_by_role("link", name="Done").click()
    await page.get_by_role("link", name="I have an appointment").click()
    await page.get_by_label("Code").fill(entrance.code)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in already")
    await expect(page.locator(".kiosk-ticket [aria-hidden]")).to_have_text("W001")

    async def noted() -> httpx.Response:
        found = await one_process.request("front-desk", "GET", f"/api/v1/appointments/{entrance.appointment}")
        return (
            found if ok(found)["status"] == "checked-in" else await one_process.request("nurse", "GET", f"/api/v1/queue-entries/{uuid4()}")
        )

    await until_known(noted)
    assert entrance.code not in log_of(one_process.data).read_text(errors="replace")


@SIZES
async def test_who_has_no_appointment_takes_a_ticket_and_the_desk_asks_who_they_are(
    visits: Visits, entrance: Entrance, one_process: System, size: dict[str, int]
) -> None:  # fmt: skip
    page = await kiosk_of(visits, entrance, size)
    desk = await visits.open(signed_in=False, viewport=size)
    await sign_staff_in(desk, one_process, "front-desk")
    await desk.goto(f"/staff/queues/{entrance.queue}")
    await expect(desk.locator("[data-state]")).to_have_text("Live")
    await page.get_by_role("link", name="I have no appointment").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What do you come for?")
    assert await problems_of(page) == []
    await page.get_by_role("button", name=entrance.queue_name).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your ticket")
    await expect(page.locator(".kiosk-ticket [aria-hidden]")).to_have_text("W001")
    await expect(page.get_by_text("The desk calls this number first")).to_be_visible()
    assert await problems_of(page) == []
    ticket = desk.get_by_role("listitem").filter(has=desk.get_by_text("W001", exact=True))
    await expect(ticket).to_contain_text("here since")
    assert await problems_of(desk) == []
    await desk.get_by_role("button", name="Call the next patient").click()
    await expect(desk.get_by_role("alert")).to_contain_text("Nobody is to be called now.")
    await ticket.get_by_role("button", name="Call to the desk").click()
    await expect(ticket).to_contain_text("called to the desk at")
    family = f"Walker{uuid4().hex[:6]}"
    await register(one_process, family)
    await desk.get_by_label("Family name, or its beginning").fill(family)
    await desk.get_by_role("button", name="Find").click()
    await expect(desk.get_by_label("Ticket").locator("option:checked")).to_contain_text("W001")
    assert await problems_of(desk) == []
    await desk.get_by_role("button", name="Give a ticket").click()
    await expect(desk.get_by_role("status")).to_contain_text("W001 waits now.")
    await expect(desk.get_by_role("heading", name="From the kiosk: ask who they are")).to_have_count(0)
    await expect(ticket).to_contain_text(family)


async def test_whoever_has_a_kiosks_ticket_and_is_new_is_registered_from_it_and_keeps_it(
    visits: Visits, entrance: Entrance, one_process: System
) -> None:  # fmt: skip
    page = await kiosk_of(visits, entrance, PHONE)
    for _ in range(2):
        await page.get_by_role("link", name="I have no appointment").click()
        await page.get_by_role("button", name=entrance.queue_name).click()
        await page.get_by_role("link", name="Done").click()
    desk = await visits.open(signed_in=False, viewport=PHONE)
    await sign_staff_in(desk, one_process, "front-desk")
    await desk.goto(f"/staff/queues/{entrance.queue}")
    ticket = desk.get_by_role("listitem").filter(has=desk.get_by_text("W002", exact=True))
    await ticket.get_by_role("link", name="Register them as a new patient").click()
    family = f"Xq{uuid4().hex[:6]}"
    await desk.get_by_label("Family name").fill(family)
    await desk.get_by_role("button", name="Register").click()
    await expect(desk.get_by_label("Ticket").locator("option:checked")).to_contain_text("W002")
    await desk.get_by_role("button", name="Give a ticket").click()
    await expect(desk.get_by_role("status")).to_contain_text("W002 waits now.")
    await expect(ticket).to_contain_text(family)


async def test_a_lost_answer_costs_nobody_a_ticket_and_without_a_connection_the_desk_is_named(visits: Visits, entrance: Entrance) -> None:
    """The ticket is made, its answer is lost; the same is asked again, and it is the same ticket."""
    page = await kiosk_of(visits, entrance, PHONE, "en", "es")
    await page.get_by_role("link", name="I have no appointment").click()

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/kiosk/ticket", lose, times=1)
    await page.get_by_role("button", name=entrance.queue_name).click()
    await expect(page.get_by_role("alert")).to_contain_text("This kiosk cannot be used just now")
    await expect(page.get_by_role("alert")).to_contain_text("Vaya a recepción")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".kiosk-ticket [aria-hidden]")).to_have_text("W001")
    waiting = ok(await entrance.clinic.system.request("nurse", "GET", "/api/v1/queues", params={"site_id": entrance.clinic.site_id}))
    assert [each["walk_ins"] for each in waiting["items"]] == [1]


async def test_it_comes_back_by_itself_after_the_network_was_away(visits: Visits, entrance: Entrance) -> None:
    page = await kiosk_of(visits, entrance, DESKTOP)
    await page.clock.install()
    await page.reload()
    await page.context.set_offline(True)
    await expect(page.get_by_role("alert")).to_contain_text("Please go to the desk.")
    await page.context.set_offline(False)
    await page.clock.run_for(6_000)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")


async def test_two_touches_make_one_ticket(visits: Visits, entrance: Entrance) -> None:
    page = await kiosk_of(visits, entrance, PHONE)
    await page.get_by_role("link", name="I have no appointment").click()
    await page.get_by_role("button", name=entrance.queue_name).dblclick()
    await expect(page.locator(".kiosk-ticket [aria-hidden]")).to_have_text("W001")
    waiting = ok(await entrance.clinic.system.request("nurse", "GET", "/api/v1/queues", params={"site_id": entrance.clinic.site_id}))
    assert [each["walk_ins"] for each in waiting["items"]] == [1]


async def test_who_feels_ill_is_sent_to_the_desk_which_is_told(visits: Visits, entrance: Entrance, one_process: System) -> None:
    desk = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_staff_in(desk, one_process, "front-desk")
    await desk.goto(f"/staff/queues/{entrance.queue}")
    page = await kiosk_of(visits, entrance, PHONE)
    await page.get_by_role("button", name="I feel very ill").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Please go to the desk at once")
    assert await problems_of(page) == []
    alert = desk.get_by_role("alert").filter(has_text="feels very ill")
    await expect(alert).to_contain_text("Main entrance, since")
    assert await problems_of(desk) == []
    await alert.get_by_role("button", name="I am going there").click()
    await expect(alert).to_have_count(0)


async def test_a_clock_that_is_wrong_changes_nothing(visits: Visits, entrance: Entrance) -> None:
    """A kiosk whose clock is a day behind: the server's clock decides, and its times are shown."""
    page = await kiosk_of(visits, entrance, PHONE)
    await page.clock.set_system_time(now_in(-24 * 60))
    await page.reload()
    await page.get_by_role("link", name="I have an appointment").click()
    await page.get_by_label("Code").fill(entrance.code)
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")
    entries = ok(await entrance.clinic.system.request("nurse", "GET", f"/api/v1/queues/{entrance.queue}/entries"))["waiting"]
    assert abs(datetime.fromisoformat(entries[0]["arrived_at"]) - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_code_that_is_none_is_told_kindly_and_many_bring_the_staff(visits: Visits, entrance: Entrance, one_process: System) -> None:
    page = await kiosk_of(visits, entrance, PHONE)
    for number in range(6):
        await page.get_by_role("link", name="I have an appointment" if not number else "Type it again").click()
        await page.get_by_label("Code").fill("CCC CCC")
        await page.get_by_role("button", name="Check in").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("We do not find this code")
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Type it again").click()
    await page.get_by_label("Code").fill(entrance.code)
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Please go to the desk")
    desk = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_staff_in(desk, one_process, "front-desk")
    await desk.goto(f"/staff/queues/{entrance.queue}")
    await expect(desk.get_by_role("alert")).to_contain_text("typed several codes")


async def test_it_speaks_the_language_that_was_chosen_and_goes_back_to_its_start(visits: Visits, entrance: Entrance) -> None:
    page = await kiosk_of(visits, entrance, PHONE, "en", "es")
    await page.clock.install()
    await page.reload()
    await page.get_by_role("link", name="Español").click()
    await expect(page.locator("html")).to_have_attribute("lang", "es")
    await page.get_by_role("link", name="Tengo una cita").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Su código de registro")
    assert await problems_of(page) == []
    await page.clock.run_for(41_000)
    await expect(page.get_by_role("alertdialog")).to_contain_text("¿Sigue ahí?")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Necesito más tiempo").click()
    await expect(page.get_by_role("alertdialog")).to_be_hidden()
    await page.clock.run_for(41_000)
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await page.clock.run_for(21_000)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")


async def test_it_is_used_by_keyboard_alone(visits: Visits, entrance: Entrance) -> None:
    page = await kiosk_of(visits, entrance, DESKTOP)
    await tab_to(page, "I have an appointment")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Code")).to_be_focused()
    await page.keyboard.type(entrance.code.lower().replace(" ", ""))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")
    await tab_to(page, "Done")


async def test_without_scripts_it_works_all_the_same(visits: Visits, entrance: Entrance) -> None:
    _, code = await enrolled(entrance.clinic.system, "kiosk", entrance.clinic.site_id, "Side entrance")
    page = await visits.open(signed_in=False, viewport=PHONE, java_script_enabled=False)
    await sign_in(page, code)
    await page.get_by_role("link", name="I have an appointment").click()
    await page.get_by_label("Code").fill(entrance.code)
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")


async def test_the_desk_finds_an_appointment_by_its_code(visits: Visits, entrance: Entrance, one_process: System) -> None:
    desk = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_staff_in(desk, one_process, "front-desk")
    await desk.goto("/staff/find")
    await desk.get_by_role("searchbox").or_(desk.get_by_role("textbox")).first.fill(entrance.code)
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("link").filter(has_text="Foot check")).to_have_count(1)


async def test_one_that_is_retired_asks_for_a_code_of_the_staff(visits: Visits, entrance: Entrance) -> None:
    page = await kiosk_of(visits, entrance, PHONE)
    await page.context.clear_cookies()
    await page.get_by_role("link", name="I have an appointment").click()
    await expect(page.get_by_role("heading", name="Sign this device in")).to_be_visible()
