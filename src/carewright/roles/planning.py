"""A day planned from the command line: `carewright plan`. Works whether or not a server runs."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import Directory
from carewright.contracts.planner import AcceptedMove, AcceptMoves, DayPlan, MovesMade, PlanDay, PlannedMove
from carewright.contracts.scheduling import Scheduling, UnknownSite
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling")
REASONS = {"cannot-take-place": "cannot take place as booked", "makes-room": "makes room for others"}


async def planned(
    sections: Mapping[str, Any], organization_id: UUID, site_id: UUID, day: date | None, seconds: float, *, accepts: bool
) -> Iterator[str]:
    """What there is to say of a site's day, line by line; with what became of the moves, where they are to be made.

    Without a day, from now on for 24 hours. Raises `StartFailed` for an unknown site.
    """
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        actor = system.tokens.actor("scheduler", "command-line", organization_id)
        sites = (await system.offer(Directory).find_sites(actor)).items
        zone = ZoneInfo(next((each.time_zone for each in sites if each.id == site_id and each.time_zone), "UTC"))
        start = datetime.combine(day, time(), zone) if day else None
        scheduling = system.offer(Scheduling)
        try:
            plan = await scheduling.plan_day(actor, PlanDay(site_id=site_id, from_at=start, seconds=seconds))
        except UnknownSite as fault:
            known = "; ".join(f"{each.id} {each.name}" for each in sites)
            raise StartFailed(f"There is no such site. These are known: {known}.") from fault
        made = None
        if accepts and plan.moves:
            made = await scheduling.accept_moves(actor, AcceptMoves(moves=tuple(map(_accepted, plan.moves))))
    return _lines(plan, zone, made)


def _accepted(move: PlannedMove) -> AcceptedMove:
    return AcceptedMove(appointment_id=move.appointment_id, version=move.version, start=move.start, actor_ids=move.actor_ids)


def _lines(plan: DayPlan, zone: ZoneInfo, made: MovesMade | None) -> Iterator[str]:
    booked, proposed = plan.booked, plan.proposed
    yield f"{plan.visits} appointments may move, {plan.fixed} may not. Planned by the engine “{plan.engine}” in {plan.steps:,} steps."
    yield from (each.text for each in plan.fell_back)
    yield f"As booked: {booked.placed} can take place, {booked.care_minutes} minutes of care, worth {booked.worth_minutes:,.0f}."
    yield f"Proposed:  {proposed.placed} can take place, {proposed.care_minutes} minutes of care, worth {proposed.worth_minutes:,.0f}."
    if plan.gap_percent is not None:
        yield f"No plan is worth more than {plan.worth_minutes_max:,.0f}: this one is {plan.gap_percent} % below it at most."
    became = {each.appointment_id: f"  {each.outcome}{f' ({each.code})' if each.code else ''}" for each in made.items} if made else {}
    for each in plan.moves:
        was, will = (instant.astimezone(zone).strftime("%H:%M") for instant in (each.booked_start, each.start))
        yield f"{each.appointment_id} {each.urgency} {was} to {will}: {REASONS[each.reason]}{became.get(each.appointment_id, '')}"
    yield from _left_out(plan)
    if not plan.moves:
        yield "Nobody needs to move."
    elif made is None:
        yield "Nothing was changed. Say --accept to make these moves, each as far as it can still be made."


def _left_out(plan: DayPlan) -> Iterator[str]:
    """Who has no place, and why as far as that was looked into."""
    why = {each.appointment_id: each for each in plan.reasons}
    for one in plan.without_place:
        yield f"{one} has no place."
        if one in why:
            yield from (f"    {text}" for text in why[one].texts)
    if len(why) < len(plan.without_place):
        yield f"Why was looked into for {len(why)} of {len(plan.without_place)}."
