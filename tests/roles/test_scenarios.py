"""What happens at a hospital's desk and on a patient's telephone. The same whether one process serves it or one per role."""

import asyncio
from datetime import datetime
from uuid import UUID, uuid4

import httpx
import pytest

from tests.clinic import Clinic, Json, at, ok, open_clinic, refused, register, weeks_on
from tests.system import System


@pytest.fixture(scope="session", autouse=True)
async def held_early(system: System) -> tuple[Clinic, Json]:
    """A hold made before everything else, so that the last test of this file need not wait long until it runs out."""
    clinic = await open_clinic(system)
    start = (await clinic.free())[0]
    return clinic, ok(await clinic.hold(await register(system), start), 201)


async def test_a_patient_finds_holds_books_moves_and_cancels(system: System) -> None:
    services = ok(await system.request("patient", "GET", "/api/v1/services"))["items"]
    visits = [visit for service in services for visit in service["visit_types"]]
    plain = next(
        visit for visit in visits
        if visit["rules"]["patient_bookable"] and not visit["rules"]["prerequisites"] and len(visit["requirements"]) > 1
    )  # fmt: skip
    patient = await register(system)

    async def ask(method: str, path: str, **more: object) -> httpx.Response:
        return await system.request("patient", method, path, patient_id=patient, **more)  # type: ignore[arg-type]  # passed on as given

    async def offered() -> list[tuple[str, str]]:
        page = ok(await ask("GET", "/api/v1/availability", params={"visit_type_id": plain["id"], "limit": 200}))
        return [(slot["site_id"], slot["start"]) for slot in page["items"]]

    def picked(site_id: str, start: str) -> dict[str, str]:
        return {"visit_type_id": plain["id"], "site_id": site_id, "start": start}

    free = await offered()
    held = ok(await ask("POST", "/api/v1/holds", json={"patient_id": str(patient), "time": picked(*free[0])}), 201)
    assert (held["status"], held["start"]) == ("pending", free[0][1])
    assert datetime.fromisoformat(held["expires_at"]) > datetime.fromisoformat(held["created_at"])
    assert {each["kind"] for each in held["participants"]} >= {"patient", "practitioner"}

    booked = ok(await ask("POST", "/api/v1/appointments", json={"patient_id": str(patient), "hold_id": held["id"]}), 201)
    assert (booked["id"], booked["status"], booked["expires_at"]) == (held["id"], "booked", None)
    mine = ok(await ask("GET", "/api/v1/appointments"))["items"]
    assert [one["id"] for one in mine] == [held["id"]]
    assert ok(await ask("POST", f"/api/v1/appointments/{held['id']}/confirm"))["status"] == "booked"

    later = next(time for time in await offered() if time[1] > booked["end"])
    moved = ok(await ask("POST", f"/api/v1/appointments/{held['id']}/reschedule", json={"time": picked(*later)}))
    assert (moved["id"], moved["start"], moved["status"]) == (held["id"], later[1], "booked")
    assert free[0] in await offered()

    cancelled = ok(await ask("POST", f"/api/v1/appointments/{held['id']}/cancel", json={"reason": "pat"}))
    assert (cancelled["id"], cancelled["status"], cancelled["cancelation_reason"]) == (held["id"], "cancelled", "pat")
    assert {free[0], later} <= set(await offered())


async def test_what_is_taken_is_not_offered_and_what_is_given_back_is(clinic: Clinic) -> None:
    patient, start = await register(clinic.system), (await clinic.free())[0]
    booked = ok(await clinic.book(patient, start), 201)
    assert start not in await clinic.free()
    ok(await clinic.step(booked["id"], "cancel", {}))
    assert (await clinic.free())[0] == start


async def test_the_desk_registers_somebody_and_books_for_them_at_once(clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    patient = await register(clinic.system, "Soeben")
    booked = ok(await clinic.book(patient, start, note="Walks with a stick."), 201)
    assert (booked["patient_id"], booked["status"]) == (str(patient), "booked")
    assert "stick" not in str(booked), "a note is for the practice, not for every reader"


async def test_a_visit_that_needs_consent_waits_for_the_staff(system: System) -> None:
    clinic = await open_clinic(system, needs_confirmation=True)
    patient, start = await register(system), (await clinic.free())[0]
    asked = ok(await clinic.book(patient, start, role="patient"), 201)
    assert (asked["status"], asked["expires_at"]) == ("pending", None)
    refused(await clinic.step(asked["id"], "confirm", role="patient", patient_id=patient), 409, "scheduling.illegal_step")
    assert ok(await clinic.step(asked["id"], "confirm"))["status"] == "booked"


async def test_a_series_is_booked_as_a_whole_or_not_at_all(clinic: Clinic) -> None:
    system, start = clinic.system, (await clinic.free())[0]
    regular, stranger = await register(system), await register(system)
    dates = [start, weeks_on(start, 1), weeks_on(start, 2)]
    taken = ok(await clinic.book(stranger, dates[2]), 201)

    async def book_series() -> httpx.Response:
        body = {"patient_id": str(regular), "first": clinic.picked(start), "count": 3, "every_days": 7}
        return await system.request("front-desk", "POST", "/api/v1/appointment-series", json=body)

    problem = refused(await book_series(), 409, "scheduling.series_not_free")
    assert problem["dates"] == [dates[2][:10]]
    assert await clinic.appointments_of(regular) == []

    ok(await clinic.step(taken["id"], "cancel", {}))
    series = ok(await book_series())
    assert [visit["start"] for visit in series["appointments"]] == dates
    assert {visit["series_id"] for visit in series["appointments"]} == {series["id"]}
    assert not set(dates) & set(await clinic.free())


async def test_blocking_a_calendar_returns_what_it_hits_and_drops_nothing(clinic: Clinic) -> None:
    system, (start, beside) = clinic.system, (await clinic.free())[:2]
    booked = ok(await clinic.book(await register(system), start), 201)
    body = {"start": start, "end": at(beside, minutes=30), "reason": "Burst pipe"}
    path = f"/api/v1/schedules/{clinic.practitioner_id}/blocks"
    block = ok(await system.request("scheduler", "POST", path, json=body))
    assert [hit["id"] for hit in block["hit"]] == [booked["id"]]
    assert (await clinic.appointment(booked["id"]))["status"] == "booked"
    assert beside not in await clinic.free()
    refused(await clinic.book(await register(system), beside), 409, "scheduling.time_not_free")

    window = {"from_at": start, "until_at": at(start, hours=1)}
    calendar = ok(await system.request("scheduler", "GET", f"/api/v1/schedules/{clinic.practitioner_id}/calendar", params=window))
    assert sorted(busy["status"] for busy in calendar["busy"]) == ["busy", "busy-unavailable"]

    ok(await system.request("scheduler", "DELETE", f"/api/v1/blocks/{block['block_id']}"))
    assert beside in await clinic.free()
    refused(await system.request("scheduler", "DELETE", f"/api/v1/blocks/{block['block_id']}"), 404, "scheduling.unknown_block")


async def test_new_working_hours_move_what_is_offered_and_return_what_no_longer_fits(clinic: Clinic) -> None:
    patient, start = await register(clinic.system), (await clinic.free())[0]
    booked = ok(await clinic.book(patient, start), 201)
    hit = ok(await clinic.set_hours(clinic.every_day(1140, 1260)))["hit"]
    assert [one["id"] for one in hit] == [booked["id"]]
    assert (await clinic.appointment(booked["id"]))["status"] == "booked"
    evenings = await clinic.free()
    assert evenings
    assert not [one for one in evenings if one[11:16] < "16:30"], "19 to 21 o'clock in Berlin is no earlier than 17 UTC in summer"
    assert ok(await clinic.set_hours([]))["hit"]
    assert await clinic.free() == []


async def test_staff_may_book_against_the_calendar_with_a_reason(clinic: Clinic) -> None:
    system, start = clinic.system, (await clinic.free())[0]
    first, second = await register(system), await register(system)
    ok(await clinic.book(first, start), 201)
    refused(await clinic.book(second, start, role="scheduler"), 409, "scheduling.time_not_free")
    override = {"reason": "Came with an ambulance"}
    refused(await clinic.book(second, start, override=override), 403, "kernel.forbidden")
    refused(await clinic.book(second, start, role="scheduler", override={"reason": ""}), 400, "kernel.bad_input")
    both = ok(await clinic.book(second, start, role="scheduler", override=override), 201)
    assert (both["start"], both["override_reason"]) == (start, override["reason"])

    at_night = at(start[:10] + "T02:00:00Z", days=1)
    refused(await clinic.book(first, at_night, role="scheduler"), 409, "scheduling.time_not_free")
    ok(await clinic.book(first, at_night, role="scheduler", override=override), 201)
    ok(await clinic.step(both["id"], "cancel", {}))
    assert start not in await clinic.free(), "the first appointment still holds the time"


async def test_patients_see_and_change_only_their_own(clinic: Clinic) -> None:
    system, start = clinic.system, (await clinic.free())[0]
    owner, other = await register(system), await register(system)
    booked = ok(await clinic.book(owner, start), 201)

    async def ask(method: str, path: str, **more: object) -> httpx.Response:
        return await system.request("patient", method, path, patient_id=other, **more)  # type: ignore[arg-type]  # passed on as given

    one = f"/api/v1/appointments/{booked['id']}"
    refused(await ask("GET", one), 404, "scheduling.unknown_appointment")
    refused(await ask("POST", f"{one}/cancel", json={}), 404, "scheduling.unknown_appointment")
    refused(await ask("POST", f"{one}/confirm"), 404, "scheduling.unknown_appointment")
    refused(await ask("POST", f"{one}/reschedule", json={"time": clinic.picked(start)}), 404, "scheduling.unknown_appointment")
    refused(await ask("GET", "/api/v1/appointments", params={"patient_id": str(owner)}), 403, "kernel.forbidden")
    refused(await ask("GET", f"/api/v1/patients/{owner}"), 403, "kernel.forbidden")
    body = {"patient_id": str(owner), "time": clinic.picked(start)}
    refused(await ask("POST", "/api/v1/holds", json=body), 403, "kernel.forbidden")
    refused(await ask("POST", "/api/v1/appointments", json=body), 403, "kernel.forbidden")
    assert ok(await ask("GET", "/api/v1/appointments"))["items"] == []
    assert (await clinic.appointment(booked["id"]))["version"] == 1


async def test_a_held_time_cannot_be_stolen(clinic: Clinic) -> None:
    system, start = clinic.system, (await clinic.free())[0]
    holder, thief = await register(system), await register(system)
    held = ok(await clinic.hold(holder, start), 201)
    assert start not in await clinic.free()
    refused(await clinic.book(thief, start), 409, "scheduling.time_not_free")
    refused(await clinic.hold(thief, start), 409, "scheduling.time_not_free")
    refused(await clinic.book_hold(thief, held["id"]), 404, "scheduling.unknown_appointment")
    refused(await clinic.book_hold(thief, held["id"], role="front-desk"), 404, "scheduling.unknown_appointment")
    ok(await clinic.book_hold(holder, held["id"]), 201)


async def test_a_released_hold_is_free_again_and_cannot_be_booked(clinic: Clinic) -> None:
    patient, start = await register(clinic.system), (await clinic.free())[0]
    held = ok(await clinic.hold(patient, start), 201)
    ok(await clinic.system.request("patient", "DELETE", f"/api/v1/holds/{held['id']}", patient_id=patient))
    assert start in await clinic.free()
    refused(await clinic.book_hold(patient, held["id"]), 409, "scheduling.hold_expired")


async def test_one_person_holds_a_few_times_at_once_and_no_more(clinic: Clinic) -> None:
    patient, free = await register(clinic.system), await clinic.free()
    for start in free[:3]:
        ok(await clinic.hold(patient, start), 201)
    assert refused(await clinic.hold(patient, free[3]), 409, "scheduling.hold_limit_reached")["limit"] == 3


async def test_nobody_is_in_two_places_at_once(clinic: Clinic) -> None:
    system, elsewhere = clinic.system, await open_clinic(clinic.system)
    patient, start = await register(system), (await clinic.free())[0]
    ok(await clinic.book(patient, start), 201)
    refused(await elsewhere.book(patient, start), 409, "scheduling.patient_busy")


async def test_a_repeated_request_gets_the_first_answer_and_does_nothing_twice(clinic: Clinic) -> None:
    patient, key = await register(clinic.system), str(uuid4())
    start, other = (await clinic.free())[:2]
    first = ok(await clinic.book(patient, start, key=key), 201)
    assert ok(await clinic.book(patient, start, key=key), 201) == first
    refused(await clinic.book(patient, other, key=key), 422, "kernel.idempotency_key_reused")
    assert [one["id"] for one in await clinic.appointments_of(patient)] == [first["id"]]

    key = str(uuid4())
    gone = ok(await clinic.step(first["id"], "cancel", {}, key=key))
    assert ok(await clinic.step(first["id"], "cancel", {}, key=key)) == gone
    refused(await clinic.step(first["id"], "cancel", {}), 409, "scheduling.illegal_step")


async def test_two_clicks_at_once_make_one_appointment(clinic: Clinic) -> None:
    patient, start, key = await register(clinic.system), (await clinic.free())[0], str(uuid4())
    answers = await asyncio.gather(*(clinic.book(patient, start, key=key) for _ in range(5)))
    done = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert done
    assert len(set(done)) == 1
    for answer in answers:
        if answer.status_code != 201:
            refused(answer, 409, "kernel.idempotency_in_flight")
    assert [one["id"] for one in await clinic.appointments_of(patient)] == done[:1]


async def test_of_many_who_want_one_time_exactly_one_gets_it(clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    patients = [await register(clinic.system) for _ in range(8)]
    answers = await asyncio.gather(*(clinic.book(patient, start) for patient in patients))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "scheduling.time_not_free")


async def test_a_change_by_an_older_state_is_refused(clinic: Clinic) -> None:
    patient, start, other = await register(clinic.system), *(await clinic.free())[:2]
    answer = await clinic.book(patient, start)
    booked, etag = ok(answer, 201), answer.headers["etag"]
    assert (etag, answer.headers["location"]) == ('"1"', f"/api/v1/appointments/{booked['id']}")
    moved = await clinic.step(booked["id"], "reschedule", {"time": clinic.picked(other)}, headers={"If-Match": etag})
    assert (ok(moved)["version"], moved.headers["etag"]) == (2, '"2"')
    problem = refused(await clinic.step(booked["id"], "cancel", {}, headers={"If-Match": etag}), 412, "kernel.precondition_failed")
    assert problem["version"] == 2
    assert (await clinic.appointment(booked["id"]))["status"] == "booked"
    ok(await clinic.step(booked["id"], "cancel", {}, headers={"If-Match": moved.headers["etag"]}))


async def test_a_visit_takes_the_steps_of_its_day_and_no_others(clinic: Clinic) -> None:
    booked = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    for status in ("arrived", "checked-in", "fulfilled"):
        assert ok(await clinic.step(booked["id"], "status", {"status": status}))["status"] == status
    refused(await clinic.step(booked["id"], "cancel", {}), 409, "scheduling.illegal_step")
    refused(await clinic.step(booked["id"], "status", {"status": "arrived"}), 409, "scheduling.illegal_step")
    refused(await clinic.step(booked["id"], "reschedule", {"time": clinic.picked(booked["start"])}), 409, "scheduling.illegal_step")


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("patient", "PUT", "/api/v1/directory"),
        ("patient", "POST", "/api/v1/patients/find"),
        ("patient", "POST", "/api/v1/appointments/{id}/status"),
        ("front-desk", "PUT", "/api/v1/schedules/{id}/hours"),
        ("front-desk", "POST", "/api/v1/schedules/{id}/blocks"),
        ("scheduler", "POST", "/api/v1/patients"),
        ("scheduler", "PUT", "/api/v1/directory"),
        ("administrator", "GET", "/api/v1/availability"),
        ("administrator", "POST", "/api/v1/appointments"),
        ("administrator", "GET", "/api/v1/patients/{id}"),
    ],
)
async def test_a_role_may_do_what_it_is_for(system: System, role: str, method: str, path: str) -> None:
    path = path.replace("{id}", str(uuid4()))
    refused(await system.request(role, method, path), 403, "kernel.forbidden")
    nobody = await system.request(None, method, path)
    refused(nobody, 401, "kernel.unauthenticated")
    assert nobody.headers["www-authenticate"].startswith("Bearer")


async def test_a_held_time_comes_back_by_itself(held_early: tuple[Clinic, Json]) -> None:
    clinic, held = held_early
    expires_at = datetime.fromisoformat(held["expires_at"])
    left = expires_at - datetime.now(expires_at.tzinfo)
    await asyncio.sleep(max(left.total_seconds(), 0) + 0.2)
    assert held["start"] in await clinic.free()
    patient, other = UUID(held["patient_id"]), await register(clinic.system)
    refused(await clinic.book_hold(patient, held["id"]), 409, "scheduling.hold_expired")
    ok(await clinic.book(other, held["start"]), 201)
    assert [one for one in await clinic.appointments_of(patient) if one["status"] != "cancelled"] == []
