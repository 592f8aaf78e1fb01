"""Why somebody has no place in a plan, in sentences. `TOMORROW` is eight o'clock at the site: everybody works from then until twelve."""

from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.directory import VisitType
from carewright.contracts.outages import ReportOutage
from carewright.contracts.planner import DayPlan, PlanDay
from carewright.contracts.scheduling import Appointment, BookAppointment
from carewright.scheduling.service import book, outages, plan
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital

HOUR = timedelta(hours=1)


async def planned(hospital: Hospital, since: datetime = TOMORROW - HOUR, hours: int = 24) -> DayPlan:
    return await plan.plan_day(hospital.desk(), PlanDay(site_id=hospital.world.city.id, from_at=since, hours=hours, seconds=0.2))


async def booked(hospital: Hospital, kind: VisitType, start: datetime, patient: int, *actors: UUID) -> Appointment:
    command = BookAppointment(time=hospital.world.at(kind, start, None, *actors), patient_id=hospital.world.patients[patient])
    return await book.book_appointment(hospital.desk(), command)


async def closed(hospital: Hospital, who: UUID, since: datetime = TOMORROW - HOUR, until: datetime = TOMORROW + 20 * HOUR) -> None:
    await outages.report_outage(hospital.desk(), ReportOutage(schedule_id=who, start=since, end=until, reason="absent"))


async def texts(hospital: Hospital, *without_place: Appointment) -> list[tuple[str, ...]]:
    found = await planned(hospital)
    assert set(found.without_place) == {each.id for each in without_place}
    assert all(each.minimal for each in found.reasons)
    return [next(each.texts for each in found.reasons if each.appointment_id == one.id) for one in without_place]


async def test_who_is_away_all_day_is_the_reason(hospital: Hospital) -> None:
    one = await hospital.book()
    for number in range(2):
        await closed(hospital, hospital.physician(number))
    assert await texts(hospital, one) == [("No practitioner is at work at any time that is planned.",)]


async def test_a_room_is_closed_while_the_physician_is_there(hospital: Hospital) -> None:
    world = hospital.world
    one = await booked(hospital, world.kinds.consult, TOMORROW, 0)
    for physician in range(2):
        await closed(hospital, hospital.physician(physician), until=TOMORROW + HOUR)
    for room in world.of("room"):
        await closed(hospital, room.id, since=TOMORROW + HOUR)
    assert await texts(hospital, one) == [
        ("No practitioner is at work before 09:00.", "No room is open after 09:00.")
    ]  # fmt: skip


async def test_gaps_that_are_too_short_are_no_time(hospital: Hospital) -> None:
    """The one physician who is there has seven visits that stay, and after the last of them ten minutes."""
    for number in range(7):
        await hospital.override(TOMORROW + number * HALF_HOUR, patient=number)
    late = await hospital.book(TOMORROW + 7 * HALF_HOUR, patient=7, physician=1)
    await closed(hospital, hospital.physician(1))
    await closed(hospital, hospital.physician(), since=TOMORROW + 7 * HALF_HOUR + timedelta(minutes=10))
    assert await texts(hospital, late) == [("No practitioner is free for 30 minutes at any time that is planned.",)]


async def test_whoever_is_taken_by_others_is_not_free(hospital: Hospital) -> None:
    """Eight visits for one physician are one too many as soon as half an hour is lost; those before stay where the plan has them."""
    visits = [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(8)]
    await closed(hospital, hospital.physician(1))
    await closed(hospital, hospital.physician(), since=TOMORROW + 7 * HALF_HOUR, until=TOMORROW + 8 * HALF_HOUR)
    found = await planned(hospital)
    (why,) = found.reasons
    assert why.appointment_id in {each.id for each in visits}
    assert why.texts == ("No practitioner is free at any time that is planned.",)


async def test_a_time_on_another_day_names_the_day(hospital: Hospital) -> None:
    world, wednesday = hospital.world, TOMORROW + 25 * HOUR
    one = await booked(hospital, world.kinds.consult, TOMORROW, 0)
    for number in range(2):
        await closed(hospital, hospital.physician(number), until=wednesday)
    for room in world.of("room"):
        await closed(hospital, room.id, since=wednesday, until=TOMORROW + 48 * HOUR)
    found = await planned(hospital, hours=30)
    assert found.without_place == (one.id,)
    assert found.reasons[0].texts == (
        "No practitioner is at work before 09:00 on Wednesday.", "No room is open after 09:00 on Wednesday."
    )  # fmt: skip


async def test_a_patient_who_has_to_be_elsewhere_can_start_at_one_time_only(hospital: Hospital) -> None:
    """From half past eight on the patient is with the team, which lasts beyond what is planned and so stays."""
    one = await hospital.book()
    await booked(hospital, hospital.world.kinds.team, TOMORROW + HALF_HOUR, 0)
    for number in range(2):
        await closed(hospital, hospital.physician(number), until=TOMORROW + timedelta(minutes=15))
    found = await planned(hospital, TOMORROW, hours=1)
    assert found.without_place == (one.id,)
    assert found.reasons[0].texts == (
        "It may start at 08:00 only: within what is planned, as its links allow, and while the patient is not elsewhere.",
        "No practitioner is at work for 30 minutes before 08:30.",
    )  # fmt: skip


async def test_two_at_once_of_whom_one_is_away(hospital: Hospital) -> None:
    world = hospital.world
    one = await booked(hospital, world.kinds.pair, TOMORROW, 0)
    first, second = world.of("nurse")
    await closed(hospital, first.id, until=TOMORROW + 2 * HOUR)
    await closed(hospital, second.id, since=TOMORROW + 2 * HOUR)
    assert await texts(hospital, one) == [("Fewer than the 2 that it needs at once (nurse) are at work at any time that is planned.",)]
