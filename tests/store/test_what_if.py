"""“What if”: a day without somebody, or with emergencies on top. `TOMORROW` is eight at the site: everybody works until twelve."""

from datetime import timedelta
from uuid import uuid4

import pytest

from carewright.contracts.planner import AcceptPlan, DayPlan, Emergencies, KeptPlan, OnlySupposed, PlanDay, WhatIf, Without
from carewright.contracts.scheduling import UnknownSchedule, UnknownVisitType
from carewright.kernel.errors import BadInput
from carewright.roles.planning import _lines
from carewright.scheduling.service import change, plan, plans
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import CITY_ZONE
from tests.store.test_plans import work_off

HOUR = timedelta(hours=1)


def asked(hospital: Hospital, *without: Without, emergencies: tuple[Emergencies, ...] = ()) -> PlanDay:
    supposed = WhatIf(without=without, emergencies=emergencies)
    return PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, seconds=0.2, what_if=supposed)


async def supposed(hospital: Hospital, query: PlanDay) -> DayPlan:
    return await plan.plan_day(hospital.desk(), query)


async def test_a_day_without_a_physician_says_who_would_go_elsewhere_and_changes_nothing(hospital: Hospital) -> None:
    mine = [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(2)]
    later = await hospital.book(TOMORROW + 3 * HOUR, patient=2)
    found = await supposed(hospital, asked(hospital, Without(actor_id=hospital.physician(), until_at=TOMORROW + 2 * HOUR)))
    assert found.supposed is not None
    assert (found.supposed.really.placed, found.booked.placed, found.proposed.placed) == (3, 1, 3)
    assert {each.appointment_id for each in found.moves} == {each.id for each in mine}
    assert {each.reason for each in found.moves} == {"cannot-take-place"}
    assert [await change.get_appointment(hospital.desk(), each.id) for each in (*mine, later)] == [*mine, later]
    await hospital.ensure_sound()


async def test_a_day_without_anybody_says_why_and_names_those_who_may_not_be_moved(hospital: Hospital) -> None:
    one = await hospital.book()
    stays = await hospital.override(TOMORROW + HOUR, patient=1)
    away = tuple(Without(actor_id=hospital.physician(number)) for number in range(2))
    found = await supposed(hospital, asked(hospital, *away))
    assert found.without_place == (one.id,)
    assert found.reasons[0].texts == ("No practitioner is at work at any time that is planned.",)
    assert found.supposed is not None
    assert found.supposed.hit_ids == (stays.id,)


async def test_emergencies_come_first_and_those_for_whom_there_is_no_room_are_told_why(hospital: Hospital) -> None:
    """Two physicians for four hours are sixteen places; the last emergency comes when they go home."""
    booked = [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(8)]
    kind = hospital.world.kinds.solo
    many = Emergencies(visit_type_id=kind.id, count=10, at=TOMORROW)
    late = Emergencies(visit_type_id=kind.id, count=1, at=TOMORROW + 4 * HOUR)
    found = await supposed(hospital, asked(hospital, emergencies=(many, late)))
    assert found.supposed is not None
    seen = [each.start for each in found.supposed.emergencies]
    assert (len(seen), sum(each is not None for each in seen), seen[-1]) == (11, 10, None)
    assert found.proposed.emergencies == 10
    assert found.supposed.emergencies[-1].texts
    assert len(found.without_place) == 2
    assert found.visits == len(booked)


async def test_emergencies_are_spread_by_the_seed(hospital: Hospital) -> None:
    query = asked(hospital, emergencies=(Emergencies(visit_type_id=hospital.world.kinds.solo.id, count=6),))
    first, again = [(await supposed(hospital, query)).supposed for _ in range(2)]
    assert first is not None
    assert again is not None
    came = [each.came_at for each in first.emergencies]
    assert came == [each.came_at for each in again.emergencies] == sorted(came)
    assert len(set(came)) > 1
    assert all(each.start is None or each.start >= each.came_at for each in first.emergencies)


async def test_nothing_of_what_is_supposed_can_be_accepted(hospital: Hospital) -> None:
    await hospital.book()
    kept = await plans.start_plan(hospital.desk(), asked(hospital, Without(actor_id=hospital.physician())))
    await work_off(hospital)
    kept = await plans.get_plan(hospital.desk(), kept.id)
    assert (kept.state, kept.moves) == ("proposed", 1)
    with pytest.raises(OnlySupposed):
        await plans.accept_plan(hospital.desk(), AcceptPlan(plan_id=kept.id))
    assert told(kept)[-1] == "This is what would be. Nothing was changed, and nothing of it can be accepted."
    assert "As it is:  1 can take place, 30 minutes of care." in told(kept)


def told(kept: KeptPlan) -> list[str]:
    """On the command line."""
    assert kept.plan is not None
    return list(_lines(kept, kept.plan, CITY_ZONE))


async def test_what_is_not_known_or_not_planned_is_refused_at_once(hospital: Hospital) -> None:
    kind = hospital.world.kinds.solo.id
    later = TOMORROW + timedelta(days=3)
    for query, refusal in [
        (asked(hospital, Without(actor_id=uuid4())), UnknownSchedule),
        (asked(hospital, Without(actor_id=hospital.physician(), from_at=TOMORROW, until_at=TOMORROW)), BadInput),
        (asked(hospital, Without(actor_id=hospital.physician(), from_at=later)), BadInput),
        (asked(hospital, emergencies=(Emergencies(visit_type_id=uuid4(), count=1),)), UnknownVisitType),
        (asked(hospital, emergencies=(Emergencies(visit_type_id=kind, count=1, at=later),)), BadInput),
    ]:
        with pytest.raises(refusal):
            await plans.start_plan(hospital.desk(), query)
