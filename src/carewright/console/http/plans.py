"""Plans of a site's days: those that were made, a new one searched for, and what is ready after something went out of service."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http import plan_words as words
from carewright.console.http.live import LIVE
from carewright.console.http.page import Ask, uuid_or_none, zone_of
from carewright.console.http.sites import site_of, site_to_show
from carewright.contracts.directory import Location
from carewright.contracts.outages import ListOutages, Outage
from carewright.contracts.planner import KeptPlan, ListPlans, PlanDay, PlanRuns
from carewright.kernel.errors import BadInput
from carewright.kernel.server_sent import text_of

PLANS = "/staff/plans"
MAKE, ACCEPT = "scheduling.plan.make", "scheduling.appointment.reschedule"
WHAT = {"rest": "The rest of today", "tomorrow": "Tomorrow"}
HOW = {"quick": "Quickly, in some seconds", "thorough": "Thoroughly, in half a minute"}
SECONDS = {"quick": 2.0, "thorough": 20.0}
OUTAGES_MAX = 200
HOUR = timedelta(hours=1)


class Line(NamedTuple):
    """A plan as the list of a site shows it."""

    kept: KeptPlan
    when: str
    why: str
    stands: str


class Ready(NamedTuple):
    """The plan that was made after something went out of service, and how it stands."""

    plan_id: UUID
    words: str


async def show_plans(ask: Ask) -> Response:
    """The plans of one site, the newest first; without one, the question which."""
    return await _shown(ask, ask.request.query_params.get("place", ""))


async def start(ask: Ask) -> Response:
    """Begin to search for a better plan."""
    place = ask.form.get("place", "")
    site = await site_of(ask, place)
    what, how = ask.form.get("what", ""), ask.form.get("how", "")
    if what not in WHAT or how not in HOW:
        return await _shown(ask, place, 422, "Choose for when to plan, and for how long to search.")
    try:
        kept = await ask.ctx.scheduling.start_plan(ask.ctx.actor, asked(site, what, how, ask.ctx.clock.now()), ask.key)
    except (PlanRuns, BadInput) as refusal:
        return await _shown(ask, place, refusal.status, refusal.detail)
    return ask.go(f"{PLANS}/{kept.id}")


def asked(site: Location, what: str, how: str, now: datetime) -> PlanDay:
    """What a form asks for: whole hours from now, or from midnight, to the end of the day by the site's clock, at least."""
    zone = zone_of(site)
    today = now.astimezone(zone).date()
    day = today if what == "rest" else today + timedelta(days=1)
    begins, ends = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    first = max(begins, now) if what == "rest" else begins
    hours = -int(-(ends.timestamp() - first.timestamp()) // HOUR.total_seconds())
    return PlanDay(site_id=site.id, from_at=None if what == "rest" else first, hours=max(1, hours), seconds=SECONDS[how])


async def ready_after(ask: Ask, site_id: UUID, outages: Sequence[Outage]) -> dict[UUID, Ready]:
    """By the outage's id, the newest plan that was made for it by itself; nothing for whoever makes no plans.

    One that was asked for since serves whatever was out of service by then, too.
    """
    if not outages or not ask.ctx.actor.may(MAKE) or not ask.ctx.actor.works_at(site_id):
        return {}
    found = (await ask.ctx.scheduling.list_plans(ask.ctx.actor, ListPlans(site_id=site_id))).items
    by_itself = [(each, said) for each in found if each.cause == "outage" and (said := words.ready(each))]
    ready = ((one.id, next((Ready(each.id, said) for each, said in by_itself if _serves(each, one)), None)) for one in outages)
    return {id_: each for id_, each in ready if each is not None}


def _serves(kept: KeptPlan, outage: Outage) -> bool:
    is_since = kept.asked_at >= outage.reported_at and kept.from_at < outage.end and outage.start < kept.until_at
    return kept.outage_id == outage.id or is_since


def live_at(site_id: UUID, error: str) -> str:
    """The stream that a page of plans follows; none where it says what went wrong, which is at no address to ask for again."""
    return "" if error else f"{LIVE}?{urlencode({'site': str(site_id)})}"


async def _shown(ask: Ask, wanted: str, status: int = 200, error: str = "") -> Response:
    sites, site = await site_to_show(ask, wanted)
    if site is None:
        return ask.show("plans.html", status, sites=sites, site=None, error=error)
    place = text_of(await ask.ctx.feed.place())  # before anything is read, as on the page of a day
    zone = zone_of(site)
    query = ListPlans(site_id=site.id, after=uuid_or_none(ask.request.query_params.get("after", "")))
    found = await ask.ctx.scheduling.list_plans(ask.ctx.actor, query)
    names = await _names_of_outages(ask, site.id, found.items)
    return ask.show(
        "plans.html", status, sites=sites, site=site, error=error, place=place, live=live_at(site.id, error),
        lines=[_line(each, zone, names, ask.ctx.actor.subject) for each in found.items], next=found.next, states=words.STATES,
        tags=words.TAGS, what=WHAT, how=HOW, as_of=f"{ask.ctx.clock.now().astimezone(zone):%H:%M}",
        is_running=any(each.state == "searching" for each in found.items),
    )  # fmt: skip


async def _names_of_outages(ask: Ask, site_id: UUID, plans: Sequence[KeptPlan]) -> dict[UUID, str]:
    """What was out of service when these were searched for by themselves, and may be still."""
    by_itself = [each.asked_at for each in plans if each.cause == "outage"]
    if not by_itself:
        return {}
    query = ListOutages(site_id=site_id, from_at=min(by_itself), limit=OUTAGES_MAX)
    return {each.id: each.display for each in (await ask.ctx.scheduling.list_outages(ask.ctx.actor, query)).items}


def why(kept: KeptPlan, names: dict[UUID, str], subject: str) -> str:
    """By whom it was asked for, or after what."""
    if kept.cause == "asked":
        return f"asked for by {'you' if kept.asked_by == subject else words.OTHER}"
    return f"after {names[kept.outage_id]} went out of service" if kept.outage_id in names else words.ITSELF


def _line(kept: KeptPlan, zone: ZoneInfo, names: dict[UUID, str], subject: str) -> Line:
    said = f"{kept.asked_at.astimezone(zone):%d %B %H:%M}, {why(kept, names, subject)}"
    return Line(kept, words.span(kept, zone), said, words.stands(kept))
