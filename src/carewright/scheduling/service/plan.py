"""A better plan for a site's day, searched for; and the moves of a plan, made as bookings are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Literal
from uuid import UUID

import numpy as np
from msgspec.structs import asdict
from msgspec.structs import replace as replace_in

from carewright.contracts.links import WouldBreakLink
from carewright.contracts.planner import DayPlan, PlanDay, PlanFigures, PlannedMove
from carewright.contracts.scheduling import Appointment, CalendarMoved, PatientBusy, PickedTime, RescheduleAppointment, TimeNotFree
from carewright.kernel.apart import Heard, Limits, RanOut, reckon, wanted
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.engines.apart import Answer, plan_apart, question_of
from carewright.scheduling.model.links import Lying
from carewright.scheduling.model.moves import breaking, together
from carewright.scheduling.model.planning import Plan, value_of
from carewright.scheduling.model.posing import UNIT, Placed, Posed, Weights, pose
from carewright.scheduling.model.rings import Going, ring_of
from carewright.scheduling.service.change import get_appointment, reschedule_appointment
from carewright.scheduling.service.day import Day, read_day
from carewright.scheduling.service.exchange import exchange
from carewright.scheduling.service.what_if import suppose, supposed_of
from carewright.scheduling.service.words import fallen, reasons_of
from carewright.scheduling.store import links
from carewright.scheduling.store import plans as store

LIMITS = Limits(cpu_seconds=240, seconds=120, mebibytes=4_096)
"""Beside the time that was asked for. Half a minute of it goes into compiling, the first time on a machine."""
CHAINS = 2
WHY_SECONDS = 3
"""For the reasons of all who have no place."""
LOST = (TimeNotFree, PatientBusy, CalendarMoved)
Outcome = Refusal | Literal[True]
"""Why a move was refused, or that it was made."""


async def plan_day(ctx: SchedulingContext, query: PlanDay, heard: Heard = wanted) -> DayPlan:
    """A better plan for a site, looked for in a process of its own. Nothing is changed.

    Raises `UnknownSite`, `BadInput`, and `RanOut`, also where `heard` says that it is wanted no more.
    """
    day, weights = await read_day(ctx, query), await _weights(ctx, query.site_id)
    if query.what_if is None:
        return await _planned(ctx, query, day, weights, heard)
    posed = _posed(ctx, day, weights)
    really = _figures(posed, posed.booked())
    suppose(day, query.what_if, query.seed)
    return await _planned(ctx, query, day, weights, heard, really)


async def _planned(
    ctx: SchedulingContext, query: PlanDay, day: Day, weights: Weights, heard: Heard, really: PlanFigures | None = None
) -> DayPlan:
    """`really`: what the day comes to as it is, where something is supposed."""
    posed = _posed(ctx, day, weights)
    before = posed.booked()
    answer = await _searched(posed, before, query, heard)
    told = _told(day, posed, before, answer)
    return told if really is None else replace_in(told, supposed=supposed_of(day, posed, answer, really))


def _posed(ctx: SchedulingContext, day: Day, weights: Weights) -> Posed:
    return pose(day.visits, day.free(), day.ticks, weights, day.tick_of(ctx.clock.now()), day.ties())


async def _weights(ctx: SchedulingContext, site_id: UUID) -> Weights:
    """Those of the site."""
    rules = await store.rules_of(ctx.db, ctx.actor.organization_id, site_id)
    return Weights(**asdict(rules.weights)) if rules else Weights()


async def accept_moves(ctx: SchedulingContext, moves: Iterable[PlannedMove]) -> dict[UUID, Outcome]:
    """Make moves of a plan, each re-checked and booked as any other; one that goes where another of them is waits for it.

    Those that wait for each other in a ring, or are linked and cannot go one by one, are moved together, or none of them. One that cannot
    be made any more is refused, and so is one that would break a link; the rest stands. What is where it was to go was made, whoever did
    it: to ask again changes nothing.
    """
    made: dict[UUID, Outcome] = {}
    left: dict[UUID, Going] = {}
    for each in moves:
        try:
            left[each.appointment_id] = Going(each, await get_appointment(ctx, each.appointment_id))
        except Refusal as refusal:
            made[each.appointment_id] = refusal
    groups, refused = await _linked(ctx, left)
    made |= refused
    left = {id_: each for id_, each in left.items() if id_ not in refused}
    while left:
        ended = {id_: end for ids in groups if ids <= left.keys() and (end := await _tried(ctx, [left[id_] for id_ in ids])) for id_ in ids}
        if not ended:
            ended = await _rung(ctx, left, groups)
        if not ended:
            break
        made |= ended
        left = {id_: each for id_, each in left.items() if id_ not in ended}
    return made | dict.fromkeys(left, TimeNotFree())


async def _linked(ctx: SchedulingContext, going: Mapping[UUID, Going]) -> tuple[list[frozenset[UUID]], dict[UUID, Refusal]]:
    """Who is moved with whom, and who is not, since that would break a link."""
    to = {id_: Lying(each.move.start, each.move.start + (each.now.end - each.now.start)) for id_, each in going.items()}
    bonds = await links.bonds_of(ctx.db, ctx.actor.organization_id, list(to))
    refused: dict[UUID, Refusal] = {id_: WouldBreakLink(link_id=str(link_id)) for id_, link_id in breaking(to, bonds).items()}
    return together({id_: each for id_, each in to.items() if id_ not in refused}, bonds), refused


async def _tried(ctx: SchedulingContext, going: Sequence[Going]) -> Outcome | None:
    """Whether they were made, or are refused for good; None where the time is not free yet."""
    try:
        if len(going) > 1:
            await exchange(_by_itself(ctx), [_command(each) for each in going])
        else:
            await reschedule_appointment(_by_itself(ctx), _command(going[0]))
    except LOST:
        return None
    except PreconditionFailed as refusal:
        are_there = [_is_there(each.move, await get_appointment(ctx, each.id)) for each in going]
        return True if all(are_there) else refusal
    except Refusal as refusal:
        return refusal
    return True


def _is_there(move: PlannedMove, one: Appointment) -> bool:
    """Whether an appointment is where it was to go."""
    served_by = {each.actor_id for each in one.participants if each.kind != "patient"}
    return (one.start, served_by) == (move.start, set(move.actor_ids))


async def _rung(ctx: SchedulingContext, left: Mapping[UUID, Going], groups: Sequence[frozenset[UUID]]) -> dict[UUID, Outcome]:
    """The first ring of those that wait for each other, moved together. Nobody, where there is none that can be."""
    tried: set[UUID] = set()
    for id_, one in left.items():
        ring = ring_of(one, left.values(), groups) if id_ not in tried else set()
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


async def _searched(posed: Posed, before: Plan, query: PlanDay, heard: Heard) -> Answer:
    question = question_of(posed.problem, before, seconds=query.seconds, seed=query.seed, chains=CHAINS, why_seconds=WHY_SECONDS)
    limits = replace(
        LIMITS, cpu_seconds=LIMITS.cpu_seconds + ceil(CHAINS * query.seconds), seconds=LIMITS.seconds + ceil(query.seconds)
    )  # fmt: skip
    answer = await reckon(plan_apart, question, Answer, limits, heard)
    if answer is None:
        raise RanOut("Unwanted")
    return answer


def _told(day: Day, posed: Posed, before: Plan, answer: Answer) -> DayPlan:
    instant = day.calendars.index.horizon.instant_of
    placed = posed.placements(answer.plan)[: len(day.appointments)]
    return DayPlan(
        site_id=day.site_id, from_at=instant(day.first), until_at=instant(day.end), visits=len(day.appointments), fixed=len(day.fixed),
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
