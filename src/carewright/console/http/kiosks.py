"""What kiosks brought to a queue's page: tickets of people whom the desk does not know yet, and calls for help."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.console.http.page import Ask
from carewright.contracts.kiosk import HelpCall, HelpReason, WalkIn, WalkInEnd
from carewright.contracts.queue import Queue

HELP_WORDS: Mapping[HelpReason, str] = {
    "ill": "Somebody at the kiosk feels very ill, or needs help at once",
    "codes": "Somebody at the kiosk has typed several codes that are not right",
}  # fmt: skip
ENDS: Mapping[WalkInEnd, str] = {"left": "Nobody came", "has-turn": "They have another ticket", "mistake": "Taken by mistake"}


class Line(NamedTuple):
    """A ticket that nobody has asked yet whose it is."""

    walk_in: WalkIn
    since: str
    called: str


class Help(NamedTuple):
    """A call for help, in words."""

    call: HelpCall
    text: str
    where: str


class Shown(NamedTuple):
    """What kiosks brought. `chosen` is whose ticket somebody at the desk has most likely."""

    lines: Sequence[Line]
    help: Sequence[Help]
    chosen: UUID | None


async def kiosks_of(ask: Ask, queue: Queue, zone: ZoneInfo) -> Shown:
    """What kiosks brought to this queue, and to its site."""
    found = (await ask.ctx.kiosks.list_walk_ins(ask.ctx.actor, queue.id)).items
    calls = (await ask.ctx.kiosks.list_help(ask.ctx.actor, queue.site_id)).items
    called = sorted((each.called_at, each.id) for each in found if each.called_at is not None)
    return Shown([_line(each, zone) for each in found], [_help(each, zone) for each in calls], called[0][1] if called else None)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _line(walk_in: WalkIn, zone: ZoneInfo) -> Line:
    called = f"called to the desk at {_clock(walk_in.called_at, zone)}" if walk_in.called_at else ""
    return Line(walk_in, _clock(walk_in.taken_at, zone), called)


def _help(call: HelpCall, zone: ZoneInfo) -> Help:
    return Help(call, HELP_WORDS[call.reason], f"{call.station_name}, since {_clock(call.raised_at, zone)}")
