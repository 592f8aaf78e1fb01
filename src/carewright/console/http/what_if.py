"""What would be if: a site's day planned as if somebody or something were not there, or emergencies came on top. Only a question."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http import plans
from carewright.console.http.disruptions import KINDS
from carewright.console.http.page import Ask, number
from carewright.console.http.sites import site_of
from carewright.contracts.directory import FindServices
from carewright.contracts.planner import EMERGENCIES_MAX, DayPlan, Emergencies, PlanRuns, WhatIf, Without
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import UnknownSchedule, UnknownVisitType
from carewright.kernel.errors import BadInput

WHAT_IF = f"{plans.PLANS}/what-if"
SCHEDULES_MAX, SERVICES_MAX = 1_000, 200
UNCLEAR = f"Choose who or what is not there, or how many emergencies of which kind come, {EMERGENCIES_MAX} at most."


class Choice(NamedTuple):
    """Somebody, something or a kind of visit to choose. `group` is what a list has it under."""

    id: UUID
    name: str
    group: str


class Emergency(NamedTuple):
    """An emergency that is supposed: what it is, when it comes, and when it is seen or why it is not."""

    words: str
    why: Sequence[str]


async def show_what_if(ask: Ask) -> Response:
    """What can be supposed of a site's day."""
    return await _shown(ask, ask.request.query_params.get("place", ""))


async def start(ask: Ask) -> Response:
    """Begin to search for what would be."""
    place = ask.form.get("place", "")
    site = await site_of(ask, place)
    try:
        supposed = msgspec.convert(msgspec.to_builtins(_supposed(ask)), WhatIf)
    except (msgspec.ValidationError, ValueError):
        return await _shown(ask, place, 422, UNCLEAR)
    what = ask.form.get("what", "")
    if what not in plans.WHAT or not (supposed.without or supposed.emergencies):
        return await _shown(ask, place, 422, UNCLEAR)
    asked = plans.asked(site, what, "quick", ask.ctx.clock.now())
    try:
        kept = await ask.ctx.scheduling.start_plan(ask.ctx.actor, msgspec.structs.replace(asked, what_if=supposed), ask.key)
    except (PlanRuns, BadInput, UnknownSchedule, UnknownVisitType) as refusal:
        return await _shown(ask, place, refusal.status, refusal.detail)
    return ask.go(f"{plans.PLANS}/{kept.id}")


def emergencies(plan: DayPlan, zone: ZoneInfo) -> list[Emergency]:
    """Those that a plan supposes, in words, by when they come."""
    found = sorted(plan.supposed.emergencies, key=lambda each: each.came_at) if plan.supposed else []
    return [
        Emergency(
            f"{each.visit_type_name}, comes at {each.came_at.astimezone(zone):%H:%M}, "
            + (f"seen at {each.start.astimezone(zone):%H:%M}" if each.start else "has no place"),
            each.texts,
        )
        for each in found
    ]


def said(supposed: WhatIf, names: dict[UUID, str]) -> str:
    """What is supposed, in a sentence."""
    away = [f"{names.get(each.actor_id, 'Somebody')} is not there" for each in supposed.without]
    come = [f"{each.count} {'emergency comes' if each.count == 1 else 'emergencies come'} on top" for each in supposed.emergencies]
    return ", and ".join([*away, *come])


def _supposed(ask: Ask) -> WhatIf:
    """What the form supposes. Raises `ValueError` for what is no id."""
    actor, kind, count = ask.form.get("without", ""), ask.form.get("kind", ""), ask.form.get("emergencies", "")
    without = (Without(actor_id=UUID(actor)),) if actor else ()
    come = (Emergencies(visit_type_id=UUID(kind), count=number(count)),) if kind or number(count) else ()
    return WhatIf(without=without, emergencies=come)


async def _shown(ask: Ask, place: str, status: int = 200, error: str = "") -> Response:
    site = await site_of(ask, place)
    queries = [ListSchedules(site_ids=(site.id,), kinds=(kind,), limit=SCHEDULES_MAX) for kind in KINDS]  # a thousand beds hide nobody else
    actors = [each for query in queries for each in (await ask.ctx.scheduling.list_schedules(ask.ctx.actor, query)).items]
    services = (await ask.ctx.directory.find_services(ask.ctx.actor, FindServices(site_id=site.id, limit=SERVICES_MAX))).items
    kinds = [Choice(kind.id, kind.name, each.service.name) for each in services for kind in each.visit_types if kind.active]
    return ask.show(
        "what_if.html", status, site=site, error=error, what=plans.WHAT, most=EMERGENCIES_MAX, form=ask.form, kinds=kinds,
        actors=_sorted(Choice(each.id, each.display, KINDS[each.kind]) for each in actors),
    )  # fmt: skip


def _sorted(choices: Iterable[Choice]) -> list[Choice]:
    order = list(KINDS.values())
    return sorted(choices, key=lambda each: (order.index(each.group), each.name))
