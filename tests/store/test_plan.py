"""A day planned anew: proposed without changing anything, and accepted move by move as bookings are."""

from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from carewright.contracts.outages import ReportOutage
from carewright.contracts.planner import AcceptedMove, AcceptMoves, DayPlan, MovesMade, PlanDay, PlannedMove
from carewright.contracts.scheduling import Appointment, UnknownSite
from carewright.kernel.apart import RanOut
from carewright.kernel.errors import BadInput, Forbidden, Unavailable
from carewright.scheduling.service import change, outages, plan
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital

HOUR = timedelta(hours=1)


async def planned(hospital: Hospital, seconds: float = 0.2) -> DayPlan:
    asked = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, hours=24, seconds=seconds)
    return await plan.plan_day(hospital.desk(), asked)


def accepted(*moves: PlannedMove | AcceptedMove) -> AcceptMoves:
    return AcceptMoves(
        moves=tuple(
            AcceptedMove(appointment_id=one.appointment_id, version=one.version, start=one.start, actor_ids=one.actor_ids) for one in moves
        )
    )


async def now(hospital: Hospital, one: Appointment) -> Appointment:
    return await change.get_appointment(hospital.desk(), one.id)


def to_where(one: Appointment, other: Appointment) -> AcceptedMove:
    """A move to where another is."""
    actors = tuple(each.actor_id for each in other.participants if each.kind != "patient")
    return AcceptedMove(appointment_id=one.id, version=one.version, start=other.start, actor_ids=actors)


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
    made = await plan.accept_moves(hospital.desk(), accepted(*found.moves))
    assert {each.outcome for each in made.items} == {"moved"}
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
    made = await plan.accept_moves(hospital.desk(), accepted(stale, to_where(second, free)))
    assert [(each.outcome, each.code) for each in made.items] == [("refused", "kernel.precondition_failed"), ("moved", None)]
    assert (await now(hospital, first)).start == first.start
    again = await plan.accept_moves(hospital.desk(), accepted(to_where(second, free)))
    assert [each.outcome for each in again.items] == ["refused"], "made already, it changes nothing"
    await hospital.ensure_sound()


async def test_two_who_change_places_do_so_together(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    made = await plan.accept_moves(hospital.desk(), accepted(to_where(first, second), to_where(second, first)))
    assert [each.outcome for each in made.items] == ["moved", "moved"]
    assert ((await now(hospital, first)).start, (await now(hospital, second)).start) == (second.start, first.start)
    await hospital.ensure_sound()


async def test_a_chain_is_made_from_its_end(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    free = await hospital.book(TOMORROW + 3 * HOUR, patient=2)
    await hospital.cancel(free)
    made = await plan.accept_moves(hospital.desk(), accepted(to_where(first, second), to_where(second, free)))
    assert [each.outcome for each in made.items] == ["moved", "moved"]
    await hospital.ensure_sound()


async def test_a_ring_in_which_one_cannot_move_stays_as_it_is(hospital: Hospital) -> None:
    first, second = await hospital.book(), await hospital.book(TOMORROW + 2 * HOUR, patient=1)
    taken = await hospital.book(TOMORROW + 2 * HOUR, patient=2, physician=1)
    moves = (to_where(first, second), replace(to_where(second, first), version=9), to_where(first, taken))
    made = await plan.accept_moves(hospital.desk(), accepted(*moves[:2]))
    assert {each.outcome for each in made.items} == {"refused"}
    made = await plan.accept_moves(hospital.desk(), accepted(moves[2]))
    assert [(each.outcome, each.code) for each in made.items] == [("refused", "scheduling.time_not_free")]
    assert [await now(hospital, each) for each in (first, second, taken)] == [first, second, taken]
    await hospital.ensure_sound()


async def test_what_cannot_be_planned_is_refused(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownSite):
        await plan.plan_day(hospital.desk(), PlanDay(site_id=uuid4(), seconds=0))
    far = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW + timedelta(days=900), seconds=0)
    with pytest.raises(BadInput):
        await plan.plan_day(hospital.desk(), far)
    with pytest.raises(Forbidden):
        await plan.plan_day(hospital.patient(), PlanDay(site_id=hospital.world.city.id, seconds=0))

    async def ran_out(*_: object) -> MovesMade:
        raise RanOut("MemoryError")

    monkeypatch.setattr(plan, "reckon", ran_out)
    with pytest.raises(Unavailable):
        await planned(hospital)
