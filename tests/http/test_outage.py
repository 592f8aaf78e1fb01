"""A person out of service, through the staff's page: what it hits, where that goes instead, and the way back."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, open_now, refused, register, until_known
from tests.plain_browser import Browser
from tests.staff_browser import staff_signed_in

OUTAGES = "/api/v1/outages"


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, open at all hours."""
    made = await open_clinic(clinic.system)
    await open_now(made)
    return made


async def booked(clinic: Clinic, patient: UUID) -> Json:
    """The next free visit."""
    made: Json = ok(await clinic.book_soon(patient, 2), 201)
    return made


def starts_offered(page: str) -> list[str]:
    return re.findall(r'name="start" value="([^"]+)"', page)


async def test_what_an_outage_hits_is_moved_by_one_tap_and_the_time_is_given_back(clinic: Clinic, scheduler: Browser) -> None:
    first, second = await booked(clinic, await register(clinic.system)), await booked(clinic, await register(clinic.system))
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    await scheduler.go(f"{place}/out")
    assert "In service" in scheduler.text
    await scheduler.send(f"{place}/out", kind="emergency", hours="2")
    assert "Out of service" in scheduler.text
    offered = starts_offered(scheduler.text)
    assert len(offered) == len(set(offered)) == 2, "two are not proposed one time"
    ends = datetime.now(UTC) + timedelta(hours=1, minutes=55)
    assert all(datetime.fromisoformat(each) > ends for each in offered)
    await scheduler.send(f"{place}/move")
    moved = {each["id"]: await clinic.appointment(each["id"]) for each in (first, second)}
    (gone,) = [each for each in (first, second) if moved[each["id"]]["start"] != each["start"]]
    assert datetime.fromisoformat(moved[gone["id"]]["start"]) in {datetime.fromisoformat(each) for each in offered}
    assert len(starts_offered(scheduler.text)) == 1
    free = await clinic.free(from_at=datetime.now(UTC).isoformat())
    assert datetime.fromisoformat(free[0]) > ends
    await scheduler.send(f"{place}/back")
    assert "In service" in scheduler.text
    assert datetime.fromisoformat((await clinic.free(from_at=datetime.now(UTC).isoformat()))[0]) < ends


async def test_a_time_that_somebody_took_meanwhile_is_not_moved_to(clinic: Clinic, scheduler: Browser) -> None:
    visit = await booked(clinic, await register(clinic.system))
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    await scheduler.go(f"{place}/out")
    await scheduler.send(f"{place}/out", kind="absent", hours="1")
    (offered,) = starts_offered(scheduler.text)
    ok(await clinic.book(await register(clinic.system), offered), 201)
    answer = await scheduler.answer_to(f"{place}/move")
    assert (answer.status_code, "That time has just been taken" in answer.text) == (409, True)
    assert starts_offered(answer.text) not in ([], [offered])
    assert (await clinic.appointment(visit["id"]))["start"] == visit["start"], "nothing was lost"


async def test_a_form_that_says_nonsense_closes_nothing(clinic: Clinic, scheduler: Browser) -> None:
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    for said in ({"kind": "war", "hours": "2"}, {"kind": "absent", "hours": "-5"}, {"kind": "absent", "hours": "2000"}):
        await scheduler.go(f"{place}/out")
        assert (await scheduler.answer_to(f"{place}/out", **said)).status_code == 400
    await scheduler.go(f"{place}/out")
    assert "In service" in scheduler.text


async def test_a_room_is_out_of_service_by_the_api_and_whoever_works_there_ends_it(clinic: Clinic) -> None:
    system, room, patient = clinic.system, str(uuid4()), await register(clinic.system)
    place = {"id": room, "kind": "room", "name": "Room 7", "site_id": clinic.site_id, "part_of_id": clinic.site_id}
    ok(await system.request("administrator", "PUT", "/api/v1/directory", json={"locations": [place]}))
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    said = {"schedule_id": room, "end": until, "reason": "room"}
    made = (await until_known(lambda: system.request("nurse", "POST", OUTAGES, json=said), 201)).json()
    assert (made["display"], made["kind"], made["hit_appointment_ids"]) == ("Room 7", "room", [])
    here = {"site_id": clinic.site_id}
    assert ok(await system.request("technician", "GET", OUTAGES, params=here))["items"] == [made]
    refused(await system.request("patient", "GET", OUTAGES, params=here, patient_id=patient), 403, "kernel.forbidden")
    ended = ok(await system.request("operations", "POST", f"{OUTAGES}/{made['id']}/end"))
    assert ended["end"] < until
    assert ok(await system.request("technician", "GET", OUTAGES, params=here))["items"] == []
    refused(await system.request("nurse", "GET", f"{OUTAGES}/{uuid4()}"), 404, "outages.unknown_outage")
    doctor = said | {"schedule_id": clinic.practitioner_id, "reason": "absent"}
    refused(await system.request("nurse", "POST", OUTAGES, json=doctor), 403, "kernel.forbidden")
    refused(await system.request("nurse", "POST", OUTAGES, json=said | {"reason": "drunk"}), 400, "kernel.bad_input")


async def test_the_desk_sees_on_one_page_what_is_out_at_a_site(clinic: Clinic) -> None:
    visit = await booked(clinic, await register(clinic.system))
    desk = await staff_signed_in(clinic.system, "front-desk")
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    await desk.go(f"{place}/out")
    await desk.send(f"{place}/out", kind="absent", hours="4")
    assert "Not here today" in desk.text
    await desk.go(f"/staff/disruptions?place={clinic.site_id}")
    assert "1 appointment is booked in that time" in desk.text
    assert f"{place}/out" in desk.text
    await desk.go(f"{place}/out")
    await desk.send(f"{place}/back")
    await desk.go(f"/staff/disruptions?place={clinic.site_id}")
    assert "See to it" not in desk.text
    assert (await clinic.appointment(visit["id"]))["start"] == visit["start"]
    await desk.client.aclose()


async def test_who_sees_no_time_of_others_to_close_is_shown_no_form(clinic: Clinic) -> None:
    nurse = await staff_signed_in(clinic.system, "nurse")
    await nurse.go(f"/staff/disruptions/{clinic.practitioner_id}/out")
    assert "In service" in nurse.text
    assert "Take out of service" not in nurse.text
    await nurse.client.aclose()


@pytest.mark.parametrize("role", ["front-desk", "nurse", "physician", "technician", "operations"])
async def test_whoever_may_take_something_out_of_service_sees_how_it_stands(clinic: Clinic, role: str) -> None:
    """Operations see no patients: they are told how many appointments are hit, and not whose."""
    visit = await booked(clinic, await register(clinic.system, "Hidden"))
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    said = {"schedule_id": clinic.practitioner_id, "end": until, "reason": "absent"}
    made = ok(await clinic.system.request("front-desk", "POST", OUTAGES, json=said), 201)
    assert made["hit_appointment_ids"] == [visit["id"]]
    browser = await staff_signed_in(clinic.system, role)
    await browser.go(f"/staff/disruptions/{clinic.practitioner_id}/out")
    assert "Not here today" in browser.text
    assert ("Hidden" in browser.text) == (role != "operations")
    assert ("1 appointment is booked in that time" in browser.text) == (role == "operations")
    await browser.client.aclose()
