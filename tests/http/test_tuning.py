"""The tuner over HTTP: what one asks with, what is answered meanwhile and at last, and what is refused."""

from typing import Any

import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, refused

CLINIC_HOURS = [4.0 if 8 <= hour < 18 else 0.0 for hour in range(24)]
STAFF = [2 if 8 <= hour < 20 else 0 for hour in range(24)]
ENTERED = {"arrivals": CLINIC_HOURS, "level_shares": [0, 0.1, 0.3, 0.4, 0.2], "service_minutes": 12}


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own."""
    return await open_clinic(clinic.system)


@pytest.fixture
async def queue(clinic: Clinic) -> Json:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry"}
    made: Json = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    return made


async def start(clinic: Clinic, queue: Json, role: str = "operations", **more: Any) -> Any:
    asked = {"queue_id": queue["id"], "entered": ENTERED, "staff": STAFF} | more
    return await clinic.system.request(role, "POST", "/api/v1/tunings", json=asked)


async def step(clinic: Clinic, tuning: Json, action: str, role: str = "operations") -> Any:
    return await clinic.system.request(role, "POST", f"/api/v1/tunings/{tuning['id']}/steps", json={"action": action})


async def test_a_search_runs_is_found_and_put_in_force_and_taken_back(clinic: Clinic, queue: Json) -> None:
    tuning: Json = ok(await start(clinic, queue), 201)
    address = f"/api/v1/tunings/{tuning['id']}"
    while (stands := ok(await clinic.system.request("operations", "GET", address)))["status"] == "running":
        assert 0 <= stands["percent"] <= 100
    assert (stands["status"], stands["percent"], stands["may_apply"]) == ("done", 100, True)
    levels = stands["found"]["levels"]
    assert [each["level"] for each in levels] == [1, 2, 3, 4, 5]
    assert levels[1]["target"] == {"level": 2, "minutes": 15, "share": 0.95}
    assert 0 <= levels[1]["now"]["share"] <= 1
    assert ok(await step(clinic, stands, "apply"))["may_take_back"]
    listed = ok(await clinic.system.request("operations", "GET", f"/api/v1/queues?queue_id={queue['id']}"))["items"]
    assert listed[0]["queue"]["policy"]["rates"] == stands["found"]["values"]
    assert ok(await step(clinic, stands, "take-back"))["taken_back_at"]
    refused(await step(clinic, stands, "cancel"), 409, "flow.tuning_step_not_allowed")
    listed = ok(await clinic.system.request("operations", "GET", f"/api/v1/tunings?queue_id={queue['id']}"))["items"]
    assert [each["id"] for each in listed] == [stands["id"]]


async def test_what_came_is_shown_and_too_little_of_it_refused(clinic: Clinic, queue: Json) -> None:
    demand = ok(await clinic.system.request("operations", "GET", f"/api/v1/queues/{queue['id']}/demand?days=weekend"))
    assert (demand["days"], demand["people"], demand["is_enough"], len(demand["arrivals"])) == ("weekend", 0, False, 24)
    told = refused(await start(clinic, queue, entered=None), 422, "flow.too_little_history")
    assert told["people_least"] == 200
    refused(await start(clinic, queue, staff=[0] * 24), 422, "flow.tuning_not_sound")
    refused(await clinic.system.request("operations", "GET", f"/api/v1/tunings/{queue['id']}"), 404, "flow.unknown_tuning")


@pytest.mark.parametrize(
    "more",
    [
        {"staff": [2] * 23}, {"staff": [-1] * 24}, {"staff": [10**9] * 24}, {"targets": []}, {"order": "random"}, {"days": "Sunday"},
        {"targets": [{"level": 2, "minutes": 15, "share": 1}]}, {"targets": [{"level": 6, "minutes": 15, "share": 0.5}]},
        {"targets": [{"level": 2, "minutes": 15, "share": 0.5}, {"level": 2, "minutes": 16, "share": 0.5}]},
        {"entered": ENTERED | {"service_minutes": 0}}, {"entered": ENTERED | {"arrivals": [float(10**6)] * 24}},
        {"entered": ENTERED | {"level_shares": [1]}}, {"seed": 1},
    ],
    ids=str,
)  # fmt: skip
async def test_nonsense_is_refused(clinic: Clinic, queue: Json, more: Json) -> None:
    refused(await start(clinic, queue, **more), 400, "kernel.bad_input")


async def test_who_may_not_is_told_so(clinic: Clinic, queue: Json) -> None:
    for role in ("nurse", "front-desk", "analyst"):
        refused(await start(clinic, queue, role), 403, "kernel.forbidden")
        refused(await clinic.system.request(role, "GET", f"/api/v1/queues/{queue['id']}/demand"), 403, "kernel.forbidden")
