"""The waitlist over HTTP: a cancellation leads to a message, one tap books, and the others are asked in turn."""

from uuid import UUID, uuid4

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, refused, register, until_known
from tests.http.test_offers import a_number, linked, reachable
from tests.plain_browser import Browser

NOBODY = str(uuid4())


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, whose time is offered one after the other."""
    made = await open_clinic(clinic.system)
    terms = {"way": "cascade", "answer_minutes": 30, "notice_minutes": 0}
    ok(await made.system.request("scheduler", "PUT", f"/api/v1/waitlist-policies/{made.site_id}", json=terms))
    return made


async def wait(clinic: Clinic, patient: UUID, role: str = "front-desk", given_up: Json | None = None, **wishes: object) -> httpx.Response:
    body = {
        "patient_id": str(patient), "visit_type_id": clinic.visit_type_id, "given_up_id": given_up["id"] if given_up else None,
        "wishes": {"site_ids": [clinic.site_id], "notice_minutes": 0} | wishes,
    }  # fmt: skip
    return await clinic.system.request(role, "POST", "/api/v1/waitlist", json=body, patient_id=patient)


async def entry(clinic: Clinic, made: Json) -> Json:
    found: Json = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/waitlist/{made['id']}"))
    return found


async def test_a_cancellation_is_offered_by_message_and_one_tap_books_it(clinic: Clinic, telephone: Browser) -> None:
    number, second = a_number(), a_number()
    one = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    answer = await wait(clinic, await reachable(clinic, number))
    made = ok(answer, 201)
    assert answer.headers["location"].endswith(f"/api/v1/waitlist/{made['id']}")
    assert answer.headers["etag"] == '"1"'
    later = ok(await clinic.book(await reachable(clinic, second, "es"), (await clinic.free())[3]), 201)
    ok(await wait(clinic, UUID(later["patient_id"]), given_up=later), 201)
    ok(await clinic.step(one["id"], "cancel", {"reason": "pat"}))
    page = await linked(telephone, number)
    await telephone.go(page)
    assert "A time has come free, and you are waiting for one." in telephone.text
    assert (await entry(clinic, made))["state"] == "offered"
    assert one["start"] not in await clinic.free()
    await telephone.send(page, answer="declined")
    assert "you keep waiting" in telephone.text
    page = await linked(telephone, second)
    await telephone.go(page)
    assert "¿Le va bien una hora más temprana?" in telephone.text
    assert " AM" not in telephone.text
    await telephone.send(page, answer="accepted")
    assert "Gracias. Su cita es ahora a esta hora:" in telephone.text
    assert (await clinic.appointment(later["id"]))["start"] == one["start"]
    page = await linked(telephone, number)  # the place that the second left, by a newer message

    async def asked_again() -> httpx.Response:
        found = ok(await clinic.system.request("scheduler", "GET", "/api/v1/offers", params={"entry_id": made["id"]}))["items"]
        return httpx.Response(200 if [each["status"] for each in found] == ["declined", "open"] else 404)

    await until_known(asked_again)
    found = ok(await clinic.system.request("scheduler", "GET", "/api/v1/offers", params={"entry_id": made["id"]}))["items"]
    assert found[1]["start"] == later["start"]
    ok(await clinic.system.request("scheduler", "POST", f"/api/v1/offers/{found[1]['id']}/answer", json={"answer": "accepted"}))
    assert (await clinic.appointment(made["id"]))["start"] == later["start"]
    stands = await entry(clinic, made)
    assert (stands["state"], stands["declined"], stands["version"]) == ("booked", 1, 2)


async def test_entries_are_changed_listed_and_left_and_nonsense_is_refused(clinic: Clinic) -> None:
    patient, ask = await register(clinic.system), clinic.system.request
    made = ok(await wait(clinic, patient, "patient"), 201)
    refused(await wait(clinic, patient), 409, "waitlist.already_waiting")
    place = f"/api/v1/waitlist/{made['id']}"
    wishes = made["wishes"] | {"windows": [{"weekdays": [0], "from_minute": 480, "until_minute": 720}]}
    refused(
        await ask("patient", "PUT", place, json=wishes, patient_id=patient, headers={"If-Match": '"7"'}), 412, "kernel.precondition_failed"
    )
    after = ok(await ask("patient", "PUT", place, json=wishes, patient_id=patient, headers={"If-Match": '"1"'}))
    assert (after["version"], after["wishes"]["windows"][0]["weekdays"]) == (2, [0])
    listed = ok(await ask("scheduler", "GET", "/api/v1/waitlist", params={"site_id": clinic.site_id, "states": "waiting"}))
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    nonsense: list[Json] = [
        {"site_ids": []}, {"windows": [{"from_minute": 9, "until_minute": 9}]}, {"notice_minutes": -1}, {"urgency": "P9"},
    ]  # fmt: skip
    for wrong in nonsense:
        refused(await wait(clinic, await register(clinic.system), **wrong), 400, "kernel.bad_input")
    refused(await wait(clinic, await register(clinic.system), site_ids=[NOBODY]), 422, "scheduling.unknown_site")
    refused(await wait(clinic, patient, given_up={"id": NOBODY}), 409, "waitlist.already_waiting")
    for role in ("nurse", "operations"):
        refused(await wait(clinic, patient, role), 403, "kernel.forbidden")
    assert ok(await ask("patient", "POST", f"{place}/leave", patient_id=patient))["state"] == "withdrawn"
    refused(await ask("patient", "POST", f"{place}/leave", patient_id=patient), 409, "waitlist.not_waiting")
    refused(await ask("patient", "GET", f"/api/v1/waitlist/{NOBODY}", patient_id=patient), 404, "waitlist.unknown_entry")
    policy = f"/api/v1/waitlist-policies/{clinic.site_id}"
    assert ok(await ask("front-desk", "GET", policy))["terms"]["way"] == "cascade"
    refused(await ask("front-desk", "PUT", policy, json={"way": "off"}), 403, "kernel.forbidden")
    refused(await ask("scheduler", "PUT", policy, json={"way": "lottery"}), 400, "kernel.bad_input")
