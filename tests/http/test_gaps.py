"""Gaps of a practitioner's time over HTTP: found, proposed, taken, called into, and given back."""

from typing import Any

import httpx
import pytest

from tests.clinic import VISIT_MINUTES, Clinic, Json, ok, open_clinic, open_now, refused, register, until_known

ENTRIES = "/api/v1/queue-entries"


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, in which somebody works now."""
    own = await open_clinic(clinic.system)
    await open_now(own)
    return own


@pytest.fixture
async def queue(clinic: Clinic) -> str:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry"}
    return f"/api/v1/queues/{ok(await clinic.system.request('operations', 'PUT', '/api/v1/queues', json=wanted))['id']}"


async def post(clinic: Clinic, path: str, body: Json) -> httpx.Response:
    return await clinic.system.request("nurse", "POST", path, json=body)


async def gaps_of(clinic: Clinic) -> list[Json]:
    query = {"site_id": clinic.site_id, "service_id": clinic.service_id}
    found: list[Json] = ok(await clinic.system.request("nurse", "GET", "/api/v1/gaps", params=query))["items"]
    return found


async def test_a_gap_is_found_proposed_taken_and_given_back(clinic: Clinic, queue: str) -> None:
    (gap,) = await gaps_of(clinic)
    assert (gap["practitioner_id"], gap["kind"], gap["appointment_id"]) == (clinic.practitioner_id, "idle", None)
    patient = await register(clinic.system)
    entry = ok(await post(clinic, f"{queue}/entries", {"patient_id": str(patient)}), 201)
    proposed = ok(await post(clinic, f"{queue}/proposals", {"gaps": [gap]}))
    (one,) = proposed["items"]
    assert (one["turn"]["id"], one["turn"]["ticket"], one["is_now"]) == (entry["id"], entry["ticket"], True)
    assert "patient_id" not in one["turn"]
    assert proposed["usual_minutes"] == VISIT_MINUTES
    wanted: Json = {
        "entry_id": entry["id"], "site_id": clinic.site_id, "practitioner_id": clinic.practitioner_id,
        "minutes": proposed["usual_minutes"], "least_minutes": proposed["least_minutes"],
    }  # fmt: skip
    taken = ok(await post(clinic, "/api/v1/time-in-use", wanted))
    assert taken["is_kept"] is False
    other = wanted | {"entry_id": str(patient)}
    assert refused(await post(clinic, "/api/v1/time-in-use", other), 409, "scheduling.no_time_for_turn")["free_minutes"] == 0
    ok(await post(clinic, f"{ENTRIES}/{entry['id']}/call", {"practitioner_id": clinic.practitioner_id}))
    assert ok(await post(clinic, f"{queue}/proposals", {"gaps": [gap]}))["items"] == [], "who sees somebody has no gap"
    for action in ("start", "complete"):
        ok(await post(clinic, f"{ENTRIES}/{entry['id']}/steps", {"action": action}))
    assert ok(await until_known(lambda: is_free(clinic, wanted)))["entry_id"] == wanted["entry_id"]
    back = ok(await clinic.system.request("nurse", "DELETE", f"/api/v1/time-in-use/{wanted['entry_id']}"))
    assert back == {"entry_id": wanted["entry_id"], "is_given_back": True}


async def is_free(clinic: Clinic, wanted: Json) -> httpx.Response:
    """Taken again once scheduling has heard that the turn is over: until then the turn has it."""
    back = ok(await clinic.system.request("nurse", "DELETE", f"/api/v1/time-in-use/{wanted['entry_id']}"))
    taken = await post(clinic, "/api/v1/time-in-use", wanted)
    is_new = taken.status_code == 200 and not taken.json()["is_kept"] and not back["is_given_back"]
    return taken if is_new else httpx.Response(404, request=taken.request)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"minutes": 4}, 400),
        ({"minutes": 481}, 400),
        ({"least_minutes": -1}, 400),
        ({"grace_minutes": "soon"}, 400),
        ({"entry_id": "A1"}, 400),
        ({"practitioner_id": "00000000-0000-0000-0000-000000000000"}, 404),
        ({"surplus": 1}, 400),
    ],
)
async def test_what_makes_no_sense_is_refused(clinic: Clinic, changes: dict[str, Any], status: int) -> None:
    wanted = {"entry_id": clinic.site_id, "site_id": clinic.site_id, "practitioner_id": clinic.practitioner_id, "minutes": 15}
    answer = await post(clinic, "/api/v1/time-in-use", wanted | changes)
    assert answer.status_code == status, answer.text


async def test_gaps_are_none_of_a_service_that_nobody_serves_and_refused_of_a_site_that_is_none(clinic: Clinic) -> None:
    query = {"site_id": clinic.site_id, "service_id": clinic.site_id}
    assert ok(await clinic.system.request("nurse", "GET", "/api/v1/gaps", params=query))["items"] == []
    query = {"site_id": clinic.service_id, "service_id": clinic.service_id}
    refused(await clinic.system.request("nurse", "GET", "/api/v1/gaps", params=query), 422, "scheduling.unknown_site")
    refused(await clinic.system.request("patient", "GET", "/api/v1/gaps", params=query), 403, "kernel.forbidden")
