"""Waiting elsewhere in real browsers: the desk notes how far somebody goes, they come back by one tap, and the desk's page sees it."""

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Site, Visits
from tests.browser.test_queues import open_queue, turn_of
from tests.browser.test_staff import sign_in
from tests.clinic import ok


@pytest.mark.parametrize(("theirs", "desks"), [(PHONE, DESKTOP), (DESKTOP, PHONE)], ids=["390", "1280"])
async def test_one_tap_says_where_somebody_waits(visits: Visits, site: Site, theirs: dict[str, int], desks: dict[str, int]) -> None:
    queue_id, _ = await open_queue(site.system)
    patient = await visits.open(viewport=theirs)
    body = {"patient_id": str(site.visitor_id)}
    ok(await site.system.request("front-desk", "POST", f"/api/v1/queues/{queue_id}/entries", json=body), 201)
    desk = await visits.open(signed_in=False, viewport=desks)
    await sign_in(desk, site.system, "front-desk")
    await desk.goto(f"/staff/queues/{queue_id}")
    await desk.get_by_text("Do something about it").click()
    await desk.get_by_role("button", name="Let people wait elsewhere").click()
    await expect(desk.get_by_text("Who waits may do so elsewhere", exact=True)).to_be_visible()
    turn = turn_of(desk)
    await turn.get_by_text("Waits elsewhere").first.click()
    assert await problems_of(desk) == []
    await turn.get_by_role("button", name="20 minutes away").click()
    await expect(desk.get_by_role("status").first).to_contain_text("W001 waits elsewhere.")
    await expect(turn).to_contain_text("20 minutes away")
    await patient.goto("/my-turn")
    assert await problems_of(patient) == []
    await patient.get_by_role("button", name="I am here").click()
    await expect(patient.get_by_text("Thank you, we have noted that")).to_be_visible()
    assert await problems_of(patient) == []
    await expect(turn.get_by_role("button", name="Is here")).to_have_count(0)
    await patient.get_by_text("I do not want to wait any more").click()
    assert await problems_of(patient) == []
    await patient.get_by_role("button", name="I am leaving").click()
    await expect(patient.get_by_text("You do not wait any more")).to_be_visible()
    await expect(turn).to_have_count(0)


@pytest.mark.parametrize("theirs", [PHONE, DESKTOP], ids=["390", "1280"])
async def test_a_message_leads_to_one_page_where_one_tap_answers_without_signing_in(
    visits: Visits, site: Site, theirs: dict[str, int]
) -> None:
    queue_id, name = await open_queue(site.system)
    number = f"+1 312 555 {int(name[-4:], 16) % 10_000:04}"
    person = {"family": "Fernández", "given": ["Ana"], "language": "es-MX", "telecom": [{"system": "phone", "value": number}]}
    ana = ok(await site.system.request("front-desk", "POST", "/api/v1/patients", json=person), 201)["id"]
    first = await site.new_patient("Sam", "First")
    path = f"/api/v1/queues/{queue_id}/entries"
    ok(await site.system.request("front-desk", "POST", path, json={"patient_id": str(first)}), 201)
    entry = ok(await site.system.request("front-desk", "POST", path, json={"patient_id": ana}), 201)
    away = {"say": "away", "travel_minutes": 20}
    ok(await site.system.request("front-desk", "POST", f"/api/v1/queue-entries/{entry['id']}/whereabouts", json=away))
    ok(await site.system.request("nurse", "POST", f"/api/v1/queues/{queue_id}/call", json={}))
    telephone = await visits.open(signed_in=False, viewport=theirs)
    await telephone.goto("/inbox")
    await telephone.get_by_role("link", name=number).click()
    await telephone.get_by_role("link", name="/answer/turn/").click()
    await expect(telephone.get_by_role("heading", level=1)).to_have_text("Su turno")
    await expect(telephone.get_by_text("Por favor, venga ahora.")).to_be_visible()
    assert await problems_of(telephone) == []
    await telephone.get_by_role("button", name="Necesito 10 minutos más").click()
    await expect(telephone.get_by_role("status").first).to_contain_text("Gracias")
    await telephone.get_by_role("button", name="Estoy aquí").click()
    await expect(telephone.get_by_role("button", name="Estoy aquí")).to_have_count(0)
    assert await problems_of(telephone) == []
    here = ok(await site.system.request("front-desk", "GET", f"/api/v1/queue-entries/{entry['id']}"))
    assert (here.get("travel_minutes"), here["more_times"]) == (None, 1)
    await telephone.goto("/answer/turn/cwl_" + "0" * 32)
    assert await problems_of(telephone) == []
