"""Late running in PostgreSQL: what a desk says, what is seen, what it makes of everything after, and who is told of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.delays import AtSite, Delay, ExpectedStart, ListExpected, SetDelay, SetTelling
from carewright.contracts.directory import Coding, HealthcareService, Location, LocationChanged, VisitType, VisitTypeChanged
from carewright.contracts.encounters import RecordEncounter
from carewright.contracts.flow import AppointmentExpected, DelayChanged, PlaceChanged, QueueEntryMoved, UnknownCalendar
from carewright.contracts.patients import PatientMerged
from carewright.contracts.queue import Arrive, CallEntry, ListEntries, ListQueues, PutQueue, StepEntry
from carewright.contracts.rooms import AssignPlace, StepPlace
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFact,
    AppointmentRescheduled,
    ClaimedTime,
)
from carewright.flow import handlers
from carewright.flow.jobs import JOBS
from carewright.flow.service import delays, encounters, queue, rooms, waits
from carewright.kernel import jobs, merges
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden, PreconditionFailed
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

SITE, OTHER_SITE, SERVICE, KIND, DOCTOR, ROOM, OTHER = (known_id(number) for number in range(1, 8))
PATIENTS = [known_id(50 + number) for number in range(6)]
VISITS = [known_id(100 + number) for number in range(6)]
MINUTES = 20
RELEASED = (ClaimedTime(schedule_id=DOCTOR, lane=0, start=MORNING, end=MORNING + timedelta(minutes=MINUTES)),)


def fact(kind: type[AppointmentFact], number: int, start: float, *, calendars: tuple[UUID, ...] = (DOCTOR, ROOM), **more: Any) -> Any:
    begins = MORNING + timedelta(minutes=start)
    ends = begins + timedelta(minutes=MINUTES)
    said = {
        "version": 1, "status": "booked", "patient_id": PATIENTS[number], "practitioner_ids": tuple({DOCTOR} & {*calendars}),
        "claims": tuple(ClaimedTime(schedule_id=each, lane=0, start=begins, end=ends) for each in calendars),
    }  # fmt: skip
    return {
        "appointment_id": VISITS[number], "visit_type_id": KIND, "site_id": SITE, "start": begins, "end": ends, "urgency": "P2",
    } | said | more  # fmt: skip


class Day:
    """A day at a site in flow's tables, as its events make it."""

    def __init__(self, ctx: Context, system: Context) -> None:
        self.ctx, self.system = ctx, system

    async def hear(self, kind: type[AppointmentFact], number: int, start: float, **more: Any) -> None:
        """What scheduling tells, and the jobs that follow."""
        said = kind(organization_id=self.ctx.actor.organization_id, **fact(kind, number, start, **more))
        own: Any = {AppointmentAdvanced: handlers.queue_who_checks_in, AppointmentCancelled: handlers.cancel}
        handle = own.get(kind, handlers.copy_appointment)
        async with self.ctx.db.transaction() as tx:
            await handle(self.ctx, tx, said)
        await self.catch_up()

    async def catch_up(self) -> None:
        await jobs.run_due(self.system, JOBS)

    async def catch_up_with_rooms(self) -> None:
        """What follows from how a room stands now."""
        changed = [one for one in await facts_of(self.ctx) if isinstance(one, PlaceChanged)][-1]
        async with self.ctx.db.transaction() as tx:
            await handlers.follow_room(self.ctx, tx, changed)
        await self.catch_up()

    async def turn(self, number: int, action: Any) -> None:
        """A step of the turn that an appointment has, and what follows from it."""
        (summary,) = (await queue.list_queues(self.ctx, ListQueues(site_id=SITE))).items
        page = await queue.list_entries(self.ctx, ListEntries(queue_id=summary.queue.id))
        (entry,) = [each for each in (*page.active, *page.waiting) if each.appointment_id == VISITS[number]]
        await self.step(entry.id, action)

    async def step(self, entry_id: UUID, action: Any) -> None:
        """The same of any turn."""
        await queue.step_entry(self.ctx, StepEntry(entry_id=entry_id, action=action))
        moved = [one for one in await facts_of(self.ctx) if isinstance(one, QueueEntryMoved) and one.entry_id == entry_id][-1]
        async with self.ctx.db.transaction() as tx:
            await handlers.follow_turn(self.ctx, tx, moved)
        await self.catch_up()

    async def late(self) -> dict[int, int]:
        """Minutes by appointment, of those that are late."""
        found = (await delays.list_expected(self.ctx, ListExpected(site_id=SITE))).items
        return {VISITS.index(each.appointment_id): each.late_minutes for each in found}

    async def emergencies(self) -> list[int]:
        """Of those that are late, for whom an emergency is why."""
        found = (await delays.list_expected(self.ctx, ListExpected(site_id=SITE))).items
        return sorted(VISITS.index(each.appointment_id) for each in found if each.by_emergency)

    async def delay(self) -> Delay:
        return (await delays.get_delay(self.ctx, DOCTOR, AtSite(site_id=SITE))).delay

    async def told(self) -> list[tuple[int, int, str]]:
        facts = [one for one in await facts_of(self.ctx) if isinstance(one, AppointmentExpected)]
        return [(VISITS.index(one.appointment_id), one.late_minutes, one.tell) for one in facts if one.tell]


@pytest.fixture
async def day(context: Contexts) -> Day:
    """Four visits with one practitioner in one room, twenty minutes each: 0, 20, then a gap of ten minutes, 50, 70."""
    ctx = await context("flow", "nurse")
    organization_id = ctx.actor.organization_id
    service = HealthcareService(id=SERVICE, name="Cardiology", specialty=Coding(system="urn:test", code="394579002"))
    async with ctx.db.transaction() as tx:
        site = Location(id=SITE, kind="site", name="Clinic", site_id=SITE, time_zone="Europe/Berlin")
        await handlers.copy_place(ctx, tx, LocationChanged(organization_id=organization_id, location=site))
        kind = VisitType(id=KIND, healthcare_service_id=SERVICE, name="Check", duration_minutes=MINUTES, requirements=())
        await handlers.copy_visit_type(ctx, tx, VisitTypeChanged(organization_id=organization_id, visit_type=kind, service=service))
    made = Day(ctx, await context.system("flow"))
    for number, start in enumerate((0, 20, 50, 70)):
        await made.hear(AppointmentBooked, number, start)
    return made


def said(minutes: int, calendar_id: UUID = DOCTOR, **more: Any) -> SetDelay:
    return SetDelay(calendar_id=calendar_id, site_id=SITE, minutes=minutes, **more)


async def test_what_a_desk_says_makes_everything_after_later(day: Day, clock: Any) -> None:
    assert (await day.late(), (await day.delay()).version) == ({}, 0)
    set_ = await delays.set_delay(day.ctx, said(30, reason="emergency"))
    assert (set_.minutes, set_.source, set_.reason, set_.said_at, set_.affected, set_.version) == (
        30,
        "entered",
        "emergency",
        clock.now(),
        4,
        1,
    )
    assert await day.late() == {0: 30, 1: 30, 2: 20, 3: 20}
    page = await delays.list_delays(day.ctx, AtSite(site_id=SITE))
    assert [(each.calendar_id, each.minutes, each.affected) for each in page.items] == [(DOCTOR, 30, 4), (ROOM, 0, 4)]
    told = [(one.calendar_id, one.minutes, one.version) for one in await facts_of(day.ctx) if isinstance(one, DelayChanged)]
    assert told == [(DOCTOR, 30, 1)]
    on_time = await delays.set_delay(day.ctx, said(0))
    assert (await day.late(), on_time.affected) == ({}, 0)
    history = await delays.get_delay(day.ctx, DOCTOR, AtSite(site_id=SITE))
    assert [(each.version, each.minutes, each.source) for each in history.steps] == [(1, 30, "entered"), (2, 0, "entered")]


async def test_patients_hear_of_it_once_again_when_it_grows_and_when_it_is_over(day: Day) -> None:
    await delays.set_delay(day.ctx, said(10))
    assert await day.told() == []
    await delays.set_delay(day.ctx, said(20))
    first = [(0, 20, "later"), (1, 20, "later")]
    assert await day.told() == first
    await delays.set_delay(day.ctx, said(25))
    await delays.set_delay(day.ctx, said(34))
    second = [*first, (2, 15, "later"), (3, 15, "later")]
    assert await day.told() == second
    await delays.set_delay(day.ctx, said(35))
    assert await day.told() == [*second, (0, 35, "later"), (1, 35, "later")]
    await delays.set_delay(day.ctx, said(0))
    assert (await day.told())[-4:] == [(number, 0, "as-booked") for number in range(4)]


async def test_a_site_says_from_when_on_patients_hear(context: Contexts, day: Day) -> None:
    operations = await context("flow", "operations")
    await delays.set_telling(operations, SetTelling(site_id=SITE, tell_minutes=60))
    await delays.set_delay(day.ctx, said(50))
    assert (await day.told(), (await delays.list_delays(day.ctx, AtSite(site_id=SITE))).tell_minutes) == ([], 60)
    with pytest.raises(UnknownCalendar):
        await delays.set_telling(operations, SetTelling(site_id=OTHER_SITE, tell_minutes=60))
    with pytest.raises(Forbidden):
        await delays.set_telling(day.ctx, SetTelling(site_id=SITE, tell_minutes=5))


async def test_who_begins_late_and_takes_longer_is_seen(day: Day, clock: Any) -> None:
    await day.hear(AppointmentAdvanced, 0, 0, version=2, status="checked-in")
    clock.advance(seconds=12 * 60)
    await day.turn(0, "start")
    assert await day.late() == {1: 12}
    assert ((await day.delay()).minutes, (await day.delay()).source) == (12, "detected")
    clock.advance(seconds=28 * 60)
    assert await delays.watch(day.system) > 0
    assert await day.late() == {1: 20, 2: 10, 3: 10}
    assert (await day.delay()).minutes == 20
    await day.turn(0, "complete")
    assert (await day.late())[1] == 20
    await day.hear(AppointmentCancelled, 1, 20, version=2, status="cancelled", claims=(), released=RELEASED)
    assert (await day.late(), (await day.delay()).minutes) == ({}, 0)


async def test_somebodys_word_stands_until_somebody_begins(day: Day, clock: Any) -> None:
    await day.hear(AppointmentAdvanced, 0, 0, version=2, status="checked-in")
    await delays.set_delay(day.ctx, said(30))
    await delays.watch(day.system)
    assert (await day.delay()).source == "entered"
    clock.advance(seconds=5 * 60)
    await day.turn(0, "start")
    assert ((await day.delay()).minutes, (await day.delay()).source, (await day.late()).get(1)) == (5, "detected", 5)


async def test_who_moved_begins_anew_and_who_comes_into_a_delay_is_late(day: Day) -> None:
    await delays.set_delay(day.ctx, said(30))
    await day.hear(AppointmentRescheduled, 3, 300, version=2)
    assert 3 not in await day.late()
    await day.hear(AppointmentBooked, 4, 70)
    assert (await day.late())[4] == 20
    assert (4, 20, "later") in await day.told()


async def test_two_desks_at_once_make_two_steps_and_no_third_word(day: Day) -> None:
    await asyncio.gather(*(delays.set_delay(day.ctx, said(minutes)) for minutes in (10, 20, 30)))
    history = await delays.get_delay(day.ctx, DOCTOR, AtSite(site_id=SITE))
    assert sorted(each.minutes for each in history.steps) == [10, 20, 30]
    assert (history.delay.version, (await day.late())[0]) == (3, history.delay.minutes)
    with pytest.raises(PreconditionFailed):
        await delays.set_delay(day.ctx, said(5, expected_version=2))
    await delays.set_delay(day.ctx, said(5, expected_version=3))


async def test_nobody_is_late_where_nobody_is_booked(day: Day) -> None:
    for command in (said(10, OTHER), replace(said(10), site_id=OTHER_SITE)):
        with pytest.raises(UnknownCalendar):
            await delays.set_delay(day.ctx, command)
    elsewhere = day.ctx.acting(replace(day.ctx.actor, site_ids=frozenset({OTHER_SITE})))
    for ask in (delays.set_delay(elsewhere, said(10)), delays.list_delays(elsewhere, AtSite(site_id=SITE))):
        with pytest.raises(Forbidden):
            await ask


async def test_patients_see_their_own_expectation_alone(context: Contexts, day: Day) -> None:
    await delays.set_delay(day.ctx, said(30))
    own = await context("flow", "patient", patient_id=PATIENTS[1])
    (mine,) = (await delays.list_expected(own, ListExpected())).items
    start = MORNING + timedelta(minutes=20)
    assert mine == ExpectedStart(
        appointment_id=VISITS[1], site_id=SITE, start=start, expected_at=start + timedelta(minutes=30), late_minutes=30, version=1
    )  # fmt: skip
    for ask in (delays.list_expected(own, ListExpected(site_id=SITE)), delays.set_delay(own, said(0))):
        with pytest.raises(Forbidden):
            await ask
    assert (await delays.list_expected(day.ctx, ListExpected())).items == ()


async def test_who_waits_for_somebody_who_is_late_is_told_so_at_once(day: Day, context: Contexts, clock: Any) -> None:
    operations = await context("flow", "operations")
    made = await queue.put_queue(operations, PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology"))
    entry = await queue.arrive(day.ctx, Arrive(queue_id=made.id, patient_id=PATIENTS[5], practitioner_id=DOCTOR))
    before = await waits.estimate_wait(day.ctx, entry.id)
    await delays.set_delay(day.ctx, said(60))
    after = await waits.estimate_wait(day.ctx, entry.id)
    assert (before.low_minutes, after.low_minutes) == (0, 60)
    await delays.set_delay(day.ctx, said(0))
    assert (await waits.estimate_wait(day.ctx, entry.id)).low_minutes == 0
    await delays.set_delay(day.ctx, said(60))
    clock.advance(seconds=1)
    await queue.step_entry(day.ctx, StepEntry(entry_id=entry.id, action="start"))
    await queue.step_entry(day.ctx, StepEntry(entry_id=entry.id, action="complete"))
    second = await queue.arrive(day.ctx, Arrive(queue_id=made.id, patient_id=PATIENTS[4], practitioner_id=DOCTOR))
    assert (await waits.estimate_wait(day.ctx, second.id)).low_minutes == 0, "who has begun since is there"


async def test_a_walk_in_who_takes_long_makes_the_next_booking_late(day: Day, context: Contexts, clock: Any) -> None:
    operations = await context("flow", "operations")
    made = await queue.put_queue(operations, PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology"))
    clock.advance(seconds=-20 * 60)
    entry = await queue.arrive(day.ctx, Arrive(queue_id=made.id, patient_id=PATIENTS[5], practitioner_id=DOCTOR))
    await queue.step_entry(day.ctx, StepEntry(entry_id=entry.id, action="start"))
    clock.advance(seconds=30 * 60)
    await delays.follow(day.ctx, [DOCTOR])
    assert await day.late() == {0: 10, 1: 10}


async def test_an_emergency_makes_late_who_is_booked_for_its_room(day: Day, context: Contexts, clock: Any) -> None:
    operations = await context("flow", "operations")
    made = await queue.put_queue(operations, PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology"))
    clock.advance(seconds=-5 * 60)
    entry = await queue.arrive(day.ctx, Arrive(queue_id=made.id, patient_id=PATIENTS[5], tier="P0"))
    await queue.call_entry(day.ctx, CallEntry(entry_id=entry.id, location_id=ROOM))
    await day.step(entry.id, "start")
    assert await day.late() == {0: 10, 1: 10}, "a quarter of an hour from five minutes before"
    assert await day.emergencies() == [0, 1]
    clock.advance(seconds=35 * 60)
    await day.hear(AppointmentAdvanced, 0, 0, version=2, status="checked-in")
    assert await day.late() == {0: 30, 1: 30, 2: 20, 3: 20}
    assert [each for each in await facts_of(day.ctx) if isinstance(each, DelayChanged) and each.calendar_id == ROOM] == []
    page = await delays.list_delays(day.ctx, AtSite(site_id=SITE))
    assert {each.calendar_id: each.by_emergency for each in page.items} == {DOCTOR: 4, ROOM: 4}
    told = [one for one in await facts_of(day.ctx) if isinstance(one, AppointmentExpected) and one.tell]
    assert told
    assert all(one.by_emergency for one in told)
    await day.step(entry.id, "complete")
    assert await day.late() == {0: 30, 1: 30, 2: 20, 3: 20}
    assert await day.emergencies() == [0, 1, 2, 3], "it is over, and still why who is here was not seen before"
    await day.turn(0, "start")
    assert (await day.late())[1] == 30
    assert await day.emergencies() == [0, 1, 2, 3]
    clock.advance(seconds=20 * 60)
    await day.turn(0, "complete")
    await day.hear(AppointmentAdvanced, 1, 20, version=2, status="checked-in")
    assert await day.emergencies() == [0, 1, 2, 3], "who began late for it passes it on"


async def test_who_is_no_emergency_is_not_said_to_be_one(day: Day, context: Contexts, clock: Any) -> None:
    operations = await context("flow", "operations")
    made = await queue.put_queue(operations, PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology"))
    entry = await queue.arrive(day.ctx, Arrive(queue_id=made.id, patient_id=PATIENTS[5], tier="P1"))
    await queue.call_entry(day.ctx, CallEntry(entry_id=entry.id, location_id=ROOM))
    await day.step(entry.id, "start")
    assert (await day.late(), await day.emergencies()) == ({0: 15, 1: 15, 2: 5, 3: 5}, [])
    await delays.set_delay(day.ctx, said(30, reason="emergency"))
    assert await day.emergencies() == [0, 1, 2, 3], "somebody said that it is one"
    await delays.set_delay(day.ctx, said(30, reason="absent"))
    assert (await day.late(), await day.emergencies()) == ({0: 30, 1: 30, 2: 20, 3: 20}, [])
    await delays.set_delay(day.ctx, said(30, reason="emergency"))
    before = [one for one in await facts_of(day.ctx) if isinstance(one, AppointmentExpected)]
    await day.hear(AppointmentRescheduled, 3, 300, version=2)
    assert await day.emergencies() == [0, 1, 2]
    assert [one for one in await facts_of(day.ctx) if isinstance(one, AppointmentExpected)] == before, "who moved begins anew"


async def test_who_is_admitted_to_a_room_makes_late_who_is_booked_for_it(day: Day, context: Contexts, clock: Any) -> None:
    organization_id = day.ctx.actor.organization_id
    place = Location(id=ROOM, kind="room", name="Room 1", site_id=SITE)
    async with day.ctx.db.transaction() as tx:
        await handlers.copy_place(day.ctx, tx, LocationChanged(organization_id=organization_id, location=place))
    emergency = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="EMER")
    came = RecordEncounter(patient_id=PATIENTS[5], status="arrived", encounter_class=emergency, site_id=SITE, start=MORNING)
    visit = await encounters.record_encounter(day.ctx, came)
    await rooms.assign_place(day.ctx, AssignPlace(encounter_id=visit.id, site_id=SITE, place_id=ROOM))
    await day.catch_up_with_rooms()
    assert await day.late() == {0: 15, 1: 15, 2: 5, 3: 5}
    clock.advance(seconds=25 * 60)
    await delays.watch(day.system)
    assert await day.late() == {0: 25, 1: 25, 2: 15, 3: 15}
    assert await day.emergencies() == [0, 1, 2, 3]
    await rooms.step_place(day.ctx, StepPlace(place_id=ROOM, action="vacate"))
    await day.catch_up_with_rooms()
    assert await day.late() == {}, "nobody is here yet, and the room is free"


async def test_what_is_expected_of_a_merged_record_is_its_survivors(day: Day, context: Contexts) -> None:
    await delays.set_delay(day.ctx, said(30))
    merged = PatientMerged(organization_id=day.ctx.actor.organization_id, patient_id=PATIENTS[5], prior_id=PATIENTS[1])
    patients = await context("patients", "front-desk")
    async with patients.db.transaction() as tx:
        await merges.note_merged(tx, merged.organization_id, merged.prior_id, merged.patient_id, day.ctx.clock.now())
    async with day.ctx.db.transaction() as tx:
        await handlers.take_over(day.ctx, tx, merged)
    survivor = await context("flow", "patient", patient_id=PATIENTS[5])
    assert [each.appointment_id for each in (await delays.list_expected(survivor, ListExpected())).items] == [VISITS[1]]


async def test_patients_have_calendars_and_are_not_listed_as_running_late(day: Day) -> None:
    await day.hear(AppointmentBooked, 4, 90, calendars=(DOCTOR, PATIENTS[4]))
    page = await delays.list_delays(day.ctx, AtSite(site_id=SITE))
    assert {each.calendar_id for each in page.items} == {DOCTOR, ROOM}
