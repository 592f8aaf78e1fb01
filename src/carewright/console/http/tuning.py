"""Tuning a queue on a page: who came, the search for a better order, what it would do beside today's, and putting it in force."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http import queues, scales
from carewright.console.http.page import Ask, number, zone_of
from carewright.console.http.policy import queue_of
from carewright.contracts.flow import TooLittleHistory, TuningNotSound, TuningRuns, TuningStepNotAllowed
from carewright.contracts.tuning import (
    CTAS_TARGETS,
    HOURS,
    LEVELS,
    AskDemand,
    DayKind,
    Found,
    LevelOutlook,
    ListTunings,
    Outlook,
    SeenDemand,
    StartTuning,
    StepTuning,
    Tuning,
    TuningFault,
)
from carewright.kernel.errors import PreconditionFailed

TUNING = f"{queues.QUEUE}/tuning"
DAYS: Mapping[DayKind, str] = {"workdays": "Monday to Friday", "weekend": "Saturday and Sunday", "every-day": "Every day"}
FAULTS: Mapping[TuningFault, str] = {
    "too-long": "It took too long and was ended. Search with fewer people, or another time.",
    "broken": "It broke off. That is our fault, and has been recorded.",
}  # fmt: skip
UNCLEAR = (
    "Something in the form is not a number, or is out of its bounds: hours take 0 to 200 of you and 0 to 500 who come, targets 1 to 1440 "
    "minutes and 1 to 99 percent, a visit 1 to 480 minutes."
)
FASTER = "Somebody else changed this a moment ago. This is how it stands now."


class Line(NamedTuple):
    """A level in words: its target, how it is now, and how it would be."""

    level: str
    people: str
    target: str
    now: str
    then: str
    verdict: str
    is_met: bool | None


class Search(NamedTuple):
    """A search as the page shows it. `said` is what it comes to, in sentences."""

    tuning: Tuning
    asked: str
    lines: Sequence[Line]
    said: Sequence[str]
    order: str


async def show_tuning(ask: Ask) -> Response:
    """What was searched for a queue, and the form for a new search."""
    return await _shown(ask)


async def start(ask: Ask) -> Response:
    """Begin a search."""
    try:
        command = msgspec.convert(_asked(ask), StartTuning)
    except (msgspec.ValidationError, ValueError):
        return await _shown(ask, 422, UNCLEAR)
    try:
        await ask.ctx.queues.start_tuning(ask.ctx.actor, command, ask.key)
    except (TooLittleHistory, TuningNotSound, TuningRuns) as refusal:
        return await _shown(ask, refusal.status, refusal.detail)
    return ask.go(f"{queues.QUEUES}/{ask.id}/tuning")


async def step(ask: Ask) -> Response:
    """Give a search up, put what it found in force, or take that back."""
    given = {
        "tuning_id": ask.form.get("tuning", ""), "action": ask.form.get("action", ""),
        "expected_version": number(ask.form.get("version", "")),
    }  # fmt: skip
    try:
        command = msgspec.convert(given, StepTuning)
        await ask.ctx.queues.step_tuning(ask.ctx.actor, command, ask.key)
    except msgspec.ValidationError:
        return await _shown(ask, 422, UNCLEAR)
    except (TuningStepNotAllowed, PreconditionFailed):
        return await _shown(ask, 409, FASTER)
    return ask.go(f"{queues.QUEUES}/{ask.id}/tuning")


async def _shown(ask: Ask, status: int = 200, error: str = "") -> Response:
    queue = await queue_of(ask)
    sites = {site.id: site for site in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items}
    zone, levels = zone_of(sites.get(queue.site_id)), scales.LEVELS[queue.policy.scale]
    wanted = ask.form.get("days") or ask.request.query_params.get("days", "")
    days: DayKind = next((kind for kind in DAYS if kind == wanted), "workdays")
    demand = await ask.ctx.queues.see_demand(ask.ctx.actor, AskDemand(queue_id=ask.id, days=days))
    found = (await ask.ctx.queues.list_tunings(ask.ctx.actor, ListTunings(queue_id=ask.id))).items
    return ask.show(
        "tuning.html", status, error=error, queue=queue, demand=demand, days=days, kinds=DAYS, levels=levels, hours=range(HOURS),
        values=_values(demand) | dict(ask.form), searches=[_search(each, zone, levels) for each in found],
        is_running=any(each.status == "running" for each in found),
    )  # fmt: skip


def _values(demand: SeenDemand) -> dict[str, str]:
    """What stands in the fields: what was seen, and the targets of CTAS."""
    values = {f"staff-{hour}": str(count) for hour, count in enumerate(demand.staff)}
    values |= {f"come-{hour}": f"{people:.1f}" for hour, people in enumerate(demand.arrivals)}
    values |= {f"share-{level}": str(round(100 * share)) for level, share in enumerate(demand.level_shares, start=1)}
    values |= {f"minutes-{each.level}": str(each.minutes) for each in CTAS_TARGETS}
    values |= {f"percent-{each.level}": str(round(100 * each.share)) for each in CTAS_TARGETS}
    source = "seen" if demand.is_enough else "entered"
    return values | {"service": f"{demand.service_minutes or 15:.0f}", "order": "accumulating", "source": source}


def _asked(ask: Ask) -> dict[str, object]:
    """The command that the form is. Raises `ValueError` for what is no number; a level without minutes has no target."""
    form = ask.form
    targets = [
        {"level": level, "minutes": int(form[f"minutes-{level}"]), "share": float(form.get(f"percent-{level}", "")) / 100}
        for level in range(1, LEVELS + 1)
        if form.get(f"minutes-{level}")
    ]
    entered = None
    if form.get("source") == "entered":
        entered = {
            "arrivals": [float(form.get(f"come-{hour}") or 0) for hour in range(HOURS)],
            "level_shares": [float(form.get(f"share-{level}") or 0) / 100 for level in range(1, LEVELS + 1)],
            "service_minutes": float(form.get("service", "")),
        }
    staff = [int(form.get(f"staff-{hour}") or 0) for hour in range(HOURS)]
    named = {name: form.get(name, "") for name in ("order", "days")}
    return {"queue_id": str(ask.id), "targets": targets, "staff": staff, "entered": entered, **named}


def _search(tuning: Tuning, zone: ZoneInfo, levels: Sequence[str]) -> Search:
    by = "as entered" if tuning.is_entered else DAYS[tuning.days]
    asked = f"{tuning.asked_at.astimezone(zone):%d %B, %H:%M}: {by}, about {tuning.people_a_day:.0f} people a day"
    found = tuning.found
    if found is None:
        return Search(tuning, asked, (), (FAULTS[tuning.fault],) if tuning.fault else (), "")
    lines = [_line(each, levels) for each in found.levels if each.people_a_day]
    return Search(tuning, asked, lines, _said(found, levels), _order(found))


def _line(each: LevelOutlook, levels: Sequence[str]) -> Line:
    target = f"{each.target.share:.0%} within {each.target.minutes} minutes" if each.target else "none"
    verdict = "" if each.is_met is None else "met" if each.is_met else "missed" if each.is_reachable else "out of reach"
    return Line(levels[each.level - 1], f"{each.people_a_day:.1f}", target, _words(each.now), _words(each.then), verdict, each.is_met)


def _words(outlook: Outlook) -> str:
    share = "" if outlook.share is None else f"{outlook.share:.0%} in time; "
    half, most = (f"{each} min" if each is not None else "over a day" for each in (outlook.median_minutes, outlook.high_minutes))
    return f"{share}half within {half}, nine of ten within {most}"


def _order(found: Found) -> str:
    if found.order == "head-start":
        return "Head starts of levels 2 to 5: " + ", ".join(f"{each:.0f} minutes" for each in found.values)
    return "A minute of waiting counts, for levels 2 to 5: " + " : ".join(f"{each:g}" for each in found.values)


def _said(found: Found, levels: Sequence[str]) -> list[str]:
    """What it comes to, plainly."""
    missed = [each for each in found.levels if each.is_met is False]
    if not missed:
        return ["With the staff on duty every target is met by this order."]
    names = _listed([levels[each.level - 1].lower() for each in missed])
    said = [f"With the staff on duty no order that was found meets every target. Missed: {names}."]
    if hopeless := [levels[each.level - 1].lower() for each in missed if not each.is_reachable]:
        said.append(f"Out of reach by any order, even before all others: {_listed(hopeless)}.")
    if found.extra_staff is None:
        more = f"Not even {found.extra_tried} more people at every hour that is staffed would do. Do people come when nobody is on duty?"
        return [*said, more]
    people = "1 more person" if found.extra_staff == 1 else f"{found.extra_staff} more people"
    return [*said, f"{people} at every hour that is staffed would do."]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
