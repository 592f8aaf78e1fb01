"""Live pages of the staff over real sockets: what happens at a site is told to whoever may see it, exactly from where they were."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.clinic import Clinic, ok, open_clinic, register
from tests.plain_browser import Browser
from tests.staff_browser import staff_signed_in
from tests.system import TINY, System, own_folder, started
from tests.watching import Heard, place_of, session_of, staff_base, watching

UNKNOWN = "1-1"


@pytest.fixture(scope="module")
async def desk(one_process: System) -> AsyncIterator[Browser]:
    browser = await staff_signed_in(one_process, "front-desk")
    yield browser
    await browser.client.aclose()


@pytest.fixture(scope="module")
async def elsewhere(one_process: System) -> Clinic:
    """Another site of the same hospital."""
    return await open_clinic(one_process)


async def snapshot(browser: Browser, clinic: Clinic) -> str:
    """Where the page of today was read."""
    await browser.go(f"/staff/today?place={clinic.site_id}")
    return place_of(browser.text)


async def booked(clinic: Clinic, patient: UUID, number: int = 0) -> str:
    return str(ok(await clinic.book(patient, (await clinic.free())[number]), 201)["id"])


async def test_what_happens_at_a_site_is_told_without_the_patient(clinic: Clinic, patient: UUID, desk: Browser) -> None:
    place = await snapshot(desk, clinic)
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (await stream.until("beat")).id >= place
        visit = await booked(clinic, patient)
        fact = await stream.fact()
        assert (fact["id"], fact["what"], fact["status"], fact["version"]) == (visit, "booked", "booked", "1")
        assert (fact["kind"], fact["with"]) == (clinic.visit_type_id, clinic.practitioner_id)
        assert str(patient) not in str(fact)
        ok(await clinic.step(visit, "cancel", {}))
        fact = await stream.fact()
        assert (fact["id"], fact["what"], fact["status"], fact["version"]) == (visit, "cancelled", "cancelled", "2")


async def test_a_turn_is_told_by_its_ticket_and_without_the_patient(clinic: Clinic, patient: UUID, desk: Browser) -> None:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Feet", "letter": "F"}
    queue_id = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))["id"]
    place = await snapshot(desk, clinic)
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place) as stream:
        path = f"/api/v1/queues/{queue_id}/entries"
        entry = ok(await clinic.system.request("front-desk", "POST", path, json={"patient_id": str(patient)}), 201)
        fact = (await stream.until("turn")).fields
        assert (fact["id"], fact["version"], fact["queue"]) == (entry["id"], "1", queue_id)
        assert (fact["what"], fact["status"], fact["ticket"], fact["level"]) == ("arrive", "waiting", entry["ticket"], "4")
        assert str(patient) not in str(fact)


async def test_whoever_comes_again_goes_on_exactly_behind_what_they_heard(clinic: Clinic, patient: UUID, desk: Browser) -> None:
    place, base, session = await snapshot(desk, clinic), staff_base(clinic.system), session_of(desk)
    async with watching(base, session, clinic.site_id, place) as stream:
        first = await booked(clinic, patient, 1)
        assert (await stream.fact())["id"] == first
        heard = stream.last_id
    missed = [await booked(clinic, await register(clinic.system), number) for number in (2, 3, 4)]
    async with watching(base, session, clinic.site_id, place, last_id=heard) as stream:
        assert [(await stream.fact())["id"] for _ in missed] == missed
        assert (await stream.next()) == Heard("beat", {}, stream.last_id)
    async with watching(base, session, clinic.site_id, place) as stream:
        assert [(await stream.fact())["id"] for _ in range(4)] == [first, *missed]


@pytest.mark.parametrize("place", [UNKNOWN, "", "nonsense", f"{2**62}-1", f"{'9' * 19}-{'9' * 18}"])
async def test_a_place_that_nobody_knows_is_answered_with_reload(clinic: Clinic, desk: Browser, place: str) -> None:
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place) as stream:
        heard = [await stream.next(), await stream.next()]
        assert heard[0] is not None
        assert (heard[0].name, heard[0].fields, heard[1]) == ("reload", {"reason": "unknown"}, None)


async def test_another_sites_facts_are_not_told(clinic: Clinic, elsewhere: Clinic, desk: Browser) -> None:
    place = await snapshot(desk, clinic)
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place) as stream:
        there = await booked(elsewhere, await register(clinic.system))
        here = await booked(clinic, await register(clinic.system), 5)
        fact = await stream.fact()
        assert (fact["id"], there != here) == (here, True)


async def test_whoever_may_not_watch_is_refused(clinic: Clinic, desk: Browser, one_process: System) -> None:
    base, place = staff_base(one_process), await snapshot(desk, clinic)
    patients = await one_process.session()
    for session, site, status, code in (
        (patients, clinic.site_id, 403, "kernel.forbidden"), ("cws_nonsense", clinic.site_id, 401, "kernel.unauthenticated"),
        (one_process.token("front-desk"), clinic.site_id, 401, "kernel.unauthenticated"),
        (session_of(desk), str(uuid4()), 404, "kernel.not_found"), (session_of(desk), "here", 400, "kernel.bad_input"),
    ):  # fmt: skip
        async with watching(base, session, site, place) as stream:
            assert (stream.status, msgspec.json.decode(await stream.body())["code"]) == (status, code)
    async with watching(base, session_of(desk), clinic.site_id, place, kind="salary") as stream:
        assert stream.status == 403


async def test_a_process_that_stops_ends_its_streams_as_it_should_and_lets_browsers_go_on() -> None:
    """Not cut off: without being told, the process would wait for them as long as it may, and then break them off."""
    with own_folder() as folder:
        async with started(folder / "data", *TINY) as system:
            desk = await staff_signed_in(system, "front-desk")
            site = ok(await system.request("front-desk", "GET", "/api/v1/sites"))["items"][0]["id"]
            await desk.go(f"/staff/today?place={site}")
            async with watching(staff_base(system), session_of(desk), site, place_of(desk.text)) as stream:
                await stream.until("beat")
                system.process.terminate()
                assert await stream.next() is None
                assert stream.ended
            await desk.client.aclose()


async def test_a_session_that_ends_ends_its_stream_and_no_other(clinic: Clinic, desk: Browser, one_process: System) -> None:
    other = await staff_signed_in(one_process, "front-desk")
    place, base = await snapshot(desk, clinic), staff_base(one_process)
    async with (
        watching(base, session_of(desk), clinic.site_id, place) as kept,
        watching(base, session_of(other), clinic.site_id, place) as ended,
    ):
        await ended.until("beat")
        await other.go("/staff")
        await other.send("/staff/sign-out")
        await ended.until("ended")
        assert await ended.next() is None
        visit = await booked(clinic, await register(one_process), 6)
        assert (await kept.fact())["id"] == visit
    await other.client.aclose()
