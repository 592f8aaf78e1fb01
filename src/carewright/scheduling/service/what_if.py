"""“What if”: a day as it would be without somebody, or with emergencies on top. It is looked at, and nothing of it is ever made."""

from datetime import datetime

import numpy as np

from carewright.contracts.planner import PlanDay, PlanFigures, Supposed, SupposedEmergency, WhatIf, Without
from carewright.contracts.scheduling import UnknownSchedule
from carewright.kernel.errors import BadInput
from carewright.scheduling.engines.apart import Answer
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.posing import Posed
from carewright.scheduling.service.day import Day, span_of
from carewright.scheduling.service.picking import visit_kind, visit_site
from carewright.scheduling.service.words import texts_of


def ensure_supposable(calendars: Calendars, query: PlanDay, now: datetime) -> None:
    """Raise `UnknownSchedule` or `UnknownVisitType` for what is not known at the site, `BadInput` for a time that is not planned."""
    first, end = span_of(calendars, query, now)
    start, until = (calendars.index.horizon.instant_of(each) for each in (first, end))
    supposed = query.what_if or WhatIf()
    for each in supposed.without:
        known = calendars.bookables.get(each.actor_id)
        if known is None or query.site_id not in known.site_ids:
            raise UnknownSchedule(schedule_id=str(each.actor_id))
        if max(each.from_at or start, start) >= min(each.until_at or until, until):
            raise BadInput("That time is not planned, or ends before it begins.", parameter="what_if.without")
    for some in supposed.emergencies:
        visit_site(calendars, visit_kind(calendars, some.visit_type_id), query.site_id)
        if some.at is not None and not start <= some.at < until:
            raise BadInput("That time is not planned.", parameter="what_if.emergencies")


def suppose(day: Day, what_if: WhatIf, seed: int) -> None:
    """Have the day be so. Emergencies come in order of time."""
    for each in what_if.without:
        day.lose(each.actor_id, *_span(day, each))
    rng, first = np.random.default_rng(seed), day.first - day.base
    for some in what_if.emergencies:
        come = np.full(some.count, day.tick_of(some.at)) if some.at is not None else rng.integers(first, day.ticks, some.count)
        for tick in np.sort(come).tolist():
            day.add(some.visit_type_id, max(first, tick))


def supposed_of(day: Day, posed: Posed, answer: Answer, really: PlanFigures) -> Supposed:
    """What became of it: of the emergencies, and of whom it hits besides those who are planned."""
    why = {each.visit: each for each in answer.why}
    supposed = range(len(day.appointments), len(day.visits))
    seen = {number: day.start_at(number, int(answer.plan.start[number])) for number in supposed if answer.plan.start[number] >= 0}
    emergencies = tuple(
        SupposedEmergency(
            visit_type_name=day.kind_of(number).name, came_at=day.instant_of(posed.visits[number].released), start=seen.get(number),
            texts=texts_of(day, posed, why[number]) if number in why else (),
        )
        for number in supposed
    )  # fmt: skip
    hit = tuple(each.id for each in day.fixed if day.loses(each))
    return Supposed(really=really, emergencies=emergencies, hit_ids=hit)


def _span(day: Day, without: Without) -> tuple[int, int]:
    """Ticks that lie in part within the time are lost, too."""
    since = 0 if without.from_at is None else day.tick_of(without.from_at)
    until = day.ticks if without.until_at is None else day.tick_from(without.until_at)
    return since, until
