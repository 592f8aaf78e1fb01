"""Who is master of a service: steps, and every write refused meanwhile, in whatever process and however the two meet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from carewright.contracts.coverage import NotCovered
from carewright.contracts.hours import Override
from carewright.contracts.masters import ChangeMaster
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    BookAppointment,
    BookedElsewhere,
    CancelAppointment,
    ConfirmAppointment,
    HoldTime,
    ListAppointments,
    NotMirrored,
    PickedTime,
    RescheduleAppointment,
    UnknownService,
    WrongMasterStep,
)
from carewright.contracts.series import BookSeries
from carewright.contracts.starts import FindTimes, ListStarts
from carewright.kernel.db import Database
from carewright.kernel.errors import BadInput, Forbidden, Refusal, Unavailable
from carewright.kernel.sql import Query
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, change, find, masters, starts
from carewright.scheduling.store import masters as store
from tests.interleaving import GatedDatabase, Session, Turns, Work, run_in_order
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import REASON, Process
from tests.store.test_payer_stops import stop, told

SOURCE, PLACE = "urn:test:old", "the old system, or 030 1234567"
COUNT = Query("test.appointments", "SELECT count(*) AS n FROM scheduling.appointment WHERE organization_id = $1 AND status = 'booked'")
JOURNAL = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 AND body LIKE '%scheduling.master.change%'"
BACKEND = Query("test.backend", "SELECT pg_backend_pid() AS pid")
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'scheduling.master'::regclass"
PATIENCE_SECONDS = 10.0
Do = Callable[[], Awaitable[object]]


@pytest.fixture
async def watcher(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def admin(hospital: Hospital, process: Process | None = None) -> SchedulingContext:
    return (process or hospital.here).acting("administrator", hospital.world)


def mirror(hospital: Hospital, source: str | None = SOURCE, process: Process | None = None) -> SchedulingContext:
    return masters.mirroring((process or hospital.here).acting("integration", hospital.world), source)


def service_of(hospital: Hospital) -> UUID:
    return hospital.world.kinds.solo.healthcare_service_id


def step(hospital: Hospital, name: Any, **more: Any) -> ChangeMaster:
    named = {"source": SOURCE, "book_at": PLACE} if name == "begin" else {}
    return ChangeMaster(service_id=service_of(hospital), step=name, reason=REASON, **(named | more))


async def taken(hospital: Hospital, name: Any, **more: Any) -> None:
    await masters.change_master(admin(hospital), step(hospital, name, **more))


async def until_waiting(watcher: Any) -> None:
    """Until a session waits for who is master."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await watcher.fetchval(WAITING):  # noqa: ASYNC110  (PostgreSQL sets no asyncio.Event)
            await asyncio.sleep(0.005)


# Every way in


def every_write(hospital: Hospital, process: Process, *, own: Appointment, held: Appointment) -> dict[str, Do]:
    """Everything that writes appointments, as desk, scheduler or patient."""
    desk, patient = hospital.desk(process), hospital.patient(1, process)
    later = hospital.world.at(hospital.world.kinds.solo, TOMORROW + 4 * HALF_HOUR, hospital.physician())
    whom = hospital.world.patients[2]
    return {
        "book": lambda: book.book_appointment(desk, BookAppointment(time=later, patient_id=whom)),
        "hold": lambda: book.hold_time(hospital.patient(2, process), HoldTime(time=later, patient_id=whom)),
        "book what was held": lambda: book.book_appointment(patient, BookAppointment(hold_id=held.id, patient_id=held.patient_id)),
        "series": lambda: book.book_series(desk, BookSeries(patient_id=whom, first=later, count=2, every_days=1)),
        "override": lambda: book.book_appointment(desk, BookAppointment(time=later, patient_id=whom, override=Override(reason=REASON))),
        "move": lambda: change.reschedule_appointment(desk, RescheduleAppointment(appointment_id=own.id, time=later)),
        "move by override": lambda: change.reschedule_appointment(
            desk, RescheduleAppointment(appointment_id=own.id, time=later, override=Override(reason=REASON))
        ),
        "confirm": lambda: change.confirm_appointment(hospital.patient(0, process), ConfirmAppointment(appointment_id=own.id)),
        "cancel": lambda: change.cancel_appointment(desk, CancelAppointment(appointment_id=own.id)),
        "advance": lambda: change.advance_appointment(desk, AdvanceAppointment(appointment_id=own.id, status="arrived")),
    }


@pytest.mark.parametrize("knows", [True, False], ids=["copy that knows", "copy that does not"])
async def test_nobody_writes_what_another_system_is_master_of(hospital: Hospital, *, knows: bool) -> None:
    own = await hospital.book()
    held = await hospital.hold(TOMORROW + HALF_HOUR, patient=1)
    await hospital.starts(hospital.there)
    await taken(hospital, "begin")
    if knows:
        await hospital.there.settle()
    for name, write in every_write(hospital, hospital.there, own=own, held=held).items():
        with pytest.raises(BookedElsewhere) as refused:
            await write()
        assert refused.value.code == "scheduling.booked_elsewhere", name
        assert (PLACE in refused.value.detail) == knows, f"{name}: {refused.value.detail}"
    assert (await change.get_appointment(hospital.desk(), own.id)).version == own.version
    await change.release_hold(hospital.patient(1), held.id)
    await hospital.ensure_sound()


async def test_times_are_shown_where_we_are_master(hospital: Hospital) -> None:
    kind, city, village = hospital.world.kinds.solo, hospital.world.city.id, hospital.world.village.id
    desk = hospital.desk()
    await taken(hospital, "begin", site_ids=(city,))
    with pytest.raises(BookedElsewhere, match=PLACE):
        await find.find_times(desk, FindTimes(visit_type_id=kind.id, site_id=city))
    assert {slot.site_id for slot in (await find.find_times(desk, FindTimes(visit_type_id=kind.id))).items} == {village}
    assert await starts.list_starts(desk, ListStarts(visit_type_id=kind.id, site_id=city, until_at=TOMORROW + timedelta(days=1))) == ()
    await taken(hospital, "begin", site_ids=(village,))
    with pytest.raises(BookedElsewhere, match=PLACE):
        await find.find_times(desk, FindTimes(visit_type_id=kind.id))


async def test_an_appointment_does_not_move_to_a_site_of_the_other_system(hospital: Hospital) -> None:
    kind, village = hospital.world.kinds.solo, hospital.world.village.id
    made = await hospital.book(physician=1)
    there = (await find.find_times(hospital.desk(), FindTimes(visit_type_id=kind.id, site_id=village))).items[0]
    await taken(hospital, "begin", site_ids=(village,))
    time = PickedTime(visit_type_id=kind.id, site_id=village, start=there.start, practitioner_id=hospital.physician(1))
    with pytest.raises(BookedElsewhere, match=PLACE):
        await change.reschedule_appointment(hospital.desk(), RescheduleAppointment(appointment_id=made.id, time=time))
    await hospital.ensure_sound()


# Its mirror


async def test_its_mirror_writes_and_no_other(hospital: Hospital) -> None:
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    command = BookAppointment(time=time, patient_id=hospital.world.patients[0])
    with pytest.raises(NotMirrored):
        await book.book_appointment(mirror(hospital), command)
    await taken(hospital, "begin")
    with pytest.raises(NotMirrored):
        await book.book_appointment(mirror(hospital, "urn:test:another"), command)
    with pytest.raises(Forbidden):
        masters.mirroring(hospital.desk(), SOURCE)
    made = await book.book_appointment(mirror(hospital), command)
    later = hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR, hospital.physician())
    made = await change.reschedule_appointment(mirror(hospital), RescheduleAppointment(appointment_id=made.id, time=later))
    await taken(hospital, "switch")
    lates: tuple[Do, ...] = (
        lambda: book.book_appointment(mirror(hospital), command),
        lambda: change.cancel_appointment(mirror(hospital), CancelAppointment(appointment_id=made.id)),
    )
    for late in lates:
        with pytest.raises(NotMirrored):
            await late()
    await hospital.cancel(made)
    await hospital.ensure_sound()


async def test_what_its_master_has_booked_and_moved_is_mirrored_whatever_the_payer_said(hospital: Hospital) -> None:
    await told(hospital, stop(hospital))
    await taken(hospital, "begin")
    first, later = (hospital.world.at(hospital.world.kinds.solo, at, hospital.physician()) for at in (TOMORROW, TOMORROW + HALF_HOUR))
    made = await book.book_appointment(mirror(hospital), BookAppointment(time=first, patient_id=hospital.world.patients[0]))
    moved = await change.reschedule_appointment(mirror(hospital), RescheduleAppointment(appointment_id=made.id, time=later))
    assert (moved.status, moved.start) == ("booked", later.start)
    await taken(hospital, "switch")
    with pytest.raises(NotCovered):
        await hospital.book()


async def test_a_mirror_whose_copy_is_old_is_refused_by_the_ledger(hospital: Hospital) -> None:
    await taken(hospital, "begin")
    await hospital.there.settle()
    behind = mirror(hospital, process=hospital.there)
    await behind.calendars()
    await taken(hospital, "switch")
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    with pytest.raises(NotMirrored):
        await book.book_appointment(behind, BookAppointment(time=time, patient_id=hospital.world.patients[0]))


# Steps


async def test_steps_come_in_order_and_leave_who_and_why(hospital: Hospital, watcher: Any) -> None:
    for wrong in ("switch", "back"):
        with pytest.raises(UnknownService):
            await taken(hospital, wrong)
    await taken(hospital, "begin")
    await taken(hospital, "begin", book_at="elsewhere")
    with pytest.raises(WrongMasterStep):
        await taken(hospital, "begin", source="urn:test:another")
    with pytest.raises(WrongMasterStep):
        await taken(hospital, "back")
    await taken(hospital, "switch")
    with pytest.raises(WrongMasterStep):
        await taken(hospital, "begin")
    await taken(hospital, "back")
    listed = (await masters.list_masters(admin(hospital))).items
    assert {each.site_id for each in listed} == {hospital.world.city.id, hospital.world.village.id}
    assert {(each.stage, each.source, each.book_at, each.reason) for each in listed} == {("mirrored", SOURCE, "elsewhere", REASON)}
    assert all(hospital.world.kinds.solo.id in each.visit_type_ids for each in listed)
    entries = await watcher.fetch(JOURNAL, hospital.world.organization_id)
    assert len(entries) == 4, "a step that was refused leaves none"
    assert all(str(service_of(hospital)) in row["body"] and REASON not in row["body"] for row in entries)


async def test_one_site_that_cannot_take_a_step_keeps_all_from_it(hospital: Hospital) -> None:
    await taken(hospital, "begin", site_ids=(hospital.world.city.id,))
    with pytest.raises(WrongMasterStep):
        await taken(hospital, "switch", site_ids=(hospital.world.city.id, hospital.world.village.id))
    assert [each.stage for each in (await masters.list_masters(admin(hospital))).items] == ["mirrored"]


async def test_without_sites_a_step_is_taken_wherever_it_leads_on(hospital: Hospital) -> None:
    await taken(hospital, "begin")
    await taken(hospital, "switch", site_ids=(hospital.world.city.id,))
    await taken(hospital, "switch")
    assert {each.stage for each in (await masters.list_masters(admin(hospital))).items} == {"switched"}
    with pytest.raises(WrongMasterStep):
        await taken(hospital, "switch")


async def test_what_is_not_in_form_is_refused(hospital: Hospital) -> None:
    for wrong in (step(hospital, "begin", source=None), step(hospital, "begin", book_at=" "), step(hospital, "switch", source=SOURCE)):
        with pytest.raises(BadInput):
            await masters.change_master(admin(hospital), wrong)
    with pytest.raises(UnknownService):
        await masters.change_master(admin(hospital), step(hospital, "begin", site_ids=(hospital.here.ids.new(),)))
    with pytest.raises(Forbidden):
        await masters.change_master(hospital.desk(), step(hospital, "begin"))
    with pytest.raises(Forbidden):
        await masters.list_masters(hospital.patient())


# Both at once


async def test_a_step_waits_for_whoever_is_just_writing(hospital: Hospital, watcher: Any) -> None:
    own = await hospital.book()
    desk = hospital.desk()
    async with desk.db.transaction() as tx:
        assert await store.master_of(tx, hospital.world.organization_id, own.visit_type_id, own.site_id) is None
        stepping = asyncio.create_task(taken(hospital, "begin"))
        await until_waiting(watcher)
        assert not stepping.done()
    await stepping


async def test_a_step_gives_up_before_everybody_has_waited_long(hospital: Hospital) -> None:
    own = await hospital.book()
    async with hospital.desk().db.transaction() as tx:
        await store.master_of(tx, hospital.world.organization_id, own.visit_type_id, own.site_id)
        with pytest.raises(Unavailable):
            await taken(hospital, "begin")
        await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    assert (await masters.list_masters(admin(hospital))).items == ()


async def test_whoever_writes_during_a_step_waits_and_is_refused(hospital: Hospital, watcher: Any) -> None:
    own = await hospital.book()
    held = await hospital.hold(TOMORROW + HALF_HOUR, patient=1)
    await taken(hospital, "begin")
    await taken(hospital, "switch")
    await hospital.there.settle()
    place = (hospital.world.organization_id, service_of(hospital), [own.site_id])
    for write in every_write(hospital, hospital.there, own=own, held=held).values():
        async with admin(hospital).db.transaction() as tx:
            await store.lock_masters(tx)
            writing = asyncio.create_task(_refusal_of(write))
            await until_waiting(watcher)
            await store.step(tx, *place, "mirrored", hospital.here.ids.new())
        assert await writing == "scheduling.booked_elsewhere"
        await store.step(admin(hospital).db, *place, "switched", hospital.here.ids.new())
    await hospital.ensure_sound()


async def _refusal_of(write: Do) -> str | None:
    try:
        await write()
    except Refusal as refusal:
        return refusal.code
    return None


async def test_after_a_step_no_booking_slips_through(hospital: Hospital) -> None:
    """Two dozen bookings of two processes meet the step; what came through came before it."""
    await hospital.starts(hospital.there)
    times = [TOMORROW + number * HALF_HOUR for number in range(8)]
    bookings = [
        asyncio.create_task(_refusal_of(partial(hospital.book, start, patient, process=process)))
        for start in times
        for patient, process in enumerate((hospital.here, hospital.there, hospital.here))
    ]
    await asyncio.sleep(0.01)
    await taken(hospital, "begin")
    before = await hospital.here.db.fetch_one(COUNT, hospital.world.organization_id)
    said = await asyncio.gather(*bookings)
    after = await hospital.here.db.fetch_one(COUNT, hospital.world.organization_id)
    assert before == after, "nothing was booked once the step was through"
    assert set(said) <= {None, "scheduling.booked_elsewhere", "scheduling.time_not_free", "scheduling.patient_busy"}
    await hospital.ensure_sound()


@pytest.mark.parametrize("name", ["book", "hold", "book what was held", "series", "override", "move", "cancel"])
async def test_a_write_and_a_step_in_every_order(hospital: Hospital, database_url: str, watcher: Any, name: str) -> None:
    """What was acknowledged was committed before the step was; everything else was refused, and nobody was locked out."""
    await taken(hospital, "begin")
    await taken(hospital, "switch")
    async with AsyncExitStack() as stack:
        sessions = [await _gated(stack, database_url, hospital) for _ in range(2)]
        writing, stepping = (hospital.there.on(sessions[0].database), hospital.here.on(sessions[1].database))
        turns, seen = Turns(sessions, watcher), set[str]()
        order: list[int] | None = []
        while order is not None:
            own, held = await hospital.book(), await hospital.hold(TOMORROW + HALF_HOUR, patient=1)
            await hospital.there.settle()
            write = every_write(hospital, writing, own=own, held=held)[name]
            works = [_work(write), _work(partial(masters.change_master, admin(hospital, stepping), step(hospital, "back")))]
            run = await run_in_order(turns, sessions, works, order, [None, None])
            said = run.outcomes[0]
            if isinstance(said, Refusal):
                assert said.code == "scheduling.booked_elsewhere", run.steps
            else:
                last = max(number for number, each in enumerate(run.steps) if each.startswith("0:"))
                assert last < run.steps.index("1:commit"), run.steps
            seen.add(said.code if isinstance(said, Refusal) else "done")
            order = run.next_prefix()
            await taken(hospital, "switch")
            await _emptied(hospital)
    assert seen == {"done", "scheduling.booked_elsewhere"}


GATED = frozenset({
    "master_of", "appointment_for_change", "book_appointment", "lock_patient", "claim_time", "insert_appointments", "lock_masters",
    "step_masters",
})  # fmt: skip


async def _gated(stack: AsyncExitStack, url: str, hospital: Hospital) -> Session:
    own = await Database.connect(url, "carewright_scheduling", 1)
    stack.push_async_callback(own.close)
    row = await own.of(hospital.world.organization_id).fetch_one(BACKEND)
    assert row is not None
    return Session(GatedDatabase(own, lambda name, _, __: name in GATED), row["pid"])


def _work(do: Do) -> Work:
    async def work(_: GatedDatabase) -> object:
        return await do()

    return work


async def _emptied(hospital: Hospital) -> None:
    """Give everything back, for the next order to begin as this one did."""
    for number in range(3):
        ctx = hospital.desk()
        whose = ListAppointments(patient_id=hospital.world.patients[number], statuses=("pending", "booked"))
        for each in (await change.list_appointments(ctx, whose)).items:
            await change.cancel_appointment(ctx, CancelAppointment(appointment_id=each.id))
    await hospital.here.settle()
