"""What an appointment was before: kept by the change that replaces it, sealed, and gone with the person."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import AdvanceAppointment, CancelAppointment, ConfirmAppointment
from carewright.contracts.versions import ListVersions
from carewright.kernel import merges
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.scheduling import handlers, jobs, store
from carewright.scheduling.service import calendars, change
from carewright.scheduling.service.reseal import SEALED
from tests.samples import known_id
from tests.scheduling_hospital import TOMORROW, Hospital

KEPT = "SELECT count(*) FROM scheduling.appointment_version WHERE appointment_id = $1"
WAITS_SECONDS_MAX = 20
LOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_a_booking_keeps_nothing_and_each_change_what_it_replaces(hospital: Hospital, owner: Any) -> None:
    booked = await hospital.book()
    assert await owner.fetchval(KEPT, booked.id) == 0
    confirmed = await change.confirm_appointment(hospital.patient(), ConfirmAppointment(appointment_id=booked.id))
    with pytest.raises(PreconditionFailed):
        await change.cancel_appointment(hospital.desk(), CancelAppointment(appointment_id=booked.id, expected_version=1))
    arrived = await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=booked.id, status="arrived"))
    found = await change.list_versions(hospital.desk(), ListVersions(appointment_id=booked.id))
    assert (found.items, found.total, found.next) == ((arrived, confirmed, booked), 3, None)


async def test_a_hold_that_is_given_back_keeps_nothing(hospital: Hospital, owner: Any) -> None:
    """It was no appointment, and there are many."""
    held = await hospital.hold()
    await change.release_hold(hospital.patient(), held.id)
    assert await owner.fetchval(KEPT, held.id) == 0


async def test_versions_are_sealed_for_their_rows_and_sealed_anew(hospital: Hospital, owner: Any) -> None:
    booked = await hospital.book()
    await hospital.cancel(booked)
    ctx, reseal = hospital.desk(), SEALED[store.VERSION]
    assert await reseal(ctx, known_id(0), 10) == [], "nothing here is due for rotation"
    older = "UPDATE scheduling.appointment_version SET said = '\\x010000'::bytea || substring(said FROM 4) WHERE appointment_id = $1"
    await owner.execute(older, booked.id)
    with pytest.raises(SealedElsewhere):
        await reseal(ctx, known_id(0), 10)


async def test_an_erasure_waits_for_a_change_and_takes_what_it_kept(hospital: Hospital, owner: Any) -> None:
    """Whoever is just changing an appointment keeps no words of somebody who is erased meanwhile."""
    booked = await hospital.book()
    ctx = hospital.desk()
    cipher = await ctx.cipher()
    erased = PatientErased(organization_id=ctx.actor.organization_id, patient_id=booked.patient_id, version=9)

    async def erase() -> None:
        async with ctx.db.transaction() as tx:
            await handlers.erase_patient(ctx, tx, erased)

    async with ctx.db.transaction() as tx:
        before, _ = await store.appointment_for_change(tx, cipher, booked.id)
        assert before is not None
        erasing = asyncio.create_task(erase())
        async with asyncio.timeout(WAITS_SECONDS_MAX):
            while not await owner.fetchval(LOCKED):  # noqa: ASYNC110  (the server sets no asyncio.Event)
                await asyncio.sleep(0.01)
        await store.keep_version(tx, cipher, ctx.ids.new(), before)
    await erasing
    assert await owner.fetchval(KEPT, booked.id) == 0


async def test_a_merge_keeps_what_it_replaces_archived_or_not(hospital: Hospital, owner: Any) -> None:
    """With the words that stand sealed beside it. A hold goes along too, and was no appointment yet."""
    over = await hospital.override()
    hospital.here.clock.advance(days=40)
    assert await jobs.archive_past(hospital.here.system()) >= 1
    await calendars.extend_openings(hospital.here.system())
    coming, held = await hospital.book(TOMORROW + timedelta(days=42)), await hospital.hold(TOMORROW + timedelta(days=43))
    prior_id, survivor_id = hospital.world.patients[:2]
    ctx = hospital.here.system()
    merged = PatientMerged(organization_id=hospital.world.organization_id, patient_id=survivor_id, prior_id=prior_id)
    async with ctx.db.transaction() as tx:
        await merges.note_merged(tx, merged.organization_id, prior_id, survivor_id, ctx.clock.now())
        await handlers.take_over(ctx, tx, merged)
    for before in (over, coming):
        found = await change.list_versions(hospital.desk(), ListVersions(appointment_id=before.id))
        assert (found.items[1:], found.items[0].patient_id, found.items[0].version) == ((before,), survivor_id, before.version + 1)
    assert await owner.fetchval(KEPT, held.id) == 0
