"""Offers of another time over HTTP: made by the desk, answered by link without signing in, seen on the page of what is out of service."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from tests.clinic import Clinic, Json, ok, open_clinic, open_now, refused, register, until_known
from tests.plain_browser import Browser, newest_text

NOBODY = str(uuid4())
LINK = re.compile(r"/answer/offer/cwl_[0-9a-f]+")


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, open at all hours."""
    made = await open_clinic(clinic.system)
    await open_now(made)
    return made


async def reachable(clinic: Clinic, number: str, language: str = "en") -> UUID:
    body = {"family": "Beispiel", "given": ["Test"], "language": language, "telecom": [{"system": "phone", "value": number}]}
    return UUID(ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"])


def a_number() -> str:
    return f"+1 555 {uuid4().int % 10**7:07d}"


async def booked(clinic: Clinic, patient: UUID) -> Json:
    """The next free visit that begins in a quarter of an hour or later."""
    made: Json = ok(await clinic.book_soon(patient, 15), 201)
    return made


async def offer(clinic: Clinic, one: Json, start: str, role: str = "scheduler", **more: object) -> httpx.Response:
    body = {"appointment_id": one["id"], "start": start} | more
    return await clinic.system.request(role, "POST", "/api/v1/offers", json=body)


async def stands(clinic: Clinic, made: Json) -> str:
    status: str = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/offers/{made['id']}"))["status"]
    return status


async def linked(telephone: Browser, number: str) -> str:
    """Where the message to this number leads, once it is there."""
    thread = re.compile(r'href="(/inbox/[^"]+)">(?:(?!</a>).)*<span class="thread__name">' + re.escape(number) + "</span>", re.DOTALL)

    async def found() -> httpx.Response:
        led = thread.search((await telephone.client.get("/inbox")).text)
        said = LINK.search((await telephone.client.get(led[1])).text) if led else None
        return httpx.Response(200, text=said[0]) if said else httpx.Response(404)

    return (await until_known(found)).text


async def test_an_offer_is_made_kept_listed_taken_back_and_answered(clinic: Clinic) -> None:
    patient = await register(clinic.system)
    one, free = await booked(clinic, patient), await clinic.free()
    answer = await offer(clinic, one, free[0], answer_minutes=10)
    made = ok(answer, 201)
    assert answer.headers["location"].endswith(f"/api/v1/offers/{made['id']}")
    assert answer.headers["etag"] == '"1"'
    assert (made["status"], made["booked_start"], made["booked_actor_ids"]) == ("open", one["start"], [clinic.practitioner_id])
    assert free[0] not in await clinic.free()
    refused(await offer(clinic, one, free[1]), 409, "offers.still_open")
    ask = clinic.system.request
    listed = ok(await ask("scheduler", "GET", "/api/v1/offers", params={"site_id": clinic.site_id}))
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert ok(await ask("patient", "GET", "/api/v1/offers", patient_id=patient))["items"] == listed["items"]
    place = f"/api/v1/offers/{made['id']}"
    refused(await ask("scheduler", "POST", f"{place}/withdraw", headers={"If-Match": '"7"'}), 412, "kernel.precondition_failed")
    assert ok(await ask("scheduler", "POST", f"{place}/withdraw", headers={"If-Match": '"1"'}))["status"] == "withdrawn"
    refused(await ask("patient", "POST", f"{place}/answer", json={"answer": "accepted"}, patient_id=patient), 409, "offers.not_open")
    again = ok(await offer(clinic, one, free[1]), 201)
    path = f"/api/v1/offers/{again['id']}/answer"
    assert ok(await ask("patient", "POST", path, json={"answer": "accepted"}, patient_id=patient))["status"] == "accepted"
    assert (await clinic.appointment(one["id"]))["start"] == free[1]


async def test_what_makes_no_sense_is_refused_with_its_code_and_keeps_nothing(clinic: Clinic) -> None:
    patient = await register(clinic.system)
    one, free = await booked(clinic, patient), await clinic.free()
    for minutes in (0, 4, 1441, "long", None):
        refused(await offer(clinic, one, free[0], answer_minutes=minutes), 400, "kernel.bad_input")
    refused(await offer(clinic, one, free[0], note="please"), 400, "kernel.bad_input")
    refused(await offer(clinic, one, "yesterday"), 400, "kernel.bad_input")
    refused(await offer(clinic, one, "2020-01-01T09:00:00Z"), 409, "offers.too_late_to_ask")
    refused(await offer(clinic, one | {"id": NOBODY}, free[0]), 404, "scheduling.unknown_appointment")
    for role in ("patient", "nurse", "integration", "operations"):
        refused(await offer(clinic, one, free[0], role), 403, "kernel.forbidden")
    ask = clinic.system.request
    for step, body in (("withdraw", None), ("answer", {"answer": "declined"})):
        refused(await ask("scheduler", "POST", f"/api/v1/offers/{NOBODY}/{step}", json=body), 404, "offers.unknown_offer")
    refused(await ask("scheduler", "POST", f"/api/v1/offers/{NOBODY}/answer", json={"answer": "maybe"}), 400, "kernel.bad_input")
    assert free == await clinic.free()


async def test_the_same_key_makes_one_offer(clinic: Clinic) -> None:
    one, free = await booked(clinic, await register(clinic.system)), await clinic.free()
    body, key = {"appointment_id": one["id"], "start": free[0]}, str(uuid4())
    made = [ok(await clinic.system.request("scheduler", "POST", "/api/v1/offers", json=body, key=key), 201) for _ in range(2)]
    assert made[0] == made[1]


async def test_the_desk_asks_all_and_the_answers_are_seen(clinic: Clinic, scheduler: Browser, telephone: Browser) -> None:
    numbers = [a_number() for _ in range(2)]
    people = [*[await reachable(clinic, each) for each in numbers], await register(clinic.system)]
    first, second, unreached = [await booked(clinic, each) for each in people]
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    await scheduler.go(f"{place}/out")
    await scheduler.send(f"{place}/out", kind="equipment", hours="2")
    assert scheduler.text.count("Not asked yet.") == 2
    assert "No telephone number and no e-mail address is known" in scheduler.text
    await scheduler.send(f"{place}/out/ask-all", minutes="60")
    assert "2 patients are asked by message. 1 could not be asked: please call them." in scheduler.text
    assert scheduler.text.count("No answer yet.") == 2
    yes, no = [await linked(telephone, each) for each in numbers]
    await telephone.go(yes)
    assert "May we see you at another time?" in telephone.text
    await telephone.send(yes, answer="accepted")
    assert "Thank you. Your appointment is now at the new time:" in telephone.text
    await telephone.go(yes)
    assert "Thank you. Your appointment is now at the new time:" in telephone.text
    await telephone.go(no)
    await telephone.send(no, answer="declined")
    assert "does not suit you" in telephone.text
    await scheduler.go(f"{place}/out")
    assert "Said yes: moved from" in scheduler.text
    assert "Said no to" in scheduler.text
    assert (await clinic.appointment(first["id"]))["start"] != first["start"]
    for each in (second, unreached):
        assert (await clinic.appointment(each["id"]))["start"] == each["start"]
    await newest_text(telephone.client, numbers[0], "has a new time")


async def test_the_desk_asks_one_takes_it_back_and_moves_it_now(clinic: Clinic, scheduler: Browser, telephone: Browser) -> None:
    number = a_number()
    one = await booked(clinic, await reachable(clinic, number, "es-MX"))
    place = f"/staff/disruptions/{clinic.practitioner_id}"
    await scheduler.go(f"{place}/out")
    await scheduler.send(f"{place}/out", kind="room", hours="1")
    await scheduler.send(f"{place}/out/ask")
    assert "1 patient is asked by message." in scheduler.text
    page = await linked(telephone, number)
    await telephone.go(page)
    assert "¿Podemos atenderle a otra hora?" in telephone.text
    await scheduler.send(f"{place}/out/withdraw")
    assert "They are not asked any longer." in scheduler.text
    answer = await telephone.answer_to(page, answer="accepted")
    assert "Eso ya no es posible." in answer.text
    await scheduler.send(f"{place}/out/ask")
    await scheduler.send(f"{place}/out/accept")
    assert "It was moved, and the patient is told." in scheduler.text
    assert (await clinic.appointment(one["id"]))["start"] != one["start"]
    refused_page = await scheduler.client.post(
        scheduler.answer.url.join(f"{place}/out/withdraw"), data={"form_token": "x", "offer": NOBODY}, headers={"Origin": scheduler.origin}
    )
    assert refused_page.status_code == 403


async def test_an_appointment_that_is_cancelled_meanwhile_is_asked_about_no_more(clinic: Clinic, telephone: Browser) -> None:
    number = a_number()
    one, free = await booked(clinic, await reachable(clinic, number)), await clinic.free()
    made = ok(await offer(clinic, one, free[0]), 201)
    page = await linked(telephone, number)
    ok(await clinic.step(one["id"], "cancel", {"reason": "pat"}))
    await telephone.go(page)
    assert "This appointment does not take place any more, or is over." in telephone.text

    async def withdrawn() -> httpx.Response:
        is_free = await stands(clinic, made) == "withdrawn" and free[0] in await clinic.free()
        return httpx.Response(200 if is_free else 404)

    await until_known(withdrawn)


async def test_who_has_no_contact_is_noted_at_once(clinic: Clinic) -> None:
    one, free = await booked(clinic, await register(clinic.system)), await clinic.free()
    made = ok(await offer(clinic, one, free[0]), 201)

    async def noted() -> httpx.Response:
        now = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/offers/{made['id']}"))
        return httpx.Response(200 if now["is_unreached"] else 404)

    await until_known(noted)
