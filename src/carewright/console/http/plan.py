"""One plan of a site's day: how far the search is; what is proposed beside what is booked, move by move; and what became of each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http import plan_words as words
from carewright.console.http import plans, what_if
from carewright.console.http.finding import names_of_patients
from carewright.console.http.page import Ask, number, uuid_or_none, zone_of
from carewright.contracts.planner import AcceptPlan, DayPlan, GiveUpPlan, KeptPlan, PlannedMove, PlanNotOpen
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import SearchAppointments
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.server_sent import text_of

PLAN = f"{plans.PLANS}/{{id}}"
MOVES_MAX = 80
"""As many moves as a page has, so that a form of them has no more fields than are taken."""
LEFT_OUT_MAX = 50
NAMED_MAX = 20
"""A plan that concerns more people names none: whoever opens so many records at once reads faster than a person does, and is signed out
(docs/howto/respond-to-an-incident.md). Whose an appointment is stands on its own page."""
SCHEDULES_MAX = 500
CHOSEN = "move-"
FASTER = "Somebody else did something with this plan a moment ago. This is how it stands now."
NOTHING = "Choose one move at least."


class Group(NamedTuple):
    """Moves of one reason: those of this page, of how many."""

    name: str
    moves: Sequence[words.Move]
    total: int


class LeftOut(NamedTuple):
    """An appointment that has no place in the plan, and why as far as that was looked into.

    `gives_way` is one that could take place as booked: the plan has others there, who are worth more together.
    """

    id: UUID
    who: str
    what: str
    why: Sequence[str]
    gives_way: bool


async def show_plan(ask: Ask) -> Response:
    """How it stands."""
    return await _shown(ask)


async def give_up(ask: Ask) -> Response:
    """Search no further, or put aside what was found."""
    command = GiveUpPlan(plan_id=ask.id, expected_version=ask.version)
    try:
        await ask.ctx.scheduling.give_up_plan(ask.ctx.actor, command, ask.key)
    except (PlanNotOpen, PreconditionFailed):
        return await _shown(ask, 409, FASTER)
    return ask.go(PLAN.format(id=ask.id))


async def accept(ask: Ask) -> Response:
    """Make the moves that were chosen, or all there are, each as far as it still can be made."""
    ids = None if ask.form.get("all") == "yes" else tuple(_chosen(ask))
    if ids == ():
        return await _shown(ask, 422, NOTHING)
    command = AcceptPlan(plan_id=ask.id, appointment_ids=ids, expected_version=ask.version)
    try:
        await ask.ctx.scheduling.accept_plan(ask.ctx.actor, command, ask.key)
    except (PlanNotOpen, PreconditionFailed):
        return await _shown(ask, 409, FASTER)
    page = number(ask.form.get("page", ""))
    return ask.go(PLAN.format(id=ask.id) + (f"?{urlencode({'page': page})}" if page > 1 else ""))


def _chosen(ask: Ask) -> Iterator[UUID]:
    """The appointments whose boxes are ticked."""
    for name in ask.form:
        id_ = uuid_or_none(name.removeprefix(CHOSEN)) if name.startswith(CHOSEN) else None
        if id_ is not None:
            yield id_


async def _shown(ask: Ask, status: int = 200, error: str = "") -> Response:
    place = text_of(await ask.ctx.feed.place())  # before anything is read, as on the page of a day
    kept = await ask.ctx.scheduling.get_plan(ask.ctx.actor, ask.id)
    sites = {site.id: site for site in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items}
    site = sites.get(kept.site_id)
    zone, now = zone_of(site), ask.ctx.clock.now()
    page = max(1, number(ask.request.query_params.get("page", "") or ask.form.get("page", "")))
    values: dict[str, object] = {"groups": (), "left_out": (), "figures": (), "quality": "", "pages": 1, "changed": 0, "may_choose": False}
    supposed = kept.asked.what_if
    if supposed is not None:
        values["said"] = what_if.said(supposed, await _names_of_actors(ask, (each.actor_id for each in supposed.without)))
    if kept.plan is not None:
        values |= await _found(ask, kept, kept.plan, page, zone)
    return ask.show(
        "plan.html", status, kept=kept, plan=kept.plan, site=site, error=error, place=place, page=page, when=words.span(kept, zone),
        live=plans.live_at(kept.site_id, error), as_of=f"{now.astimezone(zone):%H:%M}", stands=words.stands(kept),
        asked=f"{kept.asked_at.astimezone(zone):%d %B %H:%M}, {plans.why(kept, {}, ask.ctx.actor.subject)}",
        tag=words.TAGS[kept.state], state=words.STATES[kept.state], may_accept=ask.ctx.actor.may(plans.ACCEPT), **values,
    )  # fmt: skip


async def _found(ask: Ask, kept: KeptPlan, plan: DayPlan, page: int, zone: ZoneInfo) -> dict[str, object]:
    """What was found, in words: the moves of a page, and who has no place."""
    moves = [each for reason in words.REASONS for each in plan.moves if each.reason == reason]
    shown = moves[(page - 1) * MOVES_MAX : page * MOVES_MAX]
    why = {each.appointment_id: each.texts for each in plan.reasons}
    without = sorted(plan.without_place, key=lambda each: each not in why)[:LEFT_OUT_MAX]
    named = await _named(ask, shown, without, is_named=len(plan.moves) + len(without) <= NAMED_MAX)
    now, made = ask.ctx.clock.now(), {each.appointment_id: each for each in kept.made}
    left = [named.visits[each] for each in without if each in named.visits]
    told = {each.appointment_id: words.move_of(each, made.get(each.appointment_id), named, kept, zone, now, left) for each in shown}
    giving_way = {each.id for each in left if any(words.is_where(each, move) for move in plan.moves)}
    groups = [
        Group(name, [told[each.appointment_id] for each in shown if each.reason == reason], sum(each.reason == reason for each in moves))
        for reason, name in words.REASONS.items()
    ]
    return {
        "is_named": bool(named.patients) or not named.visits, "groups": [each for each in groups if each.moves],
        "left_out": [_left_out(each, named, why.get(each, ()), zone, gives_way=each in giving_way) for each in without],
        "figures": words.figures(plan), "columns": words.SUPPOSED_COLUMNS if plan.supposed else words.COLUMNS,
        "emergencies": what_if.emergencies(plan, zone), "quality": words.quality(plan), "pages": max(1, -(-len(moves) // MOVES_MAX)),
        "may_choose": any(each.may_choose for each in told.values()),
        "changed": sum(each.is_over and each.id not in made for each in told.values()),
    }  # fmt: skip


async def _named(ask: Ask, moves: Sequence[PlannedMove], without: Sequence[UUID], *, is_named: bool) -> words.Named:
    ids = (*(each.appointment_id for each in moves), *without)
    if not ids:
        return words.Named({}, {}, {})
    query = SearchAppointments(ids=ids, limit=len(ids))
    visits = {each.id: each for each in (await ask.ctx.scheduling.search_appointments(ask.ctx.actor, query)).items}
    patients = await names_of_patients(ask, (each.patient_id for each in visits.values() if is_named))
    return words.Named(visits, patients, await _names_of_actors(ask, (actor for each in moves for actor in each.actor_ids)))


async def _names_of_actors(ask: Ask, ids: Iterable[UUID]) -> dict[UUID, str]:
    wanted = tuple(dict.fromkeys(ids))[:SCHEDULES_MAX]
    if not wanted:
        return {}
    found = await ask.ctx.scheduling.list_schedules(ask.ctx.actor, ListSchedules(ids=wanted, limit=SCHEDULES_MAX))
    return {each.id: each.display for each in found.items}


def _left_out(id_: UUID, named: words.Named, why: Sequence[str], zone: ZoneInfo, *, gives_way: bool) -> LeftOut:
    visit = named.visits.get(id_)
    what = f"{visit.visit_type_name}, booked for {visit.start.astimezone(zone):%A %H:%M}" if visit else ""
    return LeftOut(id_, named.who(id_), what, why, gives_way)
