"""Idempotency-Key, by draft-ietf-httpapi-idempotency-key-header: one effect, however often a request comes."""

import asyncio
from uuid import UUID, uuid4

import asyncpg

from tests.clinic import Clinic, ok, refused
from tests.system import System


async def test_while_the_first_request_is_worked_on_the_second_is_told_to_wait(
    clinic: Clinic, patient: UUID, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    held = ok(await clinic.hold(patient, (await clinic.free())[0]), 201)
    key = str(uuid4())
    async with database.transaction():
        await database.execute("SELECT 1 FROM scheduling.appointment WHERE id = $1 FOR UPDATE", UUID(held["id"]))
        first = asyncio.ensure_future(clinic.book_hold(patient, held["id"], key=key))
        await asyncio.sleep(0.3)
        async with asyncio.timeout(2):
            refused(await clinic.book_hold(patient, held["id"], key=key), 409, "kernel.idempotency_in_flight")
        assert not first.done(), "it waits for the lock"
    booked = ok(await first, 201)
    assert ok(await clinic.book_hold(patient, held["id"], key=key), 201) == booked


async def test_a_key_with_another_payload_address_or_method_is_refused(clinic: Clinic, patient: UUID) -> None:
    start, other = (await clinic.free())[:2]
    key = str(uuid4())
    booked = ok(await clinic.book(patient, start, key=key), 201)
    reused = (422, "kernel.idempotency_key_reused")
    refused(await clinic.book(patient, other, key=key), *reused)
    refused(await clinic.hold(patient, start, role="front-desk", key=key), *reused)
    refused(await clinic.step(booked["id"], "cancel", {}, key=key), *reused)
    assert (await clinic.appointment(booked["id"]))["status"] == "booked"


async def test_keys_of_different_people_do_not_meet(clinic: Clinic, patient: UUID) -> None:
    start, other = (await clinic.free())[:2]
    key = str(uuid4())
    ok(await clinic.book(patient, start, key=key), 201)
    assert ok(await clinic.book(patient, other, role="patient", key=key), 201)["start"] == other


async def test_a_refused_request_may_be_sent_again_with_its_key(clinic: Clinic, patient: UUID) -> None:
    start, key = (await clinic.free())[0], str(uuid4())
    taken = ok(await clinic.book(patient, start), 201)
    refused(await clinic.book(patient, start, key=key), 409, "scheduling.time_not_free")
    ok(await clinic.step(taken["id"], "cancel", {}))
    assert ok(await clinic.book(patient, start, key=key), 201)["id"] != taken["id"]


async def test_every_change_takes_a_repeat(one_process: System, clinic: Clinic, patient: UUID) -> None:
    """Registering, working hours, blocks, directory, confirming: the second answer is the first."""
    start = (await clinic.free())[-1]
    booked = ok(await clinic.book(patient, start), 201)
    calendar = f"/api/v1/schedules/{clinic.practitioner_id}"
    block = {"start": start, "end": booked["end"], "reason": "Inspection"}
    series = {"patient_id": str(patient), "first": clinic.picked((await clinic.free())[0]), "count": 2, "every_days": 1}
    changes = [
        ("front-desk", "POST", "/api/v1/patients", {"family": "Twice"}),
        ("front-desk", "POST", "/api/v1/appointment-series", series),
        ("scheduler", "PUT", f"{calendar}/hours", {"weekly": clinic.every_day()}),
        ("scheduler", "POST", f"{calendar}/blocks", block),
        ("patient", "POST", f"/api/v1/appointments/{booked['id']}/confirm", None),
        ("administrator", "PUT", "/api/v1/directory", {}),
    ]
    for role, method, path, body in changes:
        key = str(uuid4())
        answers = [await one_process.request(role, method, path, json=body, key=key, patient_id=patient) for _ in range(2)]
        assert [answer.is_success for answer in answers] == [True, True], answers[0].text
        assert answers[0].content == answers[1].content, path
