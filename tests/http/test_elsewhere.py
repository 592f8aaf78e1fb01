"""Waiting elsewhere over HTTP: offered while too many wait, said by patients and by the desk, shown on the queue's page."""

from typing import Any

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, refused, register
from tests.staff_browser import staff_signed_in


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own."""
    return await open_clinic(clinic.system)


async def waiting(clinic: Clinic, **more: Any) -> Json:
    """A turn in a queue of its own."""
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry"}
    queue: Json = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    patient = await register(clinic.system)
    body = {"patient_id": str(patient)} | more
    entry: Json = ok(await clinic.system.request("nurse", "POST", f"/api/v1/queues/{queue['id']}/entries", json=body), 201)
    return entry


async def say(clinic: Clinic, entry: Json, role: str = "front-desk", **body: Any) -> httpx.Response:
    return await clinic.system.request(role, "POST", f"/api/v1/queue-entries/{entry['id']}/whereabouts", json=body)


async def test_the_desk_says_that_somebody_waits_elsewhere_and_calls_whoever_is_here(clinic: Clinic) -> None:
    entry = await waiting(clinic)
    away = ok(await say(clinic, entry, say="away", travel_minutes=20))
    assert (away["status"], away["travel_minutes"], away["ranked_from"]) == ("waiting", 20, entry["ranked_from"])
    called = await clinic.system.request("nurse", "POST", f"/api/v1/queues/{entry['queue_id']}/call", json={})
    assert ok(called)["entry"] is None
    back = ok(await say(clinic, entry, say="back"))
    assert "travel_minutes" not in back or back["travel_minutes"] is None
    called = await clinic.system.request("nurse", "POST", f"/api/v1/queues/{entry['queue_id']}/call", json={})
    assert ok(called)["entry"]["id"] == entry["id"]


async def test_what_makes_no_sense_is_refused_with_its_code(clinic: Clinic) -> None:
    entry = await waiting(clinic)
    for body in ({"say": "away"}, {"say": "back", "travel_minutes": 5}):
        refused(await say(clinic, entry, **body), 400, "kernel.bad_input")
    refused(await say(clinic, entry, say="away", travel_minutes=61), 400, "kernel.bad_input")
    refused(await say(clinic, entry, say="back"), 409, "flow.step_not_allowed")
    refused(await say(clinic, entry, "operations", say="back"), 403, "kernel.forbidden")
    urgent = await waiting(clinic, tier="P1")
    told = refused(await say(clinic, urgent, say="away", travel_minutes=20), 409, "elsewhere.stay_near")
    assert told["why"] == "level"


async def test_the_page_of_the_queue_shows_who_waits_elsewhere_and_how_far(clinic: Clinic) -> None:
    entry = await waiting(clinic)
    page = f"/staff/queues/{entry['queue_id']}"
    desk = await staff_signed_in(clinic.system, "front-desk")
    await desk.go(page)
    await desk.send(f"{page}/elsewhere", entry=entry["id"], version=str(entry["version"]), minutes="20")
    assert f"{entry['ticket']} waits elsewhere." in desk.text
    assert "waits elsewhere, 20 minutes away" in desk.text
    await desk.send(f"{page}/call")
    assert "Nobody who is here is to be called now." in desk.text
    await desk.send(f"{page}/step", entry=entry["id"], version=str(entry["version"] + 1), action="back")
    assert f"{entry['ticket']} is here." in desk.text
    assert "20 minutes away</span></p>" not in desk.text
    await desk.client.aclose()
