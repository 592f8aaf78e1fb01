"""What is out of service: blocks that say why, by whoever runs the desk, the room or themselves; ended early, listed, told by event."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from carewright.contracts.outages import ListOutages, Outage, OutageEnded, OutageReported, ReportOutage, UnknownOutage
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import ScheduleChanged, TimeNotFree, UnknownBlock, UnknownSchedule, UnknownSite
from carewright.kernel.context import Once
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.events import Event
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import calendars, outages
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import MONDAY
from tests.servers import facts_of

HOUR = timedelta(hours=1)
CLINICIANS = ("nurse", "physician", "technician")
RUNS_PEOPLES_TIME = ("front-desk", "scheduler", "operations", "integration")


def out(schedule_id: UUID, start: datetime | None = None, hours: int = 1, **more: Any) -> ReportOutage:
    return ReportOutage(schedule_id=schedule_id, start=start, end=(start or MONDAY) + hours * HOUR, **more)


def acting(hospital: Hospital, role: str, *site_ids: UUID, own: UUID | None = None) -> SchedulingContext:
    ctx = hospital.here.acting(role, hospital.world, site_ids=site_ids)
    return ctx.acting(replace(ctx.actor, practitioner_id=own))


async def listed(ctx: SchedulingContext, site_id: UUID, **more: Any) -> tuple[Outage, ...]:
    return (await outages.list_outages(ctx, ListOutages(site_id=site_id, **more))).items


async def told(hospital: Hospital, *kinds: type[Event]) -> list[Any]:
    return [each for each in await facts_of(hospital.desk()) if isinstance(each, kinds)]


async def test_what_is_out_of_service_is_closed_and_names_what_it_hits_and_is_a_fact(hospital: Hospital) -> None:
    visit, desk, city = await hospital.book(), hospital.desk(), hospital.world.city.id
    other = await hospital.book(TOMORROW + 2 * HOUR)
    made = await outages.report_outage(desk, out(hospital.physician(), TOMORROW, reason="absent"))
    assert (made.kind, made.reason, made.site_ids, made.hit_appointment_ids) == ("practitioner", "absent", (city,), (visit.id,))
    assert TOMORROW not in await hospital.starts()
    assert TOMORROW + HOUR in await hospital.starts()
    with pytest.raises(TimeNotFree):
        await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    assert await listed(desk, city) == (made,)
    assert await outages.get_outage(desk, made.id) == made
    day = GetCalendar(schedule_id=hospital.physician(), from_at=TOMORROW, until_at=TOMORROW + HOUR)
    closed = [each for each in (await calendars.get_calendar(desk, day)).busy if each.status == "busy-unavailable"]
    assert [(each.outage_id, each.block_id) for each in closed] == [(made.id, None)]
    (fact,) = await told(hospital, OutageReported)
    assert (fact.outage_id, fact.reason, fact.start, fact.end) == (made.id, "absent", made.start, made.end)
    assert fact.hit_appointment_ids == (visit.id,)
    assert other.id not in fact.hit_appointment_ids
    (changed,) = await told(hospital, ScheduleChanged)
    assert (changed.block.id, changed.block.is_open, changed.hit_appointment_ids) == (made.id, False, (visit.id,))
    await hospital.ensure_sound()


async def test_from_now_on_where_no_start_is_said_and_back_in_service_early(hospital: Hospital) -> None:
    desk, clock = hospital.desk(), hospital.here.clock
    clock.advance(hours=25)
    made = await outages.report_outage(desk, out(hospital.physician(), reason="equipment", hours=28))
    assert made.start == clock.now() == TOMORROW + HOUR
    assert await hospital.starts() == []
    clock.advance(minutes=30)
    ended = await outages.end_outage(desk, made.id)
    assert ended == replace(made, end=clock.now())
    assert (await hospital.starts())[0] == clock.now()
    assert await listed(desk, hospital.world.city.id) == ()
    assert await listed(desk, hospital.world.city.id, from_at=TOMORROW) == (ended,), "what was out stays known"
    assert await outages.end_outage(desk, made.id) == ended, "of two who say so the second is not refused"
    (fact,) = await told(hospital, OutageEnded)
    assert (fact.outage_id, fact.end) == (made.id, ended.end)
    *_, opened = await told(hospital, ScheduleChanged)
    assert (opened.block.id, opened.block.is_open, opened.block.end) == (made.id, True, made.end)
    await hospital.ensure_sound()


async def test_what_has_not_begun_is_withdrawn(hospital: Hospital) -> None:
    desk = hospital.desk()
    made = await outages.report_outage(desk, out(hospital.physician(), TOMORROW))
    gone = await outages.end_outage(desk, made.id)
    assert (gone.start, gone.end) == (TOMORROW, TOMORROW)
    assert TOMORROW in await hospital.starts()
    with pytest.raises(UnknownOutage):
        await outages.get_outage(desk, made.id)
    (fact,) = await told(hospital, OutageEnded)
    assert fact.start == fact.end == TOMORROW
    await hospital.ensure_sound()


async def test_a_retry_closes_a_calendar_once(hospital: Hospital) -> None:
    command = out(hospital.physician(), TOMORROW)
    made = [await outages.report_outage(hospital.desk(once=Once.of("out", command)), command) for _ in range(2)]
    assert made[0] == made[1]
    assert await listed(hospital.desk(), hospital.world.city.id) == (made[0],)
    back = [await outages.end_outage(hospital.desk(once=Once.of("back", made[0].id)), made[0].id) for _ in range(2)]
    assert back[0] == back[1]
    assert len(await told(hospital, OutageReported, OutageEnded)) == 2


async def test_an_outage_is_no_block_for_whoever_opens_blocks(hospital: Hospital) -> None:
    made = await outages.report_outage(hospital.desk(), out(hospital.physician(), TOMORROW))
    with pytest.raises(UnknownBlock):
        await calendars.unblock_time(hospital.desk(), made.id)
    blocked = (await hospital.block(TOMORROW + 2 * HOUR)).block_id
    for asked in (outages.end_outage, outages.get_outage):
        with pytest.raises(UnknownOutage):
            await asked(hospital.desk(), blocked)


@pytest.mark.parametrize("role", CLINICIANS)
async def test_who_works_in_a_room_says_so_of_rooms_devices_and_themselves(hospital: Hospital, role: str) -> None:
    world, me = hospital.world, hospital.physician()
    ctx = acting(hospital, role, world.city.id, own=me)
    for number, schedule_id in enumerate((world.of("room")[0].id, world.of("device")[0].id, me)):
        made = await outages.report_outage(ctx, out(schedule_id, TOMORROW + number * HOUR))
        await outages.end_outage(ctx, made.id)
    for schedule_id in (hospital.physician(1), world.of("nurse")[0].id):
        with pytest.raises(Forbidden):
            await outages.report_outage(ctx, out(schedule_id, TOMORROW))
    made = await outages.report_outage(hospital.desk(), out(world.of("nurse")[0].id, TOMORROW))
    with pytest.raises(Forbidden):
        await outages.end_outage(ctx, made.id)
    nameless = acting(hospital, role, world.city.id)
    with pytest.raises(Forbidden):
        await outages.report_outage(nameless, out(me, TOMORROW))


@pytest.mark.parametrize("role", RUNS_PEOPLES_TIME)
async def test_who_runs_peoples_time_says_so_of_anybody(hospital: Hospital, role: str) -> None:
    made = await outages.report_outage(acting(hospital, role), out(hospital.physician(), TOMORROW, reason="absent"))
    await outages.end_outage(acting(hospital, role), made.id)


@pytest.mark.parametrize("role", ["patient", "analyst", "privacy-officer", "administrator"])
async def test_nobody_else_says_so(hospital: Hospital, role: str) -> None:
    with pytest.raises(Forbidden):
        await outages.report_outage(acting(hospital, role), out(hospital.world.of("room")[0].id, TOMORROW))


async def test_another_site_is_neither_seen_nor_closed(hospital: Hospital) -> None:
    world = hospital.world
    village = acting(hospital, "front-desk", world.village.id)
    visit = await hospital.book(physician=1)
    made = await outages.report_outage(hospital.desk(), out(hospital.physician(), TOMORROW))
    both = await outages.report_outage(hospital.desk(), out(hospital.physician(1), TOMORROW))
    assert both.hit_appointment_ids == (visit.id,)
    with pytest.raises(UnknownSchedule):
        await outages.report_outage(village, out(hospital.physician(), TOMORROW))
    with pytest.raises(Forbidden):
        await outages.report_outage(village, out(hospital.physician(1), TOMORROW))
    for asked in (outages.end_outage, outages.get_outage):
        with pytest.raises(UnknownOutage):
            await asked(village, made.id)
    with pytest.raises(Forbidden):
        await listed(village, world.city.id)
    assert [(each.id, each.hit_appointment_ids) for each in await listed(village, world.village.id)] == [(both.id, ())], (
        "what is hit elsewhere is not told"
    )


async def test_a_list_comes_in_pages_and_by_time(hospital: Hospital) -> None:
    desk, city = hospital.desk(), hospital.world.city.id
    made = [
        await outages.report_outage(desk, out(each.id, TOMORROW + number * HOUR)) for number, each in enumerate(hospital.world.of("room"))
    ]
    first = await outages.list_outages(desk, ListOutages(site_id=city, limit=1))
    assert (first.items, first.next) == ((made[0],), made[0].id)
    rest = await outages.list_outages(desk, ListOutages(site_id=city, limit=1, after=first.next))
    assert (rest.items, rest.next) == ((made[1],), None)
    assert await listed(desk, city, until_at=TOMORROW + HOUR) == (made[0],)
    assert await listed(desk, city, from_at=TOMORROW + HOUR) == (made[1],)


async def test_what_is_over_or_nowhere_is_refused(hospital: Hospital) -> None:
    desk, room = hospital.desk(), hospital.world.of("room")[0].id
    for start, hours in ((MONDAY - 2 * HOUR, 1), (TOMORROW, -1), (TOMORROW, 24 * 367)):
        with pytest.raises(BadInput):
            await outages.report_outage(desk, out(room, start, hours))
    with pytest.raises(UnknownSchedule):
        await outages.report_outage(desk, out(uuid4(), TOMORROW))
    with pytest.raises(UnknownOutage):
        await outages.end_outage(desk, uuid4())
    with pytest.raises(UnknownSite):
        await listed(desk, uuid4())
    assert await told(hospital, ScheduleChanged) == []
