"""Gaps of practitioners' time on a queue's page: what is free, who could be called into it, and the tap that does so."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.console.http.page import Ask
from carewright.contracts.flow import StepNotAllowed
from carewright.contracts.in_use import ListGaps, TakeTime
from carewright.contracts.queue import CallEntry, ProposedTurn, ProposeTurns, Queue, QueueEntry, Turn
from carewright.contracts.scheduling import UnknownSite
from carewright.kernel.errors import PreconditionFailed

MINUTES_MIN, MINUTES_MAX = 5, 480


class Free(NamedTuple):
    """A gap in words, and whose turn could be called into it now."""

    practitioner_id: UUID
    text: str
    soon: str
    turn: Turn | None


async def gaps_of(ask: Ask, queue: Queue, zone: ZoneInfo) -> Sequence[Free]:
    """What the page shows of free time; nothing where calendars do not know the site yet."""
    try:
        asked = ListGaps(site_id=queue.site_id, service_id=queue.service_id, grace_minutes=queue.policy.grace_minutes)
        found = await ask.ctx.scheduling.list_gaps(ask.ctx.actor, asked)
    except UnknownSite:
        return ()
    if not found.items:
        return ()
    proposed = await ask.ctx.queues.propose_turns(ask.ctx.actor, ProposeTurns(queue_id=queue.id, gaps=found.items))
    return [_shown(each, zone) for each in proposed.items]


def _shown(proposed: ProposedTurn, zone: ZoneInfo) -> Free:
    gap = proposed.gap
    start, end = _clock(gap.start, zone), _clock(gap.end, zone)
    why = ", whose patient has not come," if gap.kind == "no-show" else ""
    when = f"is free until {end}" if proposed.is_now else f"is free {start} to {end}"
    turn = proposed.turn
    soon = f"Next fitting: {turn.ticket}." if turn else "Nobody who waits fits."
    return Free(gap.practitioner_id, f"{gap.display}{why} {when}.", soon, turn if proposed.is_now else None)


async def call_into_gap(ask: Ask, queue: Queue, entry_id: UUID, practitioner_id: UUID, version: int, key: str | None) -> QueueEntry:
    """Take the practitioner's time for a turn, and call it; what is not called gives its time back.

    Raises `NoTimeForTurn` where somebody has the time, `StepNotAllowed` and `PreconditionFailed` where somebody else did something with the
    turn.
    """
    usual = await ask.ctx.queues.propose_turns(ask.ctx.actor, ProposeTurns(queue_id=queue.id))
    taken = TakeTime(
        entry_id=entry_id, site_id=queue.site_id, practitioner_id=practitioner_id, least_minutes=min(usual.least_minutes, MINUTES_MAX),
        minutes=min(max(usual.usual_minutes, MINUTES_MIN), MINUTES_MAX), grace_minutes=queue.policy.grace_minutes,
    )  # fmt: skip
    await ask.ctx.scheduling.take_time(ask.ctx.actor, taken)
    try:
        command = CallEntry(entry_id=entry_id, practitioner_id=practitioner_id, expected_version=version)
        return await ask.ctx.queues.call_entry(ask.ctx.actor, command, key)
    except (StepNotAllowed, PreconditionFailed):
        await ask.ctx.scheduling.give_time_back(ask.ctx.actor, entry_id)
        raise


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")
