"""Sensors over HTTP: enrolled, heard by their secret, refused in their nonsense; and a flood of one that costs nobody else anything."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clinic import Clinic, ok, refused, until_known
from tests.system import System

SENSORS, READINGS, PLACES = "/api/v1/sensors", "/api/v1/sensor-readings", "/api/v1/places"
AT_ONCE = {"hold_seconds": 0, "readings_least": 1}


async def say(system: System, secret: str, *readings: Any, body: bytes | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    if body is not None:
        return await system.client.post(system.address_of(READINGS) + READINGS, content=body, headers=headers)
    return await system.client.post(system.address_of(READINGS) + READINGS, json={"readings": list(readings)}, headers=headers)


async def room_of(clinic: Clinic) -> str:
    """A room of the clinic that flow has heard of."""
    room = str(uuid4())
    entry = {"id": room, "kind": "room", "name": "Room 1", "site_id": clinic.site_id, "part_of_id": clinic.site_id}
    of_type = {"system": "urn:test:room", "code": "exam"}
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"locations": [entry | {"room_type": of_type}]}))
    return room


async def enrolled(clinic: Clinic, place_id: str) -> Any:
    async def enrol() -> httpx.Response:
        """404 as long as flow has not heard of the room."""
        body = {"site_id": clinic.site_id, "name": "Beam", "place_id": place_id, "tuning": AT_ONCE}
        return await clinic.system.request("operations", "POST", SENSORS, json=body)

    return ok(await until_known(enrol))


async def seen_in(clinic: Clinic, place_id: str) -> Any:
    board = ok(await clinic.system.request("nurse", "GET", PLACES, params={"site_id": clinic.site_id}))
    return next(each["seen"] for each in board["items"] if each["id"] == place_id)


async def test_a_sensor_is_enrolled_heard_and_stopped(clinic: Clinic) -> None:
    system, room = clinic.system, await room_of(clinic)
    made = await enrolled(clinic, room)
    sensor_id, secret = made["sensor"]["id"], made["secret"]
    assert ok(await say(system, secret, {"value": True})) == {"taken": 1, "refused": []}
    here = await seen_in(clinic, room)
    assert (here["sensor_id"], here["occupied"], here["is_silent"]) == (sensor_id, True, False)
    (listed,) = ok(await system.request("operations", "GET", SENSORS, params={"site_id": clinic.site_id}))["items"]
    assert (listed["seen"]["value"], listed["transport"], listed["fault"]) == (1, "http", None)
    assert "secret" not in listed
    tuning = listed["tuning"] | {"hold_seconds": 30}
    changed = ok(await system.request("operations", "PUT", f"{SENSORS}/{sensor_id}", json={"name": "Radar", "tuning": tuning}))
    assert (changed["name"], changed["tuning"]["hold_seconds"], changed["version"]) == ("Radar", 30, 2)
    other = ok(await system.request("operations", "POST", f"{SENSORS}/{sensor_id}/secret"))["secret"]
    assert ok(await say(system, other, {"value": 1}))["taken"] == 1
    refused(await system.request("nurse", "POST", f"{SENSORS}/{sensor_id}/stop"), 403, "kernel.forbidden")
    assert ok(await system.request("operations", "POST", f"{SENSORS}/{sensor_id}/stop"))["stopped_at"] is not None

    async def still_heard() -> bool:
        return (await say(system, other, {"value": 1})).status_code != 401

    async with asyncio.timeout(15):
        while await still_heard():  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.2)
    assert await seen_in(clinic, room) is None


async def test_a_sensors_secret_opens_nothing_else(clinic: Clinic) -> None:
    secret = (await enrolled(clinic, await room_of(clinic)))["secret"]
    headers = {"Authorization": f"Bearer {secret}"}
    for path in (PLACES, SENSORS, "/api/v1/queues", "/api/v1/patients"):
        answer = await clinic.system.client.get(clinic.system.address_of(path) + path, params={"site_id": clinic.site_id}, headers=headers)
        assert answer.status_code in (403, 405), path
    refused(await clinic.system.request("nurse", "POST", READINGS, json={"readings": [{"value": 1}]}), 403, "kernel.forbidden")


async def test_who_is_no_sensor_is_told_so(clinic: Clinic) -> None:
    for secret in ("cwd_" + "0" * 40, "cwd_", "nonsense"):
        refused(await say(clinic.system, secret, {"value": 1}), 401, "kernel.unauthenticated")


NONSENSE: list[tuple[bytes, int, str]] = [
    (b"", 400, "kernel.bad_input"),
    (b"{", 400, "kernel.bad_input"),
    (b"1", 400, "kernel.bad_input"),
    (b'{"readings":[]}', 400, "kernel.bad_input"),
    (b'{"readings":[' + b",".join([b'{"value":1}'] * 101) + b"]}", 400, "kernel.bad_input"),
    (b'{"readings":[{}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":"many"}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":NaN}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":null}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":1,"sequence":-1}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":1,"at":"yesterday"}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":1,"at":"2026-11-27T09:00:00"}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":1,"patient":"Anna"}]}', 400, "kernel.bad_input"),
    (b'{"readings":[{"value":-1}]}', 422, "sensors.readings_refused"),
    (b'{"readings":[{"value":2}]}', 422, "sensors.readings_refused"),
    (b'{"readings":[{"value":1e308}]}', 422, "sensors.readings_refused"),
    (b'{"readings":[{"value":1,"at":"1970-01-01T00:00:00Z"}]}', 422, "sensors.readings_refused"),
    (b'{"readings":[{"value":1,"at":"2199-01-01T00:00:00Z"}]}', 422, "sensors.readings_refused"),
]


async def test_nonsense_is_refused_by_name_and_what_was_seen_stays(clinic: Clinic) -> None:
    room = await room_of(clinic)
    secret = (await enrolled(clinic, room))["secret"]
    ok(await say(clinic.system, secret, {"value": 1}))
    for body, status, code in NONSENSE:
        refused(await say(clinic.system, secret, body=body), status, code)
    assert (await seen_in(clinic, room))["occupied"] is True


async def test_a_batch_may_come_again(clinic: Clinic) -> None:
    secret = (await enrolled(clinic, await room_of(clinic)))["secret"]
    now = datetime.now(UTC)
    batch = [{"value": number % 2, "at": (now - timedelta(seconds=9 - number)).isoformat(), "sequence": number} for number in range(9)]
    assert ok(await say(clinic.system, secret, *batch)) == {"taken": 9, "refused": []}
    again = ok(await say(clinic.system, secret, *batch))
    assert (again["taken"], {each["fault"] for each in again["refused"]}) == (0, {"repeated", "late"})


async def test_a_flood_is_turned_away_and_nobody_else_waits(clinic: Clinic) -> None:
    """A thousand requests of one sensor at once, while the desk looks at the board."""
    room = await room_of(clinic)
    secret = (await enrolled(clinic, room))["secret"]
    flood = asyncio.gather(*(say(clinic.system, secret, {"value": 1}, {"value": 1}) for _ in range(1000)))
    looks = [await clinic.system.request("nurse", "GET", PLACES, params={"site_id": clinic.site_id}) for _ in range(10)]
    answers = await flood
    turned_away = [each for each in answers if each.status_code in (429, 503)]
    assert {each.status_code for each in looks} == {200}
    assert {each.status_code for each in answers} <= {200, 429, 503}
    assert len(turned_away) >= 800
    assert all(int(each.headers["retry-after"]) >= 1 for each in turned_away)


@pytest.mark.parametrize("command", ["", "enrol", "list", "change", "secret", "stop"])
def test_the_command_shows_an_example(command: str) -> None:
    words = ["carewright", "sensor", *command.split(), "--help"]
    answer = subprocess.run([".venv/bin/" + words[0], *words[1:]], capture_output=True, text=True, check=True)
    assert "example: carewright sensor" in answer.stdout
