"""Use cases of planning: a better plan for a site's day, proposed; and the moves of a proposal, made as bookings are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal
from uuid import UUID

import numpy as np

from carewright.contracts.planner import (
    AcceptMoves,
    DayPlan,
    MoveMade,
    MovesMade,
    PlanDay,
    PlanFigures,
    PlannedMove,
)
from carewright.contracts.scheduling import CalendarMoved, PatientBusy, PickedTime, RescheduleAppointment, TimeNotFree
from carewright.kernel.apart import Limits, RanOut, reckon
from carewright.kernel.errors import Refusal, Unavailable
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.engines.apart import Answer, plan_apart, question_of
from carewright.scheduling.model.planning import Plan, value_of
from carewright.scheduling.model.posing import UNIT, Placed, Posed, Weights, pose
from carewright.scheduling.model.rings import Going, ring_of
from carewright.scheduling.service.change import get_appointment, reschedule_appointment
from carewright.scheduling.service.day import Day, read_day
from carewright.scheduling.service.exchange import exchange
from carewright.scheduling.service.words import fallen, reasons_of

MAKE = "scheduling.plan.make"
LIMITS = Limits(cpu_seconds=240, seconds=120, mebibytes=4_096)
"""Of which half a minute goes into compiling, the first time on a machine."""
CHAINS = 2
WHY_SECONDS = 3
"""For the reasons of all who have no place."""
NOT_FOUND = "No plan was found with the time and memory that there are. Nothing was changed. Please try again, with fewer hours."
LOST = (TimeNotFree, PatientBusy, CalendarMoved)


async def plan_day(ctx: SchedulingContext, query: PlanDay) -> DayPlan:
    """A better plan for a site, looked for in a process of its own. Nothing is changed. Raises `UnknownSite`, `Unavailable`."""
    ctx.actor.require(MAKE)
    ctx.require_site(query.site_id)
    day = await read_day(ctx, query)
    posed = pose(day.visits, day.free(), day.ticks, Weights(), day.tick_of(ctx.clock.now()))
    before = posed.booked()
    return _told(day, posed, before, await _searched(posed, before, query))


async def accept_moves(ctx: SchedulingContext, command: AcceptMoves) -> MovesMade:
    """Make moves of a proposal, each re-checked and booked as any other; one that goes where another of them is waits for it.

    Those that wait for each other in a ring are moved together, or none of them. One that cannot be made any more is refused, and the
    rest stands. Made already, a move is refused by its version, and changes nothing. Raises `UnknownAppointment` before anything is moved.
    """
    ctx.actor.require(MAKE)
    left = {each.appointment_id: Going(each, await get_appointment(ctx, each.appointment_id)) for each in command.moves}
    made: dict[UUID, Refusal | None] = {}
    while left:
        ended = {id_: end for id_, each in left.items() if (end := await _tried(ctx, each)) is not None}
        if not ended:
            ended = await _rung(ctx, left)
        if not ended:
            break
        made |= {id_: None if end is True else end for id_, end in ended.items()}
        left = {id_: each for id_, each in left.items() if id_ not in ended}
    made |= dict.fromkeys(left, TimeNotFree())
    return MovesMade(items=tuple(_outcome(each.appointment_id, made[each.appointment_id]) for each in command.moves))


async def _tried(ctx: SchedulingContext, going: Going) -> Refusal | Literal[True] | None:
    """Whether it was made, or is refused for good; None where the time is not free yet."""
    try:
        await reschedule_appointment(_by_itself(ctx), _command(going))
    except LOST:
        return None
    except Refusal as refusal:
        return refusal
    return True


async def _rung(ctx: SchedulingContext, left: Mapping[UUID, Going]) -> dict[UUID, Refusal | Literal[True]]:
    """The first ring of those that wait for each other, moved together. Nobody, where there is none that can be."""
    tried: set[UUID] = set()
    for id_, one in left.items():
        ring = ring_of(one, left.values()) if id_ not in tried else set()
        if len(ring) > 1:
            tried |= ring
            try:
                await exchange(_by_itself(ctx), [_command(left[each]) for each in ring])
            except LOST:
                continue
            except Refusal as refusal:
                return dict.fromkeys(ring, refusal)
            return dict.fromkeys(ring, True)
    return {}


def _by_itself(ctx: SchedulingContext) -> SchedulingContext:
    """A move has no key of its own: its version says whether it was made."""
    return replace(ctx, once=None)


def _command(going: Going) -> RescheduleAppointment:
    move, one = going
    time = PickedTime(
        visit_type_id=one.visit_type_id, site_id=one.site_id, start=move.start, actor_ids=move.actor_ids, urgency=one.urgency
    )  # fmt: skip
    return RescheduleAppointment(appointment_id=one.id, time=time, expected_version=move.version)


def _outcome(id_: UUID, refusal: Refusal | None) -> MoveMade:
    if refusal is None:
        return MoveMade(appointment_id=id_, outcome="moved")
    return MoveMade(appointment_id=id_, outcome="refused", code=refusal.code)


async def _searched(posed: Posed, before: Plan, query: PlanDay) -> Answer:
    question = question_of(posed.problem, before, seconds=query.seconds, seed=query.seed, chains=CHAINS, why_seconds=WHY_SECONDS)
    try:
        answer = await reckon(plan_apart, question, Answer, LIMITS)
    except RanOut as fault:
        raise Unavailable(NOT_FOUND) from fault
    if answer is None:
        raise Unavailable(NOT_FOUND)
    return answer


def _told(day: Day, posed: Posed, before: Plan, answer: Answer) -> DayPlan:
    instant = day.calendars.index.horizon.instant_of
    placed = posed.placements(answer.plan)
    return DayPlan(
        site_id=day.site_id, from_at=instant(day.first), until_at=instant(day.end), visits=len(day.visits), fixed=len(day.fixed),
        booked=_figures(posed, before), proposed=_figures(posed, answer.plan), moves=tuple(_moves(day, before, placed)),
        without_place=tuple(one.id for one, to in zip(day.appointments, placed, strict=True) if to is None),
        reasons=reasons_of(day, posed, answer.why), engine=answer.engine, steps=answer.steps,
        worth_minutes_max=None if answer.bound is None or answer.gap is None else round(answer.bound.rest / UNIT, 1),
        gap_percent=None if answer.gap is None else round(100 * answer.gap, 2), fell_back=fallen(answer.fell),
    )  # fmt: skip


def _moves(day: Day, before: Plan, placed: Iterable[Placed | None]) -> Iterator[PlannedMove]:
    for number, to in enumerate(placed):
        one, visit = day.appointments[number], day.visits[number]
        if to is not None and (to.start, to.served_by) != (visit.booked, visit.served_by):
            start = day.start_at(number, to.start)
            yield PlannedMove(
                appointment_id=one.id, version=one.version, visit_type_name=one.visit_type_name, urgency=one.urgency,
                booked_start=one.start, start=start, end=start + (one.end - one.start), actor_ids=day.actors_of(to),
                reason="makes-room" if before.start[number] >= 0 else "cannot-take-place",
            )  # fmt: skip


def _figures(posed: Posed, plan: Plan) -> PlanFigures:
    urgent, rest = value_of(posed.problem, plan)
    placed = np.flatnonzero(plan.start >= 0).tolist()
    minutes = sum(posed.visits[number].minutes for number in placed)
    return PlanFigures(placed=len(placed), emergencies=urgent, care_minutes=minutes, worth_minutes=round(rest / UNIT, 1))
