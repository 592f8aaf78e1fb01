"""A day planned anew: searched for without changing anything, and moves made one by one as bookings are."""

from datetime import timedelta
from uuid import uuid4

from msgspec.structs import replace

from carewright.contracts.outages import ReportOutage
from carewright.contracts.planner import DayPlan, PlanDay, PlannedMove
from carewright.contracts.scheduling import Appointment
from carewright.scheduling.service import change, outages, plan
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital

HOUR = timedelta(hours=1)


async def planned(hospital: Hospital, seconds: float = 0.2) -> DayPlan:
    asked = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, hours=24, seconds=seconds)
    return await plan.plan_day(hospital.desk(), asked)


async def made(hospital: Hospital, *moves: PlannedMove) -> list[str]:
    """What became of them, in their order: the code of the refusal, or "moved"."""
    outcomes = await plan.accept_moves(hospital.desk(), moves)
    return ["moved" if (end := outcomes[each.appointment_id]) is True else end.code for each in moves]


async def now(hospital: Hospital, one: Appointment) -> Appointment:
    return await change.get_appointment(hospital.desk(), one.id)


def to_where(one: Appointment, other: Appointment) -> PlannedMove:
    """A move to where another is."""
    actors = tuple(each.actor_id for each in other.participants if each.kind != "patient")
    return PlannedMove(
        appointment_id=one.id, version=one.version, visit_type_name=one.visit_type_name, urgency=one.urgency, booked_start=one.start,
        start=other.start, end=other.end, actor_ids=actors, reason="cannot-take-place",
    )  # fmt: skip


async def test_a_day_in_which_everybody_has_a_place_is_left_as_it_is(hospital: Hospital) -> None:
    visits = [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(3)]
    found = await planned(hospital)
    assert (found.visits, found.moves, found.without_place) == (3, (), ())
    assert found.proposed == found.booked
    assert [await now(hospital, each) for each in visits] == visits


async def test_who_cannot_be_seen_goes_to_whoever_can_and_nobody_else_moves(hospital: Hospital) -> None:
    mine = [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(2)]
    theirs = await hospital.book(TOMORROW + HALF_HOUR, patient=2, physician=1)
    closed = ReportOutage(schedule_id=hospital.physician(), start=TOMORROW - HOUR, end=TOMORROW + 12 * HOUR, reason="absent")
    await outages.report_outage(hospital.desk(), closed)
    found = await planned(hospital)
    assert {each.appointment_id for each in found.moves} == {each.id for each in mine}
    assert {each.reason for each in found.moves} == {"cannot-take-place"}
    assert (found.booked.placed, found.proposed.placed) == (1, 3)
    assert found.proposed.worth_minutes > found.booked.worth_minutes
    assert set(await made(hospital, *found.moves)) == {"moved"}
    for each in found.moves:
        after = await change.get_appointment(hospital.desk(), each.appointment_id)
        assert (after.start, after.end) == (each.start, each.end)
        assert {one.actor_id for one in after.participants if one.kind != "patient"} == set(each.actor_ids)
    assert await now(hospital, theirs) == theirs
    await hospital.ensure_sound()


async def test_a_move_whose_appointment_changed_is_refused_and_the_rest_stands(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    free = await hospital.book(TOMORROW + 3 * HOUR, patient=2)
    await hospital.cancel(free)
    stale = replace(to_where(first, free), version=7)
    gone = replace(to_where(first, free), appointment_id=uuid4())
    outcomes = await made(hospital, stale, gone, to_where(second, free))
    assert outcomes == ["kernel.precondition_failed", "scheduling.unknown_appointment", "moved"]
    assert (await now(hospital, first)).start == first.start


async def test_a_move_that_was_made_is_so_for_whoever_asks_again_and_changes_nothing(hospital: Hospital) -> None:
    one, free = await hospital.book(), await hospital.book(TOMORROW + 3 * HOUR, patient=2)
    await hospital.cancel(free)
    assert await made(hospital, to_where(one, free)) == ["moved"]
    moved = await now(hospital, one)
    assert await made(hospital, to_where(one, free)) == ["moved"]
    assert await now(hospital, one) == moved
    assert await made(hospital, replace(to_where(one, free), start=TOMORROW)) == ["kernel.precondition_failed"]
    await hospital.ensure_sound()


async def test_two_who_change_places_do_so_together(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    assert await made(hospital, to_where(first, second), to_where(second, first)) == ["moved", "moved"]
    assert ((await now(hospital, first)).start, (await now(hospital, second)).start) == (second.start, first.start)
    await hospital.ensure_sound()


async def test_a_chain_is_made_from_its_end(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    free = await hospital.book(TOMORROW + 3 * HOUR, patient=2)
    await hospital.cancel(free)
    assert await made(hospital, to_where(first, second), to_where(second, free)) == ["moved", "moved"]
    await hospital.ensure_sound()


async def test_a_ring_in_which_one_cannot_move_stays_as_it_is(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    taken = await hospital.book(TOMORROW + 2 * HOUR, patient=2, physician=1)
    moves = (to_where(first, second), replace(to_where(second, first), version=9), to_where(first, taken))
    assert "moved" not in await made(hospital, *moves[:2])
    assert await made(hospital, moves[2]) == ["scheduling.time_not_free"]
    assert [await now(hospital, each) for each in (first, second, taken)] == [first, second, taken]
    await hospital.ensure_sound()
