"""Who has sites named sees and changes what belongs to them, and learns of other sites that time is taken and no more."""

from uuid import UUID

import pytest

from carewright.contracts.hours import BlockTime, Override, SetWorkingHours
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    BookAppointment,
    CancelAppointment,
    ConfirmAppointment,
    HoldTime,
    ListAppointments,
    PickedTime,
    RescheduleAppointment,
    UnknownAppointment,
    UnknownSchedule,
)
from carewright.contracts.series import BookSeries
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import Forbidden
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change, find
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import REASON, every_day


def at(hospital: Hospital, *site_ids: UUID) -> SchedulingContext:
    """A scheduler of these sites alone."""
    return hospital.here.acting("scheduler", hospital.world, site_ids=site_ids)


def block_of(schedule_id: UUID) -> BlockTime:
    return BlockTime(schedule_id=schedule_id, start=TOMORROW, end=TOMORROW + HALF_HOUR, reason=REASON)


@pytest.fixture
def city(hospital: Hospital) -> SchedulingContext:
    return at(hospital, hospital.world.city.id)


@pytest.fixture
def village(hospital: Hospital) -> SchedulingContext:
    return at(hospital, hospital.world.village.id)


@pytest.fixture
async def booked(hospital: Hospital) -> Appointment:
    """In the city, with the physician who works in the village too."""
    return await hospital.book(physician=1)


async def test_an_appointment_of_another_site_is_not_there(hospital: Hospital, village: SchedulingContext, booked: Appointment) -> None:
    elsewhere = hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR)
    for asked in (
        change.get_appointment(village, booked.id),
        change.confirm_appointment(village, ConfirmAppointment(appointment_id=booked.id)),
        change.cancel_appointment(village, CancelAppointment(appointment_id=booked.id)),
        change.advance_appointment(village, AdvanceAppointment(appointment_id=booked.id, status="arrived")),
        change.reschedule_appointment(village, RescheduleAppointment(appointment_id=booked.id, time=elsewhere)),
    ):
        with pytest.raises(UnknownAppointment):
            await asked
    assert await change.get_appointment(hospital.desk(), booked.id) == booked


async def test_at_their_own_site_they_work_as_ever(hospital: Hospital, city: SchedulingContext, booked: Appointment) -> None:
    assert await change.get_appointment(city, booked.id) == booked
    query = ListAppointments(patient_id=booked.patient_id)
    assert (await change.list_appointments(city, query)).items == (booked,)
    moved = RescheduleAppointment(appointment_id=booked.id, time=hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR))
    assert (await change.reschedule_appointment(city, moved)).start == TOMORROW + HALF_HOUR


async def test_a_list_leaves_out_what_is_at_other_sites(village: SchedulingContext, booked: Appointment) -> None:
    assert (await change.list_appointments(village, ListAppointments(patient_id=booked.patient_id))).items == ()


async def test_nothing_is_booked_at_another_site(hospital: Hospital, village: SchedulingContext) -> None:
    patient_id, time = hospital.world.patients[0], hospital.world.at(hospital.world.kinds.solo, TOMORROW)
    for asked in (
        book.hold_time(village, HoldTime(time=time, patient_id=patient_id)),
        book.book_appointment(village, BookAppointment(time=time, patient_id=patient_id)),
        book.book_appointment(village, BookAppointment(time=time, patient_id=patient_id, override=Override(reason=REASON))),
        book.book_series(village, BookSeries(first=time, patient_id=patient_id, count=2, every_days=1)),
    ):
        with pytest.raises(Forbidden):
            await asked


async def test_nothing_moves_to_another_site(hospital: Hospital, booked: Appointment) -> None:
    time = PickedTime(visit_type_id=hospital.world.kinds.solo.id, site_id=hospital.world.village.id, start=TOMORROW)
    there = RescheduleAppointment(appointment_id=booked.id, time=time)
    with pytest.raises(Forbidden):
        await change.reschedule_appointment(at(hospital, hospital.world.city.id), there)


async def test_free_times_are_those_of_their_sites(hospital: Hospital, village: SchedulingContext) -> None:
    query = FindTimes(visit_type_id=hospital.world.kinds.solo.id, limit=200)
    both = {slot.site_id for slot in (await find.find_times(hospital.desk(), query)).items}
    assert both == {hospital.world.city.id, hospital.world.village.id}
    assert {slot.site_id for slot in (await find.find_times(village, query)).items} == {hospital.world.village.id}
    with pytest.raises(Forbidden):
        await find.find_times(village, FindTimes(visit_type_id=query.visit_type_id, site_id=hospital.world.city.id))


async def test_a_calendar_of_two_sites_shows_the_own_and_of_the_other_that_time_is_taken(
    hospital: Hospital, village: SchedulingContext, booked: Appointment
) -> None:
    query = GetCalendar(schedule_id=hospital.physician(1), from_at=TOMORROW - HALF_HOUR * 24, until_at=TOMORROW + HALF_HOUR * 24)
    seen = await calendars.get_calendar(village, query)
    assert {each.site_id for each in seen.openings} == {hospital.world.village.id}
    assert [(each.start, each.appointment_id) for each in seen.busy] == [(booked.start, None)]
    whole = await calendars.get_calendar(hospital.desk(), query)
    assert [each.appointment_id for each in whole.busy] == [booked.id]


async def test_a_calendar_of_other_sites_is_not_there(hospital: Hospital, village: SchedulingContext) -> None:
    query = GetCalendar(schedule_id=hospital.physician(0), from_at=TOMORROW, until_at=TOMORROW + HALF_HOUR)
    with pytest.raises(UnknownSchedule):
        await calendars.get_calendar(village, query)
    with pytest.raises(UnknownSchedule):
        await calendars.block_time(village, block_of(hospital.physician(0)))


async def test_a_calendar_that_reaches_beyond_their_sites_is_not_theirs_to_change(hospital: Hospital, village: SchedulingContext) -> None:
    weekly, city = every_day((hospital.world.village.id,)), at(hospital, hospital.world.city.id)
    for asked in (
        calendars.block_time(village, block_of(hospital.physician(1))),
        calendars.set_working_hours(village, SetWorkingHours(schedule_id=hospital.physician(1), weekly=weekly)),
        calendars.set_working_hours(
            at(hospital, hospital.world.city.id), SetWorkingHours(schedule_id=hospital.physician(0), weekly=weekly)
        ),
    ):
        with pytest.raises(Forbidden):
            await asked
    done = await calendars.block_time(city, block_of(hospital.physician(0)))
    assert done.block_id is not None
    await calendars.unblock_time(city, done.block_id)
