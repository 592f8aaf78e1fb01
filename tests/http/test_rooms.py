"""Rooms and beds over HTTP: from the directory's entry to a discharge."""

from uuid import uuid4

import httpx

from tests.clinic import Clinic, ok, refused, register, until_known

PLACES = "/api/v1/places"


async def test_a_bed_is_found_taken_and_given_back(clinic: Clinic) -> None:
    bed = str(uuid4())
    of_type = {"system": "urn:test:bed", "code": "medical"}
    entry = {"id": bed, "kind": "bed", "name": "Bed 1", "site_id": clinic.site_id, "part_of_id": clinic.site_id, "room_type": of_type}
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"locations": [entry]}))
    patient = await register(clinic.system)
    queue = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry"}
    queue_id = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=queue))["id"]
    path = f"/api/v1/queues/{queue_id}/entries"
    turn = ok(await clinic.system.request("nurse", "POST", path, json={"patient_id": str(patient)}), 201)
    wanted = {"encounter_id": turn["encounter_id"], "site_id": clinic.site_id, "kind": "bed", "room_type": "urn:test:bed|medical"}

    async def assign() -> httpx.Response:
        """409 as long as flow has not heard of the bed."""
        return await clinic.system.request("nurse", "POST", f"{PLACES}/assign", json=wanted)

    taken = ok(await until_known(assign))
    assert (taken["id"], taken["status"], taken["patient_id"]) == (bed, "occupied", str(patient))
    board = ok(await clinic.system.request("nurse", "GET", PLACES, params={"site_id": clinic.site_id, "kind": "bed"}))
    assert [(each["id"], each["encounter_id"]) for each in board["items"]] == [(bed, turn["encounter_id"])]
    steps = f"{PLACES}/{bed}/steps"
    early = await clinic.system.request("nurse", "POST", steps, json={"action": "discharge"}, headers={"If-Match": '"1"'})
    refused(early, 412, "kernel.precondition_failed")
    assert ok(await clinic.system.request("nurse", "POST", steps, json={"action": "discharge"}))["status"] == "turnover"
    again = refused(await clinic.system.request("nurse", "POST", steps, json={"action": "discharge"}), 409, "flow.place_step_not_allowed")
    assert again["place_status"] == "turnover"
    refused(await clinic.system.request("nurse", "POST", steps, json={"action": "explode"}), 400, "kernel.bad_input")
    refused(await clinic.system.request("patient", "GET", PLACES, params={"site_id": clinic.site_id}), 403, "kernel.forbidden")
