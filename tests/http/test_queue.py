"""The day itself over HTTP: who comes, is called, and what a desk sees that is too late."""

import asyncio

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, refused, register, tomorrow, until_known

QUEUES, ENTRIES = "/api/v1/queues", "/api/v1/queue-entries"


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own: whoever checks in elsewhere waits elsewhere."""
    return await open_clinic(clinic.system)


@pytest.fixture
async def queue(clinic: Clinic) -> str:
    """The address of the queue of the clinic's service."""
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "W"}
    put = ok(await clinic.system.request("operations", "PUT", QUEUES, json=wanted))
    return f"{QUEUES}/{put['id']}"


async def post(clinic: Clinic, path: str, body: Json | None = None, role: str = "nurse", version: int | None = None) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return await clinic.system.request(role, "POST", path, json=body, headers=headers)


async def test_a_walk_in_comes_is_called_and_goes(clinic: Clinic, queue: str) -> None:
    patient = await register(clinic.system)
    came = await post(clinic, f"{queue}/entries", {"patient_id": str(patient)}, role="front-desk")
    entry = ok(came, 201)
    assert came.headers["location"].endswith(f"{ENTRIES}/{entry['id']}")
    assert (entry["status"], entry["ticket"][0]) == ("waiting", "W")
    again = await post(clinic, f"{queue}/entries", {"patient_id": str(patient)})
    assert refused(again, 409, "flow.already_queued")["entry_id"] == entry["id"]
    own = await clinic.system.request("patient", "GET", f"{ENTRIES}/{entry['id']}", patient_id=patient)
    assert (ok(own)["ticket"], own.headers["etag"]) == (entry["ticket"], '"1"')
    page = ok(await clinic.system.request("nurse", "GET", f"{queue}/entries"))
    assert [each["id"] for each in page["waiting"]] == [entry["id"]]
    assert ok(await post(clinic, f"{queue}/call", {}))["entry"]["id"] == entry["id"]
    assert ok(await post(clinic, f"{queue}/call", {}))["entry"] is None
    step = f"{ENTRIES}/{entry['id']}/steps"
    refused(await post(clinic, step, {"action": "start"}, version=1), 412, "kernel.precondition_failed")
    assert ok(await post(clinic, step, {"action": "start"}))["status"] == "in-service"
    done = ok(await post(clinic, step, {"action": "complete"}))
    refused(await post(clinic, f"{ENTRIES}/{entry['id']}/undo"), 400, "kernel.bad_input")
    back = ok(await post(clinic, f"{ENTRIES}/{entry['id']}/undo", version=done["version"]))
    assert (back["status"], back["version"]) == ("in-service", done["version"] + 1)
    assert refused(await post(clinic, step, {"action": "skip"}), 409, "flow.step_not_allowed")["entry_status"] == "in-service"


async def test_an_emergency_has_an_address_of_its_own_and_comes_first(clinic: Clinic, queue: str) -> None:
    first, urgent = await register(clinic.system), await register(clinic.system)
    ok(await post(clinic, f"{queue}/entries", {"patient_id": str(first)}), 201)
    told = ok(await post(clinic, f"{queue}/emergencies", {"patient_id": str(urgent), "expected_at": tomorrow()}), 201)
    assert (told["status"], told["level"]) == ("expected", 1)
    here = ok(await post(clinic, f"{queue}/emergencies", {"patient_id": str(urgent)}), 201)
    assert (here["id"], here["status"]) == (told["id"], "waiting")
    assert ok(await post(clinic, f"{queue}/call", {}))["entry"]["id"] == here["id"]
    refused(await post(clinic, f"{queue}/emergencies", {"patient_id": str(urgent)}), 409, "flow.already_queued")
    refused(await post(clinic, f"{queue}/emergencies", {"patient_id": str(urgent), "tier": "P2"}), 400, "kernel.bad_input")


async def test_who_checks_in_is_queued_once(clinic: Clinic) -> None:
    """Two kiosks at once say that the patient is here."""
    patient = await register(clinic.system)
    booked = ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    path = f"/api/v1/appointments/{booked['id']}/status"
    told = [clinic.system.request("front-desk", "POST", path, json={"status": status}) for status in ("arrived", "checked-in")]
    await asyncio.gather(*told)

    async def its_turn() -> httpx.Response:
        """404 as long as nobody heard of it."""
        queues = ok(await clinic.system.request("nurse", "GET", QUEUES, params={"site_id": clinic.site_id}))["items"]
        for each in queues:
            found = await clinic.system.request("nurse", "GET", f"{QUEUES}/{each['queue']['id']}/entries")
            if str(patient) in found.text:
                return found
        return await clinic.system.request("nurse", "GET", f"{QUEUES}/{clinic.site_id}/entries")

    waiting = ok(await until_known(its_turn))["waiting"]
    (entry,) = [each for each in waiting if each["patient_id"] == str(patient)]
    assert (entry["appointment_id"], entry["practitioner_id"]) == (booked["id"], clinic.practitioner_id)

    async def noted_as(status: str) -> httpx.Response:
        """404 as long as nobody heard of it."""
        found = await clinic.system.request("front-desk", "GET", f"/api/v1/appointments/{booked['id']}")
        is_so = ok(found)["status"] == status
        return found if is_so else await clinic.system.request("front-desk", "GET", f"/api/v1/appointments/{clinic.site_id}")

    ok(await post(clinic, f"{ENTRIES}/{entry['id']}/steps", {"action": "start"}))
    done = ok(await post(clinic, f"{ENTRIES}/{entry['id']}/steps", {"action": "complete"}))
    await until_known(lambda: noted_as("fulfilled"))
    ok(await post(clinic, f"{ENTRIES}/{entry['id']}/undo", version=done["version"]))
    await until_known(lambda: noted_as("checked-in"))
    ok(await post(clinic, f"{ENTRIES}/{entry['id']}/steps", {"action": "complete"}))
    await until_known(lambda: noted_as("fulfilled"))


@pytest.mark.parametrize(
    ("body", "status"),
    [({"scale": "mts", "level": 2}, 400), ({"scale": "esi", "level": 0}, 400), ({"scale": "esi", "level": 6}, 400), ({"level": 2}, 400)],
)  # fmt: skip
async def test_a_level_is_one_of_a_scale(clinic: Clinic, queue: str, body: Json, status: int) -> None:
    entry = ok(await post(clinic, f"{queue}/entries", {"patient_id": str(await register(clinic.system))}), 201)
    refused(await post(clinic, f"{ENTRIES}/{entry['id']}/triage", body), status, "kernel.bad_input")
    assert ok(await post(clinic, f"{ENTRIES}/{entry['id']}/triage", {"scale": "esi", "level": 2}))["level"] == 2
    refused(await post(clinic, f"{ENTRIES}/{entry['id']}/triage", {"scale": "esi", "level": 2}, role="front-desk"), 403, "kernel.forbidden")


@pytest.mark.parametrize(
    "policy",
    [{"rates": [0, 1, 1, 1]}, {"rates": [1, 1]}, {"staff": 0}, {"head_start_minutes": [-1, 0, 0, 0]}, {"grace_minutes": 10**9}, {"x": 1}],
)  # fmt: skip
async def test_an_absurd_policy_is_refused(clinic: Clinic, policy: Json) -> None:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "policy": policy}
    refused(await clinic.system.request("operations", "PUT", QUEUES, json=wanted), 400, "kernel.bad_input")
