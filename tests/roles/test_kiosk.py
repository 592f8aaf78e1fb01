"""A kiosk in one process, through JSON, and with a process for each role: the code of a message gives a ticket, at its site alone."""

import re
from uuid import UUID, uuid4

from tests.clinic import Clinic, ok, open_clinic, open_now
from tests.plain_browser import Browser, browser, newest_text
from tests.station import enrolled
from tests.system import System, log_of

TICKET = re.compile(r'<p class="kiosk-ticket">.*?<span aria-hidden="true">(\w+)</span>')


def at(system: System, path: str) -> str:
    """Where the process that serves this page has it."""
    return system.address_of(path).rstrip("/") + path


async def clinic_today(system: System) -> Clinic:
    """Where somebody can be booked within minutes."""
    clinic = await open_clinic(system, grid_minutes=5)
    await open_now(clinic)
    return clinic


async def booked_now(clinic: Clinic) -> tuple[str, str]:
    """A patient's telephone, and their appointment in some minutes."""
    number = f"+1 312 555{uuid4().int % 10000:04d}"
    body = {"family": "Nobodysname", "given": ["Test"], "telecom": [{"system": "phone", "value": number}]}
    patient = UUID(ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"])
    start = (await clinic.free_soon())[0]
    return number, ok(await clinic.book(patient, start), 201)["id"]


async def kiosk_at(clinic: Clinic, here: Browser) -> None:
    """Sign the browser in as a kiosk of the clinic."""
    _, code = await enrolled(clinic.system, "kiosk", clinic.site_id, "Entrance")
    here.client.cookies.clear()
    await here.go(at(clinic.system, "/station"))
    await here.send("/station", code=code)
    assert here.path == "/kiosk"


def ticket_on(page: Browser) -> str:
    found = TICKET.search(page.text)
    assert found, page.text
    return found[1]


async def test_the_code_of_a_message_gives_a_ticket_at_its_site_and_nothing_elsewhere(system: System) -> None:
    clinic, other = await clinic_today(system), await open_clinic(system)
    number, appointment = await booked_now(clinic)
    async with browser(system) as client:
        said = await newest_text(client, number, "is booked")
        code = re.search(r"with the code (\w{3} \w{3})", said)
        assert code, said
        here = Browser(client)
        await kiosk_at(other, here)
        await here.go(at(system, "/kiosk/code"))
        refused = await here.answer_to("/kiosk/check-in", code=code[1])
        assert (refused.status_code, "Your appointment is at another site" in refused.text) == (409, True)
        assert ok(await clinic.system.request("front-desk", "GET", f"/api/v1/appointments/{appointment}"))["status"] == "booked"
        await kiosk_at(clinic, here)
        tickets = []
        for _ in range(2):
            await here.go(at(system, "/kiosk/code"))
            await here.send("/kiosk/check-in", code=code[1].lower())
            tickets.append(ticket_on(here))
            assert "Nobodysname" not in here.text
            assert here.answer.url.query == b""
        assert tickets[0] == tickets[1]
        assert "You are checked in already" in here.text
    assert code[1] not in log_of(system.data).read_text(errors="replace")


async def test_a_ticket_without_an_appointment_is_one_however_often_it_is_asked_for(system: System) -> None:
    clinic = await open_clinic(system)
    put = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "Q"}
    queue = ok(await system.request("operations", "PUT", "/api/v1/queues", json=put))["id"]
    async with browser(system) as client:
        here = Browser(client)
        await kiosk_at(clinic, here)
        await here.go(at(system, "/kiosk/services"))
        form = here.forms
        for _ in range(2):
            here.forms = form
            await here.send("/kiosk/ticket")
            assert ticket_on(here) == "Q001"
        await here.go(at(system, "/kiosk/services"))
        await here.send("/kiosk/ticket")
        assert ticket_on(here) == "Q002"
        await here.send("/kiosk/help")
        assert "Please go to the desk at once" in here.text
    (found,) = ok(await system.request("nurse", "GET", "/api/v1/queues", params={"queue_id": queue}))["items"]
    assert (found["walk_ins"], found["waiting"]) == (2, [0, 0, 0, 0, 0])
