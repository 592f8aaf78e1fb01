"""The live copy while readings, events and own changes overlap; and crowds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from carewright.contracts.scheduling import (
    Appointment,
    AppointmentCancelled,
    BookAppointment,
    RescheduleAppointment,
    TimeNotFree,
)
from carewright.kernel import outbox
from carewright.kernel.db import Database
from carewright.kernel.errors import Refusal
from carewright.kernel.sql import Query
from carewright.scheduling import live, store
from carewright.scheduling.service import book, change
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import Process, invent, processes_on, same_as_fresh, store_world
from tests.servers import facts_of
from tests.store.conftest import PATIENTS

SOON_SECONDS = 10
HOUR = 2 * HALF_HOUR
DEADLOCKS = Query("test.deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


# Live copies


async def test_a_second_process_follows_the_first_and_nobody_rereads_their_own(hospital: Hospital) -> None:
    made = await hospital.book()
    reloads = live.RELOADS._value.get()
    await hospital.here.settle()
    assert live.RELOADS._value.get() == reloads
    await hospital.there.settle()
    assert live.RELOADS._value.get() > reloads
    assert TOMORROW not in await hospital.starts(hospital.there)
    await hospital.cancel(made)
    await hospital.there.settle()
    assert TOMORROW in await hospital.starts(hospital.there)
    await hospital.ensure_sound()


async def test_a_follower_that_no_wake_up_reaches_follows_all_the_same(hospital: Hospital) -> None:
    following = asyncio.create_task(hospital.there.live.follow())
    try:
        await hospital.book()
        async with asyncio.timeout(SOON_SECONDS):
            while TOMORROW in await hospital.starts(hospital.there):  # noqa: ASYNC110  # the follower tells nobody
                await asyncio.sleep(0.05)
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[object]]], None]:
    """Lets something happen once, after the next reading of the ledger and before it is entered."""
    read = live._read

    def arrange(happening: Callable[[], Awaitable[object]]) -> None:
        async def reading(*args: Any) -> Any:
            monkeypatch.setattr(live, "_read", read)
            found = await read(*args)
            await happening()
            return found

        monkeypatch.setattr(live, "_read", reading)

    return arrange


Meanwhile = Callable[[Callable[[], Awaitable[object]]], None]


async def reload(hospital: Hospital, process: Process | None = None) -> None:
    copy = await (process or hospital.here).live.of(hospital.world.organization_id)
    await (process or hospital.here).live.reload(copy, [hospital.physician()])


async def test_a_reading_does_not_undo_a_booking_that_it_crossed(hospital: Hospital, meanwhile: Meanwhile) -> None:
    meanwhile(hospital.book)
    await reload(hospital)
    assert TOMORROW not in await hospital.starts()
    await hospital.ensure_sound()


async def test_a_booking_under_way_survives_a_reading_that_did_not_see_it(hospital: Hospital) -> None:
    async with hospital.there.db.transaction() as tx:
        await store.lock_schedule(tx, hospital.world.organization_id, hospital.physician())
        booking = asyncio.create_task(hospital.book())
        await asyncio.sleep(0.05)
        await reload(hospital)
    await booking
    assert TOMORROW not in await hospital.starts()
    await hospital.ensure_sound()


async def test_the_older_of_two_readings_does_not_replace_the_newer(hospital: Hospital, meanwhile: Meanwhile) -> None:
    async def book_elsewhere_and_read() -> None:
        await hospital.book(process=hospital.there)
        await reload(hospital)

    meanwhile(book_elsewhere_and_read)
    await reload(hospital)
    assert TOMORROW not in await hospital.starts()


async def test_a_calendars_version_is_never_newer_than_what_is_shown_of_it(hospital: Hospital, meanwhile: Meanwhile) -> None:
    """A block elsewhere, and a change here that makes the first reading of it void: the block must be seen before its version is."""
    made = await hospital.book(TOMORROW + HALF_HOUR * 4)
    await hospital.block(TOMORROW, process=hospital.there)
    copy = await hospital.here.live.of(hospital.world.organization_id)
    shown: list[tuple[int, bool]] = []

    async def cancel_then_look() -> None:
        await hospital.cancel(made)
        asyncio.get_running_loop().call_soon(look)

    def look() -> None:
        row = copy.rows(hospital.physician())[0]
        tick = copy.index.horizon.tick_at(TOMORROW)
        free = bool(int(copy.index.free[row, tick // 64]) >> (tick % 64) & 1)
        shown.append((copy.bookables[hospital.physician()].calendar_version, free))

    meanwhile(cancel_then_look)
    await reload(hospital)
    look()
    assert all(version == 1 or not free for version, free in shown)
    assert shown[-1] == (2, False)


async def test_a_hold_read_before_it_was_booked_does_not_come_back(hospital: Hospital, meanwhile: Meanwhile) -> None:
    held = await hospital.hold()
    command = BookAppointment(hold_id=held.id, patient_id=held.patient_id)
    meanwhile(lambda: book.book_appointment(hospital.patient(), command))
    await reload(hospital)
    hospital.here.clock.advance(hours=1)
    assert TOMORROW not in await hospital.starts()
    await hospital.ensure_sound()


async def test_what_happens_while_a_copy_is_loaded_reaches_it(hospital: Hospital, meanwhile: Meanwhile) -> None:
    newcomer = processes_on(hospital.here.db, 1, seed=2)[0]
    newcomer.clock.instant = hospital.here.clock.instant
    newcomer.live._place = await outbox.end_of_log(newcomer.db)

    async def book_and_follow() -> None:
        await hospital.book()
        await newcomer.settle()

    meanwhile(book_and_follow)
    await newcomer.live.of(hospital.world.organization_id)
    await newcomer.settle()
    assert await same_as_fresh(newcomer, hospital.world)
    assert TOMORROW not in await hospital.starts(newcomer)


async def test_what_happened_between_an_early_question_and_the_followers_start_is_seen(hospital: Hospital) -> None:
    newcomer = processes_on(hospital.here.db, 1, seed=2)[0]
    newcomer.clock.instant = hospital.here.clock.instant
    await newcomer.live.of(hospital.world.organization_id)
    await hospital.book()
    await newcomer.settle()
    assert TOMORROW not in await hospital.starts(newcomer)


async def test_the_horizon_moves_on_under_a_booking(hospital: Hospital) -> None:
    before = await hospital.here.live.of(hospital.world.organization_id)
    async with hospital.there.db.transaction() as tx:
        await store.lock_schedule(tx, hospital.world.organization_id, hospital.physician())
        booking = asyncio.create_task(hospital.book(TOMORROW + timedelta(days=2)))
        await asyncio.sleep(0.05)
        hospital.here.clock.advance(days=1)
        after = await hospital.here.live.of(hospital.world.organization_id)
    await booking
    assert after is before
    await hospital.ensure_sound()


# Crowds


async def deadlocks(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(DEADLOCKS.text))
    finally:
        await connection.close()


@pytest.mark.parametrize("apart", [pytest.param(HALF_HOUR, id="the same times"), pytest.param(HALF_HOUR / 2, id="times that overlap")])
async def test_two_hundred_at_one_clinicians_day_have_one_winner_a_time(hospital: Hospital, database_url: str, apart: timedelta) -> None:
    before = await deadlocks(database_url)
    wanted = [TOMORROW + hospital.here.rng.randrange(4 * HOUR // apart - 1) * apart for _ in range(200)]
    answers = await asyncio.gather(
        *(hospital.book(start, patient=number, process=(hospital.here, hospital.there)[number % 2]) for number, start in enumerate(wanted)),
        return_exceptions=True,
    )
    won = [answer.start for answer in answers if isinstance(answer, Appointment)]
    assert all(isinstance(answer, Appointment | TimeNotFree) for answer in answers)
    assert len(won) == len(set(won))
    if apart == HALF_HOUR:  # else a time may be refused because of a neighbour who then loses, too
        assert set(won) == set(wanted)
    assert await deadlocks(database_url) == before
    await hospital.ensure_sound()


async def test_who_wants_what_nobody_else_wants_always_gets_it(db: Database, database_url: str) -> None:
    before = await deadlocks(database_url)
    here, there = processes_on(db, 2, seed=1)
    crowd = Hospital(here, there, await store_world(here, invent(here.ids, physicians=40, patients=PATIENTS)))
    for process in (here, there):
        await process.settle()
    made = await asyncio.gather(*(
        crowd.book(TOMORROW + number // 40 * HALF_HOUR, patient=number, physician=number % 40, process=(here, there)[number % 2])
        for number in range(200)
    ))  # fmt: skip
    assert len({each.id for each in made}) == 200
    assert await deadlocks(database_url) == before
    await crowd.ensure_sound()


async def test_everybody_doing_everything_at_once_leaves_a_sound_ledger(hospital: Hospital, database_url: str) -> None:
    before, rng = await deadlocks(database_url), hospital.here.rng

    async def someone(number: int) -> None:
        process, start = (hospital.here, hospital.there)[number % 2], TOMORROW + rng.randrange(8) * HALF_HOUR
        with suppress(Refusal):
            made = await (hospital.hold if number % 5 == 0 else hospital.book)(start, patient=number % 60, process=process)
            if number % 5 == 0:
                made = await book.book_appointment(
                    hospital.patient(number % 60, process), BookAppointment(hold_id=made.id, patient_id=made.patient_id)
                )  # fmt: skip
            with suppress(Refusal):
                if number % 3 == 0:
                    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW + rng.randrange(8) * HALF_HOUR)
                    await change.reschedule_appointment(hospital.desk(process), RescheduleAppointment(appointment_id=made.id, time=time))
                if number % 7 == 0:
                    await hospital.override(start, patient=number % 60)
                if number % 11 == 0:
                    await hospital.block(start, process=process)
            if number % 4 != 1:  # whatever was refused in between: of those who got a time three in four cancel, so that somebody does
                await hospital.cancel(made, process=hospital.here)

    await asyncio.gather(*(someone(number) for number in range(200)))
    assert await deadlocks(database_url) == before
    assert any(isinstance(fact, AppointmentCancelled) for fact in await facts_of(hospital.desk()))
    await hospital.ensure_sound()
