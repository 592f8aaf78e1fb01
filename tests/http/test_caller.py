"""For whom a desk calls: chosen on the queue's page, kept by the browser, said with every call: who is booked is minded there too."""

import asyncio

import pytest

from tests.clinic import FOLLOW_SECONDS_MAX, Clinic, Json, ok, open_clinic, open_now, register
from tests.plain_browser import Browser
from tests.staff_browser import staff_signed_in


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, at work around the clock."""
    own = await open_clinic(clinic.system)
    await open_now(own)
    return own


@pytest.fixture
async def queue(clinic: Clinic) -> Json:
    policy = {"booked_may_wait_minutes": 0}
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "C", "policy": policy}
    made: Json = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    return made


async def book_next(clinic: Clinic, queue: Json) -> None:
    """Somebody is booked within the half hour, and the queue knows it."""
    (start, *_) = await clinic.free_soon()
    ok(await clinic.book(await register(clinic.system), start), 201)
    body = {"practitioner_id": clinic.practitioner_id}
    async with asyncio.timeout(FOLLOW_SECONDS_MAX):
        while not ok(await clinic.system.request("nurse", "POST", f"/api/v1/queues/{queue['id']}/call", json=body))["kept_for"]:  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


async def walk_in(clinic: Clinic, queue: Json) -> Json:
    patient = str(await register(clinic.system))
    turn: Json = ok(
        await clinic.system.request("nurse", "POST", f"/api/v1/queues/{queue['id']}/entries", json={"patient_id": patient}), 201
    )
    return turn


async def at_desk(clinic: Clinic, queue: Json) -> tuple[Browser, str]:
    desk, page = await staff_signed_in(clinic.system, "front-desk"), f"/staff/queues/{queue['id']}"
    await desk.go(page)
    return desk, page


async def test_a_desk_that_says_for_whom_it_calls_minds_who_is_booked_with_them(clinic: Clinic, queue: Json) -> None:
    await book_next(clinic, queue)
    turn = await walk_in(clinic, queue)
    desk, page = await at_desk(clinic, queue)
    assert "You call for nobody in particular." in desk.text
    await desk.send(f"{page}/caller", practitioner=clinic.practitioner_id, room="")
    assert "You call for Petra Testmann." in desk.text
    await desk.send(f"{page}/call")
    assert "The next booked patient has not come yet" in desk.text
    await desk.go("/staff/queues")
    await desk.go(page)
    assert "You call for Petra Testmann." in desk.text, "the browser remembers"
    await desk.send(f"{page}/caller", practitioner="", room="")
    await desk.send(f"{page}/call")
    assert f"{turn['ticket']} was called." in desk.text, "who calls for nobody in particular keeps nobody's time"
    await desk.client.aclose()


async def test_who_is_called_out_of_turn_is_called_to_them_too(clinic: Clinic, queue: Json) -> None:
    turn = await walk_in(clinic, queue)
    desk, page = await at_desk(clinic, queue)
    await desk.send(f"{page}/caller", practitioner=clinic.practitioner_id, room="")
    desk.forms.found[f"{page}/step"].fields["action"] = "call"
    await desk.send(f"{page}/step")
    stands = ok(await clinic.system.request("nurse", "GET", f"/api/v1/queue-entries/{turn['id']}"))
    assert (stands["status"], stands["practitioner_id"]) == ("called", clinic.practitioner_id)
    await desk.client.aclose()


async def test_what_is_to_be_had_elsewhere_is_not_kept_here_and_nonsense_is_nobody(clinic: Clinic, queue: Json) -> None:
    other = await open_clinic(clinic.system)
    desk, page = await at_desk(clinic, queue)
    for wish in (other.practitioner_id, "no id at all", "x" * 5_000):
        await desk.send(f"{page}/caller", practitioner=wish, room=wish)
        assert "You call for nobody in particular." in desk.text
    await desk.send("/staff/sign-out")
    assert "carewright_staff_caller" not in desk.client.cookies
    await desk.client.aclose()
