"""A day planned anew: searched for without changing anything, and moves made one by one as bookings are."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from carewright.contracts.links import LinkAppointments
from carewright.contracts.outages import ReportOutage
from carewright.contracts.planner import DayPlan, PlanDay, PlannedMove
from carewright.contracts.scheduling import Appointment, TimeNotFree
from carewright.scheduling.service import change, links, outages, plan
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital

HOUR = timedelta(hours=1)


async def planned(hospital: Hospital, seconds: float = 0.2) -> DayPlan:
    asked = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, hours=24, seconds=seconds)
    return await plan.plan_day(hospital.desk(), asked)


async def made(hospital: Hospital, *moves: PlannedMove) -> list[str]:
    """What became of them, in their order: the code of the refusal, or "moved"."""
    outcomes = await plan.accept_moves(hospital.desk(), moves)
    return ["moved" if (end := outcomes[each.appointment_id]) is True else end.code for each in moves]


async def linked(hospital: Hospital, one: Appointment, other: Appointment, **said: Any) -> None:
    await links.link_appointments(
        hospital.desk(), LinkAppointments(appointment_id=one.id, depends_on_id=other.id, kind="before", **said)
    )  # fmt: skip


async def now(hospital: Hospital, one: Appointment) -> Appointment:
    return await change.get_appointment(hospital.desk(), one.id)


def to_where(one: Appointment, other: Appointment) -> PlannedMove:
    """A move to where another is."""
    return going(one, other.start, *(each.actor_id for each in other.participants if each.kind != "patient"))


def going(one: Appointment, start: datetime, *actor_ids: UUID) -> PlannedMove:
    """A move to a time, with these."""
    return PlannedMove(
        appointment_id=one.id, version=one.version, visit_type_name=one.visit_type_name, urgency=one.urgency, booked_start=one.start,
        start=start, end=start + (one.end - one.start), actor_ids=actor_ids, reason="cannot-take-place",
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


async def test_linked_visits_keep_their_distance_in_a_plan(hospital: Hospital) -> None:
    """The visit cannot be where it is booked, and is not moved away from the test that comes before it, though that could be."""
    lab, visit = await hospital.book(TOMORROW), await hospital.book(TOMORROW + HALF_HOUR, physician=1)
    await linked(hospital, lab, visit, most_minutes=0)
    closed = ReportOutage(schedule_id=hospital.physician(1), start=TOMORROW - HOUR, end=TOMORROW + 12 * HOUR, reason="absent")
    await outages.report_outage(hospital.desk(), closed)
    for number in range(1, 3):
        await hospital.book(TOMORROW + number * HALF_HOUR, patient=number)
    found = await planned(hospital)
    to = {each.appointment_id: each.start for each in found.moves}
    assert visit.id in to
    assert to[visit.id] - to.get(lab.id, lab.start) == HALF_HOUR
    assert set(await made(hospital, *found.moves)) == {"moved"}
    assert (await now(hospital, visit)).start - (await now(hospital, lab)).start == HALF_HOUR
    await hospital.ensure_sound()


async def test_what_is_linked_to_another_day_moves_within_what_that_allows(hospital: Hospital) -> None:
    lab, visit = await hospital.book(TOMORROW - 24 * HOUR + 3 * HOUR), await hospital.book(TOMORROW, physician=1)
    await linked(hospital, lab, visit, most_minutes=21 * 60)
    closed = ReportOutage(schedule_id=hospital.physician(1), start=TOMORROW - HOUR, end=TOMORROW + 12 * HOUR, reason="absent")
    await outages.report_outage(hospital.desk(), closed)
    await hospital.book(TOMORROW, patient=1)
    found = await planned(hospital)
    moved = [each for each in found.moves if each.appointment_id == visit.id]
    assert all(each.start - lab.end <= 21 * HOUR for each in moved)
    assert moved or visit.id in found.without_place


async def test_a_move_that_would_break_a_link_is_refused_unless_its_partner_goes_along(hospital: Hospital) -> None:
    lab, visit = await hospital.book(TOMORROW), await hospital.book(TOMORROW + HALF_HOUR)
    await linked(hospital, lab, visit, most_minutes=0)
    later, then = (going(each, each.start + 4 * HALF_HOUR, hospital.physician()) for each in (lab, visit))
    assert await made(hospital, then) == ["links.would_break"]
    assert await now(hospital, visit) == visit
    assert await made(hospital, later, then) == ["moved"] * 2
    assert await made(hospital, later, then) == ["moved"] * 2, "asked again"
    await hospital.ensure_sound()


async def test_linked_moves_of_which_one_is_lost_are_not_made_at_all(hospital: Hospital) -> None:
    lab, visit = await hospital.book(TOMORROW), await hospital.book(TOMORROW + HALF_HOUR)
    await linked(hospital, lab, visit, most_minutes=0)
    await hospital.book(TOMORROW + 5 * HALF_HOUR, patient=1)
    moves = [going(each, each.start + 4 * HALF_HOUR, hospital.physician()) for each in (lab, visit)]
    assert await made(hospital, *moves) == [TimeNotFree.code] * 2
    assert (await now(hospital, lab), await now(hospital, visit)) == (lab, visit)


async def test_linked_moves_go_where_others_are_that_move_away(hospital: Hospital) -> None:
    lab, visit = await hospital.book(TOMORROW), await hospital.book(TOMORROW + HALF_HOUR)
    other = await hospital.book(TOMORROW + 4 * HALF_HOUR, patient=1)
    await linked(hospital, lab, visit, most_minutes=0)
    to = ((lab, TOMORROW + 4 * HALF_HOUR), (visit, TOMORROW + 5 * HALF_HOUR), (other, TOMORROW))
    assert await made(hospital, *(going(each, start, hospital.physician()) for each, start in to)) == ["moved"] * 3
    await hospital.ensure_sound()
