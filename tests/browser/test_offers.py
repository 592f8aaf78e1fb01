"""Offers of another time in real browsers: the desk asks all whom an outage hits, one tap answers, and the desk's page sees it."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import sign_in
from tests.clinic import Clinic, ok, open_clinic, open_now, until_known
from tests.system import System


@pytest.fixture
async def clinic(one_process: System) -> Clinic:
    """Open at all hours."""
    made = await open_clinic(one_process)
    await open_now(made)
    return made


async def booked(clinic: Clinic, given: str, language: str) -> str:
    """Somebody who is booked within the hour, and their telephone's number."""
    number = f"+1 312 555 {uuid4().int % 10**7:07d}"
    person = {"family": "Fernández", "given": [given], "language": language, "telecom": [{"system": "phone", "value": number}]}
    patient = ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=person), 201)["id"]
    await until_known(lambda: clinic.book_soon(patient, 15), 201)
    return number


async def opened_by_message(telephone: Page, number: str) -> None:
    """The page that the message leads to, once it has come."""
    await telephone.goto("/inbox")
    await telephone.get_by_role("link", name=number).click()
    await telephone.get_by_role("link", name="/answer/offer/").click()


@pytest.mark.parametrize(("theirs", "desks"), [(PHONE, DESKTOP), (DESKTOP, PHONE)], ids=["390", "1280"])
async def test_the_desk_asks_and_one_tap_moves_the_appointment(
    visits: Visits, clinic: Clinic, theirs: dict[str, int], desks: dict[str, int]
) -> None:
    numbers = [await booked(clinic, given, language) for given, language in (("Ana", "es-MX"), ("Ben", "en"))]
    desk = await visits.open(signed_in=False, viewport=desks)
    await sign_in(desk, clinic.system, "scheduler")
    await desk.goto(f"/staff/disruptions/{clinic.practitioner_id}/out")
    await desk.get_by_label("Why").select_option("Equipment failure")
    await desk.get_by_role("button", name="For 2 hours").click()
    await expect(desk.get_by_text("Not asked yet.").first).to_be_visible()
    await expect(desk.get_by_text("Live", exact=True)).to_be_visible()
    assert await problems_of(desk) == []
    await desk.get_by_role("button", name="Ask everybody, for 1 hour").click()
    await expect(desk.get_by_text("2 patients are asked by message.")).to_be_visible()
    await expect(desk.get_by_text("No answer yet.")).to_have_count(2)
    await expect(desk.get_by_text("Live", exact=True)).to_be_visible()
    assert await problems_of(desk) == []

    telephone = await visits.open(signed_in=False, viewport=theirs)
    await opened_by_message(telephone, numbers[0])
    await expect(telephone.get_by_role("heading", level=1)).to_have_text("¿Podemos atenderle a otra hora?")
    assert await problems_of(telephone) == []
    await telephone.get_by_role("button", name="Sí, vendré entonces").click()
    await expect(telephone.get_by_role("status")).to_contain_text("Gracias. Su cita es ahora a la nueva hora:")
    assert await problems_of(telephone) == []
    await expect(desk.get_by_text("Said yes: moved from")).to_be_visible()
    await expect(desk.get_by_text("No answer yet.")).to_have_count(1)

    await opened_by_message(telephone, numbers[1])
    await telephone.get_by_role("button", name="No, thank you").click()
    await expect(telephone.get_by_role("status")).to_contain_text("does not suit you")
    await expect(desk.get_by_text("Said no to")).to_be_visible()
    assert await problems_of(desk) == []
    await desk.get_by_role("button", name="Ask about").click()
    await expect(desk.get_by_text("1 patient is asked by message.")).to_be_visible()
    await desk.get_by_role("button", name="Move now").click()
    await expect(desk.get_by_text("It was moved, and the patient is told.")).to_be_visible()
    await expect(desk.get_by_text("Nothing is booked in that time any more.")).to_be_visible()
    await telephone.goto("/answer/offer/cwl_" + "0" * 32)
    assert await problems_of(telephone) == []
