"""A day planned from the command line: `carewright plan`. Works whether or not a server runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import Directory
from carewright.contracts.planner import (
    EMERGENCIES_MAX,
    AcceptPlan,
    DayPlan,
    Emergencies,
    GiveUpPlan,
    KeptPlan,
    MoveMade,
    PlanDay,
    PlanNotOpen,
    Supposed,
    WhatIf,
    Without,
)
from carewright.contracts.scheduling import Scheduling, UnknownSite
from carewright.kernel.authz import Actor
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import System, running
from carewright.roles.registry import MODULES
from carewright.scheduling.engines.warm import is_warm
from carewright.scheduling.service.searching import search_plan

NEEDED = ("access", "directory", "patients", "scheduling")
REASONS = {"cannot-take-place": "cannot take place as booked", "makes-room": "makes room for others"}
FAULTS = {
    "too-long": "Nothing was found with the time and memory that there are. Plan fewer hours.",
    "broken": "The search broke. Look into the log of the server, and try again.",
    "cut-off": "Whoever searched went away, several times. Try again.",
}
COMPILES = "The planner is compiled for the first time on this machine, which takes half a minute."
LOOK_SECONDS = 0.5
Accepts = tuple[UUID, ...] | Literal["all"] | None
"""Which moves are to be made: those of these appointments, all, or none."""


@dataclass(frozen=True, slots=True)
class Suppose:
    """What is supposed of the day: who is not there, between which hours of the site's clock, and how many emergencies of a kind come."""

    without: tuple[UUID, ...] = ()
    since: time | None = None
    until: time | None = None
    emergencies: int = 0
    visit_type_id: UUID | None = None

    def on(self, day: date, zone: ZoneInfo) -> WhatIf | None:
        """None where nothing is. Raises `StartFailed` for emergencies of no kind, and too many."""
        if not 0 <= self.emergencies <= EMERGENCIES_MAX:
            raise StartFailed(f"Up to {EMERGENCIES_MAX} emergencies can be supposed.")
        if self.emergencies and self.visit_type_id is None:
            raise StartFailed("Say --type, too: as which kind of visit the emergencies come.")
        since, until = (datetime.combine(day, each, zone) if each else None for each in (self.since, self.until))
        without = tuple(Without(actor_id=each, from_at=since, until_at=until) for each in self.without)
        kind = self.visit_type_id
        emergencies = (Emergencies(visit_type_id=kind, count=self.emergencies),) if kind and self.emergencies else ()
        return WhatIf(without=without, emergencies=emergencies) if without or emergencies else None


NOTHING = Suppose()


async def planned(  # what the command line says
    sections: Mapping[str, Any], organization_id: UUID, site_id: UUID, day: date | None, seconds: float, accepts: Accepts,
    suppose: Suppose = NOTHING,
) -> AsyncIterator[str]:  # fmt: skip
    """What there is to say of a site's day, line by line: how far the search is, the proposal, and what became of its moves.

    Without a day, from now on for 24 hours. Whoever stops it gives the search up. Raises `StartFailed` for an unknown site, and for a
    search that failed.
    """
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        actor = system.tokens.actor("scheduler", "command-line", organization_id)
        sites = (await system.offer(Directory).find_sites(actor)).items
        zone = ZoneInfo(next((each.time_zone for each in sites if each.id == site_id and each.time_zone), "UTC"))
        scheduling: Scheduling = system.offer(Scheduling)
        start = datetime.combine(day, time(), zone) if day else None
        what_if = suppose.on(day or system.context("scheduling").clock.now().astimezone(zone).date(), zone)
        if what_if is not None and accepts:
            raise StartFailed("What is supposed cannot be accepted. Leave out --accept.")
        try:
            kept = await scheduling.start_plan(actor, PlanDay(site_id=site_id, from_at=start, seconds=seconds, what_if=what_if))
        except UnknownSite as fault:
            known = "; ".join(f"{each.id} {each.name}" for each in sites)
            raise StartFailed(f"There is no such site. These are known: {known}.") from fault
        if not is_warm():
            yield COMPILES
        async for said in _followed(system, actor, kept):
            yield said
        kept = await scheduling.get_plan(actor, kept.id)
        plan = kept.plan
        if plan is None:
            raise StartFailed(FAULTS[kept.fault] if kept.fault else "The search was given up.")
        if accepts and plan.moves:
            named = None if accepts == "all" else accepts
            kept = await scheduling.accept_plan(actor, AcceptPlan(plan_id=kept.id, appointment_ids=named))
    for line in _lines(kept, plan, zone):
        yield line


async def _followed(system: System, actor: Actor, kept: KeptPlan) -> AsyncIterator[str]:
    """How far the search is, until it ends. It is made here, unless a server was faster; who stops following gives it up."""
    scheduling: Scheduling = system.offer(Scheduling)
    ctx = system.context("scheduling")
    search = asyncio.create_task(search_plan(ctx.working_in(actor.organization_id), kept.id))
    said = 0
    try:
        while kept.state == "searching":
            await asyncio.sleep(LOOK_SECONDS)
            kept = await scheduling.get_plan(actor, kept.id)
            if kept.percent != said and kept.worth_minutes is not None:
                said = kept.percent
                yield f"{said} % of the time; the best plan so far is worth {kept.worth_minutes:,.0f}."
    except asyncio.CancelledError:
        with suppress(PlanNotOpen):
            await scheduling.give_up_plan(actor, GiveUpPlan(plan_id=kept.id))
        raise
    finally:
        search.cancel()
        with suppress(asyncio.CancelledError):
            await search


def _lines(kept: KeptPlan, plan: DayPlan, zone: ZoneInfo) -> Iterator[str]:
    booked, proposed = plan.booked, plan.proposed
    yield f"{plan.visits} appointments may move, {plan.fixed} may not. Planned by the engine “{plan.engine}” in {plan.steps:,} steps."
    yield from (each.text for each in plan.fell_back)
    if plan.supposed is not None:
        yield from _supposed(plan.supposed, zone)
    yield f"As booked: {booked.placed} can take place, {booked.care_minutes} minutes of care, worth {booked.worth_minutes:,.0f}."
    yield f"Proposed:  {proposed.placed} can take place, {proposed.care_minutes} minutes of care, worth {proposed.worth_minutes:,.0f}."
    if plan.gap_percent is not None:
        yield f"No plan is worth more than {plan.worth_minutes_max:,.0f}: this one is {plan.gap_percent} % below it at most."
    became = {each.appointment_id: _became(each) for each in kept.made}
    for each in plan.moves:
        was, will = (instant.astimezone(zone).strftime("%H:%M") for instant in (each.booked_start, each.start))
        yield f"{each.appointment_id} {each.urgency} {was} to {will}: {REASONS[each.reason]}{became.get(each.appointment_id, '')}"
    yield from _left_out(plan)
    if plan.supposed is not None:
        yield "This is what would be. Nothing was changed, and nothing of it can be accepted."
    elif not plan.moves:
        yield "Nobody needs to move."
    elif not kept.made:
        yield f"Nothing was changed. The plan is kept as {kept.id}. Say --accept to make these moves, each as far as it can still be made."


def _supposed(supposed: Supposed, zone: ZoneInfo) -> Iterator[str]:
    """The day as it is, and what became of the emergencies."""
    yield f"As it is:  {supposed.really.placed} can take place, {supposed.really.care_minutes} minutes of care."
    for each in supposed.emergencies:
        came, seen = (moment.astimezone(zone).strftime("%H:%M") if moment else None for moment in (each.came_at, each.start))
        yield f"An emergency at {came}, {each.visit_type_name}: " + (f"seen at {seen}." if seen else "it has no place.")
        yield from (f"    {text}" for text in each.texts)
    yield from (f"{one} could not take place, and may not be moved." for one in supposed.hit_ids)


def _left_out(plan: DayPlan) -> Iterator[str]:
    """Who has no place, and why as far as that was looked into."""
    why = {each.appointment_id: each for each in plan.reasons}
    for one in plan.without_place:
        yield f"{one} has no place."
        if one in why:
            yield from (f"    {text}" for text in why[one].texts)
    if len(why) < len(plan.without_place):
        yield f"Why was looked into for {len(why)} of {len(plan.without_place)}."


def _became(made: MoveMade) -> str:
    return f"  {made.outcome}{f' ({made.code})' if made.code else ''}"
