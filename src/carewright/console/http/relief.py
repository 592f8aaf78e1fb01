"""What a queue does because too many wait, as the staff's pages show it, and by whom it is begun and ended."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from carewright.console.http.page import Ask
from carewright.contracts.queue import QueueSummary
from carewright.contracts.relief import HandReason, OtherSite, Relief, ReliefKind, ReliefReason

READ, CHANGE = "flow.relief.read", "flow.relief.change"
NAMES: Mapping[ReliefKind, str] = {
    "other-site": "Other sites are named to walk-ins", "extra-staff": "More staff are called",
    "pause-walk-ins": "Routine walk-ins are paused", "wait-elsewhere": "Who waits may do so elsewhere",
}  # fmt: skip
BEGINS: Mapping[ReliefKind, str] = {
    "other-site": "Name other sites to walk-ins", "extra-staff": "Call more staff", "pause-walk-ins": "Pause routine walk-ins",
    "wait-elsewhere": "Let people wait elsewhere",
}  # fmt: skip
REASONS: Mapping[HandReason, str] = {
    "crowded": "Too many wait", "short-staffed": "Too few of us are here", "incident": "Something has happened", "calm": "It is calm again",
    "mistake": "It was a mistake", "other": "Another reason",
}  # fmt: skip
BEGIN_REASONS: Sequence[HandReason] = ("crowded", "short-staffed", "incident", "other")
END_REASONS: Sequence[HandReason] = ("calm", "mistake", "other")


class Step(NamedTuple):
    """A step that is on, in words."""

    relief: Relief
    name: str
    why: str


class Shown(NamedTuple):
    """What the page of a queue shows: steps that are on, those that are not, and where else one may go."""

    on: Sequence[Step]
    off: Sequence[tuple[ReliefKind, str]]
    elsewhere: Sequence[str]
    may_change: bool


def steps_of(summary: QueueSummary, zone: ZoneInfo) -> list[Step]:
    """The steps of a queue that are on."""
    return [Step(each, NAMES[each.what], _why(each, zone)) for each in summary.relief]


async def relief_of(ask: Ask, summary: QueueSummary, zone: ZoneInfo) -> Shown:
    """What the page of a queue shows of relief."""
    on = {each.what for each in summary.relief}
    off = [(what, BEGINS[what]) for what in get_args(ReliefKind) if what not in on]
    names_sites = on & {"other-site", "pause-walk-ins"} and ask.ctx.actor.may(READ)
    there = (await ask.ctx.queues.list_other_sites(ask.ctx.actor, summary.queue.id)).items if names_sites else ()
    told = [_elsewhere(each) for each in there if each.waits_less or "pause-walk-ins" in on]
    return Shown(steps_of(summary, zone), off, told, ask.ctx.actor.may(CHANGE))


async def elsewhere_of(ask: Ask, summary: QueueSummary) -> list[str]:
    """Where one waits less than in a queue that names other sites."""
    if not ask.ctx.actor.may(READ) or all(each.what != "other-site" for each in summary.relief):
        return []
    there = (await ask.ctx.queues.list_other_sites(ask.ctx.actor, summary.queue.id)).items
    return [_elsewhere(each) for each in there if each.waits_less]


def _elsewhere(there: OtherSite) -> str:
    if there.minutes is None:
        return f"{there.site_name}: {there.waiting} waiting"
    return f"{there.site_name}: {there.waiting} waiting, about {there.minutes} minutes"


def _why(each: Relief, zone: ZoneInfo) -> str:
    since = f"since {each.begun_at.astimezone(zone).strftime('%H:%M')}"
    by_policy: Mapping[ReliefReason, str] = {
        "waiting": f"{each.waiting} were waiting", "minutes": f"the wait was {each.minutes} minutes",
    }  # fmt: skip
    if each.begun_by == "policy":
        return f"{since}, by itself: {by_policy.get(each.reason, each.reason)}"
    return f"{since}, begun by hand: {next((words for reason, words in REASONS.items() if reason == each.reason), each.reason).lower()}"
