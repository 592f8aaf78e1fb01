"""What is done because too many wait, over HTTP: set by the policy's limits and by hand, seen by whoever watches, kept from who may not."""

from typing import Any

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, refused, register
from tests.staff_browser import staff_signed_in
from tests.watching import place_of, session_of, staff_base, watching


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own."""
    return await open_clinic(clinic.system)


async def put(clinic: Clinic, **policy: Any) -> httpx.Response:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "policy": policy}
    return await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted)


async def set_relief(clinic: Clinic, queue_id: str, role: str = "front-desk", **body: Any) -> httpx.Response:
    return await clinic.system.request(role, "POST", f"/api/v1/queues/{queue_id}/relief", json=body)


async def walk_in(clinic: Clinic, queue_id: str, kind: str = "entries", **more: Any) -> httpx.Response:
    patient = await register(clinic.system)
    return await clinic.system.request("nurse", "POST", f"/api/v1/queues/{queue_id}/{kind}", json={"patient_id": str(patient)} | more)


async def test_walk_ins_are_paused_by_hand_seen_by_who_watches_and_taken_again(clinic: Clinic) -> None:
    queue: Json = ok(await put(clinic))
    desk = await staff_signed_in(clinic.system, "front-desk")
    await desk.go(f"/staff/queues/{queue['id']}")
    assert "Do something about it" in desk.text
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place_of(desk.text), kind="relief") as stream:
        stands = ok(await set_relief(clinic, queue["id"], what="pause-walk-ins", is_on=True, reason="incident"))
        heard = await stream.until("relief")
        assert (heard.fields["queue"], heard.fields["what"], heard.fields["status"]) == (queue["id"], "pause-walk-ins", "on")
    (on,) = stands["on"]
    assert (on["begun_by"], on["reason"]) == ("person", "incident")
    told = refused(await walk_in(clinic, queue["id"]), 409, "flow.walk_ins_paused")
    assert told["other_sites"] == []
    assert "Emergencies" in told["detail"]
    assert ok(await walk_in(clinic, queue["id"], "emergencies"), 201)["level"] == 1
    assert ok(await walk_in(clinic, queue["id"], tier="P1"), 201)["level"] == 3
    await desk.go(f"/staff/queues/{queue['id']}")
    assert "Routine walk-ins are paused" in desk.text
    assert "something has happened" in desk.text
    await desk.go("/staff/queues")
    assert "Routine walk-ins are paused" in desk.text
    stands = ok(await set_relief(clinic, queue["id"], what="pause-walk-ins", is_on=False, reason="calm"))
    assert (stands["on"], [each["end_reason"] for each in stands["past"]]) == ([], ["calm"])
    assert ok(await walk_in(clinic, queue["id"]), 201)["elsewhere"] == []
    assert ok(await clinic.system.request("nurse", "GET", f"/api/v1/queues/{queue['id']}/relief")) == stands
    await desk.client.aclose()


async def test_the_desk_begins_and_ends_a_step_on_the_page(clinic: Clinic) -> None:
    queue: Json = ok(await put(clinic))
    page = f"/staff/queues/{queue['id']}"
    desk = await staff_signed_in(clinic.system, "front-desk")
    await desk.go(page)
    await desk.send(f"{page}/relief", what="extra-staff", on="yes", reason="short-staffed")
    assert "More staff are called" in desk.text
    assert "too few of us are here" in desk.text
    await desk.send(f"{page}/relief", what="extra-staff", on="no", reason="calm")
    assert "More staff are called" not in desk.text
    await desk.client.aclose()


async def test_a_policy_keeps_its_limits_and_no_other_site_is_told_where_there_is_none(clinic: Clinic) -> None:
    queue: Json = ok(await put(clinic, relief=[{"what": "extra-staff", "from_waiting": 1}]))
    assert queue["policy"]["relief"][0]["from_waiting"] == 1
    assert ok(await clinic.system.request("nurse", "GET", f"/api/v1/queues/{queue['id']}/other-sites")) == {"items": []}


@pytest.mark.parametrize(
    "rules",
    [
        [{"what": "extra-staff"}], [{"what": "close-the-doors", "from_waiting": 5}], [{"what": "extra-staff", "from_waiting": 0}],
        [{"what": "extra-staff", "from_waiting": 5, "below_waiting": 9}], [{"what": "extra-staff", "from_waiting": 10**12}],
        [{"what": "extra-staff", "from_waiting": 5}, {"what": "extra-staff", "from_waiting": 6}],
    ],
    ids=str,
)  # fmt: skip
async def test_absurd_limits_are_refused(clinic: Clinic, rules: list[Json]) -> None:
    refused(await put(clinic, relief=rules), 400, "kernel.bad_input")


async def test_who_may_not_changes_nothing(clinic: Clinic) -> None:
    queue: Json = ok(await put(clinic))
    for role in ("administrator", "analyst", "scheduler"):
        refused(await set_relief(clinic, queue["id"], role, what="extra-staff", is_on=True, reason="other"), 403, "kernel.forbidden")
    refused(await set_relief(clinic, queue["id"], what="extra-staff", is_on=True), 400, "kernel.bad_input")
    refused(await set_relief(clinic, queue["id"], what="extra-staff", is_on=True, reason="I say so"), 400, "kernel.bad_input")
    refused(await set_relief(clinic, clinic.service_id, what="extra-staff", is_on=True, reason="other"), 404, "flow.unknown_queue")
