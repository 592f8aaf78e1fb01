"""Kept plans: searched for in the background, given up, taken up again, accepted all or part; and what is planned by itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace as with_
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.outages import Outage, OutageEnded, OutageReported, ReportOutage
from carewright.contracts.permissions import ALL
from carewright.contracts.planner import (
    AcceptPlan,
    DayPlan,
    DayPlanChanged,
    GetPlanningRules,
    GiveUpPlan,
    KeptPlan,
    ListPlans,
    MoveMade,
    NoSuchMove,
    PlanDay,
    PlannedMove,
    PlanningRules,
    PlanningWeights,
    PlanNotOpen,
    PlanRuns,
    SetPlanningRules,
    UnknownPlan,
)
from carewright.contracts.scheduling import Appointment, AppointmentRescheduled, UnknownSite
from carewright.kernel.apart import Limits, RanOut
from carewright.kernel.context import Once
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed
from carewright.kernel.jobs import run_due
from carewright.scheduling import jobs
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.module import MODULE
from carewright.scheduling.service import change, outages, plan, plans, repairing, searching
from carewright.scheduling.store import plans as store
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import Process
from tests.servers import facts_of

HOUR = timedelta(hours=1)
SHORT, LONG = 0.2, 60.0


def worker(hospital: Hospital, process: Process | None = None) -> SchedulingContext:
    """What jobs and timers work in."""
    ctx = (process or hospital.here).system()
    return with_(ctx, actor=replace(ctx.actor, permissions=ALL))


async def start(hospital: Hospital, seconds: float = SHORT, **more: Any) -> KeptPlan:
    asked = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, hours=24, seconds=seconds, **more)
    return await plans.start_plan(hospital.desk(), asked)


async def work_off(hospital: Hospital) -> None:
    await run_due(worker(hospital), jobs.JOBS)


async def read(hospital: Hospital, kept: KeptPlan) -> KeptPlan:
    return await plans.get_plan(hospital.desk(), kept.id)


async def accept(hospital: Hospital, kept: KeptPlan, *moves: PlannedMove) -> KeptPlan:
    ids = tuple(each.appointment_id for each in moves) or None
    return await plans.accept_plan(hospital.desk(), AcceptPlan(plan_id=kept.id, appointment_ids=ids))


async def away(hospital: Hospital) -> Outage:
    """The first physician is away tomorrow."""
    closed = ReportOutage(schedule_id=hospital.physician(), start=TOMORROW - HOUR, end=TOMORROW + 12 * HOUR, reason="absent")
    return await outages.report_outage(hospital.desk(), closed)


async def visits(hospital: Hospital, count: int = 2) -> list[Appointment]:
    return [await hospital.book(TOMORROW + number * HALF_HOUR, patient=number) for number in range(count)]


async def proposed(hospital: Hospital, count: int = 2) -> tuple[KeptPlan, DayPlan]:
    """What is proposed for visits of a physician who is away."""
    await visits(hospital, count)
    await away(hospital)
    kept = await start(hospital)
    await work_off(hospital)
    found = await read(hospital, kept)
    assert found.plan is not None
    return found, found.plan


async def said(hospital: Hospital) -> list[tuple[str, str]]:
    """States of plans that were told, with why they were searched for."""
    return [(each.state, each.cause) for each in await facts_of(hospital.desk()) if isinstance(each, DayPlanChanged)]


async def test_a_plan_is_searched_for_in_the_background_and_kept(hospital: Hospital) -> None:
    mine = await visits(hospital)
    await away(hospital)
    kept = await start(hospital)
    assert (kept.state, kept.cause, kept.asked_by, kept.percent, kept.plan, kept.ended_at) == (
        "searching",
        "asked",
        "tester",
        0,
        None,
        None,
    )
    assert (kept.from_at, kept.until_at - kept.from_at) == (TOMORROW - HOUR, 24 * HOUR)
    await work_off(hospital)
    found = await read(hospital, kept)
    assert (found.state, found.percent, found.moves, found.moved, found.version) == ("proposed", 100, 2, 0, 2)
    assert found.plan is not None
    assert {each.appointment_id for each in found.plan.moves} == {each.id for each in mine}
    assert found.worth_minutes == pytest.approx(found.plan.proposed.worth_minutes, abs=0.1)
    assert [(await change.get_appointment(hospital.desk(), each.id)) for each in mine] == mine, "nothing is changed by looking"
    (listed,) = (await plans.list_plans(hospital.desk(), ListPlans(site_id=kept.site_id))).items
    assert listed == replace(found, plan=None)
    assert await said(hospital) == [("searching", "asked"), ("proposed", "asked")]


async def test_of_a_site_one_is_searched_for_at_a_time(hospital: Hospital) -> None:
    answers = await asyncio.gather(*(start(hospital) for _ in range(3)), return_exceptions=True)
    (running,) = [each for each in answers if isinstance(each, KeptPlan)]
    assert {each.facts["plan_id"] for each in answers if isinstance(each, PlanRuns)} == {str(running.id)}
    elsewhere = PlanDay(site_id=hospital.world.village.id, from_at=TOMORROW, seconds=SHORT)
    assert (await plans.start_plan(hospital.desk(), elsewhere)).state == "searching"
    await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=running.id))
    assert (await start(hospital)).state == "searching"
    await work_off(hospital)
    assert (await read(hospital, running)).state == "given-up", "what was given up is not searched for"


async def test_a_second_tap_starts_nothing_twice(hospital: Hospital) -> None:
    command = PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW, seconds=SHORT)
    tap = hospital.desk(once=Once.of("tap", command))
    first, second = [await plans.start_plan(tap, command) for _ in range(2)]
    assert first == second
    await work_off(hospital)


async def test_a_search_that_is_given_up_while_it_runs_ends_at_once(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def noted(*args: Any) -> DayPlan:
        try:
            return await plan.plan_day(*args)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    monkeypatch.setattr(searching, "LOOK_SECONDS", 0.05)
    await proposed(hospital)
    monkeypatch.setattr(searching, "plan_day", noted)
    kept = await start(hospital, LONG)
    running = asyncio.create_task(work_off(hospital))
    while (await read(hospital, kept)).percent == 0:
        assert not running.done()
        await asyncio.sleep(0.05)
    assert (await read(hospital, kept)).worth_minutes is not None
    given_up = await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id))
    assert (given_up.state, given_up.ended_at is not None) == ("given-up", True)
    await running
    assert ended == ["cancelled"], "and the child with it"
    after = await read(hospital, kept)
    assert (after.state, after.plan, after.percent < 100) == ("given-up", None, True)
    with pytest.raises(PlanNotOpen):
        await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id))
    with pytest.raises(PlanNotOpen):
        await accept(hospital, kept)


@pytest.mark.parametrize("limits", [{"seconds": -1}, {"mebibytes": 300}])
async def test_a_search_that_runs_out_of_time_or_memory_says_so(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    monkeypatch.setattr(plan, "LIMITS", with_(Limits(cpu_seconds=240, seconds=120, mebibytes=4_096), **limits))
    kept = await start(hospital, 0.0)
    await work_off(hospital)
    failed = await read(hospital, kept)
    assert (failed.state, failed.fault in ("too-long", "broken"), failed.plan) == ("failed", True, None), "memory may lack for an import"
    with pytest.raises(PlanNotOpen) as refusal:
        await accept(hospital, kept)
    assert refusal.value.facts["plan_state"] == "failed"
    assert (await said(hospital))[-1] == ("failed", "asked")


@pytest.mark.parametrize(("why", "fault"), [("TimeoutError", "too-long"), ("MemoryError", "too-long"), ("ZeroDivisionError", "broken")])
async def test_an_engine_that_crashes_in_the_child_is_told_by_what_to_do(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, why: str, fault: str
) -> None:
    async def crashed(*_: object) -> None:
        raise RanOut(why)

    monkeypatch.setattr(plan, "reckon", crashed)
    kept = await start(hospital)
    await work_off(hospital)
    assert ((await read(hospital, kept)).state, (await read(hospital, kept)).fault) == ("failed", fault)


async def test_a_fault_of_ours_ends_the_search_and_is_told_to_whoever_runs_the_server(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(plan, "pose", broken)
    kept = await start(hospital)
    with pytest.raises(ZeroDivisionError):
        await searching.search_plan(worker(hospital).working_in(hospital.world.organization_id), kept.id)
    assert ((await read(hospital, kept)).state, (await read(hospital, kept)).fault) == ("failed", "broken")


async def test_a_search_that_was_cut_off_is_begun_again_and_not_for_ever(hospital: Hospital) -> None:
    await visits(hospital)
    kept = await start(hospital, LONG)
    for times in range(1, searching.BEGUN_MAX + 1):
        server = asyncio.create_task(searching.search_plan(worker(hospital).working_in(hospital.world.organization_id), kept.id))
        while not await is_begun(hospital, kept, times):
            assert not server.done()
            await asyncio.sleep(0.02)
        server.cancel()  # as a process that stops does; one that is killed says no more either
        await asyncio.gather(server, return_exceptions=True)
        assert await searching.take_up(worker(hospital)) == 0, "it may be at it still"
        hospital.here.clock.advance(seconds=31)
        if times < searching.BEGUN_MAX:
            assert await searching.take_up(worker(hospital)) >= 1
            assert (await read(hospital, kept)).state == "searching"
    assert await searching.take_up(worker(hospital)) >= 1
    failed = await read(hospital, kept)
    assert (failed.state, failed.fault) == ("failed", "cut-off")


async def is_begun(hospital: Hospital, kept: KeptPlan, times: int) -> bool:
    row = await hospital.here.db.fetch_one(store.Q.day_plan_by_id, hospital.world.organization_id, kept.id)
    return row is not None and row["begun"] == times


async def test_who_takes_it_up_finds_it(hospital: Hospital) -> None:
    await visits(hospital)
    kept = await start(hospital)
    now = hospital.here.clock.now()
    gone = await store.begin(hospital.desk().db, hospital.world.organization_id, kept.id, now, now)
    assert gone is not None, "somebody is at it, and goes away"
    await work_off(hospital)
    assert (await read(hospital, kept)).state == "searching", "nobody searches beside somebody else"
    hospital.here.clock.advance(seconds=31)
    await searching.take_up(worker(hospital, hospital.there))
    await work_off(hospital)
    assert (await read(hospital, kept)).state == "proposed"


async def test_part_is_accepted_and_then_the_rest(hospital: Hospital) -> None:
    kept, found = await proposed(hospital)
    first, second = found.moves
    part = await accept(hospital, kept, first)
    assert (part.state, part.moved, part.refused) == ("accepted", 1, 0)
    assert [(each.appointment_id, each.outcome, each.by_itself) for each in part.made] == [(first.appointment_id, "moved", False)]
    assert (await change.get_appointment(hospital.desk(), first.appointment_id)).start == first.start
    assert (await change.get_appointment(hospital.desk(), second.appointment_id)).start == second.booked_start
    whole = await accept(hospital, kept)
    assert (whole.moved, whole.refused, {each.outcome for each in whole.made}) == (2, 0, {"moved"})
    again = await accept(hospital, kept)
    assert (again.made, again.moved) == (whole.made, 2)
    with pytest.raises(PlanNotOpen):
        await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id))
    with pytest.raises(NoSuchMove):
        await plans.accept_plan(hospital.desk(), AcceptPlan(plan_id=kept.id, appointment_ids=(first.appointment_id, uuid4())))
    await hospital.ensure_sound()


async def test_what_changed_meanwhile_is_refused_and_the_rest_stands(hospital: Hospital) -> None:
    kept, found = await proposed(hospital)
    first, second = found.moves
    await hospital.cancel(await change.get_appointment(hospital.desk(), first.appointment_id))
    after = await accept(hospital, kept)
    assert (after.state, after.moved, after.refused) == ("accepted", 1, 1)
    outcomes = {each.appointment_id: (each.outcome, each.code) for each in after.made}
    assert outcomes == {first.appointment_id: ("refused", "kernel.precondition_failed"), second.appointment_id: ("moved", None)}
    assert await accept(hospital, kept) == replace(after, version=after.version + 1), "asked again, it is as it was"
    await hospital.ensure_sound()


async def test_two_who_accept_at_once_make_each_move_once(hospital: Hospital) -> None:
    kept, found = await proposed(hospital)
    command = AcceptPlan(plan_id=kept.id)
    await asyncio.gather(*(plans.accept_plan(hospital.desk(process), command) for process in (hospital.here, hospital.there)))
    after = await read(hospital, kept)
    assert (after.moved, after.refused) == (2, 0)
    moved = [each.appointment_id for each in await facts_of(hospital.desk()) if isinstance(each, AppointmentRescheduled)]
    assert sorted(moved) == sorted(each.appointment_id for each in found.moves), "each is told of once"
    await hospital.ensure_sound()


async def test_what_was_made_stays_so_whatever_somebody_says_who_came_too_late(hospital: Hospital) -> None:
    kept, found = await proposed(hospital)
    made = await accept(hospital, kept)
    late = [MoveMade(appointment_id=each.appointment_id, outcome="refused", code="scheduling.time_not_free") for each in found.moves]
    desk = hospital.desk()
    async with desk.db.transaction() as tx:
        after = await plans.note_made(desk, tx, kept.id, late)
    assert (after.made, after.moved, after.refused) == (made.made, 2, 0)


async def test_a_proposal_that_nobody_wants_is_put_aside(hospital: Hospital) -> None:
    kept, _ = await proposed(hospital)
    with pytest.raises(PreconditionFailed):
        await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id, expected_version=1))
    with pytest.raises(PreconditionFailed):
        await plans.accept_plan(hospital.desk(), AcceptPlan(plan_id=kept.id, expected_version=1))
    aside = await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id, expected_version=kept.version))
    assert (aside.state, aside.plan) == ("given-up", kept.plan)
    with pytest.raises(PlanNotOpen):
        await accept(hospital, kept)


async def test_what_cannot_be_planned_is_refused_before_it_is_searched_for(hospital: Hospital) -> None:
    site_id = hospital.world.city.id
    with pytest.raises(UnknownSite):
        await plans.start_plan(hospital.desk(), PlanDay(site_id=uuid4(), seconds=0))
    with pytest.raises(BadInput):
        await plans.start_plan(hospital.desk(), PlanDay(site_id=site_id, from_at=TOMORROW + timedelta(days=900), seconds=0))
    with pytest.raises(UnknownSite):
        await plans.list_plans(hospital.desk(), ListPlans(site_id=uuid4()))
    assert (await plans.list_plans(hospital.desk(), ListPlans(site_id=site_id))).items == ()


async def test_pages_of_plans_go_back_in_time(hospital: Hospital) -> None:
    made = []
    for _ in range(3):
        made.append((await start(hospital)).id)
        await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=made[-1]))
    first = await plans.list_plans(hospital.desk(), ListPlans(site_id=hospital.world.city.id, limit=2))
    assert ([each.id for each in first.items], first.next) == ([made[2], made[1]], made[1])
    last = await plans.list_plans(hospital.desk(), ListPlans(site_id=hospital.world.city.id, limit=2, after=first.next))
    assert ([each.id for each in last.items], last.next) == ([made[0]], None)


async def test_who_may_not_neither_looks_nor_changes(hospital: Hospital) -> None:
    kept = await start(hospital)
    await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id))
    city = hospital.world.city.id
    for role in ("front-desk", "physician", "operations", "administrator"):
        ctx = hospital.here.acting(role, hospital.world)
        for use in (
            plans.start_plan(ctx, PlanDay(site_id=city)), plans.get_plan(ctx, kept.id), plans.list_plans(ctx, ListPlans(site_id=city)),
            plans.give_up_plan(ctx, GiveUpPlan(plan_id=kept.id)), plans.accept_plan(ctx, AcceptPlan(plan_id=kept.id)),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await use
    elsewhere = hospital.here.acting("scheduler", hospital.world, site_ids=(hospital.world.village.id,))
    with pytest.raises(UnknownPlan):
        await plans.get_plan(elsewhere, kept.id)
    with pytest.raises(UnknownPlan):
        await plans.give_up_plan(elsewhere, GiveUpPlan(plan_id=kept.id))
    for at_another in (plans.start_plan(elsewhere, PlanDay(site_id=city)), plans.list_plans(elsewhere, ListPlans(site_id=city))):
        with pytest.raises(Forbidden):
            await at_another
    stranger = hospital.desk()
    stranger = stranger.acting(replace(stranger.actor, organization_id=uuid4()))
    with pytest.raises(UnknownPlan):
        await plans.get_plan(stranger, kept.id)


async def test_plans_of_long_ago_are_forgotten(hospital: Hospital) -> None:
    kept = await start(hospital)
    await plans.give_up_plan(hospital.desk(), GiveUpPlan(plan_id=kept.id))
    await jobs.archive_past(worker(hospital))
    assert (await read(hospital, kept)).id == kept.id
    hospital.here.clock.advance(seconds=timedelta(days=91).total_seconds())
    await jobs.archive_past(worker(hospital))
    with pytest.raises(UnknownPlan):
        await read(hospital, kept)


# --- by itself ------------------------------------------------------------------------------------------------------------------


async def hear(hospital: Hospital, *kinds: type[OutageReported | OutageEnded]) -> None:
    """Have the outages that were reported, or ended, heard of; and what follows from that done."""
    ctx = worker(hospital)
    for fact in await facts_of(hospital.desk()):
        if isinstance(fact, kinds):
            async with ctx.db.transaction() as tx:
                await MODULE.subscriptions[type(fact)](ctx, tx, fact)
    hospital.here.clock.advance(seconds=2)


async def listed(hospital: Hospital) -> Sequence[KeptPlan]:
    return (await plans.list_plans(hospital.desk(), ListPlans(site_id=hospital.world.city.id))).items


async def rule(hospital: Hospital, **more: Any) -> PlanningRules:
    rules = SetPlanningRules(site_id=hospital.world.city.id, proposes=True, accepts=True, moves_most=10, minutes_most=60)
    return await plans.set_planning_rules(hospital.here.acting("operations", hospital.world), replace(rules, **more))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairing, "SECONDS", SHORT)


async def test_an_outage_has_the_rest_of_its_day_planned_by_itself_and_waits_for_a_person(hospital: Hospital, quick: None) -> None:
    mine = await visits(hospital)
    out = await away(hospital)
    await hear(hospital, OutageReported)
    await work_off(hospital)
    (kept,) = await listed(hospital)
    assert (kept.state, kept.cause, kept.outage_id, kept.asked_by, kept.moves, kept.moved) == ("proposed", "outage", out.id, None, 2, 0)
    assert kept.until_at - kept.from_at == 24 * HOUR, "tomorrow, by the clock of Berlin"
    assert [(await change.get_appointment(hospital.desk(), each.id)) for each in mine] == mine
    assert await said(hospital) == [("searching", "outage"), ("proposed", "outage")]


async def test_a_whole_wing_is_planned_for_at_once(hospital: Hospital, quick: None) -> None:
    await visits(hospital)
    await hospital.book(TOMORROW + HALF_HOUR, patient=2, physician=1)
    for number in range(2):
        closed = ReportOutage(schedule_id=hospital.physician(number), start=TOMORROW - HOUR, end=TOMORROW + 2 * HOUR)
        await outages.report_outage(hospital.desk(), closed)
    await hear(hospital, OutageReported)
    await work_off(hospital)
    hospital.here.clock.advance(seconds=6)
    await work_off(hospital)
    (kept,) = await listed(hospital)
    assert (kept.state, kept.moves) == ("proposed", 3), "whatever else failed by then is served by the one search"


async def test_what_hits_nobody_or_where_the_site_does_not_want_it_has_nothing_planned(hospital: Hospital) -> None:
    await away(hospital)
    await hear(hospital, OutageReported)
    await work_off(hospital)
    assert await listed(hospital) == ()
    await hospital.book(TOMORROW, physician=1)
    await rule(hospital, proposes=False)
    await outages.report_outage(hospital.desk(), ReportOutage(schedule_id=hospital.physician(1), start=TOMORROW, end=TOMORROW + HOUR))
    await hear(hospital, OutageReported)
    await work_off(hospital)
    assert await listed(hospital) == ()


async def test_while_somebody_searches_an_outage_waits_for_its_turn(hospital: Hospital, quick: None) -> None:
    await visits(hospital)
    asked = await start(hospital)
    await away(hospital)
    await hear(hospital, OutageReported)
    await run_due(worker(hospital), [each for each in jobs.JOBS if each.name == repairing.PROPOSE])
    assert [each.id for each in await listed(hospital)] == [asked.id]
    await work_off(hospital)
    hospital.here.clock.advance(seconds=6)
    await work_off(hospital)
    assert [(each.cause, each.state) for each in await listed(hospital)] == [("outage", "proposed"), ("asked", "proposed")]


async def test_an_outage_that_is_over_makes_its_plan_given_up_and_another_one_is_planned_for(hospital: Hospital, quick: None) -> None:
    await visits(hospital)
    await hospital.book(TOMORROW + HALF_HOUR, patient=2, physician=1)
    first = await away(hospital)
    closed = ReportOutage(schedule_id=hospital.physician(1), start=TOMORROW, end=TOMORROW + HOUR)
    second = await outages.report_outage(hospital.desk(), closed)
    await hear(hospital, OutageReported)
    await run_due(worker(hospital), [each for each in jobs.JOBS if each.name == repairing.PROPOSE])
    ((state, outage_id),) = [(each.state, each.outage_id) for each in await listed(hospital)]
    assert state == "searching"
    ended, left = (first, second) if outage_id == first.id else (second, first)
    await outages.end_outage(hospital.desk(), ended.id)
    await hear(hospital, OutageEnded)
    await work_off(hospital)
    assert [(each.state, each.outage_id) for each in await listed(hospital)] == [("proposed", left.id), ("given-up", ended.id)]


async def test_within_its_limits_a_site_has_moves_made_by_themselves(hospital: Hospital, quick: None) -> None:
    await visits(hospital, 3)
    await rule(hospital, moves_most=2, minutes_most=60)
    await away(hospital)
    await hear(hospital, OutageReported)
    await work_off(hospital)
    (kept,) = await listed(hospital)
    assert (kept.state, kept.moves, kept.moved, kept.refused) == ("accepted", 3, 2, 0)
    found = await read(hospital, kept)
    assert {(each.outcome, each.by_itself) for each in found.made} == {("moved", True)}
    told = [each.appointment_id for each in await facts_of(hospital.desk()) if isinstance(each, AppointmentRescheduled)]
    assert sorted(told) == sorted(each.appointment_id for each in found.made), "patients hear of it as of any other move"
    whole = await accept(hospital, kept)
    assert (whole.moved, sum(each.by_itself for each in whole.made)) == (3, 2), "the rest waited for a person"
    await hospital.ensure_sound()


def a_move(minutes: int = 30, **more: Any) -> PlannedMove:
    move = PlannedMove(
        appointment_id=uuid4(), version=1, visit_type_name="Visit", urgency="P2", booked_start=TOMORROW, start=TOMORROW, end=TOMORROW,
        actor_ids=(), reason="cannot-take-place",
    )  # fmt: skip
    return replace(move, start=TOMORROW + timedelta(minutes=minutes), **more)


def test_only_small_moves_of_visits_that_cannot_take_place_are_made_by_themselves_the_soonest_first() -> None:
    rules = PlanningRules(site_id=UUID(int=1), accepts=True, moves_most=2, minutes_most=60)
    small, earlier, last = a_move(60), a_move(-60), a_move(30, booked_start=TOMORROW + HALF_HOUR)
    large = a_move(65), a_move(-65), a_move(urgency="P0"), a_move(reason="makes-room")
    assert repairing.within(rules, (*large, last, small, earlier)) == [small, earlier]
    assert repairing.within(rules, (*large, last)) == [last]
    assert repairing.within(replace(rules, accepts=False), (small,)) == []


async def test_what_a_site_weighs_decides_its_plans(hospital: Hospital) -> None:
    """Two visits of one physician with a quarter of an hour between them: to move one closes the gap."""
    site_id, asked = hospital.world.city.id, PlanDay(site_id=hospital.world.city.id, from_at=TOMORROW - HOUR, seconds=0.2)
    await hospital.book()
    await hospital.book(TOMORROW + timedelta(minutes=45), patient=1)
    assert (await plan.plan_day(hospital.desk(), asked)).moves == ()
    weights = PlanningWeights(move=0.0, split=30.0)
    await rule(hospital, weights=weights)
    assert (await plans.get_planning_rules(hospital.desk(), GetPlanningRules(site_id=site_id))).weights == weights
    assert (await plan.plan_day(hospital.desk(), asked)).moves != ()
    with pytest.raises(BadInput) as refused:
        await rule(hospital, weights=PlanningWeights(move=40.0, drop=60.0))
    assert refused.value.facts["parameter"] == "weights.drop"


async def test_the_rules_of_a_site_are_read_and_set_by_whoever_runs_it(hospital: Hospital) -> None:
    site_id = hospital.world.city.id
    usual = PlanningRules(site_id=site_id, proposes=True, accepts=False, moves_most=10, minutes_most=60)
    assert await plans.get_planning_rules(hospital.desk(), GetPlanningRules(site_id=site_id)) == usual
    made = await rule(hospital, moves_most=3)
    assert made == replace(usual, accepts=True, moves_most=3)
    assert await plans.get_planning_rules(hospital.desk(), GetPlanningRules(site_id=site_id)) == made
    operations = hospital.here.acting("operations", hospital.world)
    with pytest.raises(UnknownSite):
        await plans.get_planning_rules(operations, GetPlanningRules(site_id=uuid4()))
    command = SetPlanningRules(site_id=uuid4(), proposes=True, accepts=False, moves_most=1, minutes_most=5)
    with pytest.raises(UnknownSite):
        await plans.set_planning_rules(operations, command)
    with pytest.raises(Forbidden):
        await plans.set_planning_rules(hospital.desk(), replace(command, site_id=site_id))
    elsewhere = hospital.here.acting("operations", hospital.world, site_ids=(hospital.world.village.id,))
    with pytest.raises(Forbidden):
        await plans.set_planning_rules(elsewhere, replace(command, site_id=site_id))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(command) | {"moves_most": 101}, SetPlanningRules)
