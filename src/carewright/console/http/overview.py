"""A site at a glance: how full its services, rooms and beds are, where people wait longest, and what is full. Live, and of nobody."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.console.http.bed_words import KINDS, STATES
from carewright.console.http.beds import BEDS
from carewright.console.http.board import BOARD
from carewright.console.http.page import Ask, zone_of
from carewright.console.http.sensed import areas_of
from carewright.console.http.sites import site_named
from carewright.console.http.today import day_in
from carewright.contracts.board import HourUse, ReadUse, ServiceUse
from carewright.contracts.delays import AtSite
from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.contracts.planner import GetPlanningRules, PlanningRules, SetPlanningRules
from carewright.contracts.queue import ListQueues, QueueSummary
from carewright.contracts.rooms import CountPlaces
from carewright.kernel.server_sent import text_of

OVERVIEW = "/staff/overview"
READS_QUEUES, READS_PLACES = "flow.queue.read", "flow.place.read"
WATCHED = {
    "appointment": "scheduling.appointment.any_patient", "turn": "flow.queue.work", "place": READS_PLACES, "sensed": "flow.sensor.read",
}  # fmt: skip
"""What the page follows, by what one may; whoever may follow neither loads it again."""
LIMITS = f"{OVERVIEW}/limits"
SETS_LIMITS = "flow.queue.change"
PLANNING = f"{OVERVIEW}/planning"
READS_PLANNING, SETS_PLANNING = "scheduling.planning.read", "scheduling.planning.change"
UNCLEAR = "Say a percentage from 50 to 100, and a number of minutes from 5 to 1440."
UNCLEAR_RULES = "Say a number of moves from 1 to 100, and a number of minutes from 5 to 720."


class Cell(NamedTuple):
    """An hour of a service. `percent` is None where nobody works."""

    percent: int | None
    taken: int
    open: int

    @property
    def shade(self) -> str:
        """A class of `static/console/overview.css`: closed, or a tenth of full."""
        return "heat-none" if self.percent is None else f"heat-{min(self.percent, 100) // 10}"


class Line(NamedTuple):
    """A service and its day."""

    id: UUID
    name: str
    cells: Sequence[Cell]
    whole: Cell


class Flag(NamedTuple):
    """Something to look at, and where."""

    text: str
    href: str


class Full(NamedTuple):
    """How many places of a kind there are, and how they stand."""

    name: str
    href: str
    percent: int
    words: str


async def show_overview(ask: Ask) -> Response:
    """A site's day, today unless `day` says another; without a site, the question which."""
    return await _shown(ask, ask.request.query_params.get("place", ""))


async def set_limits(ask: Ask) -> Response:
    """From when on something at the site is to be looked at."""
    place = ask.form.get("place", "")
    given = {"site_id": place, "full_percent": ask.form.get("full", ""), "long_minutes": ask.form.get("long", "")}
    try:
        command = msgspec.convert(given, SetLimits, strict=False)
    except msgspec.ValidationError:
        return await _shown(ask, place, 422, UNCLEAR)
    await ask.ctx.queues.set_limits(ask.ctx.actor, command, ask.key)
    return ask.go(f"{OVERVIEW}?{urlencode({'place': place})}")


async def set_planning(ask: Ask) -> Response:
    """What is planned and accepted at the site by itself when something goes out of service; what its plans weigh stays as it is."""
    place = ask.form.get("place", "")
    given = {
        "site_id": place, "proposes": "proposes" in ask.form, "accepts": "accepts" in ask.form,
        "moves_most": ask.form.get("moves_most", ""), "minutes_most": ask.form.get("minutes_most", ""),
    }  # fmt: skip
    try:
        command = msgspec.convert(given, SetPlanningRules, strict=False)
    except msgspec.ValidationError:
        return await _shown(ask, place, 422, UNCLEAR_RULES)
    rules = await ask.ctx.scheduling.get_planning_rules(ask.ctx.actor, GetPlanningRules(site_id=command.site_id))
    await ask.ctx.scheduling.set_planning_rules(ask.ctx.actor, msgspec.structs.replace(command, weights=rules.weights), ask.key)
    return ask.go(f"{OVERVIEW}?{urlencode({'place': place})}")


async def _shown(ask: Ask, wanted: str, status: int = 200, error: str = "") -> Response:
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    site = site_named(sites, wanted)
    asked = day_in(ask.request.query_params.get("day", ""))
    if site is None:
        return ask.show("overview.html", site=None, sites=sites, asked=asked, error=error)
    place = text_of(await ask.ctx.feed.place())  # before anything is read
    zone = zone_of(site)
    now = ask.ctx.clock.now().astimezone(zone)
    day = asked or now.date()
    start, end = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
    hours = (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(hours=1)
    used = await ask.ctx.scheduling.read_use(ask.ctx.actor, ReadUse(site_id=site.id, from_at=start, hours=hours))
    labels = [(start.astimezone(UTC) + timedelta(hours=each)).astimezone(zone) for each in range(hours)]
    lines = [_line(each) for each in used.services]
    shown = _shown_hours(lines)
    queues: Sequence[QueueSummary] = ()
    if ask.ctx.actor.may(READS_QUEUES) and day == now.date():
        queues = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues(site_id=site.id))).items
    places = await _places(ask, site.id) if day == now.date() else []
    limits = await _limits(ask, site.id)
    works_here = ask.ctx.actor.works_at(site.id)
    return ask.show(
        "overview.html", status, error=error, limits=limits, may_set=ask.ctx.actor.may(SETS_LIMITS) and works_here,
        rules=await _rules(ask, site.id), may_set_rules=ask.ctx.actor.may(SETS_PLANNING) and works_here,
        site=site, sites=sites, asked=asked, day=day, place=place, lines=lines, shown=shown, places=places,
        labels=[f"{labels[each]:%H}" for each in shown], as_of=f"{now:%H:%M}", current=_current(labels, now),
        areas=areas_of(queues, zone),
        kinds=_watched(ask),
        flags=[*_waits(queues, limits, now), *_full(lines, labels, limits, now)],
        whole=_cell(_sum_of(hour for one in used.services for hour in one.hours)),
        board=f"{BOARD}?{urlencode({'place': str(site.id), 'day': str(day)})}",
    )  # fmt: skip


def _watched(ask: Ask) -> list[str]:
    """What the page follows. How beds stand and what sensors see do not make a page live that shows appointments and queues, too."""
    kinds = [kind for kind, permission in WATCHED.items() if ask.ctx.actor.may(permission)]
    return kinds if {"appointment", "turn"}.intersection(kinds) else []


async def _limits(ask: Ask, site_id: UUID) -> SiteLimits:
    """Those of the site, or, of a site where one does not work, the usual ones."""
    if not ask.ctx.actor.works_at(site_id):
        return SiteLimits(site_id=site_id)
    return await ask.ctx.queues.get_limits(ask.ctx.actor, AtSite(site_id=site_id))


async def _rules(ask: Ask, site_id: UUID) -> PlanningRules | None:
    """What is planned there by itself, for whoever may know."""
    if not (ask.ctx.actor.may(READS_PLANNING) and ask.ctx.actor.works_at(site_id)):
        return None
    return await ask.ctx.scheduling.get_planning_rules(ask.ctx.actor, GetPlanningRules(site_id=site_id))


async def _places(ask: Ask, site_id: UUID) -> list[Full]:
    """How full rooms and beds are now. What is closed is not there to be filled."""
    if not (ask.ctx.actor.may(READS_PLACES) and ask.ctx.actor.works_at(site_id)):
        return []
    counts = (await ask.ctx.rooms.count_places(ask.ctx.actor, CountPlaces(site_id=site_id))).items
    found = []
    for kind, name in KINDS.items():
        sums = {status: sum(each.count for each in counts if (each.kind, each.status) == (kind, status)) for status in STATES}
        usable = sum(sums.values()) - sums["closed"]
        if any(sums.values()):
            said = ", ".join(f"{count} {STATES[status].lower()}" for status, count in sums.items() if count)
            address = f"{BEDS}?{urlencode({'place': str(site_id), 'kind': kind})}"
            found.append(Full(name, address, round(100 * sums["occupied"] / usable) if usable else 100, said))
    return found


def _sum_of(hours: Iterable[HourUse]) -> HourUse:
    known = list(hours)
    return HourUse(open_minutes=sum(each.open_minutes for each in known), taken_minutes=sum(each.taken_minutes for each in known))


def _cell(use: HourUse) -> Cell:
    percent = round(100 * use.taken_minutes / use.open_minutes) if use.open_minutes else None
    return Cell(percent, use.taken_minutes, use.open_minutes)


def _line(service: ServiceUse) -> Line:
    return Line(service.service_id, service.service_name, [_cell(each) for each in service.hours], _cell(_sum_of(service.hours)))


def _shown_hours(lines: Sequence[Line]) -> range:
    """From the first hour in which anybody works to the last."""
    working = [number for line in lines for number, cell in enumerate(line.cells) if cell.percent is not None]
    return range(min(working), max(working) + 1) if working else range(0)


def _current(labels: Sequence[datetime], now: datetime) -> int | None:
    """Which hour it is; None on another day."""
    return next((number for number, each in enumerate(labels) if each <= now < each + timedelta(hours=1)), None)


def _waits(queues: Sequence[QueueSummary], limits: SiteLimits, now: datetime) -> list[Flag]:
    """Queues in which somebody has waited long, the longest first."""
    waits = [((now - each.waiting_since) // timedelta(minutes=1), each) for each in queues if each.waiting_since]
    return [
        Flag(f"{each.queue.name}: somebody has waited for {minutes} minutes, {sum(each.waiting)} wait", f"/staff/queues/{each.queue.id}")
        for minutes, each in sorted(waits, key=lambda one: -one[0])
        if minutes >= limits.long_minutes
    ]


def _full(lines: Sequence[Line], labels: Sequence[datetime], limits: SiteLimits, now: datetime) -> list[Flag]:
    """Services that have an hour before them which is as good as full."""
    flags = []
    for line in lines:
        full = [
            f"{labels[number]:%H}"
            for number, cell in enumerate(line.cells)
            if cell.percent is not None and cell.percent >= limits.full_percent and labels[number] + timedelta(hours=1) > now
        ]
        if full:
            address = f"{BOARD}?{urlencode({'place': str(limits.site_id), 'day': str(labels[0].date()), 'service': str(line.id)})}"
            flags.append(Flag(f"{line.name}: full at {', '.join(full)} o'clock", address))
    return flags
