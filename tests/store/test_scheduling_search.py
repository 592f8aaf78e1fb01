"""Searching appointments of anybody: who is shown what, in which order, wherever they are kept."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import (
    Appointment,
    AppointmentsFound,
    BookAppointment,
    ConfirmAppointment,
    ListAppointments,
    PickedTime,
    RescheduleAppointment,
    SearchAppointments,
)
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.sql import Query, load
from carewright.scheduling import jobs
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change
from carewright.scheduling.service.expire import expire_holds
from carewright.scheduling.service.search import search_appointments
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.store.test_scheduling_sites import at

Q = load("carewright.scheduling")
ALL = SearchAppointments()
ARCHIVED = Query("test.archived", "SELECT id FROM scheduling.appointment_history WHERE organization_id = $1")
VILLAGE_MORNING = TOMORROW - timedelta(hours=4)
"""8:15 in the village, where the second physician works too."""


def ids_of(found: AppointmentsFound | Sequence[Appointment]) -> list[UUID]:
    return [each.id for each in (found.items if isinstance(found, AppointmentsFound) else found)]


@pytest.fixture
async def booked(hospital: Hospital) -> list[Appointment]:
    """Four by start: of three patients, with both physicians, the first in the village."""
    return [
        await booked_in_village(hospital), await hospital.book(TOMORROW), await hospital.book(TOMORROW, patient=1, physician=1),
        await hospital.book(TOMORROW + HALF_HOUR, patient=2),
    ]  # fmt: skip


async def booked_in_village(hospital: Hospital, start: datetime = VILLAGE_MORNING, patient: int = 0) -> Appointment:
    time = PickedTime(visit_type_id=hospital.world.kinds.solo.id, site_id=hospital.world.village.id, start=start)
    return await book.book_appointment(hospital.desk(), BookAppointment(time=time, patient_id=hospital.world.patients[patient]))


async def archive_some(hospital: Hospital, booked: Sequence[Appointment]) -> None:
    """Let all but the last be over long enough."""
    wanted = booked[2].end + timedelta(days=hospital.here.settings.archive_after_days, seconds=1)
    hospital.here.clock.advance(seconds=(wanted - hospital.here.clock.now()).total_seconds())
    await jobs.archive_past(hospital.here.system())
    rows = await hospital.here.db.fetch(ARCHIVED, hospital.world.organization_id)
    assert {row["id"] for row in rows} == {each.id for each in booked[:3]}


@pytest.mark.parametrize("archived", [False, True])
async def test_a_search_goes_by_start_and_finds_what_is_over_too(hospital: Hospital, booked: list[Appointment], archived: bool) -> None:
    if archived:
        await archive_some(hospital, booked)
    order = sorted(booked, key=lambda each: (each.start, each.id))
    assert (await search_appointments(hospital.desk(), ALL)).items == tuple(order)
    assert (await search_appointments(hospital.desk(), replace(ALL, order="-start"))).items == tuple(reversed(order))


Condition = Callable[[Hospital, list[Appointment]], tuple[dict[str, Any], set[int]]]
CONDITIONS: dict[str, Condition] = {
    "ids": lambda _, booked: ({"ids": (booked[2].id, booked[0].id)}, {0, 2}),
    "patients": lambda h, _: ({"patient_ids": h.world.patients[:2]}, {0, 1, 2}),
    "ids of patients": lambda h, booked: ({"ids": tuple(ids_of(booked)), "patient_ids": h.world.patients[2:3]}, {3}),
    "statuses": lambda *_: ({"statuses": ("cancelled", "noshow")}, set()),
    "actors": lambda h, _: ({"actor_ids": (h.physician(1),)}, {0, 2}),
    "a patient as actor": lambda h, _: ({"actor_ids": (h.world.patients[0],)}, {0, 1}),
    "sites": lambda h, _: ({"site_ids": (h.world.village.id,)}, {0}),
    "visit types": lambda h, _: ({"visit_type_ids": (h.world.kinds.team.id,)}, set()),
    "from": lambda *_: ({"start_from": TOMORROW}, {1, 2, 3}),
    "until, not itself": lambda *_: ({"start_until": TOMORROW + HALF_HOUR}, {0, 1, 2}),
    "an empty time": lambda *_: ({"start_from": TOMORROW, "start_until": TOMORROW}, set()),
    "a patient in a time": lambda h, _: ({"patient_ids": h.world.patients[:1], "start_from": TOMORROW}, {1}),
    "two conditions": lambda h, _: ({"actor_ids": (h.physician(1),), "site_ids": (h.world.city.id,)}, {2}),
}  # fmt: skip


@pytest.mark.parametrize("archived", [False, True])
async def test_conditions_narrow_a_search_and_its_count(hospital: Hospital, booked: list[Appointment], archived: bool) -> None:
    if archived:
        await archive_some(hospital, booked)
    for name, condition in CONDITIONS.items():
        asked, fitting = condition(hospital, booked)
        found = await search_appointments(hospital.desk(), SearchAppointments(**asked, count=True))
        assert set(ids_of(found)) == {booked[number].id for number in fitting}, name
        assert found.total == len(fitting), name


@pytest.mark.parametrize("order", ["start", "-start"])
@pytest.mark.parametrize("of_patients", [False, True])
async def test_pages_follow_each_other_while_others_book(
    hospital: Hospital, booked: list[Appointment], order: str, of_patients: bool
) -> None:
    patients = tuple(hospital.world.patients[:3]) if of_patients else ()
    query = replace(ALL, order=order, limit=2, patient_ids=patients, count=True)
    whole = ids_of(await search_appointments(hospital.desk(), replace(query, limit=50)))
    first = await search_appointments(hospital.desk(), query)
    if order == "start":
        await booked_in_village(hospital, VILLAGE_MORNING + HALF_HOUR, patient=1)
    else:
        await hospital.book(TOMORROW + 2 * HALF_HOUR, patient=1)
    second = await search_appointments(hospital.desk(), replace(query, after=first.next))
    assert ids_of(first) + ids_of(second) == whole
    assert (first.total, second.total, second.next) == (4, 5, None)
    assert len(booked) == 4


async def test_a_cursor_leads_to_no_other_time(hospital: Hospital, booked: list[Appointment]) -> None:
    cursor = (await search_appointments(hospital.desk(), replace(ALL, limit=1))).next
    later = replace(ALL, start_from=TOMORROW + HALF_HOUR, after=cursor)
    assert ids_of(await search_appointments(hospital.desk(), later)) == [booked[3].id]
    with pytest.raises(BadInput):
        await search_appointments(hospital.desk(), replace(ALL, after="of-no-page"))


@pytest.mark.parametrize("role", ["patient", "proxy"])
async def test_who_acts_for_one_patient_finds_theirs_whatever_they_ask(hospital: Hospital, booked: list[Appointment], role: str) -> None:
    own = hospital.here.acting(role, hospital.world, patient_id=hospital.world.patients[1])
    mine, others = booked[2], booked[0]
    for asked in (ALL, replace(ALL, patient_ids=hospital.world.patients[:3]), replace(ALL, ids=tuple(ids_of(booked)))):
        assert (await search_appointments(own, replace(asked, count=True))) == AppointmentsFound(items=(mine,), total=1)
    for asked in (
        replace(ALL, patient_ids=(others.patient_id,)),
        replace(ALL, ids=(others.id,)),
        replace(ALL, actor_ids=(others.patient_id,)),
    ):
        assert await search_appointments(own, replace(asked, count=True)) == AppointmentsFound(items=(), total=0)


async def test_staff_find_what_is_at_their_sites(hospital: Hospital, booked: list[Appointment]) -> None:
    village = at(hospital, hospital.world.village.id)
    for asked in (ALL, replace(ALL, ids=tuple(ids_of(booked))), replace(ALL, site_ids=(hospital.world.city.id, hospital.world.village.id))):
        assert ids_of(await search_appointments(village, replace(asked, count=True))) == [booked[0].id]
    elsewhere = replace(ALL, site_ids=(hospital.world.city.id,), count=True)
    assert await search_appointments(village, elsewhere) == AppointmentsFound(items=(), total=0)


async def test_who_reads_no_appointments_finds_none(hospital: Hospital) -> None:
    for ctx in (hospital.here.acting("operations", hospital.world), hospital.here.acting("proxy", hospital.world)):
        with pytest.raises(Forbidden):
            await search_appointments(ctx, ALL)


async def test_a_hold_is_found_by_its_status_while_it_lives(hospital: Hospital) -> None:
    held, given_back = await hospital.hold(), await hospital.hold(TOMORROW + HALF_HOUR, patient=1)
    await change.release_hold(hospital.desk(), given_back.id)
    pending = replace(ALL, statuses=("pending",))
    these = replace(pending, ids=(held.id, given_back.id))
    for asked in (pending, these, replace(pending, order="-start")):
        assert ids_of(await search_appointments(hospital.desk(), asked)) == [held.id]
    assert (await search_appointments(hospital.desk(), replace(ALL, count=True))) == AppointmentsFound(items=(), total=0)
    assert held.expires_at is not None
    hospital.here.clock.advance(seconds=(held.expires_at - hospital.here.clock.now()).total_seconds())
    for asked in (pending, these, replace(ALL, statuses=("cancelled",))):
        assert ids_of(await search_appointments(hospital.desk(), asked)) == []
    await expire_holds(hospital.here.system())
    assert ids_of(await search_appointments(hospital.desk(), replace(ALL, statuses=("cancelled", "pending")))) == []


async def test_what_was_cancelled_by_somebody_is_found(hospital: Hospital, booked: list[Appointment]) -> None:
    gone = await hospital.cancel(booked[1])
    assert (await search_appointments(hospital.desk(), replace(ALL, statuses=("cancelled",)))).items == (gone,)


async def test_a_search_shows_no_note(hospital: Hospital) -> None:
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW)
    patient = hospital.patient()
    await book.book_appointment(patient, BookAppointment(time=time, patient_id=hospital.world.patients[0], note="for the physician alone"))
    physician: SchedulingContext = hospital.here.acting("physician", hospital.world)
    assert (await change.list_appointments(patient, ListAppointments())).items[0].note == "for the physician alone"
    for ctx in (patient, physician):
        (shown,) = (await search_appointments(ctx, ALL)).items
        assert not shown.note


async def test_each_version_says_when_it_came_to_be(hospital: Hospital) -> None:
    clock = hospital.here.clock
    held = await hospital.hold()
    seen = [held]
    steps: tuple[Callable[[], Awaitable[Appointment]], ...] = (
        lambda: book.book_appointment(hospital.patient(), BookAppointment(hold_id=held.id, patient_id=held.patient_id)),
        lambda: change.confirm_appointment(hospital.patient(), ConfirmAppointment(appointment_id=held.id)),
        lambda: change.reschedule_appointment(
            hospital.desk(),
            RescheduleAppointment(appointment_id=held.id, time=hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR)),
        ),
        lambda: hospital.cancel(held),
    )  # fmt: skip
    for step in steps:
        clock.advance(seconds=1)
        seen.append(await step())
    assert [each.updated_at for each in seen] == [held.created_at + timedelta(seconds=number) for number in range(5)]
    assert await change.get_appointment(hospital.desk(), held.id) == seen[-1]


async def test_calendars_are_listed_by_id_kind_and_site(hospital: Hospital) -> None:
    desk, world = hospital.desk(), hospital.world
    whole = (await calendars.list_schedules(desk, ListSchedules())).items
    assert [each.id for each in whole] == sorted(each.id for each in world.actors)
    first = await calendars.list_schedules(desk, ListSchedules(limit=3))
    rest = await calendars.list_schedules(desk, ListSchedules(after=first.next))
    assert (*first.items, *rest.items) == whole
    assert rest.next is None
    physicians = await calendars.list_schedules(desk, ListSchedules(kinds=("practitioner",), ids=tuple(each.id for each in world.actors)))
    assert [each.id for each in physicians.items] == sorted(each.id for each in world.of("practitioner"))
    for asked, ctx in (
        (ListSchedules(site_ids=(world.village.id,)), desk),
        (ListSchedules(), at(hospital, world.village.id)),
    ):
        (village,) = (await calendars.list_schedules(ctx, asked)).items
        assert (village.id, set(village.site_ids)) == (hospital.physician(1), {world.city.id, world.village.id})
    with pytest.raises(Forbidden):
        await calendars.list_schedules(hospital.patient(), ListSchedules())


async def test_a_calendars_version_rises_with_a_block_and_not_with_a_booking(hospital: Hospital) -> None:
    this = ListSchedules(ids=(hospital.physician(),))
    (before,) = (await calendars.list_schedules(hospital.desk(), this)).items
    await hospital.book()
    assert (await calendars.list_schedules(hospital.desk(), this)).items == (before,)
    await hospital.block(TOMORROW + 2 * HALF_HOUR)
    assert (await calendars.list_schedules(hospital.desk(), this)).items == (replace(before, version=before.version + 1),)


async def test_what_begins_on_a_day_is_counted_without_reading_a_row(hospital: Hospital, booked: list[Appointment], database: Any) -> None:
    """As planned once for all values, and with the tables' rows out of reach: what the index lacks would show as a scan of another kind."""
    await archive_some(hospital, booked)
    kinds = "uuid, text[], uuid[], uuid[], timestamptz, timestamptz, timestamptz, int"
    async with database.transaction():
        for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_bitmapscan = off"):
            await database.execute(f"SET LOCAL {setting}")
        await database.execute(f"PREPARE counting ({kinds}) AS {Q.count_by_time.text}")
        values = f"'{hospital.world.organization_id}', '{{}}', '{{}}', '{{}}', now(), now(), now(), 10"
        plan = "\n".join(row[0] for row in await database.fetch(f"EXPLAIN EXECUTE counting ({values})"))
        await database.execute("DEALLOCATE counting")
    scans = [line for line in plan.splitlines() if "Scan" in line and "Subquery" not in line]
    assert len(scans) >= 2
    assert all("Index Only Scan" in line for line in scans), plan
