"""What happens here is told to the EHR: booked, moved, checked in, cancelled, each once, however often it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from carewright.ehr.service import pushing
from carewright.ehr.service.booking import free_slot
from carewright.ehr.service.pushing import push, push_all
from carewright.ehr.service.untold import list_untold
from carewright.kernel.errors import Unavailable
from carewright.kernel.sql import Query
from tests.clinic import ok
from tests.ehr_side import Sides, both_sides, ehr_system
from tests.whole_system import Inside

__all__ = ["ehr_system"]
TOLD_SECONDS_MAX = 60
GIVE_UP = Query(
    "test.give_up", "UPDATE kernel.job SET failed = true, attempts = 8 WHERE name = 'ehr.push' AND unique_key LIKE $1 || '%' RETURNING id"
)
"""As if it had been tried eight times, which takes four minutes."""


async def told(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the relay and the job have done it."""
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while not await happened():  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)


async def expected(sides: Sides, number: str = "100000") -> tuple[UUID, str, list[str]]:
    """A patient whom both know, their id there, and the starts that are free on both sides."""
    await sides.pull()
    (theirs,) = await sides.search("Patient", identifier=f"urn:oid:2.999.1.1|{number}")
    patient_id = await _patient(sides, theirs)
    (practitioner,) = await sides.search("Practitioner", identifier="http://hl7.org/fhir/sid/us-npi|9000000000")
    ours = await sides.clinic.free()
    if sides.connection.profile == "r4":  # it holds nobody against slots
        return patient_id, theirs["id"], ours
    free = {datetime.fromisoformat(each["start"]) for each in await _free(sides, practitioner["id"])}
    return patient_id, theirs["id"], [each for each in ours if datetime.fromisoformat(each) in free]


async def _patient(sides: Sides, theirs: Any) -> UUID:
    """Ours who is theirs: an appointment of theirs may have brought them."""
    family, number = theirs["name"][0]["family"], theirs["identifier"][0]["value"]
    body = {"family": family, "birth_on": theirs["birthDate"]}
    found = ok(await sides.whole.request("front-desk", "POST", "/api/v1/patients/find", json=body))["items"]
    return UUID(found[0]["id"]) if found else await sides.with_number(number, family, birth_on=theirs["birthDate"])


async def _free(sides: Sides, practitioner: str) -> list[Any]:
    if sides.connection.profile == "oracle":
        query = {"service-type": "11,12", "schedule.actor": f"Practitioner/{practitioner}"}
        return await sides.search("Slot", **query, start="ge2026-01-01")
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "startTime", "valueDateTime": "2026-01-01T00:00:00Z"},
            {"name": "endTime", "valueDateTime": "2099-01-01T00:00:00Z"},
            {"name": "practitioner", "valueReference": {"reference": f"Practitioner/{practitioner}"}},
        ],
    }
    answer = await sides.http.post(sides.base.replace("R4", "STU3") + "/Appointment/$find", json=body)
    return [each["resource"] for each in answer.json()["entry"]]


async def of_ours(sides: Sides, patient: str, appointment_id: str) -> list[Any]:
    """Theirs that are one of ours."""
    query = {} if sides.connection.profile == "epic" else {"date": "ge2026-01-01"}
    return [each for each in await sides.search("Appointment", patient=patient, **query) if appointment_id in each.get("comment", "")]


@pytest.mark.parametrize("profile", ["oracle", "r4"])
async def test_a_visit_is_there_as_it_is_here_from_booking_to_its_end(ehr_system: Inside, profile: Any) -> None:
    async with both_sides(ehr_system, profile) as sides:
        patient_id, patient, free = await expected(sides)
        booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

        async def theirs() -> Any:
            found = await of_ours(sides, patient, booked["id"])
            assert len(found) <= 1
            return found[0] if found else {}

        async def is_there() -> bool:
            return bool(await theirs())

        await told(is_there)
        assert datetime.fromisoformat((await theirs())["start"]) == datetime.fromisoformat(booked["start"])
        ok(await sides.clinic.step(booked["id"], "reschedule", {"time": sides.clinic.picked(free[-2])}))

        async def is_moved() -> bool:
            return datetime.fromisoformat((await theirs())["start"]) == datetime.fromisoformat(free[-2])

        await told(is_moved)
        ok(await sides.clinic.step(booked["id"], "status", {"status": "checked-in"}))

        async def is_checked_in() -> bool:
            return bool((await theirs())["status"] == "checked-in")

        await told(is_checked_in)
        ok(await sides.clinic.step(booked["id"], "cancel", {"reason": "pat"}))

        async def is_cancelled() -> bool:
            return bool((await theirs())["status"] == "cancelled")

        await told(is_cancelled)
        before = (await theirs())["meta"]["versionId"]
        assert await push(sides.ctx, sides.connection.name, UUID(booked["id"])) is None
        assert (await theirs())["meta"]["versionId"] == before


@pytest.mark.parametrize("profile", ["oracle", "epic", "r4"])
async def test_an_answer_that_was_lost_books_nothing_twice(ehr_system: Inside, profile: Any) -> None:
    async with both_sides(ehr_system, profile) as sides:
        patient_id, patient, free = await expected(sides)
        booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

        async def is_there() -> bool:
            return len(await of_ours(sides, patient, booked["id"])) == 1

        await told(is_there)
        await sides.forget_links()
        assert await push(sides.ctx, sides.connection.name, UUID(booked["id"])) is None
        await sides.pull()
        assert await push(sides.ctx, sides.connection.name, UUID(booked["id"])) is None
        assert await is_there()
        assert (await sides.reconcile()).only_ours == ()


async def test_what_epic_does_not_offer_is_on_record(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic") as sides:
        patient_id, patient, free = await expected(sides)
        booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

        async def is_there() -> bool:
            return len(await of_ours(sides, patient, booked["id"])) == 1

        await told(is_there)
        ok(await sides.clinic.step(booked["id"], "cancel", {"reason": "pat"}))
        assert await push(sides.ctx, sides.connection.name, UUID(booked["id"])) == "ehr.not_offered"
        assert (await sides.reasons())["Appointment ehr.not_offered"] == 1


async def test_whom_they_do_not_know_and_when_they_have_no_time_is_on_record(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        _, _, free = await expected(sides)
        stranger = await sides.with_number("999999", "Stranger")
        booked = ok(await sides.clinic.book(stranger, free[-1]), 201)
        assert await push(sides.ctx, sides.connection.name, UUID(booked["id"])) == "ehr.no_patient_there"
        assert await push_all(sides.ctx, sides.connection.name) == 1
        assert (await sides.reasons())["Appointment ehr.no_patient_there"] == 1


async def test_an_ehr_that_is_away_is_told_later(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle", "--fail-every", "1") as sides:
        patient = await sides.with_number("100000", "Somebody")
        booked = ok(await sides.clinic.book(patient, (await sides.clinic.free())[0]), 201)
        with pytest.raises(Unavailable):
            await push(sides.ctx, sides.connection.name, UUID(booked["id"]))


async def test_a_change_of_theirs_in_between_is_a_difference_and_not_overwritten(
    ehr_system: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They change it after we compared, and before we patch: then they spoke last."""
    async with both_sides(ehr_system, "oracle") as sides:
        patient_id, patient, free = await expected(sides)
        booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

        async def is_there() -> bool:
            return bool(await of_ours(sides, patient, booked["id"]))

        await told(is_there)
        meanwhile = [(await of_ours(sides, patient, booked["id"]))[0]]

        async def slow(work: Any, ours: Any) -> str | None:
            if meanwhile:
                await sides.patch(meanwhile.pop(), "/status", "arrived")
            return await free_slot(work, ours)

        monkeypatch.setattr(pushing, "free_slot", slow)
        ok(await sides.clinic.step(booked["id"], "reschedule", {"time": sides.clinic.picked(free[-2])}))

        async def is_on_record() -> bool:
            return (await sides.reasons())["Appointment ehr.differs"] == 1

        await told(is_on_record)
        (theirs,) = await of_ours(sides, patient, booked["id"])
        assert (theirs["status"], datetime.fromisoformat(theirs["start"])) == ("arrived", datetime.fromisoformat(booked["start"]))


async def test_what_failed_for_good_is_seen_and_told_when_somebody_has_it_tried_again(
    ehr_system: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        patient_id, patient, free = await expected(sides)
        place = f"/api/v1/ehr/connections/{sides.connection.id}"

        async def untold() -> list[Any]:
            found: list[Any] = ok(await sides.whole.request("scheduler", "GET", f"{place}/untold"))["items"]
            return found

        async def away(*_: Any) -> None:
            raise Unavailable

        with monkeypatch.context() as patched:
            patched.setattr(pushing, "push", away)
            booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

            async def is_tried() -> bool:
                return [each["attempts"] > 0 for each in await untold()] == [True]

            await told(is_tried)
            assert [(each["appointment_id"], each["failed"]) for each in await untold()] == [(booked["id"], False)]
            assert await sides.ctx.db.fetch(GIVE_UP, f"{sides.connection.id}/")
            assert [(each["appointment_id"], each["failed"]) for each in await untold()] == [(booked["id"], True)]
        assert ok(await sides.whole.request("scheduler", "POST", f"{place}/retry")) == {"count": 1}

        async def is_there() -> bool:
            return bool(await of_ours(sides, patient, booked["id"])) and not await untold()

        await told(is_there)
        assert ok(await sides.whole.request("scheduler", "POST", f"{place}/retry")) == {"count": 0}


async def test_what_failed_is_forgotten_once_a_later_change_was_told(ehr_system: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        patient_id, patient, free = await expected(sides)

        async def away(*_: Any) -> None:
            raise Unavailable

        async def is_given_up() -> bool:
            return bool(await sides.ctx.db.fetch(GIVE_UP, f"{sides.connection.id}/"))

        async def is_heard() -> bool:
            return not (await list_untold(sides.ctx, sides.connection.id)).items

        with monkeypatch.context() as patched:
            patched.setattr(pushing, "push", away)
            booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)
            await told(is_given_up)
        ok(await sides.clinic.step(booked["id"], "reschedule", {"time": sides.clinic.picked(free[-2])}))
        await told(is_heard)
        (theirs,) = await of_ours(sides, patient, booked["id"])
        assert datetime.fromisoformat(theirs["start"]) == datetime.fromisoformat(free[-2])


async def test_of_no_connection_and_of_anothers_nothing_is_seen_nor_tried_again(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        place = f"/api/v1/ehr/connections/{sides.connection.id}"
        for method, path in (("GET", f"{place}/untold"), ("POST", f"{place}/retry"), ("GET", f"{place}/report")):
            assert (await sides.whole.request("front-desk", method, path)).status_code == 403
            assert (await ehr_system.request("administrator", method, path)).status_code == 404, "another hospital's"
        (listed,) = ok(await sides.whole.request("scheduler", "GET", "/api/v1/ehr/connections"))["items"]
        assert listed["name"] == sides.connection.name
        report = ok(await sides.whole.request("scheduler", "GET", f"{place}/report"))
        assert report == {"linked": {}, "differences": [], "only_ours": [], "more": False}
