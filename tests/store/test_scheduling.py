"""Scheduling in PostgreSQL: what the schema guards by itself, holds and their end, appointments, calendars, the past, copies."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, HealthcareService, Practitioner, PractitionerChanged, PractitionerRole, VisitTypeChanged
from carewright.contracts.hours import BlockTime, Override, SetWorkingHours
from carewright.contracts.patients import PatientChanged
from carewright.contracts.permissions import SYSTEM
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    AppointmentBooked,
    AppointmentFact,
    AppointmentHoldExpired,
    BookAppointment,
    ConfirmAppointment,
    PatientBusy,
    RescheduleAppointment,
    ScheduleChanged,
    TimeNotFree,
    UnknownBlock,
    UnknownPatient,
)
from carewright.contracts.series import BookSeries
from carewright.contracts.starts import IsExpected
from carewright.kernel.context import Once
from carewright.kernel.errors import Forbidden, Refusal
from carewright.kernel.sql import Query
from carewright.scheduling import handlers, jobs, store
from carewright.scheduling.model.appointment import claims_of
from carewright.scheduling.service import book, calendars, change, expire
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import MONDAY, REASON, every_day
from tests.servers import facts_of

DEADLOCKS = Query("test.deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
HISTORY = Query("test.history", """
SELECT tableoid::regclass::text AS part, id FROM scheduling.appointment_history WHERE organization_id = $1
""")  # fmt: skip
OPENINGS_END = Query("test.openings_end", """
SELECT max(ends_at) AS last FROM scheduling.opening WHERE organization_id = $1 AND schedule_id = $2
""")  # fmt: skip
OUTBOX_OF = Query("test.outbox_of", "SELECT organization_id FROM kernel.outbox WHERE subject = $1 ORDER BY xid, position")
CLAIM = """
INSERT INTO scheduling.claim (organization_id, schedule_id, lane, starts_at, ends_at, appointment_id) VALUES ($1, $2, $3, $4, $5, $6)
"""


# What the schema guards by itself


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_claims_of_one_calendar_and_lane_never_overlap(owner: Any, hospital: Hospital) -> None:
    ids = hospital.here.ids
    tenant, schedule = ids.new(), ids.new()
    await owner.execute(CLAIM, tenant, schedule, 0, TOMORROW, TOMORROW + HALF_HOUR, ids.new())
    with pytest.raises(asyncpg.ExclusionViolationError):
        await owner.execute(CLAIM, tenant, schedule, 0, TOMORROW + HALF_HOUR / 2, TOMORROW + HALF_HOUR, ids.new())
    await owner.execute(CLAIM, tenant, schedule, 0, TOMORROW + HALF_HOUR, TOMORROW + 2 * HALF_HOUR, ids.new())
    await owner.execute(CLAIM, tenant, schedule, 1, TOMORROW, TOMORROW + HALF_HOUR, ids.new())
    await owner.execute(CLAIM, tenant, ids.new(), 0, TOMORROW, TOMORROW + HALF_HOUR, ids.new())
    await owner.execute(CLAIM, ids.new(), schedule, 0, TOMORROW, TOMORROW + HALF_HOUR, ids.new())


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE scheduling.claim SET ends_at = starts_at", id="a claim ends after it starts"),
        pytest.param("UPDATE scheduling.claim SET lane = 8", id="there are eight lanes"),
        pytest.param("UPDATE scheduling.claim SET lane = -1", id="lanes count from 0"),
        pytest.param("UPDATE scheduling.opening SET ends_at = starts_at", id="an opening ends after it starts"),
        pytest.param("UPDATE scheduling.block SET ends_at = starts_at", id="a block ends after it starts"),
        pytest.param("UPDATE scheduling.appointment SET ends_at = starts_at", id="an appointment ends after it starts"),
        pytest.param("UPDATE scheduling.appointment SET status = 'confirmed'", id="a status is one of FHIR's"),
        pytest.param("UPDATE scheduling.appointment SET version = 0", id="versions count from 1"),
        pytest.param("UPDATE scheduling.appointment SET expires_at = now()", id="only what is pending expires"),
    ],
)
async def test_the_schema_refuses_what_no_rule_allows(owner: Any, hospital: Hospital, statement: str) -> None:
    await hospital.book()
    await hospital.block(TOMORROW + 2 * HALF_HOUR)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(f"{statement} WHERE organization_id = '{hospital.world.organization_id}'")


async def test_a_booking_decided_on_an_old_calendar_is_refused_whole(hospital: Hospital) -> None:
    made = await hospital.book()
    await hospital.cancel(made)
    again = replace(made, id=hospital.here.ids.new())
    fact = AppointmentBooked(
        organization_id=hospital.world.organization_id, appointment_id=again.id, version=1, status="booked",
        visit_type_id=again.visit_type_id, site_id=again.site_id, patient_id=again.patient_id, start=again.start, end=again.end,
        urgency="P2",
    )  # fmt: skip
    before = await facts_of(hospital.desk())
    desk = hospital.desk()
    booking = store.Booking(again, claims_of(again), {hospital.physician(): 7}, fact, None, None)
    with pytest.raises(Refusal) as refused:
        await store.book_appointment(desk, desk.db, await desk.cipher(), booking)
    assert refused.value.code == "scheduling.calendar_moved"
    assert await store.claims_of_appointment(hospital.here.db, hospital.world.organization_id, again.id) == ()
    assert await facts_of(hospital.desk()) == before


async def test_a_booking_waits_for_a_calendar_change_and_then_sees_it(hospital: Hospital) -> None:
    cipher = await hospital.desk().cipher()
    async with hospital.here.db.transaction() as tx:
        await store.lock_schedule(tx, hospital.world.organization_id, hospital.physician())
        booking = asyncio.create_task(hospital.book(process=hospital.there))
        await asyncio.sleep(0.1)
        assert not booking.done()
        end = TOMORROW + HALF_HOUR
        command = BlockTime(schedule_id=hospital.physician(), start=TOMORROW, end=end, reason=REASON)
        await store.insert_block(tx, cipher, hospital.here.ids.new(), command, TOMORROW, end, "desk", MONDAY)
        await store.raise_calendar_version(tx, hospital.world.organization_id, hospital.physician())
    with pytest.raises(TimeNotFree):
        await booking


async def test_a_partly_taken_booking_leaves_nothing_behind(hospital: Hospital) -> None:
    await hospital.book(physician=1)
    before = await facts_of(hospital.desk())
    with pytest.raises(PatientBusy):
        await hospital.book(physician=0)
    assert await facts_of(hospital.desk()) == before
    assert TOMORROW in await hospital.starts()
    await hospital.ensure_sound()


# Holds


async def test_a_living_hold_is_nobody_elses_and_an_expired_one_is_free_at_once(hospital: Hospital) -> None:
    held = await hospital.hold()
    await hospital.there.settle()
    for process in (hospital.here, hospital.there):
        assert TOMORROW not in await hospital.starts(process)
        with pytest.raises(TimeNotFree):
            await hospital.book(patient=1, process=process)
    assert held.expires_at is not None
    hospital.here.clock.instant = held.expires_at
    for process in (hospital.here, hospital.there):
        assert TOMORROW in await hospital.starts(process)
    made = await hospital.book(patient=1, process=hospital.there)
    told = [type(fact) for fact in await facts_of(hospital.desk())]
    assert told[-2:] == [AppointmentHoldExpired, AppointmentBooked]
    assert made.start == TOMORROW
    await hospital.ensure_sound()


async def test_a_hold_that_was_booked_elsewhere_stays_taken_after_its_hour(hospital: Hospital) -> None:
    held = await hospital.hold()
    await hospital.there.settle()
    await book.book_appointment(
        hospital.patient(process=hospital.there), BookAppointment(hold_id=held.id, patient_id=held.patient_id)
    )  # fmt: skip
    await hospital.here.settle()
    hospital.here.clock.advance(hours=1)
    for process in (hospital.here, hospital.there):
        assert TOMORROW not in await hospital.starts(process)
    await hospital.ensure_sound()


async def test_expired_holds_are_told_of_under_their_own_tenant(hospital: Hospital) -> None:
    held = await hospital.hold()
    hospital.here.clock.advance(hours=1)
    await expire.expire_holds(hospital.here.system())
    rows = await hospital.here.db.fetch(OUTBOX_OF, held.id)
    assert [row["organization_id"] for row in rows] == [hospital.world.organization_id] * 2
    await hospital.ensure_sound()


async def test_an_override_takes_the_place_of_an_expired_hold(hospital: Hospital) -> None:
    await hospital.hold()
    hospital.here.clock.advance(hours=1)
    made = await hospital.override(patient=1)
    claims = await store.claims_of_appointment(hospital.here.db, hospital.world.organization_id, made.id)
    assert {claim.lane for claim in claims} == {0}


async def test_a_hold_asked_for_again_under_its_key_is_the_same_when_its_time_has_passed(hospital: Hospital) -> None:
    once = Once("key", b"\0" * 32)
    held = await hospital.hold(once=once)
    hospital.here.clock.advance(days=2)
    assert await hospital.hold(once=once) == held


# Appointments


async def test_time_in_a_further_lane_is_not_booked_when_lane_0_comes_free(hospital: Hospital) -> None:
    first = await hospital.book()
    await hospital.override()
    await hospital.cancel(first)
    await hospital.there.settle()
    with pytest.raises(PatientBusy):
        await hospital.book(physician=1)
    with pytest.raises(TimeNotFree):
        await hospital.book(patient=1)
    await hospital.ensure_sound()


async def test_a_copy_that_lags_does_not_book_beside_an_override(hospital: Hospital) -> None:
    first = await hospital.book(process=hospital.there)
    await hospital.override(patient=1)
    await hospital.cancel(first, process=hospital.there)
    with pytest.raises(TimeNotFree):
        await hospital.book(patient=2, process=hospital.there)
    await hospital.ensure_sound()


async def test_two_who_exchange_their_times_do_not_lock_each_other_out(hospital: Hospital) -> None:
    early, late = await hospital.book(), await hospital.book(TOMORROW + HALF_HOUR, patient=1, physician=1)
    deadlocks = await hospital.here.db.fetch_one(DEADLOCKS)
    moves = (
        change.reschedule_appointment(hospital.desk(), RescheduleAppointment(appointment_id=each.id, time=time))
        for each, time in (
            (early, hospital.world.at(hospital.world.kinds.solo, late.start, hospital.physician(1))),
            (late, hospital.world.at(hospital.world.kinds.solo, early.start, hospital.physician(0))),
        )
    )
    answers = await asyncio.gather(*moves, return_exceptions=True)
    assert all(isinstance(answer, Appointment | TimeNotFree) for answer in answers)
    assert await hospital.here.db.fetch_one(DEADLOCKS) == deadlocks
    await hospital.ensure_sound()


async def test_moving_by_less_than_the_visit_lasts_keeps_one_claim_of_each(hospital: Hospital) -> None:
    made = await hospital.book()
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR / 2, hospital.physician())
    moved = await change.reschedule_appointment(hospital.desk(), RescheduleAppointment(appointment_id=made.id, time=time))
    held = await store.claims_of_appointment(hospital.here.db, hospital.world.organization_id, made.id)
    assert tuple(sorted(held, key=lambda claim: (claim.schedule_id, claim.start))) == claims_of(moved)
    assert TOMORROW + 3 * HALF_HOUR / 2 in await hospital.starts()
    await hospital.ensure_sound()


async def test_who_comes_after_a_noshow_has_their_time_again(hospital: Hospital) -> None:
    made = await hospital.book()
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=made.id, status="noshow"))
    other = await hospital.book(patient=1)
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=made.id, status="arrived"))
    held = await store.claims_of_appointment(hospital.here.db, hospital.world.organization_id, made.id)
    assert {claim.schedule_id: claim.lane for claim in held} == {hospital.physician(): 1, made.patient_id: 0}
    assert other.start == made.start
    await hospital.ensure_sound()


async def test_every_fact_says_what_the_appointment_holds(hospital: Hospital) -> None:
    ctx = hospital.patient()
    time = hospital.world.at(hospital.world.kinds.request, TOMORROW)
    asked = await book.book_appointment(ctx, BookAppointment(time=time, patient_id=hospital.world.patients[0]))
    await change.confirm_appointment(hospital.desk(), ConfirmAppointment(appointment_id=asked.id))
    await hospital.cancel(asked)
    requested, confirmed, cancelled = (fact for fact in await facts_of(hospital.desk()) if isinstance(fact, AppointmentFact))
    assert set(requested.claims) == set(confirmed.claims) == set(cancelled.released) == set(claims_of(asked))
    assert requested.released == confirmed.released == cancelled.claims == ()


async def test_a_series_is_booked_whole_or_not_at_all(hospital: Hospital) -> None:
    await hospital.book(TOMORROW + timedelta(days=2), patient=1)
    first = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    before = await facts_of(hospital.desk())
    with pytest.raises(Refusal) as refused:
        await book.book_series(hospital.desk(), BookSeries(patient_id=hospital.world.patients[0], first=first, count=4, every_days=1))
    assert refused.value.facts["dates"] == [(TOMORROW + timedelta(days=2)).date().isoformat()]
    assert await facts_of(hospital.desk()) == before
    await hospital.ensure_sound()


# Calendars


async def test_new_hours_report_whom_they_leave_at_the_wrong_site(hospital: Hospital) -> None:
    made = await hospital.book(physician=1)
    weekly = every_day((hospital.world.village.id,), 600, 1080)  # the same instants, at the other site
    command = SetWorkingHours(schedule_id=hospital.physician(1), weekly=weekly)
    answer = await calendars.set_working_hours(hospital.desk(), command)
    assert [each.id for each in answer.hit] == [made.id]
    await hospital.ensure_sound()


@pytest.mark.parametrize(("role", "shown"), [("scheduler", True), ("administrator", False)])
async def test_whose_appointments_a_change_hits_is_shown_to_those_who_see_patients(hospital: Hospital, role: str, shown: bool) -> None:
    made = await hospital.book()
    ctx = hospital.here.acting(role, hospital.world)
    block = BlockTime(schedule_id=hospital.physician(), start=made.start, end=made.end, reason=REASON)
    hours = SetWorkingHours(schedule_id=hospital.physician(), weekly=())
    for answer in (await calendars.block_time(ctx, block), await calendars.set_working_hours(ctx, hours)):
        assert answer.hit_appointment_ids == (made.id,)
        assert answer.hit == ((made,) if shown else ())
        assert (str(made.patient_id) in msgspec.json.encode(answer).decode()) == shown
    facts = [fact for fact in await facts_of(hospital.desk()) if isinstance(fact, ScheduleChanged)]
    assert [fact.hit_appointment_ids for fact in facts] == [(made.id,), (made.id,)]
    assert [fact.block is None for fact in facts] == [False, True]


async def test_a_block_is_removed_once(hospital: Hospital) -> None:
    block = (await hospital.block(TOMORROW)).block_id
    answers = await asyncio.gather(
        *(calendars.unblock_time(hospital.desk(process), block) for process in (hospital.here, hospital.there)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["CalendarChanged", UnknownBlock.__name__]
    told = [fact.block for fact in await facts_of(hospital.desk()) if isinstance(fact, ScheduleChanged)]
    assert [(each.id, each.is_open) for each in told if each] == [(block, False), (block, True)]
    assert len({(each.start, each.end) for each in told if each}) == 1, "which time it is"
    await hospital.ensure_sound()


async def test_calendars_are_extended_to_the_horizon_and_no_further(hospital: Hospital) -> None:
    hospital.here.clock.advance(days=3)
    assert await calendars.extend_openings(hospital.here.system()) > 0
    assert await calendars.extend_openings(hospital.here.system()) == 0
    row = await hospital.here.db.fetch_one(OPENINGS_END, hospital.world.organization_id, hospital.physician())
    last_day = (hospital.here.clock.now() + timedelta(days=hospital.here.settings.horizon_days + 1)).date()
    assert row is not None
    assert row["last"].date() == last_day
    assert any(isinstance(fact, ScheduleChanged) for fact in await facts_of(hospital.desk()))
    await hospital.ensure_sound()


async def test_a_closed_site_does_not_keep_calendars_from_growing(hospital: Hospital) -> None:
    closed = replace(hospital.world.village, active=False, version=2)
    await store.put_site(hospital.here.db, hospital.world.organization_id, closed)
    hospital.here.clock.advance(days=3)
    assert await calendars.extend_openings(hospital.here.system()) >= len(hospital.world.actors)


# The past


async def test_what_is_over_moves_into_the_month_of_its_id_and_stays_known(hospital: Hospital) -> None:
    hospital.here.ids._last_ms = -1
    made = await hospital.book()
    hospital.here.clock.advance(days=40)
    assert await jobs.archive_past(hospital.here.system()) >= 1
    rows = await hospital.here.db.fetch(HISTORY, hospital.world.organization_id)
    assert [(row["part"], row["id"]) for row in rows] == [("scheduling.appointment_history_2026_11", made.id)]
    assert await store.claims_of_appointment(hospital.here.db, hospital.world.organization_id, made.id) == ()
    assert await change.get_appointment(hospital.desk(), made.id) == made
    done = await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=made.id, status="fulfilled"))
    assert done.version == 2
    assert await hospital.here.db.fetch(HISTORY, hospital.world.organization_id) == []
    assert await jobs.archive_past(hospital.here.system()) >= 1
    assert await change.get_appointment(hospital.desk(), made.id) == done


async def test_two_who_change_an_archived_appointment_both_find_it(hospital: Hospital) -> None:
    hospital.here.ids._last_ms = -1
    made = await hospital.book()
    hospital.here.clock.advance(days=40)
    await jobs.archive_past(hospital.here.system())
    await asyncio.gather(*(
        change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=made.id, status=status))
        for status in ("arrived", "entered-in-error")
    ), return_exceptions=True)  # fmt: skip
    assert (await change.get_appointment(hospital.desk(), made.id)).status == "entered-in-error"


# Copies of the directory and of patients


def person(hospital: Hospital, version: int) -> PractitionerChanged:
    practitioner_id = UUID(int=hospital.world.organization_id.int ^ 1)
    role = PractitionerRole(
        id=UUID(int=practitioner_id.int ^ 2), practitioner_id=practitioner_id, site_ids=(hospital.world.city.id,),
        specialties=(Coding(system="specialty", code="gp"),),
    )  # fmt: skip
    practitioner = Practitioner(id=practitioner_id, kind="practitioner", family=f"Version {version}", version=version)
    return PractitionerChanged(organization_id=hospital.world.organization_id, practitioner=practitioner, roles=(role,))


@pytest.mark.parametrize("order", [(1, 2, 3), (1, 1, 2, 2, 3, 3), (3, 2, 1), (2, 3, 1, 3)], ids=str)
async def test_the_newest_state_of_an_actor_stays_whatever_the_order(hospital: Hospital, order: Sequence[int]) -> None:
    for version in order:
        async with hospital.here.db.transaction() as tx:
            await handlers.copy_practitioner(hospital.desk(), tx, person(hospital, version))
    await hospital.ensure_sound()
    known = (await hospital.here.live.of(hospital.world.organization_id)).bookables[person(hospital, 1).practitioner.id]
    assert known.display == "Version 3"
    told = [fact for fact in await facts_of(hospital.desk()) if isinstance(fact, ScheduleChanged)]
    assert len(told) == len([version for place, version in enumerate(order) if version > max(order[:place], default=0)])


async def test_visit_types_and_patients_do_not_go_back(hospital: Hospital) -> None:
    kind = hospital.world.kinds.solo
    service = HealthcareService(id=kind.healthcare_service_id, name="General practice", specialty=Coding(system="s", code="gp"))
    tenant, patient_id = hospital.world.organization_id, hospital.world.patients[0]
    for version in (5, 3):
        visit_type = replace(kind, name=f"Version {version}", version=version)
        async with hospital.here.db.transaction() as tx:
            event = VisitTypeChanged(organization_id=tenant, visit_type=visit_type, service=service)
            await handlers.copy_visit_type(hospital.desk(), tx, event)
            patient = PatientChanged(organization_id=tenant, patient_id=patient_id, active=version == 3, version=version)
            await handlers.copy_patient(hospital.desk(), tx, patient)
    await hospital.ensure_sound()
    assert (await hospital.here.live.of(tenant)).visit_types[kind.id].value.name == "Version 5"
    with pytest.raises(UnknownPatient):
        await hospital.book()


@pytest.mark.parametrize("override", [None, Override(reason="Came with an ambulance")], ids=["free", "override"])
async def test_a_patient_registered_a_moment_ago_is_waited_for(hospital: Hospital, override: Override | None) -> None:
    newcomer = hospital.here.ids.new()
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    command = BookAppointment(time=time, patient_id=newcomer, override=override)
    booking = asyncio.create_task(book.book_appointment(hospital.desk(), command))
    await asyncio.sleep(0.03)
    event = PatientChanged(organization_id=hospital.world.organization_id, patient_id=newcomer, active=True, version=1)
    await handlers.copy_patient(hospital.desk(), hospital.here.db, event)
    assert (await booking).patient_id == newcomer
    stranger = BookAppointment(time=replace(time, start=TOMORROW + HALF_HOUR), patient_id=hospital.here.ids.new())
    with pytest.raises(UnknownPatient):
        await book.book_appointment(hospital.desk(), stranger)
    await hospital.ensure_sound()


async def test_who_has_an_appointment_there_about_then_is_expected(hospital: Hospital) -> None:
    booked = await hospital.book(patient=1)
    system = hospital.desk().acting(
        msgspec.structs.replace(hospital.desk().actor, role=SYSTEM, permissions=frozenset({"scheduling.appointment.relate"}))
    )

    async def expected(patient: int, days: int = 1, *sites: UUID) -> bool:
        around = timedelta(days=days)
        query = IsExpected(
            patient_id=hospital.world.patients[patient], from_at=booked.start - around, until_at=booked.start + around, site_ids=sites
        )  # fmt: skip
        return await change.is_expected(system, query)

    assert await expected(1)
    assert await expected(1, 1, booked.site_id)
    assert not await expected(1, 1, hospital.desk().ids.new())
    assert not await expected(1, 0)
    assert not await expected(2)
    with pytest.raises(Forbidden):
        await change.is_expected(hospital.desk(), IsExpected(patient_id=booked.patient_id, from_at=booked.start, until_at=booked.end))
